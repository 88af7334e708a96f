"""B3: a loss that explodes without ever being NaN ends the run in time, with what led there and what is left."""

from __future__ import annotations

import json
import shlex
from pathlib import Path

import pytest

from netwright import run, spec
from netwright.cli import main
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
    _, _, command = caught.value.cure.partition("Its best weights are kept; go on from them by shorter steps: ")
    assert command.startswith(f"netwright train {tmp_path / 'run' / 'spec.yaml'} --from {tmp_path / 'run'} --lr ")
    assert command.endswith(" --set training.clip=1")
    with pytest.raises(DivergedError, match="the loss is") as again:
        run.resume(tmp_path / "run")
    assert (again.value.message, again.value.cure) == (caught.value.message, caught.value.cure)
    wanted = spec.load((WANTED % ("0.01", 0)).replace("epochs: 40", "epochs: 2"))
    gone_on = run.train(wanted, out=tmp_path / "again", base=tmp_path / "run")
    first = json.loads(RunFolder(gone_on.run).history.read_text(encoding="utf-8").splitlines()[0])
    assert first["loss/target"] < 2  # what a net that was thrown would be a thousand times off
    assert main([*shlex.split(command)[1:], "--to", str(tmp_path / "as told"), "--quiet"]) == 0
    asked = RunFolder(tmp_path / "as told").read()
    assert asked["state"] == "done"


def test_b3_a_run_without_a_good_epoch_is_not_tried_again_but_told_how_to_begin_anew(tmp_path: Path) -> None:
    with pytest.raises(DivergedError, match="the loss is") as caught:
        run.train(spec.load(WANTED % ("10.0", 0)), out=tmp_path / "run", examples=False)
    command = f"netwright train {tmp_path / 'run' / 'spec.yaml'} --lr 0.625 --set training.clip=1 --no-examples"
    assert caught.value.cure.endswith(f" Begin anew by shorter steps: {command}")
    with pytest.raises(DivergedError, match="the loss is") as again:
        run.resume(tmp_path / "run")
    assert (again.value.message, again.value.cure) == (caught.value.message, caught.value.cure)


def test_b3_of_data_in_memory_no_command_is_told_that_could_not_work(tmp_path: Path) -> None:
    columns = {"x": [0.1 * k for k in range(200)], "y": [0.01 * k * k for k in range(200)]}
    wanted = "{outputs: [y], model: {layers: 'dense 8, relu'}, training: {clip: 1e9, optimizer: {name: sgd, lr: 1e4}}}"
    with pytest.raises(DivergedError, match="the loss is") as caught:
        run.train(spec.load(wanted), data=columns, out=tmp_path / "run")
    assert "from Python: netwright.train(spec, data=...) with training.optimizer.lr 6" in caught.value.cure
    assert "training.clip 1" not in caught.value.cure
