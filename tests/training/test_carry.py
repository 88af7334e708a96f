"""States go on from batch to batch, gradients do not, and a resume in the middle of an epoch takes them up again."""

import json
import time
from collections.abc import Callable
from pathlib import Path

import pytest
import torch

from netwright import model_file, run, spec
from netwright.data.batches import Batch, Batches
from netwright.data.dataset import prepare
from netwright.errors import Stopped
from netwright.model_file import assemble
from netwright.models.decoding import Sampling
from netwright.readers import bpe
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

    def make(*observers: Observer, stages: bool = False, budget: Budget | None = None) -> Training:
        model = assemble(wanted, dataset.inputs, dataset.outputs, 0)
        plan = Plan(
            nets={"net": model.network},
            optimizers={"net": torch.optim.Adam(model.network.parameters(), 0.01)},
            losses=weighted(model, {"next": 1.0}),
            source=Batches(dataset, "train", 6, 0, shuffle=True, resident=True),
            budget=budget or Budget(2),
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


def test_a_budget_of_minutes_has_its_moments_too(
    made: Callable[..., Training], tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    now = [0.0]
    monkeypatch.setattr(time, "monotonic", lambda: now[0])

    class Clock(Observer):
        def step(self, training: Training) -> None:
            now[0] += 1.0
            if now[0] == 10:
                training.leave(15)

    budget = Budget(1_000_000, minutes=2.0)
    kept: list = []
    with pytest.raises(Stopped, match="stopped at step 10"):
        made(Clock(), stages=True, budget=budget).run(lambda training: kept.append(training.state()))
    resumed = made(Clock(), stages=True, budget=budget)
    resumed.load_state(*kept[-1])
    resumed.run()
    lines = [json.loads(line) for line in (tmp_path / "stages.jsonl").read_text().splitlines()]
    assert [(line["step"], line["share"]) for line in lines] == [(2, 0.01), (6, 0.05), (30, 0.25), (120, 1)]


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


@pytest.mark.parametrize("tokens", ["words", "bpe"])
def test_words_and_pieces_of_them_are_written_on_line_by_line(tokens: str, tmp_path: Path) -> None:
    (tmp_path / "a.txt").write_text(TEXT.replace("; ", ";\n"))
    asked = "{inputs: {text: {}}, outputs: {next: {of: text}}, model: {layers: 'gru 24'}}"
    values = {
        "data.path": f'"{tmp_path / "a.txt"}"',
        "data.window": "6",
        "inputs.text.tokens": tokens,
        "inputs.text.embed": "16",
        "training.stop.epochs": "25",
        "training.optimizer": "{lr: 0.02}",
        "training.batch_size": "4",
    } | ({"inputs.text.vocabulary": "290"} if tokens == "bpe" else {})
    outcome = run.train(spec.override(spec.load(asked), values), out=tmp_path / "run")
    scores = outcome.scores["next"]["test"]
    assert scores["perplexity"] < 2
    assert ("bits" in scores) == (tokens == "bpe")
    found = run.sample(outcome.run, "the rain", sampling=Sampling(temperature=0.0))
    written = "".join(piece for piece, _ in zip(found.pieces, range(30), strict=False))
    assert written.startswith(" in spain")
    assert ";\nthe" in written.replace(" ;", ";")
    page = outcome.report.read_text(encoding="utf-8")
    assert f"bits a {'character' if tokens == 'bpe' else 'word'}" in page
    (answer,) = run.predict(outcome.run, {"text": ["the rain in"]}).to_pylist()
    assert answer["next"] == ("spain" if tokens == "words" else " spain"[: len(answer["next"])])


def test_a_piece_of_words_is_judged_by_the_characters_it_stands_for(tmp_path: Path) -> None:
    """What a model of pieces says of a text, summed and shared among its characters, whatever the batches are."""
    (tmp_path / "a.txt").write_text(TEXT)
    asked = "{inputs: {text: {tokens: bpe, vocabulary: 280}}, outputs: {next: {of: text}}, model: {layers: 'gru 8'}}"
    values = {"data.path": f'"{tmp_path / "a.txt"}"', "data.window": "5", "training.stop.epochs": "1"}
    outcome = run.train(spec.override(spec.load(asked), values), out=tmp_path / "run")
    model = model_file.load(outcome.model)
    ((_, field),) = model.inputs.items()
    split = bpe.splitter(field.vocabulary[1:])
    whole = TEXT[:400]
    codes = torch.tensor([[field.vocabulary.index(token) for token in split(whole)]])
    with torch.inference_mode():
        outputs = model.network.eval()({"text": codes[:, :-1]})["next"]
        pieces, at, carried = [], 0, {}
        for size in (7, 1, 30, codes.shape[1] - 1 - 38):  # as they would come in streams
            pieces.append(model.network({"text": codes[:, at : at + size]}, carried)["next"])
            at += size
    assert torch.allclose(torch.cat(pieces, dim=1), outputs, atol=1e-5)
    task = model.tasks["next"]
    judged = task.judged(outputs, codes[:, 1:])
    nats = torch.nn.functional.cross_entropy(outputs[0].double(), codes[0, 1:], reduction="sum")
    characters = len(whole) - len("".join(bpe.spelled([split(whole)[0]])))
    assert task.score(judged, codes)["nats"] == pytest.approx(float(nats) / characters, rel=1e-5)
