"""netwright's training loop against its peers on convolutions: CIFAR-10, batches of 128, plain gradient descent.

ConvNetJS's network for CIFAR-10 beside every peer that has convolutions, on pictures of the JPEG copy of CIFAR-10.
benchmarks/peers_table.py says how it is measured. Epochs are short, so that segments are; netwright's training goes on
from segment to segment, since the look inside that it takes at its end, at 5,000 examples, is a tenth of a segment's
work. benchmarks/resnet_peers.py has deeper networks.

Usage: NETWRIGHT_DATA=... python benchmarks/conv_peers.py [--quick] [--only NAME]

`make peers` installs them. An interrupted measurement goes on after its last finished peer. The quick form only shows
that everything runs: its numbers are not kept.
"""

from __future__ import annotations

import sys
from dataclasses import replace

import pairs
from peers.child import Work
from peers_table import ON_TORCH, Comparison, Form, both, compare

SPEC = """
version: 1
data: {{duplicates: accept}}
inputs: {{image: {{kind: image, size_px: [32, 32], channels: 3}}}}
outputs: {{category: {{kind: category}}}}
model: {{{model}}}
"""
LAYERS = "conv 16x5 pad 2, relu, pool 2, conv 20x5 pad 2, relu, pool 2, conv 20x5 pad 2, relu, pool 2"
CONVNETJS = Work(
    name="ConvNetJS's network on CIFAR-10",
    data="cifar10_jpeg/cifar10_jpeg.tar.xz",
    spec=SPEC.format(model=f'layers: "{LAYERS}"'),
    shape=(3, 32, 32),
    layers=LAYERS,
    multiply_adds=3 * (1024 * 16 * 75 + 256 * 20 * 400 + 64 * 20 * 500 + 320 * 10) - 1024 * 16 * 75,
    lr=0.05,
    goes_on=True,
)
FULL = Form(
    threads=(1, 2),
    pairs=pairs.SEGMENTS,
    seconds=pairs.SECONDS,
    close=2,
    tries=3,
    epochs=5,
    examples=6_400,
    tested=0,
    accuracy=0.25,
    minutes=46,
    precisions=("float32", "bfloat16"),
)
QUICK = replace(
    FULL, threads=(2,), pairs=2, seconds=0.0, tries=1, epochs=3, examples=1_280, tested=2_000, accuracy=0.15, minutes=4
)
PEERS = [*ON_TORCH, *both("Keras on JAX", "keras_fit", mixed=True, KERAS_BACKEND="jax")]
COMPARISONS = [Comparison(CONVNETJS, PEERS, FULL, QUICK)]


def main() -> int:
    """See `peers_table.compare`."""
    return compare("conv_peers", __doc__, COMPARISONS)


if __name__ == "__main__":
    sys.exit(main())
