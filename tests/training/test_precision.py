"""Products in bfloat16 where they are faster and find the same loss; chosen once, and resumed bit for bit."""

import re
import time
from dataclasses import replace
from functools import partial
from pathlib import Path

import numpy as np
import pytest
import torch

from netwright import load, run, spec
from netwright.data.batches import Batch, Batches
from netwright.data.dataset import Dataset, prepare
from netwright.errors import Stopped
from netwright.field import Reason
from netwright.model_file import Model, assemble
from netwright.resolved import load_resolved
from netwright.run import fit
from netwright.run.fit import weighted
from netwright.spec import Spec
from netwright.training import hardware, precision, stopwatch
from netwright.training.loop import Losses, Training
from netwright.training.precision import Precision, measured
from netwright.training.strategies.strategy import Terms

NOTHING = Batch({}, {}, torch.zeros(0, dtype=torch.int64))
LINES = "".join(
    f"{'good' if k % 2 else 'bad'} the film is {'rich and warm' if k % 2 else 'a dull story'} {k}\n" for k in range(60)
)
FORMS = {
    "recurrent": "{outputs: [category], model: {layers: 'lstm 8 both yes, gru 8, rnn 4, layer_norm, last'}}",
    "convolutions through time": "{outputs: [category], model: {layers: 'conv1d 8x3, relu, global_pool'}}",
    "a language model": "{inputs: {text: {}}, outputs: {next: {of: text}}, data: {window: 8}, "
    "model: {layers: 'gru 8, lstm 8'}}",
    "a text that comes out": "{inputs: {text: {tokens: characters}}, outputs: {category: {kind: text, "
    "tokens: characters}}, model: {layers: 'lstm 8 both yes', decoder: {dim: 8, attention: bahdanau}}}",
    "a text read off": "{inputs: {text: {tokens: characters}}, outputs: {category: {kind: text, tokens: characters, "
    "align: ctc}}, model: {layers: 'lstm 8'}}",
}


def held(asked: str, path: Path) -> tuple[Spec, Dataset, Model]:
    """A spec, its data and a fresh model."""
    wanted = spec.override(spec.load(asked), {"data.path": f'"{path}"', "data.duplicates": "accept"})
    dataset = prepare(wanted)
    return wanted, dataset, assemble(wanted, dataset.inputs, dataset.outputs, 0)


@pytest.mark.parametrize("form", FORMS)
def test_every_way_through_time_learns_in_either(form: str, tmp_path: Path) -> None:
    path = tmp_path / "a.txt"
    path.write_text(LINES)
    _, dataset, model = held(FORMS[form], path)
    batches = Batches(dataset, "train", 8, 0, shuffle=False, resident=True)
    found: dict[str, float] = {}
    for way in ("float32", "bfloat16"):
        losses, carried = weighted(model, dict.fromkeys(model.tasks, 1.0), precision=way), {}
        terms: Terms = {}
        for batch in list(batches.epoch(0))[:2]:  # the second goes on with the states of the first
            terms = losses(replace(batch, carried=carried if "language" in form else None))
            sum(terms.values()).backward()  # type: ignore[union-attr]
            assert all(part.dtype == torch.float32 for state in carried.values() for part in state)
            for layer, state in carried.items():
                carried[layer] = tuple(part.detach() for part in state)
        assert all(
            weight.grad is not None and weight.grad.dtype == torch.float32 for weight in model.network.parameters()
        )
        found[way] = float(sum(terms.values()).detach())  # type: ignore[union-attr]
    assert found["bfloat16"] == pytest.approx(found["float32"], rel=0.02)
    assert found["bfloat16"] != found["float32"]


def _told(make_slow: str = "", lost: float = 0.0) -> Reason:
    """A measurement of losses that do nothing but take their time."""
    weight = torch.ones(1, requires_grad=True)

    def make(way: Precision) -> Losses:
        def losses(batch: Batch) -> Terms:
            time.sleep(0.02 if way == make_slow else 0.002 if make_slow else 0.01)
            return {"a": weight.sum() * (1 + (lost if way == "bfloat16" else 0))}

        return losses

    return measured(make, NOTHING)


def test_the_faster_way_is_chosen_and_says_why() -> None:
    found = _told("float32")
    assert (found.path, found.value) == ("training.precision", "bfloat16")
    assert re.match(r"a step's passes take [2-9]\d\.?\d* ms in float32, \d+\.?\d* ms in bfloat16; weights", found.why)


def test_what_is_not_faster_stays() -> None:
    assert _told().value == "float32"
    assert "not worth its rounding" in _told("bfloat16").why


@pytest.mark.parametrize("lost", [0.03, torch.nan])
def test_another_loss_is_no_rounding(lost: float) -> None:
    found = _told("float32", lost)
    assert found.value == "float32"
    assert "the loss of a batch is 1 and" in found.why


def test_a_kernel_that_is_missing_is_told() -> None:
    def make(way: Precision) -> Losses:
        def losses(batch: Batch) -> Terms:
            if way == "bfloat16":
                raise RuntimeError("could not create a primitive descriptor\nand more")
            return {"a": torch.ones(1, requires_grad=True).sum()}

        return losses

    found = measured(make, NOTHING)
    assert found.value == "float32"
    assert found.why.endswith("does not compute this network here: could not create a primitive descriptor")


@pytest.fixture
def pictures() -> dict[str, object]:
    chance = np.random.default_rng(0)
    classes = chance.integers(0, 2, 96)
    images = chance.integers(0, 120, (96, 12, 12, 1), dtype=np.uint8) + (classes * 100)[:, None, None, None].astype(
        np.uint8
    )
    return {"image": images, "category": np.array(["dark", "light"])[classes]}


ASKED = """{inputs: {image: {kind: image}}, outputs: [category],
model: {layers: "conv 8x3, batch_norm, relu, global_pool"},
training: {precision: bfloat16, batch_size: 16, stop: {epochs: 4, patience: 0}, threads: 1}}"""


def leave_at_step_7(monkeypatch: pytest.MonkeyPatch, pictures: dict[str, object], out: Path) -> None:
    step = Training._step

    def leaves(self: Training, *given: object, **more: object) -> None:
        step(self, *given, **more)  # type: ignore[arg-type]
        if self.step == 7:
            self.leave(15)

    monkeypatch.setattr(Training, "_step", leaves)
    with pytest.raises(Stopped, match="stopped at step 7"):
        run.train(spec.load(ASKED), data=pictures, out=out)


def test_a_resume_ends_where_the_unbroken_run_does(
    pictures: dict[str, object], tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    whole = run.train(spec.load(ASKED), data=pictures, out=tmp_path / "whole")
    assert load_resolved(whole.run / "resolved.yaml").hardware.precision == "bfloat16"
    fine = run.train(spec.load(ASKED.replace("bfloat16", "float32")), data=pictures, out=tmp_path / "fine")
    leave_at_step_7(monkeypatch, pictures, tmp_path / "cut")
    monkeypatch.undo()
    cut = run.resume(tmp_path / "cut", data=pictures)
    weights = {each.run.name: load(each.model).network.state_dict() for each in (whole, cut, fine)}
    assert all(torch.equal(weights["cut"][name], value) for name, value in weights["whole"].items())
    assert any(not torch.equal(weights["fine"][name], value) for name, value in weights["whole"].items())


def test_a_long_training_is_measured_before_it_begins_and_nothing_else_changes(
    pictures: dict[str, object], tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    asked = ASKED.replace("precision: bfloat16, ", "")
    short = run.train(spec.load(asked), data=pictures, out=tmp_path / "short")
    decided = load_resolved(short.run / "resolved.yaml")
    assert decided.spec.training.precision == "float32"
    assert not [reason for reason in decided.reasons if reason.path == "training.precision"]
    monkeypatch.setattr(stopwatch, "WORTH_MULTIPLY_ADDS", 1)
    monkeypatch.setattr(stopwatch, "FASTER", 1e9)
    long = run.train(spec.load(asked), data=pictures, out=tmp_path / "long")
    (told,) = [each.why for each in load_resolved(long.run / "resolved.yaml").reasons if each.path == precision.PATH]
    assert "not worth its rounding" in told
    both = [load(each.model).network.state_dict() for each in (short, long)]
    assert all(torch.equal(both[0][name], value) for name, value in both[1].items())


@pytest.mark.parametrize(("slow", "chosen"), [("channels_last", "contiguous"), ("contiguous", "channels_last")])
def test_pictures_lie_as_is_faster(slow: str, chosen: str) -> None:
    weight = torch.ones(1, requires_grad=True)

    def losses(name: str) -> Terms:
        time.sleep(0.02 if name == slow else 0.002)
        return {"a": weight.sum()}

    found = hardware.layout_measured(lambda layout: partial(losses, layout))
    assert (found.path, found.value) == ("hardware.layout", chosen)
    assert re.fullmatch(r"a step's passes take [\d.]+ ms with channels last, [\d.]+ ms with channels first", found.why)


def test_a_long_training_measures_its_layout_and_ends_in_the_same_place(
    pictures: dict[str, object], tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    short = run.train(spec.load(ASKED), data=pictures, out=tmp_path / "short")
    monkeypatch.setattr(stopwatch, "WORTH_MULTIPLY_ADDS", 1)
    monkeypatch.setattr(stopwatch, "FASTER", 1e9)  # channels last stay
    kept = run.train(spec.load(ASKED), data=pictures, out=tmp_path / "kept")
    monkeypatch.setattr(stopwatch, "FASTER", 0)  # whatever comes second is taken
    other = run.train(spec.load(ASKED), data=pictures, out=tmp_path / "other")
    told = [load_resolved(each.run / "resolved.yaml").hardware for each in (short, kept, other)]
    assert [each.layout for each in told] == ["channels_last", "channels_last", "contiguous"]
    assert [len([why for why in each.why if why.path == "hardware.layout"]) for each in told] == [1, 1, 1]
    assert "faster where all channels" in next(why.why for why in told[0].why if why.path == "hardware.layout")
    weights = [load(each.model).network.state_dict() for each in (short, kept, other)]
    assert all(torch.equal(weights[0][name], value) for name, value in weights[1].items())
    assert all(torch.allclose(weights[0][name], value, atol=0.05) for name, value in weights[2].items())
    leave_at_step_7(monkeypatch, pictures, tmp_path / "cut")
    monkeypatch.undo()  # nothing is measured again
    cut = load(run.resume(tmp_path / "cut", data=pictures).model).network.state_dict()
    assert all(torch.equal(weights[2][name], value) for name, value in cut.items())


def test_the_layout_is_timed_in_the_precision_that_is_chosen(
    pictures: dict[str, object], tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    tried = []

    def noted(*given: object, precision: str = "last") -> object:
        tried.append(precision)
        return weighted(*given) if precision == "last" else weighted(*given, precision=precision)  # type: ignore[arg-type]

    monkeypatch.setattr(fit, "weighted", noted)
    monkeypatch.setattr(stopwatch, "WORTH_MULTIPLY_ADDS", 1)
    monkeypatch.setattr(stopwatch, "FASTER", 0)  # whatever comes second is taken
    asked = ASKED.replace("precision: bfloat16, ", "")
    decided = load_resolved(run.train(spec.load(asked), data=pictures, out=tmp_path / "run").run / "resolved.yaml")
    assert tried[:4] == ["float32", "float32", "bfloat16", "bfloat16"]  # layout, both precisions, layout again
    told = decided.hardware
    assert (told.precision, told.layout) == ("bfloat16", "contiguous")
    assert len([why for why in told.why if why.path == "hardware.layout"]) == 1
