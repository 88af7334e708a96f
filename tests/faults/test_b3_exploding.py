"""B3: a loss that explodes without ever being NaN ends the run in time, with what led there and what is left."""

from __future__ import annotations

import json
from pathlib import Path

import pytest

from netwright import run, spec
from netwright.errors import DivergedError
from netwright.run.folder import RunFolder

WANTED = (
    "{data: {path: sklearn:diabetes}, outputs: [target], model: {layers: 'dense 64, relu, dense 64, relu'}, "
    "training: {optimizer: {name: sgd, lr: %s}, schedule: {name: constant, warmup: %d}, "
    "stop: {epochs: 40, patience: 0}}}"
)


def _actions(folder: Path) -> list[str]:
    rows = [json.loads(line) for line in RunFolder(folder).history.read_text(encoding="utf-8").splitlines()]
    return [row["what"] for row in rows if row["kind"] == "action"]


def test_b3_a_thousandfold_rate_is_named_with_losses_gradients_and_examples(tmp_path: Path) -> None:
    with pytest.raises(DivergedError, match="the loss is") as caught:
        run.train(spec.load(WANTED % ("10.0", 0)), out=tmp_path / "run")
    said = caught.value.message
    assert "so that not this batch but the steps are to blame" in said
    assert "Losses before: " in said
    assert "Norms of the gradient: " in said
    assert ", the largest part in " in said
    assert "The batch begins with: row " in said
    assert "training.clip: 1.0" in caught.value.cure
    refused = [what for what in _actions(tmp_path / "run") if what.endswith("the weights did it")]
    assert refused
    assert "nan" not in "".join(refused)
    assert RunFolder(tmp_path / "run").read()["state"] == "failed"


def test_b3_a_run_that_was_good_for_some_epochs_can_be_gone_on_from(tmp_path: Path) -> None:
    """The rate rises from step to step until the weights are thrown."""
    with pytest.raises(DivergedError, match="the loss is") as caught:
        run.train(spec.load(WANTED % ("100.0", 4000)), out=tmp_path / "run")
    assert f"Its best weights are kept: netwright train ... --from {tmp_path / 'run'}" in caught.value.cure
    with pytest.raises(DivergedError, match="the loss is") as again:
        run.resume(tmp_path / "run")
    assert (again.value.message, again.value.cure) == (caught.value.message, caught.value.cure)
    wanted = spec.load((WANTED % ("0.01", 0)).replace("epochs: 40", "epochs: 2"))
    gone_on = run.train(wanted, out=tmp_path / "again", base=tmp_path / "run")
    first = json.loads(RunFolder(gone_on.run).history.read_text(encoding="utf-8").splitlines()[0])
    assert first["loss/target"] < 2  # what a net that was thrown would be a thousand times off
