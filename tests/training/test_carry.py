"""States go on from batch to batch, gradients do not, and a resume in the middle of an epoch takes them up again."""

from collections.abc import Callable
from pathlib import Path

import pytest
import torch

from netwright import run, spec
from netwright.data.batches import Batch, Batches
from netwright.data.dataset import prepare
from netwright.errors import Stopped
from netwright.model_file import assemble
from netwright.models.decoding import Sampling
from netwright.run.fit import weighted
from netwright.run.stages import language
from netwright.training import checkpoint
from netwright.training.history import History
from netwright.training.loop import Budget, Plan, Training
from netwright.training.observers import Observer
from netwright.training.stages import Stages
from netwright.training.strategies.carry import Carry

TEXT = "the rain in spain stays mainly in the plain; " * 40


@pytest.fixture
def made(tmp_path: Path) -> Callable[..., Training]:
    """A small language model, its training and what it is watched by."""
    path = tmp_path / "a.txt"
    path.write_text(TEXT)
    asked = "{inputs: {text: {}}, outputs: {next: {of: text}}, data: {window: 8}, model: {layers: 'lstm 6, rnn 5'}}"
    wanted = spec.override(spec.load(asked), {"data.path": f'"{path}"'})
    dataset = prepare(wanted)

    def make(*observers: Observer, stages: bool = False) -> Training:
        model = assemble(wanted, dataset.inputs, dataset.outputs, 0)
        plan = Plan(
            nets={"net": model.network},
            optimizers={"net": torch.optim.Adam(model.network.parameters(), 0.01)},
            losses=weighted(model, {"next": 1.0}),
            source=Batches(dataset, "train", 6, 0, shuffle=True, resident=True),
            budget=Budget(2),
            seed=0,
        )
        watchers = [*observers, *([Stages(tmp_path / "stages.jsonl", language(dataset, model))] if stages else [])]
        return Training(plan, [Carry()], watchers, History(tmp_path / f"{len(list(tmp_path.iterdir()))}.jsonl"))

    return make


def test_a_batch_begins_with_what_the_one_before_knew(made: Callable[..., Training]) -> None:
    seen: list[tuple[Batch, list[torch.Tensor]]] = []

    class Look(Observer):
        def step(self, training: Training) -> None:
            assert training.batch is not None
            carried = training.batch.carried or {}
            seen.append((training.batch, [part.detach() for state in carried.values() for part in state]))

    training = made(Look())
    training.run()
    assert all(len(states) == 3 for _, states in seen)  # h and c of the lstm, h of the rnn
    assert all(len(part) == len(batch.index) for batch, states in seen for part in states)
    kept = training.strategies[0].state()
    assert set(kept) == {"parts.lstm1/0", "parts.lstm1/1", "parts.rnn1/0"}
    assert not any(part.requires_grad for part in kept.values() if isinstance(part, torch.Tensor))


def test_an_epoch_begins_with_no_state(made: Callable[..., Training]) -> None:
    training = made()
    carry = training.strategies[0]
    batch = next(iter(training.source.epoch(0)))
    assert carry.batch(training, batch).carried == {}
    training.step_in_epoch = 1
    training.plan.losses(carry.batch(training, batch))
    carry.after_step(training)
    known: dict = {}
    training.plan.nets["net"](batch.inputs, known)
    begun = carry.batch(training, batch).carried
    assert begun is not None
    assert set(begun) == set(known)
    for layer, state in known.items():
        for part, same in zip(state, begun[layer], strict=True):
            assert part.abs().max() > 0
            torch.testing.assert_close(part, same)
    training.step_in_epoch = 0
    assert carry.batch(training, batch).carried == {}


def test_a_resume_in_the_middle_of_an_epoch_is_exact(made: Callable[..., Training]) -> None:
    class Leave(Observer):
        def step(self, training: Training) -> None:
            if training.step == 4:
                training.leave(15)

    whole, stopped, resumed = made(), made(Leave()), made()
    whole.run()
    kept: list = []
    with pytest.raises(Stopped, match="stopped at step 4"):
        stopped.run(lambda training: kept.append(training.state()))
    tensors, facts = kept[-1]
    assert 0 < facts["step_in_epoch"] < whole.source.steps
    resumed.load_state({key: value.clone() for key, value in tensors.items()}, facts)
    resumed.run()
    one, other = (checkpoint.Checkpoint(Path(), *training.state()) for training in (whole, resumed))
    assert checkpoint.same(one, other) == []


def test_letting_it_write_changes_nothing(made: Callable[..., Training], tmp_path: Path) -> None:
    alone, watched = made(), made(stages=True)
    alone.run()
    watched.run()
    one, other = (checkpoint.Checkpoint(Path(), *training.state()) for training in (alone, watched))
    assert checkpoint.same(one, other) == []
    assert len((tmp_path / "stages.jsonl").read_text().splitlines()) >= 2


def test_a_run_of_a_language_model_from_file_to_writing(tmp_path: Path) -> None:
    (tmp_path / "a.txt").write_text(TEXT)
    asked = "{inputs: {text: {embed: 0}}, outputs: {next: {of: text}}, model: {layers: 'gru 24'}}"
    values = {"data.path": f'"{tmp_path / "a.txt"}"', "data.window": "16", "training.stop.epochs": "60"}
    wanted = spec.override(spec.load(asked), values | {"training.optimizer": "{lr: 0.02}", "training.batch_size": "8"})
    outcome = run.train(wanted, out=tmp_path / "run")
    assert outcome.scores["next"]["test"]["bits"] < 0.5
    found = run.sample(outcome.run, "the rain", sampling=Sampling(temperature=0.0))
    assert found.prompt == "the rain"
    assert "".join(piece for piece, _ in zip(found.pieces, range(9), strict=False)) == " in spain"
    page = outcome.report.read_text(encoding="utf-8")
    assert "How it came to write" in page
    assert "bits a character on held-out text" in outcome.headline
