"""netwright's training loop against its peers on convolutions: CIFAR-10, batches of 128, plain gradient descent.

ConvNetJS's network for CIFAR-10 beside every peer that has convolutions, ResNet-18 in its form for small pictures
beside the best loop by hand; in fewer segments, for the record, JAX and ResNet-18 of the others on torch; pictures of
the JPEG copy of CIFAR-10. benchmarks/peers_table.py says how it is measured. Epochs are short, so that
segments are; netwright's training goes on from segment to segment, since the look inside that it takes at its end, at
5,000 examples, is a tenth of a segment's work, and for ResNet-18 more than twice.

Usage: NETWRIGHT_DATA=... python benchmarks/conv_peers.py [--quick] [--only NAME]

`make peers` installs them. An interrupted measurement goes on after its last finished peer. The quick form only shows
that everything runs: its numbers are not kept.
"""

from __future__ import annotations

import sys
from dataclasses import replace

import pairs
from peers.child import Work
from peers_table import HAND, ON_TORCH, Comparison, Form, both, compare

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
RESNET18 = replace(
    CONVNETJS,
    name="ResNet-18 on CIFAR-10",
    spec=SPEC.format(model="net: {name: resnet18}"),
    layers="resnet18",
    multiply_adds=3 * 555_422_720 - 1024 * 64 * 27,
)
FEW = 5  # segments


def few(work: Work) -> Work:
    """The same work under the name that rows of few segments have."""
    return replace(work, name=f"{work.name}, few segments")


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
OTHERS = [replace(peer, limit=None) for peer in ON_TORCH if peer is not HAND]
RESNET = replace(FULL, threads=(2,), close=1, tries=1, examples=640, tested=1_000, accuracy=0.12)
A_STEP = replace(QUICK, epochs=1, examples=128, tested=200, accuracy=0.0, minutes=0.5)  # it teaches nothing
COMPARISONS = [
    Comparison(CONVNETJS, PEERS, FULL, QUICK),
    Comparison(RESNET18, [HAND], replace(RESNET, accuracy=0.15, minutes=9), A_STEP),
    Comparison(few(RESNET18), OTHERS, replace(RESNET, pairs=FEW, minutes=22), A_STEP),
    Comparison(few(CONVNETJS), both("JAX", "jax_scan", asked=False), replace(FULL, pairs=FEW, minutes=8), QUICK),
]


def main() -> int:
    """See `peers_table.compare`."""
    return compare("conv_peers", __doc__, COMPARISONS)


if __name__ == "__main__":
    sys.exit(main())
