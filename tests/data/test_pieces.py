"""Long sequences in pieces: every step once, in its order; a state goes on within a sequence."""

from itertools import pairwise
from pathlib import Path

import numpy as np
import pytest
import torch

from netwright import run, spec
from netwright.data import pieces
from netwright.data.batches import Batch, Batches
from netwright.data.dataset import Dataset, prepare
from netwright.errors import SpecError, Stopped
from netwright.model_file import assemble
from netwright.run import resolve
from netwright.run.fit import weighted
from netwright.training import checkpoint
from netwright.training.history import History
from netwright.training.loop import Budget, Plan, Training
from netwright.training.observers import Observer
from netwright.training.strategies.carry import Carry

LENGTHS = (1, 12, 7, 3, 30, 9, 4, 5, 16, 2, 11, 8)
WANTED = (
    "{data: {group: clip, window: 4, split: {parts: [0.75, 0.25, 0]}}, inputs: {way: {kind: signal, from: [x, y]}}, "
    "outputs: {label: {per: way}}, "
    "model: {layers: 'lstm 5, conv1d 4x3 causal yes, gru 4, rnn 3'}}"
)


@pytest.fixture(scope="module")
def walks() -> Dataset:
    chance, count = np.random.default_rng(0), sum(LENGTHS)
    rows = {
        "clip": np.repeat([f"clip {k}" for k in range(len(LENGTHS))], LENGTHS),
        "x": np.arange(count) / 10,
        "y": chance.normal(size=count),
        "label": np.array(["down", "up"])[chance.integers(0, 2, count)],
    }
    return prepare(spec.load(WANTED), data=rows)


def batches(data: Dataset, *, resident: bool = True, epoch: int = 1, start: int = 0) -> list[Batch]:
    source = Batches(data, "train", 3, 0, shuffle=True, resident=resident).in_pieces(pieces.of(data, "train", 4))
    found = list(source.epoch(epoch, start))
    assert len(found) == source.steps - start
    return found


@pytest.mark.parametrize("resident", [True, False])
def test_every_step_comes_once_and_rows_go_on_where_they_were(walks: Dataset, resident: bool) -> None:
    met: dict[int, list[torch.Tensor]] = {}
    found = batches(walks, resident=resident)
    for batch in found:
        assert batch.inputs["way"].shape[1] <= 4
        for row, place in enumerate(batch.index.tolist()):
            there = ~batch.inputs["way"][row, :, 0].isnan()
            assert (there == (batch.targets["label"][row] >= 0)).all()
            met.setdefault(place, []).append(batch.inputs["way"][row][there])
    whole = Batches(walks, "train", 1, 0, shuffle=False, resident=False).epoch(0)
    seen = {int(batch.index): batch.inputs["way"][0] for batch in whole}
    assert set(met) == set(seen)
    for place, steps in met.items():  # in the order of time but for a sequence that two streams share
        first = torch.cat(sorted(steps, key=lambda part: float(part[0, 0])))
        assert torch.equal(first, seen[place])
    for one, other in pairwise(found):
        assert other.fresh is not None
        for row, fresh in enumerate(other.fresh.tolist()):
            assert fresh or other.index[row] == one.index[row]
            assert fresh or other.inputs["way"][row, 0, 0] > one.inputs["way"][row, -1, 0]
    assert found[0].fresh is not None
    assert found[0].fresh.all()


def test_pieces_are_a_pure_function_of_seed_and_epoch(walks: Dataset) -> None:
    one, other = batches(walks), batches(walks, resident=False, start=3)
    for batch, same in zip(one[3:], other, strict=True):
        assert torch.equal(batch.index, same.index)
        assert torch.equal(batch.fresh, same.fresh)  # type: ignore[arg-type]
        for name in batch.inputs:
            torch.testing.assert_close(batch.inputs[name], same.inputs[name], equal_nan=True)
        assert torch.equal(batch.targets["label"], same.targets["label"])
    assert [b.index.tolist() for b in one] != [b.index.tolist() for b in batches(walks, epoch=2)]


def test_a_state_goes_on_within_a_sequence_and_no_further(walks: Dataset, tmp_path: Path) -> None:
    """What a network says of pieces is what it says of the whole, from where a stream began to read a sequence."""
    training = made(walks, tmp_path)
    network, carry, begun, compared = training.plan.nets["net"].eval(), training.strategies[0], {}, 0
    for step, batch in enumerate(batches(walks)):
        training.step_in_epoch = step
        told = carry.batch(training, batch)
        with torch.no_grad():
            found = network(told.inputs, told.carried)["label"]
        carry.after_step(training)
        for row, fresh in enumerate(batch.fresh.tolist()):  # type: ignore[union-attr]
            way = batch.inputs["way"][row]
            way = way[~way[:, 0].isnan()]
            begun[row] = way if fresh else torch.cat([begun[row], way])
            with torch.no_grad():
                alone = network({"way": begun[row][None]})["label"][0, -len(way) :]
            torch.testing.assert_close(found[row, : len(way)], alone, atol=1e-5, rtol=1e-4)
            compared += not fresh
    assert compared > 10


def test_a_resume_in_the_middle_of_an_epoch_is_exact(walks: Dataset, tmp_path: Path) -> None:
    class Leave(Observer):
        def step(self, training: Training) -> None:
            if training.step == 7:
                training.leave(15)

    whole, stopped, resumed = made(walks, tmp_path), made(walks, tmp_path, Leave()), made(walks, tmp_path)
    whole.run()
    kept: list = []
    with pytest.raises(Stopped, match="stopped at step 7"):
        stopped.run(lambda training: kept.append(training.state()))
    tensors, facts = kept[-1]
    assert 0 < facts["step_in_epoch"] < whole.source.steps
    resumed.load_state({key: value.clone() for key, value in tensors.items()}, facts)
    resumed.run()
    one, other = (checkpoint.Checkpoint(Path(), *training.state()) for training in (whole, resumed))
    assert checkpoint.same(one, other) == []


def made(data: Dataset, folder: Path, *watchers: Observer) -> Training:
    model = assemble(spec.load(WANTED), data.inputs, data.outputs, 0)
    source = Batches(data, "train", 3, 0, shuffle=True, resident=True).in_pieces(pieces.of(data, "train", 4))
    optimizers = {"net": torch.optim.Adam(model.network.parameters(), 0.01)}
    plan = Plan({"net": model.network}, optimizers, weighted(model, {"label": 1.0}), source, Budget(2), 0)
    history = History(folder / f"{len(list(folder.iterdir()))}.jsonl")
    return Training(plan, [Carry()], list(watchers), history)


@pytest.mark.parametrize(
    ("change", "told"),
    [
        ({"data.window": "{past: 4, stride: 2}"}, "data.window.stride is for what comes next"),
        ({"outputs": "{age: {}}", "inputs": "{way: {kind: signal, from: [x, y]}}"}, "so that nothing is cut"),
        ({"outputs": "{label: {per: way}, size: {kind: number, from: age}}"}, "size is answered once for a sequence"),
        ({"inputs.other": "{kind: signal, from: [y]}"}, "way and other are several sequences"),
    ],
)
def test_what_cannot_be_learned_in_pieces_is_refused(change: dict[str, str], told: str, tmp_path: Path) -> None:
    wanted = spec.override(spec.load(WANTED), change)
    rows = {"clip": np.repeat(["a", "b", "c"], 6), "x": np.arange(18.0), "y": np.arange(18.0) ** 2}
    rows |= {"age": np.repeat([1.0, 2.0, 3.0], 6), "label": np.array(["down", "up"] * 9)}
    with pytest.raises(SpecError, match=told):
        run.train(wanted, data=rows, out=tmp_path / "run")


def test_long_signals_are_told_that_pieces_would_help_and_texts_are_not() -> None:
    labels = np.tile(["down", "up"], 4 * 600)
    rows = {"clip": np.repeat(["a", "b", "c", "d"], 1200), "x": np.arange(4800.0), "label": labels}
    asked = "{data: {group: clip, split: {parts: [0.5, 0.5, 0]}}, inputs: {way: {kind: signal, from: [x]}}, "
    wanted = spec.load(asked + "outputs: {label: {per: way}}}")
    told = {reason.path: reason for reason in resolve.settle(wanted, prepare(wanted, data=rows))[1]}
    assert told["data.window"].why == (
        "each sequence is learned from whole; data.window: 250 learns from pieces, 4 times as often"
    )
    texts = {"text": [f"{letter}b" * 600 for letter in "cdef"], "label": [["down", "up"] * 600] * 4, "id": list("abcd")}
    of_text = spec.load(
        "{data: {duplicates: accept, split: {parts: [0.5, 0.5, 0]}}, outputs: {label: {per: text}}, "
        "inputs: {text: {kind: text, tokens: characters}}}"
    )
    told = {reason.path: reason for reason in resolve.settle(of_text, prepare(of_text, data=texts))[1]}
    assert "data.window" not in told
