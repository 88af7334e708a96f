"""netwright's training loop against the best loop by hand on ResNet-18, in its form for pictures of 32 pixels.

CIFAR-10, batches of 128, plain gradient descent, as in benchmarks/conv_peers.py. An epoch is five steps; both are
examined after ten of them, since a network of this depth knows next to nothing after five.

Usage: NETWRIGHT_DATA=... python benchmarks/resnet_peers.py [--quick] [--only NAME]

`make peers` installs the peers. An interrupted measurement goes on after its last finished peer. The quick form only
shows that everything runs: its numbers are not kept.
"""

from __future__ import annotations

import sys
from dataclasses import replace

from conv_peers import CONVNETJS, FULL, QUICK, SPEC
from peers_table import HAND, Comparison, compare

RESNET18 = replace(
    CONVNETJS,
    name="ResNet-18 on CIFAR-10",
    spec=SPEC.format(model="net: {name: resnet18}"),
    layers="resnet18",
    multiply_adds=3 * 555_422_720 - 1024 * 64 * 27,
)
FORM = replace(FULL, threads=(2,), close=1, tries=1, epochs=10, examples=640, tested=1_000, accuracy=0.12, minutes=11)
A_STEP = replace(QUICK, epochs=1, examples=128, tested=200, accuracy=0.0, minutes=0.5)  # it teaches nothing


COMPARISONS = [Comparison(RESNET18, [HAND], FORM, A_STEP)]


def main() -> int:
    """See `peers_table.compare`."""
    return compare("resnet_peers", __doc__, COMPARISONS)


if __name__ == "__main__":
    sys.exit(main())
