"""Peers on ResNet-18, and JAX on ConvNetJS's network, for the record: few segments, no limits.

As in benchmarks/resnet_peers.py, where the best loop by hand is the measure.

Usage: NETWRIGHT_DATA=... python benchmarks/resnet_other_peers.py [--quick] [--only NAME]

`make peers` installs them. An interrupted measurement goes on after its last finished peer. The quick form only shows
that everything runs: its numbers are not kept.
"""

from __future__ import annotations

import sys
from dataclasses import replace

from conv_peers import CONVNETJS, FULL, QUICK
from peers.child import Work
from peers_table import HAND, ON_TORCH, Comparison, both, compare
from resnet_peers import A_STEP, FORM, RESNET18

FEW = 5  # segments


def few(work: Work) -> Work:
    """The same work under the name that rows of few segments have."""
    return replace(work, name=f"{work.name}, few segments")


OTHERS = [replace(peer, limit=None) for peer in ON_TORCH if peer is not HAND]
COMPARISONS = [
    Comparison(few(RESNET18), OTHERS, replace(FORM, pairs=FEW, minutes=50), A_STEP),
    Comparison(few(CONVNETJS), both("JAX", "jax_scan", asked=False), replace(FULL, pairs=FEW, minutes=12), QUICK),
]


def main() -> int:
    """See `peers_table.compare`."""
    return compare("resnet_other_peers", __doc__, COMPARISONS)


if __name__ == "__main__":
    sys.exit(main())
