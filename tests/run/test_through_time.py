"""Looks through time at language models and classifiers that were trained on real texts of the standard library."""

from __future__ import annotations

import inspect
import json
import math
import shutil
import textwrap
from pathlib import Path

import numpy as np
import pytest
import torch

from netwright import run, spec
from netwright.errors import SpecError
from netwright.lens.recurrence import one_layer, traced
from netwright.run.sequences import shown

TEXT = """
data: {path: %s, window: 32, split: {parts: [0.8, 0.1, 0.1]}}
inputs: {text: {kind: text, embed: 8}}
outputs: {next: {of: text}}
model: {layers: "%s"}
training: {batch_size: 16, optimizer: {lr: 0.01}, threads: 1, stop: {epochs: 2}}
"""
INK = """
data: {path: %s}
inputs: {strokes: {kind: ink}}
outputs: [shape]
model: {layers: "gru 6 both yes, last"}
training: {batch_size: 16, threads: 1, stop: {epochs: 1}}
"""


@pytest.fixture(scope="module")
def source(tmp_path_factory: pytest.TempPathFactory) -> Path:
    path = tmp_path_factory.mktemp("texts") / "textwrap.txt"
    path.write_text(inspect.getsource(textwrap), encoding="utf-8")
    return path


@pytest.fixture(scope="module")
def models(source: Path, session_cache: Path) -> dict[str, Path]:
    layers = {"lstm": "lstm 12, lstm 10", "rnn": "rnn 12", "gru": "gru 12"}
    return {
        name: run.train(spec.load(TEXT % (source, text)), out=source.parent / name).run for name, text in layers.items()
    }


@pytest.fixture
def lstm(models: dict[str, Path], tmp_path: Path) -> Path:
    return Path(shutil.copytree(models["lstm"], tmp_path / "lstm"))


@pytest.fixture(scope="module")
def drawings(tmp_path_factory: pytest.TempPathFactory, session_cache: Path) -> Path:
    """A classifier of pen strokes that go right and up, or right and down; it reads both ways."""
    draw, rows = np.random.default_rng(0), []
    for at in range(60):
        up = at % 2 == 0
        points = [[x, round((x if up else -x) + draw.normal(0, 0.1), 3)] for x in range(int(draw.integers(5, 12)))]
        rows.append(f'"{json.dumps([points])}",{"up" if up else "down"}')
    path = tmp_path_factory.mktemp("ink") / "ink.csv"
    path.write_text("\n".join(["strokes,shape", *rows]) + "\n", encoding="utf-8")
    return run.train(spec.load(INK % path), out=path.parent / "run").run


def test_a_held_out_piece_step_by_step(lstm: Path) -> None:
    found = run.steps(lstm)
    assert found.part == "test"
    assert [each.layer for each in found.layers] == ["lstm1", "lstm2"]
    assert found.layer == "lstm2"
    assert max(each.apart for each in found.layers) <= 1e-5
    assert sorted(found.layers[1].gates) == ["forget", "input", "output"]
    assert sorted(found.layers[1].kept) == ["c"]
    assert found.layers[0].gates == {}
    assert len(found.layers[1].gates["forget"]) == len(found.read)
    assert all(0 < value < 1 for row in found.layers[1].gates["output"] for value in row)
    assert all(abs(sum(share for _, share in each)) <= 1 + 1e-5 for each in found.answers["next"])
    page = found.page.read_text(encoding="utf-8")
    assert page.count("<title>lstm2: forget gate [") == 10 * len(found.read)
    assert "step 1, " in page
    assert "<script" not in page
    assert "not a number" not in page
    assert "NaN" not in page


def test_another_text_is_scored_whole(lstm: Path, tmp_path: Path) -> None:
    code = inspect.getsource(textwrap)
    bits = {}
    for name, text in (("known", code), ("backwards", code[::-1])):
        (tmp_path / f"{name}.txt").write_text(text, encoding="utf-8")
        found = run.evaluate(lstm, data=tmp_path / f"{name}.txt")
        bits[name] = found.scores["next"]["bits"]
        assert found.text[0].startswith(f"all: {-(-(len(code) - 1) // 32)} examples")
    assert bits["known"] < bits["backwards"]


def test_what_opens_a_gate_is_the_mean_over_the_datas_own_text(lstm: Path) -> None:
    found = run.steps(lstm, layer="lstm1", unit=5)
    assert [each.gate for each in found.openers[:3]] == ["input", "forget", "output"]
    assert {each.unit for each in found.openers[:3]} == {5}
    for each in found.openers:
        assert [value for _, value in each.opens] == sorted((value for _, value in each.opens), reverse=True)
        assert [value for _, value in each.closes] == sorted(value for _, value in each.closes)
        assert each.opens[0][1] >= each.closes[0][1]
    looked = run.sequences.looked_at(lstm)  # the mean again, of one token, from sequences one by one
    token, mean = found.openers[1].opens[0]
    node, layer = one_layer(looked.model.network, "lstm1")
    _, places = looked.some(256)
    seen = []
    for at in places:
        with torch.no_grad():
            x, steps = run.sequences.read_by(looked.model.network, node, looked.coded(np.array([at])))
        gate = traced(layer, x, steps).gates["forget"][0, :, 5].tolist()
        seen += [value for read, value in zip(looked.tokens(int(at)), gate, strict=True) if shown(read) == token]
    assert np.mean(seen) == pytest.approx(mean, abs=1e-5)


def test_memory_of_three_kinds_side_by_side(lstm: Path, models: dict[str, Path]) -> None:
    beside = [models["rnn"], models["gru"]]
    found = run.memory(lstm, beside=beside, steps=20, examples=3)
    assert list(found.runs) == ["lstm", "rnn", "gru"]
    assert found.runs["lstm"].width == 2 * 10  # h and c of the last layer
    assert found.runs["rnn"].width == 12
    for of in found.runs.values():
        assert (len(of.norms), len(of.by_lag), of.sequences) == (20, 20, 3)
        assert of.by_lag[0] == pytest.approx(1)
        assert of.norms[3][4] is None
        assert of.by_lag[1] == pytest.approx(np.mean([of.norms[t][t - 1] for t in range(1, 20)]))
    page = found.page.read_text(encoding="utf-8")
    assert page.count("t = 20, k = 1: ") == 3
    assert "<script" not in page
    with pytest.raises(SpecError, match="--steps is 1"):
        run.memory(lstm, steps=1)


@pytest.mark.parametrize("name", ["lstm", "rnn", "gru"])
def test_the_gradient_is_the_sum_over_steps(models: dict[str, Path], name: str, tmp_path: Path) -> None:
    folder = Path(shutil.copytree(models[name], tmp_path / name))
    reads = run.RunFolder(folder).reads().get("test", 0)
    found = run.bptt(folder, steps=12)
    assert found.terms.apart_sum <= 1e-5
    assert found.terms.apart_parts <= 1e-5
    assert found.terms.parts.shape == (12, 12)
    assert [each.step for each in found.errors] == list(range(1, 33))
    counts = [each.sequences for each in found.errors]
    assert counts == sorted(counts, reverse=True)
    whole = sum(each.error * each.sequences for each in found.errors) / sum(counts)
    assert found.early == pytest.approx(np.mean([each.error for each in found.errors[:8]]), rel=0.05)
    assert 0 < whole < math.log(200)
    assert [each.steps for each in found.truncated] == [1, 2, 4, 8, 16, 32]
    assert found.truncated[-1].share == pytest.approx(1, abs=1e-4)
    assert found.truncated[0].kept_bytes < found.truncated[-1].kept_bytes
    assert run.RunFolder(folder).reads()["test"] == reads + 1
    assert "<script" not in found.page.read_text(encoding="utf-8")


def test_errors_by_step_are_those_that_the_network_gives(models: dict[str, Path], tmp_path: Path) -> None:
    from torch.nn import functional

    folder = Path(shutil.copytree(models["gru"], tmp_path / "gru"))
    found = run.bptt(folder, steps=4)
    looked = run.sequences.looked_at(folder)
    places = looked.dataset.parts["test"]
    outputs = looked.model.network.eval()(looked.coded(places))["next"].detach()
    third = functional.cross_entropy(outputs[:, 2], looked.targets("next", places)[:, 2], ignore_index=-1)
    assert found.errors[2].error == pytest.approx(float(third), rel=1e-4)


def test_a_classifier_is_asked_as_if_the_sequence_had_ended(drawings: Path, tmp_path: Path) -> None:
    folder = Path(shutil.copytree(drawings, tmp_path / "ink"))
    found = run.steps(folder)
    looked = run.sequences.looked_at(folder)
    position = run.held_out.position_of(looked.dataset, "")
    whole = looked.coded(np.array([position]))
    answers = found.answers["shape"]
    assert len(answers) == len(found.read) == whole["strokes"].shape[1]
    for count in (1, 3, len(answers)):
        cut = looked.model.answers({"strokes": whole["strokes"][:, :count]})["shape"]
        expected = looked.model.tasks["shape"].decode(cut)[0]
        assert [label for label, _ in answers[count - 1]] == [label for label, _ in expected]  # type: ignore[union-attr]
        assert answers[count - 1][0][1] == pytest.approx(expected[0][1], abs=1e-5)  # type: ignore[index]
    assert found.layers[0].apart <= 1e-5
    assert found.openers == []  # pen points are no tokens
    assert any("reads both ways" in line for line in found.text)
    remembered = run.memory(folder, steps=5)
    assert "of ink, whose layer reads both ways, the way ahead" in remembered.text
    with pytest.raises(SpecError, match="reads both ways has no first step"):
        run.bptt(folder)
    with pytest.raises(SpecError, match=r"--text is for networks that read one text .* strokes \(ink\)"):
        run.steps(folder, text="up")


def test_a_classifiers_error_comes_at_the_end_alone(drawings: Path, tmp_path: Path, session_cache: Path) -> None:
    text = INK.replace("gru 6 both yes, last", "gru 6, last") % (drawings.parent / "ink.csv")
    folder = run.train(spec.load(text), out=tmp_path / "ahead").run
    found = run.bptt(folder, steps=6)
    assert found.truncated == []
    assert found.terms.at == (5,)
    assert found.terms.parts.shape == (1, 6)
    assert found.terms.apart_parts <= 1e-5
    looked = run.sequences.looked_at(folder)
    places = looked.dataset.parts["test"]
    whole, truth = looked.coded(places)["strokes"], looked.targets("shape", places)
    assert [each.step for each in found.errors] == list(range(1, whole.shape[1] + 1))
    cut = looked.model.network.eval()({"strokes": whole[:, :3]})["shape"].detach()  # all have three steps or more
    losses = looked.model.tasks["shape"].terms(cut, truth)
    assert found.errors[2].error == pytest.approx(float(losses.mean()), rel=1e-4)
    assert found.errors[2].sequences == len(places) >= found.errors[-1].sequences
    assert any("shorter ways back are measured where" in line for line in found.text)


def test_runs_without_steps_and_wrong_names_are_refused(done_run: Path, lstm: Path) -> None:
    for look in (run.steps, run.memory, run.bptt, run.words):
        with pytest.raises(SpecError, match="no sequence goes into this network"):
            look(done_run)
    with pytest.raises(SpecError, match=r'"lstm3" is no layer that keeps a state'):
        run.steps(lstm, layer="lstm3")
    with pytest.raises(SpecError, match="were both given"):
        run.steps(lstm, text="def", example="x")
    with pytest.raises(SpecError, match=r"this look is for networks that read one text and answer with a class"):
        run.words(lstm)


def test_a_text_that_is_read_off_has_a_letter_or_none_at_every_step(
    drawings: Path, tmp_path: Path, session_cache: Path
) -> None:
    text = """
    data: {path: %s}
    inputs: {strokes: {kind: ink}}
    outputs: {shape: {kind: text, align: ctc}}
    model: {layers: "lstm 6"}
    training: {batch_size: 16, threads: 1, stop: {epochs: 1}}
    """
    folder = run.train(spec.load(text % (drawings.parent / "ink.csv")), out=tmp_path / "read-off").run
    found = run.steps(folder)
    assert len(found.answers["shape"]) == len(found.read)
    assert {label for step in found.answers["shape"] for label, _ in step} <= {"\u2013", *"updown"}
    assert any(line in {"  really up", "  really down"} for line in found.text)
    with pytest.raises(SpecError, match="the errors of shape belong to no step of what goes in"):
        run.bptt(folder)
