"""From the words of a command line to a spec: a source, `--in` and `--out`, shorthand options and `--set`.

Every shorthand stands for one path of the spec, so the command line and the YAML can never disagree.
"""

from __future__ import annotations

import json
import os
from collections.abc import Iterable
from dataclasses import dataclass, fields
from pathlib import Path
from typing import TYPE_CHECKING, Annotated

from cyclopts import Group, Parameter

from netwright.errors import DataError, SpecError
from netwright.registry import comes_by_name, nearest, use
from netwright.words import listed

if TYPE_CHECKING:
    from netwright.resolved import Resolved
    from netwright.spec import Spec

DATA = Group("What goes in and out", sort_key=1)
SETTINGS = Group("Settings", sort_key=2)

_AHEAD = {"track": 12, "series": 12}  # kinds that are gone on with, and by how many steps
PATHS = {
    "net": "model.net.name",
    "layers": "model.layers",
    "depth": "model.depth",
    "width": "model.width",
    "activation": "model.activation",
    "batch_size": "training.batch_size",
    "optimizer": "training.optimizer.name",
    "lr": "training.optimizer.lr",
    "schedule": "training.schedule.name",
    "epochs": "training.stop.epochs",
    "minutes": "training.stop.minutes",
    "patience": "training.stop.patience",
    "freeze": "training.freeze",
    "restarts": "training.restarts",
    "seed": "training.seed",
}


@Parameter(name="*", group=DATA)
@dataclass(frozen=True)
class Wanted:
    """What goes in and what comes out.

    Args:
        inputs: Inputs: NAME or NAME:KIND (`netwright explain kind`), comma-separated; of a table all others if none.
        without: Columns that do not go in, comma-separated, instead of naming all that do.
        outputs: Outputs, as NAME or NAME:KIND, comma-separated; of a plain text `next`, to write on.
        data: Folder or file of the examples, instead of the one a recipe or spec names.
    """

    inputs: Annotated[tuple[str, ...], Parameter(name="--in")] = ()
    without: tuple[str, ...] = ()
    outputs: Annotated[tuple[str, ...], Parameter(name="--out")] = ()
    data: str | None = None


@Parameter(name="*", group=SETTINGS)
@dataclass(frozen=True)
class Settings:
    """Shorthands for settings of the spec.

    Args:
        net: A network with a name for pictures, e.g. resnet18 or "{name: vgg, depth: 13}"; see `netwright explain`.
        layers: Layers as text, e.g. "conv 16x5 pad 2, relu, pool 2, dense 64, relu"; "" is a linear model.
        depth: Number of hidden layers, instead of --layers.
        width: Units per hidden layer, instead of --layers.
        activation: Function of the hidden units, instead of --layers.
        batch_size: Examples per step, or all.
        optimizer: Name of the optimizer, e.g. sgd or adam.
        lr: Learning rate.
        schedule: How the learning rate moves, e.g. constant or cosine.
        epochs: Most epochs.
        minutes: Most minutes of training.
        patience: Epochs without improvement before stopping; 0 never stops early.
        freeze: With --from: how many layers keep their weights, the name of the last one, or all.
        restarts: Trainings from different first weights; the one with the lowest training loss is kept.
        seed: Seed of everything random.
        overrides: Any other setting by its path, e.g. --set data.split.by=time; may be repeated.
        own_parts: A Python file of own parts, run before anything else; may be repeated.
    """

    net: str | None = None
    layers: str | None = None
    depth: int | None = None
    width: int | None = None
    activation: str | None = None
    batch_size: str | None = None
    optimizer: str | None = None
    lr: str | None = None
    schedule: str | None = None
    epochs: int | None = None
    minutes: float | None = None
    patience: int | None = None
    freeze: str | None = None
    restarts: int | None = None
    seed: int | None = None
    overrides: Annotated[tuple[str, ...], Parameter(name="--set")] = ()
    own_parts: Annotated[tuple[Path, ...], Parameter(name="--use")] = ()

    def values(self) -> dict[str, str]:
        """Paths of the spec to YAML values, as `spec.override` takes them.

        Raises:
            SpecError: A `--set` without `=`, or one setting given twice; all of them at once.

        Example:
            >>> Settings(layers="dense 8", overrides=("training.seed=3",)).values()
            {'model.layers': '"dense 8"', 'training.seed': '3'}
            >>> Settings(net="{name: vgg, depth: 13}").values()
            {'model.net': '{name: vgg, depth: 13}'}
        """
        values = {path: _quoted(path, str(getattr(self, name))) for name, path in self._written().items()}
        problems = []
        for word in self.overrides:
            path, equals, value = word.partition("=")
            if not equals or not path:
                problems.append(f'--set {word}: expected PATH=VALUE, e.g. "training.batch_size=64".')
            elif path in values:
                problems.append(f"--set {word}: {path} is given twice.")
            values[path] = _quoted(path, value)
        if problems:
            raise SpecError("\n".join(problems), "Correct these.")
        return values

    def said(self) -> dict[str, str]:
        """The option that was written for each path of `values` that has one; a `--set` says its path itself."""
        return {path: f"--{name.replace('_', '-')}" for name, path in self._written().items()}

    def _written(self) -> dict[str, str]:
        """The options that were written, and the path of each: of a part with options in braces the whole part's."""
        given = {field.name: getattr(self, field.name) for field in fields(self) if field.name in PATHS}
        return {
            name: PATHS[name].removesuffix(".name" if str(value).startswith("{") else "")
            for name, value in given.items()
            if value is not None
        }

    def load_own_parts(self) -> None:
        """Runs every file given with `--use`."""
        for path in self.own_parts:
            use(path)


def _quoted(path: str, text: str) -> str:
    """Layers and names are text whatever they look like; braces and commas in them are no YAML."""
    is_text = path in {"model.layers", "model.activation", "data.names"} or path.endswith(".name")
    already = len(text) > 1 and text[0] == text[-1] and text[0] in "\"'"
    return json.dumps(text, ensure_ascii=False) if is_text and not already and text not in {"null", "~"} else text


def spec_from(source: str | None, wanted: Wanted, settings: Settings) -> Spec:
    """The spec that a command line means.

    Args:
        source: A folder or file of examples, `sklearn:<name>`, a recipe's name, or a spec (`.yaml`).
        wanted: What goes in and what comes out; replaces what the source says.
        settings: Single settings; replace what the source says.

    Raises:
        SpecError: Nothing of that name, or settings that are wrong.
    """
    from netwright import recipes
    from netwright import spec as specs

    settings.load_own_parts()
    start = _start(source, wanted.data)
    tree = start.model_dump(mode="json", by_alias=True, exclude_unset=True)
    for role, words in (("inputs", wanted.inputs), ("outputs", wanted.outputs)):
        if words:
            tree[role] = {
                name: {**(tree.get(role) or {}).get(name, {}), **facts}
                for name, facts in specs.named_fields(",".join(words)).items()
            }
    _ask_what_comes_next(tree)
    _ask_next_steps(tree)
    if wanted.without:
        tree.setdefault("data", {})["without"] = [name.strip() for name in ",".join(wanted.without).split(",")]
    spec = specs.override(specs.validate(tree, origin="command line"), settings.values(), settings.said())
    if source in recipes.names() and wanted.data is None and not _is_here(spec.data.path):
        fetch = f"Fetch it with `netwright data get {source}`, or give" if source == "mnist" else "Give"
        raise DataError(f"the data of the recipe {source} is not here.", f"{fetch} its path with --data.")
    if not spec.outputs:
        recipe = f" For the recipe {source}, say with --data where its data is." if source in recipes.names() else ""
        raise SpecError("nothing says what comes out.", f"Add --out NAME. {_choice_of_names(spec)}".strip() + recipe)
    return spec


def _ask_what_comes_next(tree: dict[str, object]) -> None:
    """`--out next` of plain texts makes a language model; a table may have a column of that name."""
    data = tree.get("data")
    path = Path(str(data.get("path"))) if isinstance(data, dict) else Path()
    if tree.get("outputs") != {"next": {}} or tree.get("inputs") or not path.exists():
        return
    if path.suffix.casefold() not in {".csv", ".tsv", ".tab", ".parquet"}:
        tree["inputs"], tree["outputs"] = {"text": {}}, {"next": {"of": "text"}}


def _ask_next_steps(tree: dict[str, object]) -> None:
    """`--in track --out next` goes on with the tracks of tables in time; `--in series` with its numbers.

    Raises:
        SpecError: The word is a kind, and the name of a column as well.
    """
    inputs, data = tree.get("inputs"), tree.get("data")
    if tree.get("outputs") != {"next": {}} or not isinstance(inputs, dict) or len(inputs) != 1:
        return
    ((name, facts),) = inputs.items()
    kind = facts.get("kind") if isinstance(facts, dict) else None
    if kind is None and name in _AHEAD:
        path = str(data.get("path")) if isinstance(data, dict) else ""
        if Path(path).is_file() and name in _columns(path):
            raise SpecError(
                f'--in {name}: "{name}" is a column of {path}, and a kind: rows in time that are gone on with.',
                f"Write --in path:{name} for the kind, or name the output of the column otherwise than next.",
            )
        kind = name
    if kind in _AHEAD:
        tree["inputs"] = {name: {**facts, "kind": kind}}
        tree["outputs"] = {"next": {"of": name, "horizon": _AHEAD[kind]}}


def _columns(path: str) -> list[str]:
    from netwright.readers import find

    try:
        return list(find(path, "timed_tables").columns)
    except DataError:
        return []


def repeated(source: str | None, wanted: Wanted, settings: Settings) -> Resolved | None:
    """The decisions of an earlier run, when the source is its `resolved.yaml`; None for any other source.

    Raises:
        SpecError: Settings are given as well: a repetition changes nothing.
    """
    from netwright.resolved import load_resolved

    if source is None or Path(source).name != "resolved.yaml":
        return None
    if wanted.inputs or wanted.without or wanted.outputs or settings.values():
        raise SpecError(
            f"{source} repeats a run as it was; no setting of it can be changed.",
            f"To change settings, start from {Path(source).with_name('spec.yaml')}.",
        )
    settings.load_own_parts()
    decided = load_resolved(Path(source))
    if wanted.data is None:
        return decided
    data = decided.spec.data.model_copy(update={"path": wanted.data})
    return decided.model_copy(update={"spec": decided.spec.model_copy(update={"data": data})})


def _start(source: str | None, data: str | None) -> Spec:
    """The spec before `--in`, `--out` and the settings, with its data found."""
    from netwright import recipes
    from netwright import spec as specs

    if source is None and data is None:
        raise SpecError(
            "nothing says where the examples are.",
            f"Give a folder, a CSV file, a spec (.yaml) or a recipe: {', '.join(recipes.names())}.",
        )
    if source is None:
        return specs.validate({"data": {"path": data}}, origin="command line")
    path = Path(source)
    if path.suffix.casefold() in {".yaml", ".yml"}:
        start = specs.load(path)
        beside = path.parent
    elif (path.exists() or comes_by_name(source)) and not (data and source in recipes.names()):
        if data is not None:
            raise SpecError(f"both {source} and --data say where the examples are.", "Give one of the two.")
        start = specs.validate({"data": {"path": source}}, origin="command line")
        beside = Path()
    elif source in recipes.names():
        start = recipes.load(source)
        beside = Path()
    else:
        raise SpecError(
            f'no file, folder or recipe is called "{source}"{nearest(source, [*recipes.names(), *_neighbours(path)])}.',
            f"Recipes: {', '.join(recipes.names())}.",
        )
    where = _found(data, Path()) or _found(start.data.path, beside)
    return start.model_copy(update={"data": start.data.model_copy(update={"path": where})}) if where else start


def _neighbours(path: Path) -> list[str]:
    """What lies where a missing file was looked for, written as the user wrote it."""
    try:
        return [str(path.parent / entry.name) for entry in sorted(path.parent.iterdir())[:1000]]
    except OSError:
        return []


def _found(path: str | None, beside: Path) -> str | None:
    """A data path of a spec: beside the spec, or a data set by name that was fetched or lies in NETWRIGHT_DATA."""
    if path is None or comes_by_name(path):
        return path
    if (beside / path).exists():
        return str(beside / path)
    from netwright.data import named

    shared = os.environ.get("NETWRIGHT_DATA")
    folders = [named.folder(), *([Path(shared)] if shared else [])]
    return next((str(folder / path) for folder in folders if (folder / path).exists()), path)


def _is_here(path: str | None) -> bool:
    return path is not None and (comes_by_name(path) or Path(path).exists())


def _choice_of_names(spec: Spec) -> str:
    """The columns one could choose from, when the data can be read that far."""
    from netwright.readers import find

    try:
        columns = list(find(str(spec.data.path), spec.data.layout).columns)
    except (DataError, SpecError):
        return ""
    return f"The data has: {listed(columns, 12)}."


def varied(words: Iterable[str]) -> dict[str, list[str]]:
    """`PATH=A,B,C` words as paths to lists of YAML values; `;` separates values that hold commas.

    Raises:
        SpecError: A word without `=`, or fewer than two values.

    Example:
        >>> varied(["depth=1,2", "model.layers=dense 8, relu; dense 64, relu"])
        {'model.depth': ['1', '2'], 'model.layers': ['"dense 8, relu"', '"dense 64, relu"']}
    """
    result: dict[str, list[str]] = {}
    problems = []
    for word in words:
        path, equals, values = word.partition("=")
        path = PATHS.get(path.replace("-", "_"), path)
        if equals and "." not in path and path not in PATHS.values():
            problems.append(f'--vary {word}: unknown setting "{path}"{nearest(path, list(PATHS))}.')
            continue
        listed = [value.strip() for value in values.split(";" if ";" in values else ",")]
        if not equals or len(listed) < 2:
            held = f', but there is one value, "{listed[0]}"' if equals and listed[0] else ""
            problems.append(f'--vary {word}: expected PATH=A,B,..., e.g. "model.depth=1,2,3"{held}.')
        if path == PATHS["lr"]:
            wrong = [f'"{value}"' for value in listed if value and not _is_rate(value)]
            if wrong:
                is_no = "is no learning rate" if len(wrong) == 1 else "are no learning rates"
                problems.append(f"--vary {word}: {', '.join(wrong)} {is_no}: a number above 0, or auto.")
        result[path] = [_quoted(path, value) for value in listed]
    if problems:
        cure = (
            f"Vary one of {', '.join(PATHS)}, or a path like model.depth: values by commas, or by ; if they hold any."
        )
        raise SpecError("\n".join(problems), cure)
    return result


def _is_rate(text: str) -> bool:
    try:
        return text == "auto" or float(text) > 0
    except ValueError:
        return False
