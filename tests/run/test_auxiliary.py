"""Auxiliary heads in a run: their losses are minimised and told apart; answers, files and exports have none of them."""

from __future__ import annotations

from pathlib import Path

import pytest
import torch

from netwright import load, run, spec
from netwright.data.batches import Batches
from netwright.data.dataset import prepare
from netwright.model_file import assemble
from netwright.progress import Silent
from netwright.run.fit import weighted
from netwright.run.folder import RunFolder
from netwright.run.resolve import settle
from netwright.training import history

ASKED = """
data: {path: %s}
outputs: {category: {weight: 2}}
model: {layers: "conv 4x3, relu, {pool 2, dense 6, relu, dropout 0.2} auxiliary 0.5, pool 2, conv 6x3, relu"}
training: {stop: {epochs: 2}, regularize: {label_smoothing: 0.1}, seed: 3}
"""


def test_an_auxiliary_loss_is_that_of_its_head_times_its_share(pictures: Path) -> None:
    wanted = spec.load(ASKED % pictures)
    data = prepare(wanted)
    model = assemble(settle(wanted, data)[0], data.inputs, data.outputs, 0)
    batch = next(Batches(data, "train", 8, 0, shuffle=False, resident=False).epoch(0))
    model.network.train()
    torch.manual_seed(0)
    terms = weighted(model, {"category": 2.0}, smoothing=0.1)(batch)
    torch.manual_seed(0)
    outputs = model.network(batch.inputs)
    assert set(terms) == {"category", "penalty/smoothing category", "penalty/auxiliary1"}
    (task,) = model.tasks.values()
    expected = task.loss(outputs["auxiliary1"], batch.targets["category"])
    assert terms["penalty/auxiliary1"].item() == pytest.approx(expected.item())  # 2 times 0.5
    model.network.zero_grad()
    terms["penalty/auxiliary1"].backward()
    reached = {name for name, weight in model.network.named_parameters() if weight.grad is not None}
    assert {name.split(".")[1] for name in reached} == {"conv1", "aside_dense1", "auxiliary1"}


def test_a_run_tells_it_apart_and_its_model_answers_without_it(pictures: Path, tmp_path: Path) -> None:
    outcome = run.train(spec.load(ASKED % pictures), out=tmp_path / "run")
    rows = history.read(RunFolder(outcome.run).history)
    assert any("train/penalty/auxiliary1" in row for row in rows)
    page = outcome.report.read_text(encoding="utf-8")
    assert "auxiliary dense 1" in page
    assert "the first gradient of" not in page  # its own loss teaches it, which the first look does not ask
    model = load(outcome.model)
    assert [each.node for each in model.network.auxiliary] == ["auxiliary1"]
    answers = run.predict(outcome.run, pictures).to_pylist()
    assert answers
    assert all("auxiliary" not in name for row in answers for name in row)


def test_looks_and_range_tests_know_of_it(pictures: Path, tmp_path: Path) -> None:
    asked = ASKED.replace("stop: {epochs: 2}", "optimizer: {name: adam, lr: auto}, layer_rates: 0.5, stop: {epochs: 1}")
    outcome = run.train(spec.load(asked % pictures), out=tmp_path / "run")
    assert run.step_view(outcome.run).page.exists()


def test_going_on_from_it_keeps_the_trunk_and_asks_for_the_classes_of_its_head(pictures: Path, tmp_path: Path) -> None:
    base = run.train(spec.load(ASKED % pictures), out=tmp_path / "base")
    before = load(base.model).network
    plain = ASKED.replace("{pool 2, dense 6, relu, dropout 0.2} auxiliary 0.5, ", "")
    assert plain != ASKED
    still = plain.replace("stop: {epochs: 2}", "freeze: all, stop: {epochs: 1}")
    after = load(run.train(spec.load(still % pictures), base=base.run, out=tmp_path / "plain").model).network
    for name in ("conv1", "conv2"):
        assert torch.equal(after.module(name).weight, before.module(name).weight)
    others = tmp_path / "others"
    others.mkdir()
    for old, new in (("dark", "dark"), ("bright", "elk")):
        (others / new).symlink_to(pictures / old)
    shown: list[str] = []
    run.train(spec.load(ASKED % others), base=base.run, out=tmp_path / "others-run", show=Told(shown))
    assert any("auxiliary1" in line and "2 classes taken, new: elk" in line for line in shown), "\n".join(shown)


class Told(Silent):
    """Keeps what is noted."""

    def __init__(self, into: list[str]) -> None:
        self._into = into

    def note(self, text: str) -> None:
        """Keeps it."""
        self._into.append(text)
