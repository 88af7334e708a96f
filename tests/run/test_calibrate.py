"""Probabilities that come true: one number divides the scores, and no answer changes."""

from pathlib import Path

import numpy as np
import pyarrow.parquet as pq
import pytest
import torch

from netwright import run, spec
from netwright.errors import SpecError
from netwright.field import Field
from netwright.run.calibrate import temperature
from netwright.spec import OutputSpec
from netwright.tasks.task import Task, task_for

COUNT, SURER = 20_000, 3.0


def category(*classes: str) -> Task:
    return task_for(
        "kind", Field(name="kind", kind="category", source="kind", dtype="int64", vocabulary=classes), OutputSpec()
    )


def following() -> Task:
    field = Field(
        name="next", kind="text", source="text", dtype="uint8", ragged=True, vocabulary=tuple("abcde"),
        options={"of": "text", "tokens": "characters"},
    )  # fmt: skip
    return task_for("next", field, OutputSpec())


def drawn(scores: torch.Tensor) -> torch.Tensor:
    return torch.multinomial(torch.softmax(scores, dim=1), 1, generator=torch.Generator().manual_seed(1))[:, 0]


def test_a_net_that_is_three_times_too_sure_is_divided_by_three() -> None:
    scores = 2 * torch.randn(COUNT, 5, generator=torch.Generator().manual_seed(0))
    truth = drawn(scores)
    halves = [(SURER * scores[half], truth[half]) for half in (slice(0, 12_000), slice(12_000, None))]
    assert temperature(category(*"abcde"), halves) == pytest.approx(SURER, rel=0.03)
    assert temperature(category(*"abcde"), [(scores / SURER, truth)]) == pytest.approx(1 / SURER, rel=0.03)
    steps = (SURER * scores.reshape(-1, 10, 5), truth.reshape(-1, 10))
    assert temperature(following(), [steps]) == pytest.approx(SURER, rel=0.03)
    two = torch.stack([torch.zeros(COUNT), scores[:, 0]], dim=1)
    assert temperature(category("no", "yes"), [(SURER * scores[:, :1], drawn(two))]) == pytest.approx(SURER, rel=0.05)


def test_every_step_counts_alike_however_long_its_sequence() -> None:
    scores = 2 * torch.randn(COUNT, 5, generator=torch.Generator().manual_seed(0))
    truth = drawn(scores)
    long = (SURER * scores[1000:].reshape(-1, 100, 5), truth[1000:].reshape(-1, 100))  # far too sure
    short = (scores[:1000].reshape(-1, 1, 5) / SURER, truth[:1000].reshape(-1, 1))  # not sure enough, few steps in all
    together = temperature(category(*"abcde"), [(scores * SURER, truth)])
    assert temperature(following(), [long, short]) == pytest.approx(together, rel=0.05)


def test_a_few_right_answers_do_not_make_a_net_sure_without_bounds() -> None:
    truth = torch.arange(20) % 4
    found = temperature(category(*"abcd"), [(5.0 * torch.nn.functional.one_hot(truth, 4), truth)])
    share = float(torch.softmax(torch.tensor([5.0, 0, 0, 0]) / found, dim=0)[0])
    assert share == pytest.approx(1 - 3 / (4 * 21), abs=0.01)  # as if one answer more had been anything


@pytest.fixture
def noisy(tmp_path: Path) -> Path:
    """Two classes that overlap, few examples and a large net: it learns by heart and grows sure."""
    chance = np.random.default_rng(0)
    rows = [
        f"{x:.4f},{y:.4f},{'yes' if x + 1.5 * chance.normal() > 0 else 'no'}" for x, y in chance.normal(size=(300, 2))
    ]
    (tmp_path / "noisy.csv").write_text("\n".join(["x,y,kind", *rows]) + "\n")
    return tmp_path / "noisy.csv"


def asked(path: Path, more: str = "", parts: str = "[0.4, 0.3, 0.3]") -> spec.Spec:
    return spec.load(
        f"{{data: {{path: {path}, split: {{parts: {parts}}}}}, outputs: {{kind: {{{more}}}}}, "
        "model: {layers: 'dense 64, relu'}, "
        "training: {threads: 1, optimizer: {lr: 0.02}, stop: {epochs: 60, patience: 0}}}"
    )


def test_calibrated_answers_are_the_same_and_less_sure(noisy: Path, tmp_path: Path) -> None:
    plain = run.train(asked(noisy), out=tmp_path / "plain")
    fair = run.train(asked(noisy, "calibrate: true"), out=tmp_path / "fair")
    (before, after) = (outcome.scores["kind"] for outcome in (plain, fair))
    assert after["validation"]["loss"] < before["validation"]["loss"]
    assert after["test"]["loss"] < before["test"]["loss"]
    assert after["test"]["accuracy"] == before["test"]["accuracy"]
    one, other = (pq.read_table(outcome.run / "predictions.parquet") for outcome in (plain, fair))
    assert one.column("kind").equals(other.column("kind"))
    assert "calibrated: scores were divided by " in " ".join(fair.text)
    assert "surer than it was right" in (fair.run / "report.html").read_text(encoding="utf-8")
    assert "scores were divided" not in " ".join(plain.text)
    said = run.predict(fair.model, [noisy]).column("kind:yes").to_numpy()
    assert 0.01 < said.min() < said.max() < 0.99


def test_what_cannot_be_calibrated_is_refused_before_training(noisy: Path, tmp_path: Path) -> None:
    with pytest.raises(SpecError, match=r"outputs\.kind\.calibrate: a temperature is chosen on a validation part"):
        run.train(asked(noisy, "calibrate: true", "[0.7, 0, 0.3]"), out=tmp_path / "none")
    with pytest.raises(SpecError, match=r"outputs\.kind\.calibrate: it is not trained on probabilities"):
        run.train(asked(noisy, "calibrate: true, unit: softmax, loss: hinge"), out=tmp_path / "hinge")
