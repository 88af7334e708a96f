"""netwright's training loop against its peers on recurrent networks: characters of Tiny Shakespeare, plain Adam.

Two LSTM layers and a dense one at every step, in two sizes, on windows of 50 characters; the loss is the mean
cross-entropy of all steps. netwright cuts the text and codes it; every network gets these codes and makes of each a
column for every character, 1 in its own. benchmarks/peers_table.py says how it is measured; speeds are windows a
second.

netwright reads the text in its order and carries the state on from window to window (truncated back-propagation through
time). Its peers take windows in any order and begin each with zeros, as their documentation does unless told otherwise.
A step computes the same either way. Accuracy is the share of next characters guessed rightly in held-out windows, each
begun without a state; always guessing a space would give 0.152.

Usage: NETWRIGHT_DATA=... python benchmarks/lstm_peers.py [--quick] [--only NAME]

`make peers` installs them. An interrupted measurement goes on after its last finished peer. The quick form only shows
that everything runs: its numbers are not kept.
"""

from __future__ import annotations

import sys
from dataclasses import replace

import pairs
from peers.child import Work
from peers_table import Comparison, Form, both, compare

STEPS = 50  # characters of a window
CHARACTERS = 66  # the 65 of the text, and one for any other
SPEC = """
version: 1
data: {{window: {steps}, split: {{parts: [0.9, 0, 0.1]}}}}
inputs: {{text: {{kind: text, embed: 0}}}}
outputs: {{next: {{of: text}}}}
model: {{layers: "{layers}"}}
"""


def work(units: int, batch: int, lr: float) -> Work:
    """Two LSTM layers of so many units, learning to foretell the next character.

    Args:
        units: Of each layer.
        batch: Windows of a step.
        lr: Learning rate.
    """
    layers = f"lstm {units}, lstm {units}"
    first = 4 * units * CHARACTERS  # products with what comes in, whose derivative by it is not needed
    a_step = first + 4 * units * (3 * units) + units * CHARACTERS
    return Work(
        name=f"2 LSTM layers of {units} on Tiny Shakespeare",
        data="char_lm/tinyshakespeare_input.txt",
        spec=SPEC.format(steps=STEPS, layers=layers),
        shape=(STEPS,),
        layers=f"one_hot {CHARACTERS}, {layers}",
        multiply_adds=STEPS * (3 * a_step - first),
        lr=lr,
        goes_on=True,
        batch=batch,
        classes=CHARACTERS,
        optimizer="adam",
        unit="windows",
    )


SMALL, LARGE = work(128, 50, 0.005), work(512, 64, 0.003)
FULL = Form(
    threads=(1, 2),
    pairs=pairs.SEGMENTS,
    seconds=pairs.SECONDS,
    close=1,
    tries=2,
    epochs=3,
    examples=2_500,
    tested=1_000,
    accuracy=0.2,
    minutes=21,
    precisions=("float32", "bfloat16"),
)
FULL_LARGE = replace(FULL, threads=(2,), tries=1, epochs=16, examples=320, minutes=19)
QUICK = replace(
    FULL, threads=(2,), pairs=2, seconds=0.0, tries=1, epochs=1, examples=500, tested=100, accuracy=0.0, minutes=3
)  # so few steps teach nothing
QUICK_LARGE = replace(QUICK, examples=320, minutes=4)
PEERS = [
    *both("torch DataLoader", "torch_loader", mixed=True),
    *both("Keras on torch", "keras_fit", mixed=True, KERAS_BACKEND="torch"),
    *both("Keras on JAX", "keras_fit", mixed=True, KERAS_BACKEND="jax"),
]
COMPARISONS = [Comparison(SMALL, PEERS, FULL, QUICK), Comparison(LARGE, PEERS, FULL_LARGE, QUICK_LARGE)]


def main() -> int:
    """See `peers_table.compare`."""
    return compare("lstm_peers", __doc__, COMPARISONS)


if __name__ == "__main__":
    sys.exit(main())
