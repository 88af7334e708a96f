"""ConvNetJS itself under node beside netwright: training of its network for CIFAR-10, examples a second.

One thread each, and netwright on two as well; drawn pictures, plain gradient descent, steps of 128. ConvNetJS computes
example by example in doubles, as it does in a browser; `make peers` installs it where npm is.

Usage: python benchmarks/convnetjs.py
"""

from __future__ import annotations

import subprocess
import sys
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from dataclasses import asdict
from pathlib import Path

import torch
from layout import BATCH, step_in
from pairs import keep, measure

HERE = Path(__file__).resolve().parent
PACKAGE = HERE.parent / ".venv-peers" / "node_modules" / "convnetjs"
SEGMENTS = 7


@contextmanager
def under_node() -> Iterator[tuple[Callable[[], int], list[str]]]:
    """A step of ConvNetJS, and node's version once it answered."""
    words = ["node", str(HERE / "peers" / "convnetjs.cjs"), str(PACKAGE)]
    said: list[str] = []
    with subprocess.Popen(words, stdin=subprocess.PIPE, stdout=subprocess.PIPE, text=True) as process:
        into, out = process.stdin, process.stdout
        if into is None or out is None:
            raise RuntimeError("no pipes to node")

        def step() -> int:
            into.write(f"{BATCH}\n")
            into.flush()
            answer = out.readline()
            if not answer:
                raise RuntimeError("node died; see above")
            said[:] = [answer.strip()]
            return BATCH

        yield step, said
        into.close()


def main() -> int:
    """Prints how many times as fast netwright is; for the record, so there is nothing to miss."""
    torch.set_flush_denormal(True)
    entries = []
    for threads in (1, 2):
        torch.set_num_threads(threads)
        ours = ("netwright", step_in(torch.channels_last, "convnetjs", {}, (3, 32, 32)))
        with under_node() as (step, said):
            found = measure(ours, ("ConvNetJS", step), segments=SEGMENTS)
        what = f"ConvNetJS's network, netwright on {threads} thread(s), ConvNetJS 0.3.0 under node {said[0]}"
        print(f"{what}: {found}", flush=True)
        entries.append({"work": what, **asdict(found)})
    keep("convnetjs", entries, "")
    return 0


if __name__ == "__main__":
    sys.exit(main())
