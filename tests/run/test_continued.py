"""Starting from a trained model: kept preprocessing, copied weights, new units for new classes, nothing silent."""

from __future__ import annotations

import json
import math
import shutil
from pathlib import Path
from typing import TYPE_CHECKING

import numpy as np
import pytest
import torch
from PIL import Image

import netwright
from netwright import run, spec
from netwright.errors import SpecError
from netwright.field import Field
from netwright.model_file import Model, assemble
from netwright.report.facts import Facts
from netwright.resolved import load_resolved
from netwright.run.continued import Base, load_model, start_from
from netwright.run.folder import RunFolder

if TYPE_CHECKING:
    from netwright.training.history import Row


def _model(path: Path) -> Model:
    return netwright.load(path)


@pytest.fixture
def three_classes(flowers: Path, tmp_path: Path) -> Path:
    """The same table with a third class, of large old ones."""
    lines = flowers.read_text(encoding="utf-8").splitlines()
    more = [f"{20 + i / 10:.1f},{i % 7},red,giant" for i in range(40)]
    (tmp_path / "three.csv").write_text("\n".join([*lines, *more]) + "\n", encoding="utf-8")
    return tmp_path / "three.csv"


class Notes:
    """A display that remembers what is noted."""

    def __init__(self) -> None:
        self.notes: list[str] = []

    def stage(self, name: str, total: int) -> None: ...
    def advance(self, done: int) -> None: ...
    def epoch(self, row: Row) -> None: ...
    def note(self, text: str) -> None:
        self.notes.append(text)


def test_a_third_class_joins_and_the_two_known_ones_answer_as_before(
    trained: Path, three_classes: Path, tmp_path: Path
) -> None:
    show = Notes()
    text = (
        "{data: {path: %s}, outputs: [class], "
        "model: {layers: 'dense 8, relu'}, training: {optimizer: {name: sgd, lr: 1e-30}, stop: {epochs: 1}}}"
    )
    outcome = run.train(spec.load(text % three_classes), out=tmp_path / "run", base=trained, show=show)
    before, after = _model(RunFolder(trained).model), _model(outcome.model)
    assert after.outputs["class"].vocabulary == ("small", "tall", "giant")
    assert after.inputs == before.inputs  # the same means and spreads, though the data is another
    rows = [{"size": 2.5, "age": 4, "colour": "red"}, {"size": 9.0, "age": 1, "colour": "blue"}]
    with torch.no_grad():
        z = before.network(before.code(before.read(rows)))["class"]
        scores = after.network(after.code(after.read(rows)))["class"]
    assert z.shape[1] == 1
    # sigmoid(z) = softmax(0, z): the head's single row became two, and the third row is new
    torch.testing.assert_close(scores[:, :2], torch.cat([torch.zeros_like(z), z], dim=1))
    torch.testing.assert_close(scores[:, :2].softmax(dim=1)[:, 1:], z.sigmoid())
    told = "\n".join(show.notes)
    assert "weights taken from" in told
    assert "2 classes taken, new: giant" in told


def test_the_same_classes_copy_everything_and_say_so(trained: Path, flowers: Path, tmp_path: Path) -> None:
    base, wanted = start_from(trained), spec.load(RunFolder(trained).spec)
    fresh = _model(RunFolder(trained).model)
    for parameter in fresh.network.parameters():
        torch.nn.init.zeros_(parameter)
    told = base.give_weights(fresh)
    assert told == [f"4 of 4 weights taken from {trained} as they were"]
    assert wanted.outputs
    pairs = zip(fresh.network.parameters(), base.model.network.parameters(), strict=True)
    assert all(torch.equal(one, other) for one, other in pairs)


def test_layers_that_do_not_fit_start_afresh_by_name(trained: Path, flowers: Path, tmp_path: Path) -> None:
    show = Notes()
    text = "{data: {path: %s}, outputs: [class], model: {layers: 'dense 5, relu'}, training: {stop: {epochs: 1}}}"
    run.train(spec.load(text % flowers), out=tmp_path / "run", base=trained, show=show)
    afresh = [note for note in show.notes if "starts afresh" in note]
    assert len(afresh) == 3  # weight and bias of the layer, weight of the head; its bias fits
    assert all("the base has" in note for note in afresh)


def _classifier(seed: int, *classes: str) -> Model:
    x = Field(name="x", kind="vector", source=("a", "b"), shape=(2,), dtype="float64", mean=(0.0, 0.0), std=(1.0, 1.0))
    y = Field(name="y", kind="category", source="y", dtype="int32", vocabulary=classes)
    wanted = spec.load("{inputs: {x: vector}, outputs: {y: category}, model: {layers: 'dense 3, relu'}}")
    return assemble(wanted, {"x": x}, {"y": y}, seed)


def test_classes_in_another_order_take_their_rows_along(tmp_path: Path) -> None:
    old, new = _classifier(1, "ant", "bee", "cat"), _classifier(2, "cat", "dog", "ant")
    told = Base(tmp_path / "old", old).give_weights(new)
    head, kept = new.network.state_dict(), old.network.state_dict()
    (name,) = (k for k, v in head.items() if v.shape == (3, 3) and "y" in k)
    assert torch.equal(head[name], torch.stack([kept[name][2], torch.zeros(3), kept[name][0]]))
    assert told[0] == f"2 of 4 weights taken from {tmp_path / 'old'} as they were"
    assert all("2 classes taken, new: dog" in line for line in told[1:])


def test_new_outputs_begin_at_0_so_that_nothing_has_to_be_unlearned(trained: Path, tmp_path: Path) -> None:
    lines = [f"{i / 10:.1f},{i % 7},{'red' if i % 3 else 'blue'},{'abc'[i % 3]}" for i in range(90)]
    (tmp_path / "other.csv").write_text("\n".join(["size,age,colour,class", *lines]) + "\n", encoding="utf-8")
    show = Notes()
    text = (
        "{data: {path: %s}, outputs: [class], model: {layers: 'dense 8, relu'}, "
        "training: {freeze: all, optimizer: {name: adam, lr: 0.01}, schedule: constant, stop: {epochs: 1}}}"
    )
    outcome = run.train(spec.load(text % (tmp_path / "other.csv")), out=tmp_path / "run", base=trained, show=show)
    looks = [json.loads(line) for line in (outcome.run / "evidence.jsonl").read_text(encoding="utf-8").splitlines()]
    assert looks[0]["loss"] == pytest.approx(math.log(3), abs=1e-5)
    assert not any("looks too high" in note or "vanishes" in note for note in show.notes)
    told = next(each for each in Facts.read(outcome.run / "facts.json").findings if each.name == "gradients")
    assert "learns from the second step on" in told.message
    head = next(v for k, v in _model(outcome.model).network.state_dict().items() if "head" in k and v.ndim == 2)
    assert head.abs().max() > 0.005


def test_a_number_keeps_its_unit_so_that_the_copied_head_answers_as_before(tmp_path: Path) -> None:
    draw = torch.Generator().manual_seed(0)
    x = torch.randn(60, generator=draw).double().numpy()
    wanted = "{outputs: [y], model: {layers: ''}, training: {optimizer: {name: sgd, lr: %s}, stop: {epochs: %s}}}"
    first = run.train(spec.load(wanted % (0.1, 20)), data={"x": x, "y": 5 * x + 7}, out=tmp_path / "first")
    far = {"x": x, "y": 500 * x + 7000}
    second = run.train(spec.load(wanted % (1e-30, 1)), data=far, out=tmp_path / "second", base=first.run)
    one, other = (float(run.predict(o.run, {"x": [1.0]})["y"][0].as_py()) for o in (first, second))
    assert other == pytest.approx(one, rel=1e-5)


def test_a_resume_does_not_need_the_base_any_more(trained: Path, flowers: Path, tmp_path: Path) -> None:
    base = Path(shutil.copytree(trained, tmp_path / "base"))
    text = "{data: {path: %s}, outputs: [class], model: {layers: 'dense 8, relu'}, training: {stop: {epochs: 2}}}"
    outcome = run.train(spec.load(text % flowers), out=tmp_path / "run", base=base)
    weights = outcome.model.read_bytes()
    shutil.rmtree(base)
    RunFolder(outcome.run).update(state="stopped")
    assert run.resume(outcome.run).model.read_bytes() == weights


def test_what_is_no_model_is_said(done_run: Path, tmp_path: Path) -> None:
    with pytest.raises(SpecError, match="there is no run or model file"):
        load_model(tmp_path / "missing")
    RunFolder(done_run).model.unlink()
    assert "not finished (done): these are its best weights" in load_model(done_run).notes[0]
    shutil.rmtree(RunFolder(done_run).checkpoints)
    with pytest.raises(SpecError, match=r"has no model yet \(it is done\)"):
        load_model(done_run)


def test_what_is_learned_already_changes_slowly_unless_something_else_is_asked_for(
    trained: Path, flowers: Path, tmp_path: Path
) -> None:
    text = "{data: {path: %s}, outputs: [class], training: {%sstop: {epochs: 1}}}"
    wanted = {"": (0.001, 0.1), "freeze: all, ": (0.001, None), "optimizer: {lr: 0.01}, ": (0.01, None)}
    for given, (lr, share) in wanted.items():
        outcome = run.train(spec.load(text % (flowers, given)), out=tmp_path / f"run{lr}{share}", base=trained)
        training = load_resolved(RunFolder(outcome.run).resolved).spec.training
        assert training.optimizer is not None
        assert (training.optimizer.options["lr"], training.layer_rates) == (lr, share)


PICTURES = (
    "{data: {path: sklearn:digits, duplicates: accept}, outputs: [category], model: {layers: '%s'}, "
    "training: {seed: 3, stop: {epochs: 1}}}"
)
CONVOLVED = "conv 4x3 pad 1 bias no, batch_norm, relu, pool 2, conv 6x3 pad 1, relu, pool 2, dense 12, relu"


@pytest.fixture(scope="module")
def digits_run(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """A small convolutional net that knows ten digits."""
    return run.train(spec.load(PICTURES % CONVOLVED), out=tmp_path_factory.mktemp("base") / "run").run


@pytest.fixture(scope="module")
def shapes(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """Pictures of three kinds, in a folder for each."""
    folder, draw = tmp_path_factory.mktemp("shapes"), np.random.default_rng(0)
    for number, name in enumerate(("bar", "dot", "ring")):
        (folder / name).mkdir()
        for place in range(16):
            pixels = draw.integers(0, 60, (12, 12), dtype=np.uint8)
            pixels[3 * number : 3 * number + 4, 2:9] += 150
            Image.fromarray(pixels).save(folder / name / f"{place}.png")
    return folder


def _weights(path: Path) -> dict[str, torch.Tensor]:
    return dict(_model(path).network.state_dict())


def test_ten_classes_become_three_others_with_a_new_output_and_all_else_kept(
    digits_run: Path, shapes: Path, tmp_path: Path
) -> None:
    show = Notes()
    wanted = spec.load(
        f"{{data: {{path: {shapes}}}, outputs: [category], "
        "training: {freeze: all, average: 0.9, regularize: {max_norm: 0.5}, stop: {epochs: 2}}}"
    )
    outcome = run.train(wanted, out=tmp_path / "run", base=digits_run, show=show)
    before, after = _weights(RunFolder(digits_run).model), _weights(outcome.model)
    head = {name for name in after if "head:" in name}
    assert _model(outcome.model).outputs["category"].vocabulary == ("bar", "dot", "ring")
    assert all(torch.equal(after[name], before[name]) for name in after if name not in head)
    assert all(after[name].shape[0] == 3 for name in head)
    told = "\n".join(show.notes)
    assert "none of the 10 classes of the model to start from occurs here" in told
    assert "parts.head:category.weight starts afresh ((3, 12); the base has (10, 12))" in told
    assert "training.freeze: conv1, batch_norm1, conv2, dense1 (these layers keep weights and the running" in told
    facts = Facts.read(RunFolder(outcome.run).facts)
    assert [row.layer for row in facts.layers if row.frozen] == ["conv1", "batch_norm1", "conv2", "dense1"]


def test_frozen_layers_are_counted_with_their_norm_and_the_others_move(
    digits_run: Path, shapes: Path, tmp_path: Path
) -> None:
    text = "{data: {path: %s}, outputs: [category], training: {freeze: %s, stop: {epochs: 1}}}"
    before = _weights(RunFolder(digits_run).model)
    for upto, moved in ((1, {"conv2", "dense1"}), ("conv2", {"dense1"})):
        outcome = run.train(spec.load(text % (shapes, upto)), out=tmp_path / f"run{upto}", base=digits_run)
        after = _weights(outcome.model)
        changed = {
            name.split(".")[1] for name in before if "head" not in name and not torch.equal(after[name], before[name])
        }
        assert changed == moved


def test_a_frozen_run_resumes_bit_for_bit(digits_run: Path, shapes: Path, tmp_path: Path) -> None:
    text = "{data: {path: %s}, outputs: [category], training: {freeze: 1, layer_rates: 0.1, stop: {%s}}}"
    whole = run.train(spec.load(text % (shapes, "epochs: 3")), out=tmp_path / "whole", base=digits_run)
    folder = RunFolder(whole.run)
    weights = whole.model.read_bytes()
    newest = max(folder.checkpoints.glob("step-*"))
    shutil.rmtree(newest)
    folder.model.unlink()
    folder.report.unlink()
    folder.update(state="stopped")
    assert run.resume(whole.run).model.read_bytes() == weights


def test_early_layers_learn_slowly_and_the_output_at_the_full_rate(
    digits_run: Path, shapes: Path, tmp_path: Path
) -> None:
    text = (
        "{data: {path: %s}, outputs: [category], training: {optimizer: {name: sgd, lr: 0.1}, batch_size: all, "
        "schedule: constant, layer_rates: 0.01, stop: {steps: 2}}}"  # new outputs let nothing through in the first
    )
    plain = spec.load(text.replace("layer_rates: 0.01, ", "") % shapes)
    moved = {}
    for name, wanted in (("slow", spec.load(text % shapes)), ("plain", plain)):
        outcome = run.train(wanted, out=tmp_path / name, base=digits_run)
        before, after = _weights(RunFolder(digits_run).model), _weights(outcome.model)
        moved[name] = {k: (after[k] - before[k]).norm() for k in before if k.endswith("weight") and "head" not in k}
    shares = [float(moved["slow"][name] / moved["plain"][name]) for name in moved["slow"]]
    assert shares == pytest.approx([0.01 ** (1 - place / 4) for place in (0, 2, 3)], rel=2e-2)


def test_nothing_learned_cannot_be_kept_and_unknown_layers_are_named(
    digits_run: Path, shapes: Path, tmp_path: Path
) -> None:
    text = "{data: {path: %s}, outputs: [category], training: {freeze: %s}}"
    with pytest.raises(SpecError, match="would keep first weights, which know nothing"):
        run.train(spec.load(text % (shapes, "all")), out=tmp_path / "run")
    with pytest.raises(SpecError, match=r'no layer with weights is called "conv9" \(did you mean "conv'):
        run.train(spec.load(text % (shapes, "conv9")), out=tmp_path / "run", base=digits_run)


def test_a_picture_may_have_another_name_and_size_but_no_other_colours(
    digits_run: Path, shapes: Path, tmp_path: Path
) -> None:
    base = start_from(digits_run)
    fields = base.fields(spec.load("{inputs: {photo: {size_px: [16, 24]}}, outputs: [what]}"))
    assert fields["photo"].shape == (16, 24, 1)
    assert fields["photo"].source == "photo"
    assert fields["photo"].mean == base.model.inputs["image"].mean
    with pytest.raises(SpecError, match=r"inputs\.photo\.channels is 3, and .* reads 1\."):
        base.fields(spec.load("{inputs: {photo: {channels: 3}}, outputs: [what]}"))


def test_a_text_is_read_as_the_base_reads_it_or_refused(tmp_path: Path) -> None:
    (tmp_path / "a.txt").write_text("to be, or not to be; " * 60)
    asked = "{inputs: {text: {}}, outputs: {next: {of: text}}, model: {layers: 'lstm 4'}}"
    values = {"data.path": f'"{tmp_path / "a.txt"}"', "training.stop.epochs": "1", "inputs.text.tokens": "words"}
    base = run.train(spec.override(spec.load(asked), values), out=tmp_path / "base").run
    del values["inputs.text.tokens"]
    outcome = run.train(spec.override(spec.load(asked), values), base=base, out=tmp_path / "next")
    assert _model(outcome.model).inputs["text"].options["tokens"] == "words"
    other = spec.override(spec.load(asked), {**values, "inputs.text.tokens": "characters"})
    with pytest.raises(SpecError, match=r"inputs\.text\.tokens: the model to start from has words, not characters"):
        run.train(other, base=base, out=tmp_path / "other")
