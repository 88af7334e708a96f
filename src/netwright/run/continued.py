"""Starting from a trained model: its preprocessing is kept, its weights are copied, new classes get new units.

Nothing is copied silently: every layer that starts afresh is named. Outputs that are new begin with weights of 0: what
a trained body gives is large, and sums of it with drawn weights would be answers that have to be unlearned first
(Dosovitskiy et al. 2021, section 3.2; docs/log.md).
"""

from __future__ import annotations

from dataclasses import dataclass, replace
from pathlib import Path

import torch
from torch import Tensor

from netwright import files, model_file
from netwright.errors import SpecError
from netwright.field import Field
from netwright.model_file import Model, zoo
from netwright.models.layers import Dense
from netwright.readers.kinds.kind import source_of
from netwright.resolved import load_resolved
from netwright.run.folder import RunFolder
from netwright.spec import InputSpec, ModelSpec, OutputSpec, Spec
from netwright.training.checkpoint import latest


def load_model(path: Path | str) -> Model:
    """The model of a run folder, a model file or a name of the zoo; an unfinished run's as of its newest checkpoint.

    Of an unfinished run the best epoch's weights are taken, where there is one, and `notes` says how far it was.

    Raises:
        SpecError: Neither a run with a model or checkpoint nor a model file.
        ModelFileError: The file cannot be trusted or read.
    """
    path = zoo.find(path)
    if not path.exists():
        raise SpecError(
            f"there is no run or model file {files.printable(path)}, and the zoo has none of this name.",
            "`netwright runs` lists what is here, `netwright zoo list` what the zoo has.",
        )
    if not path.is_dir():
        return model_file.load(path)
    folder = RunFolder(path)
    state = folder.state()
    if folder.model.exists():
        return model_file.load(folder.model)
    found = latest(folder.checkpoints) if folder.checkpoints.exists() and folder.resolved.exists() else None
    if found is None:
        raise SpecError(
            f"the run {files.printable(path)} has no model yet (it is {state}).",
            f"Finish it first: netwright resume {files.printable(path)}",
        )
    decided = load_resolved(folder.resolved)
    model = model_file.assemble(decided.spec, decided.inputs, decided.outputs, decided.spec.training.seed)
    marks = ("strategy/early_stopping/weights/net/", "weights/net/")
    mark = next(mark for mark in marks if any(name.startswith(mark) for name in found.tensors))
    weights = {k.removeprefix(mark): v for k, v in found.tensors.items() if k.startswith(mark)}
    model.network.load_state_dict(weights)
    note = f"the run is not finished ({state}): these are its best weights up to step {found.facts['step']}"
    unread = [name for name, out in decided.spec.outputs.items() if out.grams]
    notes = [
        note,
        *(f"outputs.{name}: texts are read off without the n-gram, which comes at its end" for name in unread),
    ]
    return replace(model, notes=(*model.notes, *notes))


@dataclass(frozen=True)
class Base:
    """A model to start from."""

    path: Path
    model: Model

    @property
    def vocabulary(self) -> dict[str, tuple[str, ...]]:
        """The classes that each output knows already; new ones come behind them."""
        return {name: field.vocabulary for name, field in self.model.outputs.items() if field.vocabulary}

    def layers(self, wanted: Spec) -> Spec:
        """The spec with the model's layers, where it says nothing of its own."""
        return wanted.model_copy(update={"model": self.model.spec.model}) if wanted.model == ModelSpec() else wanted

    def fields(self, wanted: Spec) -> dict[str, Field]:
        """Facts to keep: all inputs, outputs in units of their own, and texts in the tokens that the base writes.

        Classes may grow, so they are planned anew. A picture may have another name than the base's, and another size
        where one is asked for.

        Raises:
            SpecError: Another number of colours is asked for.
        """
        kept = self._pictures(wanted) or dict(self.model.inputs)
        for name, facts in self.model.outputs.items():
            wish = wanted.outputs.get(name)
            if wish and wish.kind in {None, facts.kind} and (not facts.vocabulary or _same_tokens(facts, wish)):
                kept[name] = facts
        _refuse_others(wanted, kept)
        return kept

    def _pictures(self, wanted: Spec) -> dict[str, Field]:
        """The facts of the base's one picture, for the one picture that goes in here; nothing where there are more."""
        facts = list(self.model.inputs.values())
        inputs = wanted.inputs or {field.name: InputSpec() for field in facts}
        if len(facts) != 1 or len(inputs) != 1 or facts[0].kind != "image":
            return {}
        ((name, wish),) = inputs.items()
        if wish.kind not in {None, "image"}:
            return {}
        height, width, channels = facts[0].shape
        if wish.channels not in {None, channels}:
            raise SpecError(
                f"inputs.{name}.channels is {wish.channels}, and {files.printable(self.path)} reads {channels}.",
                "Leave it out: pictures are brought to what the model reads.",
            )
        shape = (*(wish.size_px or (height, width)), channels)
        return {name: facts[0].model_copy(update={"name": name, "source": source_of(name, wish), "shape": shape})}

    def give_weights(self, fresh: Model) -> list[str]:
        """Copy what fits into a fresh model; the weights of new outputs become 0.

        Returns:
            One sentence per head or layer that could not be copied as it was.

        Raises:
            SpecError: Nothing fits.
        """
        told, taken, lost = [], 0, 0
        old, new = self.model.network.state_dict(), fresh.network.state_dict()
        for name, into in new.items():
            if name in old and old[name].shape == into.shape and not self._other_classes(name, fresh):
                new[name] = old[name]
                taken += 1
                continue
            if self._is_output(name, fresh):
                into.zero_()
            if name in old and (rows := self._rows(name, old[name], into, fresh)) is not None:
                new[name], sentence = rows
                told.append(sentence)
            else:
                lost += 1
                told.append(f"{name} starts afresh ({tuple(into.shape)}; the base has {_shape(old.get(name))})")
        if lost == len(new):
            raise SpecError(
                f"nothing of {files.printable(self.path)} fits this net: all {lost} weights would start afresh.",
                "Train without --from, or with the inputs and layers of that run.",
            )
        fresh.network.load_state_dict(new)
        return [f"{taken} of {len(new)} weights taken from {files.printable(self.path)} as they were", *told]

    def _output_of(self, name: str, fresh: Model) -> str | None:
        """The output whose head, or auxiliary head, a weight belongs to."""
        places = {module: where for where, module in fresh.network.named_modules()}
        nodes = {out: out for out in fresh.outputs} | {each.node: each.output for each in fresh.network.auxiliary}
        heads = {places[fresh.network.module(node)]: out for node, out in nodes.items()}
        return next((out for where, out in heads.items() if name.startswith(f"{where}.")), None)

    def _is_output(self, name: str, fresh: Model) -> bool:
        """Whether a weight belongs to the sums that an answer is read from, each with a target of its own."""
        out = self._output_of(name, fresh)
        if out is None or fresh.outputs[out].kind == "identity":  # an embedding of zeros has no direction
            return False
        return isinstance(fresh.network.get_submodule(name.rpartition(".")[0]), Dense)

    def _other_classes(self, name: str, fresh: Model) -> bool:
        out = self._output_of(name, fresh)
        if out is None:
            return False
        before, after = self.model.outputs.get(out), fresh.outputs[out]
        if before is not None and before.kind == after.kind == "identity":
            return False  # the units of an embedding stand for no identity in particular
        return before is None or before.vocabulary != after.vocabulary

    def _rows(self, name: str, old: Tensor, into: Tensor, fresh: Model) -> tuple[Tensor, str] | None:
        """A head's rows of known classes, in their new places; a single yes/no row becomes two first."""
        out = self._output_of(name, fresh)
        if out is None or out not in self.model.outputs or old.shape[1:] != into.shape[1:]:
            return None
        before, after = self.model.outputs[out].vocabulary, fresh.outputs[out].vocabulary
        if len(before) == 2 and old.shape[0] == 1:  # softmax over (0, z) equals sigmoid(z)
            old = torch.cat([torch.zeros_like(old), old])
        if old.shape[0] != len(before) or into.shape[0] != len(after):
            return None
        merged, known = into.clone(), [label for label in after if label in before]
        for label in known:
            merged[after.index(label)] = old[before.index(label)]
        if not known:
            return None
        fresh_labels = [label for label in after if label not in before]
        return merged, f"{name}: {len(known)} classes taken, new: {', '.join(fresh_labels) or 'none'}"


def _refuse_others(wanted: Spec, kept: dict[str, Field]) -> None:
    """What is said otherwise of a text than a base reads it would be passed over.

    Raises:
        SpecError: Names it.
    """
    for name, facts in kept.items():
        room = "inputs" if name in wanted.inputs else "outputs"
        wish = wanted.inputs.get(name) or wanted.outputs.get(name)
        for setting in ("tokens", "lower", "longest", "vocabulary") if facts.kind == "text" and wish else ():
            said, known = getattr(wish, setting), facts.options.get(setting)
            if said is not None and said != known:
                told = f"{room}.{name}.{setting}: the model to start from has {known}, not {said}."
                raise SpecError(told, "Leave it out, or train without --from.")


def _same_tokens(facts: Field, wish: OutputSpec) -> bool:
    """Whether a text is asked for that is made of a base's tokens, and as that one makes it."""
    if facts.kind != "text" or facts.options.get("of") or wish.vocabulary is not None:
        return False
    same = wish.tokens in {None, facts.options["tokens"]} and wish.align == facts.options.get("align")
    return same and wish.lower in {None, facts.options.get("lower", wish.lower)}


def _shape(tensor: Tensor | None) -> str:
    return "no such layer" if tensor is None else str(tuple(tensor.shape))


def start_from(path: Path) -> Base:
    """Read the model to start from.

    Raises:
        SpecError: There is none at this place.
        ModelFileError: It cannot be read.
    """
    return Base(path, load_model(path))
