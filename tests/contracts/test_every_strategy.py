"""What every registered strategy keeps to: its state survives a checkpoint, and a resume with it is exact."""

from __future__ import annotations

import contextlib
import json
from pathlib import Path
from typing import TYPE_CHECKING

import pytest
import torch

from netwright import registry
from netwright.data.augment import Draw, Transform
from netwright.errors import Stopped
from netwright.training import checkpoint
from netwright.training.loop import Training
from netwright.training.observers import Observer
from netwright.training.strategies import controls
from netwright.training.strategies.strategy import Strategy

if TYPE_CHECKING:
    from tests.conftest import Little

    from netwright.training.strategies.strategy import Terms


class LeaveAt(Observer):
    def __init__(self, step: int) -> None:
        self.at = step

    def step(self, training: Training) -> None:
        if training.step == self.at:
            training.leave(0)


class Poison(Strategy):
    """Gives every strategy something to remember: losses that are no numbers, enough of them to go back."""

    name = "poison"

    def terms(self, training: Training, terms: Terms) -> Terms:
        return {name: term * (float("nan") if 5 <= training.step < 10 else 1.0) for name, term in terms.items()}


class Wobble(Transform):
    """Moves rows of numbers as others move pictures."""

    def image(self, pixels: torch.Tensor, draw: Draw) -> torch.Tensor:
        return pixels + draw.uniform(3)


def _made(name: str, folder: Path) -> Strategy:
    known = {
        "augment": {"transforms": {"table": [("wobble", Wobble())]}},
        "early_stopping": {"watch": "validation/loss", "patience": 2},
        "controls": {"inbox": folder / "control"},
        "penalty": {"l1": 0.01, "l2": 0.01},
        "clipping": {"norm": 0.5},
        "max_norm": {"bound": 0.5},
        "plateau": {"patience": 1},
        "averaging": {"decay": 0.9},
        "mix": {"mixup": 0.4},
    }
    return registry.resolve("strategy", name)(**known.get(name, {}))


def _strategies(name: str, folder: Path) -> list[Strategy]:
    guard = [] if name == "finite" else [registry.resolve("strategy", "finite")()]
    return [Poison(), *guard, _made(name, folder)]


@pytest.fixture(params=list(registry.parts("strategy")))
def name(request: pytest.FixtureRequest, monkeypatch: pytest.MonkeyPatch) -> str:
    monkeypatch.setattr(controls, "_EVERY_SECONDS", 0.0)
    return request.param


def _run(training: Training, folder: Path) -> checkpoint.Checkpoint:
    def save(training: Training) -> None:
        size = training.history.write()
        tensors, facts = training.state()
        checkpoint.save(folder / "checkpoints", training.step, tensors, {**facts, "history_bytes": size})

    with contextlib.suppress(Stopped):
        training.run(save)
    found = checkpoint.latest(folder / "checkpoints")
    assert found is not None
    return found


def _folder(tmp_path: Path, name: str) -> Path:
    folder = tmp_path / name
    (folder / "control").mkdir(parents=True)
    (folder / "control" / "1.json").write_text(json.dumps({"do": "lr", "factor": 0.5}), encoding="utf-8")
    return folder


def test_its_name_is_the_registered_one(name: str, tmp_path: Path) -> None:
    assert _made(name, tmp_path).name == name


def test_its_state_is_plain_and_comes_back_through_a_checkpoint(little: Little, tmp_path: Path, name: str) -> None:
    folder = _folder(tmp_path, "run")
    training = little(strategies=_strategies(name, folder), history=folder / "h")
    _run(training, folder)
    state = training.strategies[-1].state()
    tensors = {key: value for key, value in state.items() if isinstance(value, torch.Tensor)}
    facts = json.loads(json.dumps({key: value for key, value in state.items() if key not in tensors}))
    again = _made(name, folder)
    again.load_state({**tensors, **facts}) if state else None
    other = again.state()
    assert set(other) == set(state)
    assert all(torch.equal(value, other[key]) for key, value in tensors.items())
    assert {key: other[key] for key in facts} == facts


@pytest.mark.parametrize("step", [1, 3, 5, 7, 12])
def test_a_resume_in_the_middle_ends_as_the_unbroken_run(little: Little, tmp_path: Path, name: str, step: int) -> None:
    whole, broken = _folder(tmp_path, "whole"), _folder(tmp_path, "broken")
    expected = _run(little(strategies=_strategies(name, whole), history=whole / "h"), whole)
    first = little(strategies=_strategies(name, broken), history=broken / "h", observers=[LeaveAt(step)])
    found = _run(first, broken)
    assert found.facts["step"] == step
    again = little(strategies=_strategies(name, broken), history=broken / "h")
    again.history.cut(found.facts["history_bytes"])
    again.load_state(found.tensors, found.facts)
    assert checkpoint.same(_run(again, broken), expected) == []
    assert (broken / "h").read_bytes() == (whole / "h").read_bytes()
