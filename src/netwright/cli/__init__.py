"""The command line: one file per verb, each of which parses, makes one library call and prints.

Results go to standard output, everything said on the way to standard error, so that a pipe gets results only.
Exit codes: 0 done, 1 failed, 2 bad input or spec, 3 data unusable, 4 diverged, 5 out of resources, 130 and 143
stopped by a signal, 141 nobody reads the output any more.
"""

from __future__ import annotations

import math
import os
import sys
import time
from collections.abc import Sequence
from pathlib import Path

BUSY = 0.5  # of one core, had by other programs while this one began
UNKNOWN = -0.05  # seconds; where less than nothing is told of others, nothing is


def main(arguments: Sequence[str] | None = None) -> int:
    """Runs one command line and gives its exit code; nothing but `--traceback` ever shows a traceback.

    Args:
        arguments: The words after the program's name; those of this process when left out.
    """
    words = list(sys.argv[1:] if arguments is None else arguments)
    for name in ("stdout", "stderr"):  # closed by the caller, as `2>&-` does: Python then has none
        if getattr(sys, name) is None:
            setattr(sys, name, os.fdopen(os.open(os.devnull, os.O_WRONLY), "w"))
    # Read at torch's first large tensor: Linux then hands memory out in pages of 2 MB instead of clearing 4 KB at a
    # time, again at every step (docs/log.md).
    os.environ.setdefault("THP_MEM_ALLOC_ENABLE", "1")
    try:
        begun, used, own = time.perf_counter(), _used(), time.process_time()
        # Imported here, so that Ctrl-C during the first tenth of a second is as quiet as later on.
        from netwright.cli.app import run

        others = (_used() - used) - (time.process_time() - own)
        # Read when torch loads: beside another busy program a thread that waits for the others sleeps soon instead of
        # keeping the core from them; where nobody else computes, staying awake makes steps faster (docs/log.md).
        if not UNKNOWN <= others <= (time.perf_counter() - begun) * BUSY:
            os.environ.setdefault("GOMP_SPINCOUNT", "1000")
        code = run(words)
        sys.stdout.flush()
    except KeyboardInterrupt:
        return 130
    except BrokenPipeError:
        _nobody_reads(1)
        return 141
    try:
        sys.stderr.flush()
    except OSError:
        _nobody_reads(2)
    return code


def _used() -> float:
    """Seconds of all cores that were used since Linux started, by other machines on its host too; elsewhere NaN."""
    try:
        with Path("/proc/stat").open(encoding="ascii") as told:
            user, nice, system, _, _, irq, softirq, steal = map(int, told.readline().split()[1:9])
    except (OSError, ValueError):
        return math.nan
    return (user + nice + system + irq + softirq + steal) / os.sysconf("SC_CLK_TCK")


def _nobody_reads(descriptor: int) -> None:
    """Python flushes both outputs once more at exit and must find something there that still takes it."""
    os.dup2(os.open(os.devnull, os.O_WRONLY), descriptor)
