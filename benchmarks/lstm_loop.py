"""netwright's training loop against the best hand-written one on recurrent networks: two LSTM layers on characters.

Tiny Shakespeare in streams, state carried from piece to piece, Adam, gradients clipped at length 1; both sides in the
faster of float32 and bfloat16. The hand-written loop does nothing but train; netwright's also guards against losses
that are no numbers, reads its inbox, tells its progress and writes its history. It must reach 0.97 of the other's
speed.

Usage: NETWRIGHT_DATA=... python benchmarks/lstm_loop.py
"""

from __future__ import annotations

import signal
import sys
import tempfile
import time
from collections.abc import Callable
from contextlib import nullcontext, suppress
from dataclasses import asdict
from pathlib import Path

import mlp_loop
import torch
from pairs import keep, matmul_limit, measure
from torch import Tensor, nn
from torch.nn import functional

from netwright.data.batches import Batches
from netwright.errors import Stopped
from netwright.model_file import Model, assemble
from netwright.models.build import table
from netwright.progress import Silent
from netwright.run.fit import weighted
from netwright.training import precision
from netwright.training.evidence import Evidence
from netwright.training.history import History
from netwright.training.loop import Budget, Plan, Training
from netwright.training.observers import Progress, Timing
from netwright.training.optimizers import adam
from netwright.training.precision import Precision
from netwright.training.strategies.carry import Carry
from netwright.training.strategies.clipping import Clipping
from netwright.training.strategies.controls import Controls
from netwright.training.strategies.finite import Finite
from netwright.training.strategies.strategy import Strategy

State = tuple[Tensor, Tensor]

LIMIT, LR, CLIP = 0.97, 0.002, 1.0
FORMS = ((128, 50, 50), (512, 64, 50))  # units of each of two layers, rows of a batch, steps
SPEC = """
version: 1
data: {{window: {steps}, split: {{parts: [0.9, 0.1, 0]}}}}
inputs: {{text: {{kind: text, embed: 0}}}}
outputs: {{next: {{of: text}}}}
model: {{layers: "lstm {units}, lstm {units}"}}
"""
SEGMENT = 20  # steps of a segment's piece of work


class Leave(Strategy):
    """Asks to leave after so many steps, as a signal does."""

    name = "leave"

    def after_step(self, training: Training) -> None:
        """Asks when a segment is over."""
        if training.step % SEGMENT == 0:
            training.leave(signal.SIGTERM)


def ours(model: Model, source: Batches, folder: Path, way: Precision) -> Callable[[], int]:
    """One long training through netwright's loop, stopped and gone on with after every segment."""
    optimizer = adam(model.network.parameters(), lr=LR)
    losses = weighted(model, {"next": 1.0}, precision=way)
    tokens = next(iter(source.epoch(0))).inputs["text"].numel()
    last: list[Training] = []

    def train() -> int:
        plan = Plan({"net": model.network}, {"net": optimizer}, losses, source, Budget(mlp_loop.LONG), 0)
        strategies = [Carry(), Finite(), Clipping(CLIP), Controls(folder / "control"), Leave()]
        made = Training(plan, strategies, [], History(folder / "history.jsonl"))
        made.observers += [Evidence(folder / "evidence.jsonl"), Progress(Silent(), made.total)]
        made.observers.append(Timing(folder / "timing.jsonl"))
        if last:
            made.load_state(*last[0].state())
        with suppress(Stopped):
            made.run()
        last[:] = [made]
        return SEGMENT * tokens

    return train


class ByHand(nn.Module):
    """The same network as anybody would write it."""

    def __init__(self, units: int, tokens: int) -> None:
        super().__init__()
        self.tokens = tokens
        self.core, self.head = nn.LSTM(tokens, units, 2, batch_first=True), nn.Linear(units, tokens)

    def forward(self, x: Tensor, state: State | None) -> tuple[Tensor, State]:
        """Scores of what comes next, and the state at the end."""
        h, state = self.core(functional.one_hot(x, self.tokens).float(), state)
        return self.head(h), state


def by_hand(units: int, tokens: int, pieces: list[tuple[Tensor, Tensor]], narrow: bool) -> Callable[[], int]:
    """The fastest plain loop that torch allows, with carried state."""
    net = ByHand(units, tokens)
    optimizer = torch.optim.Adam(net.parameters(), lr=LR, fused=True)
    state: State | None = None
    at = 0

    def train() -> int:
        nonlocal state, at
        done = 0
        for _ in range(SEGMENT):
            x, y = pieces[at % len(pieces)]
            at += 1
            with torch.autocast("cpu", torch.bfloat16) if narrow else nullcontext():
                scores, state = net(x, state)
            loss = functional.cross_entropy(scores.float().flatten(0, 1), y.flatten())
            optimizer.zero_grad(set_to_none=True)
            loss.backward()
            nn.utils.clip_grad_norm_(net.parameters(), CLIP)
            optimizer.step()
            state = (state[0].detach().float(), state[1].detach().float())
            done += x.numel()
        return done

    return train


def compared(units: int, rows: int, steps: int, data: Path) -> dict[str, object]:
    """Both loops on one network, each with the way of multiplying that is faster for it."""
    wanted, dataset = mlp_loop.load(data, SPEC.format(steps=steps, units=units))
    model = assemble(wanted, dataset.inputs, dataset.outputs, 0)
    source = Batches(dataset, "train", rows, 0, shuffle=True, resident=True)
    pieces = [(batch.inputs["text"], batch.targets["next"]) for batch in source.epoch(0)]
    pieces = [piece for piece in pieces if len(piece[0]) == rows]
    tokens = len(dataset.inputs["text"].vocabulary)
    first = next(iter(source.epoch(0)))
    found = precision.measured(lambda way: weighted(model, {"next": 1.0}, precision=way), first)
    way: Precision = "bfloat16" if found.value == "bfloat16" else "float32"
    print(f"{found.path}: {found.value} ({found.why})")
    hands = {narrow: by_hand(units, tokens, pieces, narrow) for narrow in (False, True)}
    seconds = {}
    for narrow, train in hands.items():
        train()
        start = time.perf_counter()
        train()
        seconds[narrow] = time.perf_counter() - start
    narrow = seconds[True] < seconds[False]
    print(f"by hand: {seconds[False]:.3f} s in float32, {seconds[True]:.3f} s in bfloat16")
    adds = sum(row.multiply_adds for row in table(model.network, 1))
    limit = matmul_limit(torch.get_num_threads()) / (3 * adds)
    with tempfile.TemporaryDirectory() as folder:
        sides = ("netwright", ours(model, source, Path(folder), way)), ("by hand", hands[narrow])
        ratio = measure(*sides, limit=limit)
    print(f"2 x {units}: {ratio}")
    work = f"2 LSTM layers of {units}, {rows} x {steps} characters a step, {torch.get_num_threads()} threads, a second"
    return {
        "work": work,
        "clock": "wall time",
        "netwright": way,
        "by hand": f"{'b' if narrow else ''}float{16 if narrow else 32}",
        **asdict(ratio),
    }


def main() -> int:
    """Prints both speeds and their ratio for each size; exit code 1 when one is below the limit."""
    data = mlp_loop.place("char_lm/tinyshakespeare_input.txt")
    if data is None:
        return 3
    torch.set_flush_denormal(True)
    entries = []
    for units, rows, steps in FORMS:
        torch.set_num_threads(2)
        entries.append(compared(units, rows, steps, data))
    keep("lstm_loop", entries, f"ratio of at least {LIMIT}")
    kept = all(float(entry["ratio"]) >= LIMIT for entry in entries)  # type: ignore[arg-type]
    print(f"limit {LIMIT}: {'kept' if kept else 'missed'}")
    return 0 if kept else 1


if __name__ == "__main__":
    sys.exit(main())
