"""netwright's training loop against its peers: 784-100-10 on MNIST, batches of 128, plain gradient descent.

benchmarks/peers_table.py says how it is measured. Each segment is a training of its own, from netwright's first look
inside to its last.

Usage: NETWRIGHT_DATA=... python benchmarks/mlp_peers.py [--quick] [--only NAME]

`make peers` installs them. An interrupted measurement goes on after its last finished peer. The quick form only shows
that everything runs: its numbers are not kept.
"""

from __future__ import annotations

import sys
from dataclasses import replace

import mlp_loop
import pairs
from peers.child import Work
from peers_table import ON_TORCH, Comparison, Form, both, compare

WORK = Work(
    name="784-100-10 on MNIST",
    data="mnist",
    spec=mlp_loop.SPEC,
    shape=(784,),
    layers="dense 100, relu",
    multiply_adds=mlp_loop.MULTIPLY_ADDS,
    lr=mlp_loop.LR,
    batch=mlp_loop.BATCH,
)
FULL = Form(
    threads=(1, 2),
    pairs=pairs.SEGMENTS,
    seconds=pairs.SECONDS,
    close=4,  # what a training costs once is spread over its epochs
    tries=3,
    epochs=3,
    examples=0,
    tested=0,
    accuracy=0.9,
    minutes=55,
)
QUICK = replace(FULL, threads=(1,), pairs=2, seconds=0.0, tries=1, examples=12_800, accuracy=0.8, minutes=4)
PEERS = [
    *ON_TORCH,
    *both("Keras on JAX", "keras_fit", asked=False, KERAS_BACKEND="jax"),
    *both("scikit-learn", "sklearn_fit", asked=False),
    *both("JAX", "jax_scan", asked=False),
]
MLP = Comparison(WORK, PEERS, FULL, QUICK)


def main() -> int:
    """See `peers_table.compare`."""
    return compare("mlp_peers", __doc__, [MLP])


if __name__ == "__main__":
    sys.exit(main())
