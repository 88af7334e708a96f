"""How many characters a second a language model writes: two LSTM layers of 128 on Tiny Shakespeare, one thread.

Beside it the loop that everybody writes by hand: nn.LSTM asked for one step after the other, and a draw by multinomial.
It must write 5,000 characters a second.

Usage: NETWRIGHT_DATA=... python benchmarks/sampling.py
"""

from __future__ import annotations

import sys
from collections.abc import Callable
from dataclasses import asdict
from itertools import islice

import lstm_loop
import mlp_loop
import torch
from pairs import keep, matmul_limit, measure

from netwright.model_file import Model, assemble
from netwright.models.build import table
from netwright.models.decoding import Sampling
from netwright.run.sample import written_by

LIMIT = 5_000  # characters a second
UNITS, PIECE = 128, 2_000  # characters of a segment's piece of work


def ours(model: Model) -> Callable[[], int]:
    """One long text, a piece at a time."""
    pieces = written_by(model, "\n", Sampling(), 0).pieces
    return lambda: sum(len(piece) for piece in islice(pieces, PIECE))


def by_hand(tokens: int) -> Callable[[], int]:
    """The same network and draw in a plain loop."""
    net = lstm_loop.ByHand(UNITS, tokens).eval()

    def write() -> int:
        code, state = torch.zeros(1, 1, dtype=torch.int64), None
        with torch.inference_mode():
            for _ in range(PIECE):
                scores, state = net(code, state)
                code = torch.multinomial(torch.softmax(scores[0, -1], dim=0), 1)[None]
        return PIECE

    return write


def main() -> int:
    """Prints both speeds and their ratio; exit code 1 when netwright's is below the limit."""
    data = mlp_loop.place("char_lm/tinyshakespeare_input.txt")
    if data is None:
        return 3
    torch.set_num_threads(1)
    wanted, dataset = mlp_loop.load(data, lstm_loop.SPEC.format(steps=50, units=UNITS))
    model = assemble(wanted, dataset.inputs, dataset.outputs, 0)
    limit = matmul_limit(1) / sum(row.multiply_adds for row in table(model.network, 1))
    hand = by_hand(len(dataset.inputs["text"].vocabulary))
    ratio = measure(("netwright", ours(model)), ("nn.LSTM step by step", hand), limit=limit)
    print(f"2 x {UNITS}: {ratio}")
    keep(
        "sampling", [{"work": f"2 LSTM layers of {UNITS}, 1 thread", **asdict(ratio)}], f"{LIMIT:,} characters a second"
    )
    print(f"limit {LIMIT:,} a second: {'kept' if ratio.a_rate >= LIMIT else 'missed'}")
    return 0 if ratio.a_rate >= LIMIT else 1


if __name__ == "__main__":
    sys.exit(main())
