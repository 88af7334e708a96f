"""netwright's training loop against its peers on ResNet-18, in its form for pictures of 32 pixels; few segments.

CIFAR-10, batches of 128, plain gradient descent, as in benchmarks/conv_peers.py, beside the best loop by hand; in fewer
segments, for the record, the other peers, and JAX on ConvNetJS's network. An epoch is five steps; everybody is examined
after ten of them, since a network of this depth knows next to nothing after five.

Usage: NETWRIGHT_DATA=... python benchmarks/resnet_peers.py [--quick] [--only NAME]

`make peers` installs them. An interrupted measurement goes on after its last finished peer. The quick form only shows
that everything runs: its numbers are not kept.
"""

from __future__ import annotations

import sys
from dataclasses import replace

from conv_peers import CONVNETJS, FULL, QUICK, SPEC
from peers.child import Work
from peers_table import HAND, ON_TORCH, Comparison, both, compare

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


OTHERS = [replace(peer, limit=None) for peer in ON_TORCH if peer is not HAND]
FORM = replace(FULL, threads=(2,), close=1, tries=1, epochs=10, examples=640, tested=1_000, accuracy=0.12)
A_STEP = replace(QUICK, epochs=1, examples=128, tested=200, accuracy=0.0, minutes=0.5)  # it teaches nothing
COMPARISONS = [
    Comparison(RESNET18, [HAND], replace(FORM, minutes=11), A_STEP),
    Comparison(few(RESNET18), OTHERS, replace(FORM, pairs=FEW, minutes=50), A_STEP),
    Comparison(few(CONVNETJS), both("JAX", "jax_scan", asked=False), replace(FULL, pairs=FEW, minutes=12), QUICK),
]


def main() -> int:
    """See `peers_table.compare`."""
    return compare("resnet_peers", __doc__, COMPARISONS)


if __name__ == "__main__":
    sys.exit(main())
