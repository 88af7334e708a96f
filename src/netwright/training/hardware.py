"""Where a run computes: decided once by a stated rule, written to `resolved.yaml`, never decided again on resume.

The number of threads follows from the size of a step and not from a stopwatch: sums are rounded differently by one
thread and by two, and the same command must give the same bits twice. So does the layout of pictures, channels last for
convolutions. Only a training long enough to be worth it times a few steps of both layouts first, where the other must
be faster by far; what it chose is in `resolved.yaml`, which repeats the run.
"""

from __future__ import annotations

import os
import re
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from functools import partial

import psutil
import torch

from netwright.errors import ResourceError
from netwright.field import Reason
from netwright.resolved import Hardware, Layout
from netwright.training import stopwatch
from netwright.training.strategies.strategy import Terms

# Below so many multiply-adds a step, handing work to a second thread costs more than it saves (docs/log.md).
ONE_THREAD_MULTIPLY_ADDS = 20_000_000


def decide(
    step_multiply_adds: int, resident: bool, why_resident: str, threads: int | None = None, *, convolves: bool = False
) -> Hardware:
    """Device, threads, placement and memory layout for a run.

    Args:
        step_multiply_adds: Multiply-adds of one forward pass over one batch.
        resident: Whether the coded data is held in memory.
        why_resident: And why.
        threads: The user's own choice.
        convolves: Whether the network has convolutions.
    """
    why = []
    device = "cuda" if torch.cuda.is_available() else "cpu"
    found = "a CUDA device was found" if device == "cuda" else "no CUDA device was found"
    why.append(Reason(path="hardware.device", value=device, why=found))
    if threads is None:
        cores = psutil.cpu_count(logical=False) or os.cpu_count() or 1
        allowed = len(os.sched_getaffinity(0)) if hasattr(os, "sched_getaffinity") else cores
        wanted = os.environ.get("OMP_NUM_THREADS", "").partition(",")[0].strip()  # of nested loops the outermost
        most = int(wanted) if wanted.isdecimal() and int(wanted) else cores
        little = step_multiply_adds < ONE_THREAD_MULTIPLY_ADDS
        threads = 1 if little else max(1, min(cores, allowed, most))
        size = f"a step is {step_multiply_adds / 1e6:.3g} M multiply-adds"
        asked = f"OMP_NUM_THREADS is {wanted}" if most < min(cores, allowed) else ""
        reason = "too little to share" if little else asked or "enough to share among the cores"
        why.append(Reason(path="training.threads", value=str(threads), why=f"{size}: {reason}"))
    why.append(Reason(path="hardware.resident", value=str(resident).lower(), why=why_resident))
    layout = "channels_last" if convolves else "contiguous"
    if convolves:
        faster = "convolutions are faster where all channels of a pixel lie together (docs/benchmarks.md, layout)"
        why.append(Reason(path="hardware.layout", value=layout, why=faster))
    return Hardware(device=device, threads=threads, resident=resident, layout=layout, why=tuple(why))


def layout_measured(ready: Callable[[Layout], Callable[[], Terms]]) -> Reason:
    """How pictures shall lie for a long training, from a few passes of one batch.

    Args:
        ready: Lays network and batch so, and gives what computes the losses.
    """
    ways: tuple[Layout, Layout] = ("channels_last", "contiguous")
    (slow, _), (fast, _) = stopwatch.passes({way: partial(ready, way) for way in ways}).values()
    told = f"a step's passes take {1000 * slow:.3g} ms with channels last, {1000 * fast:.3g} ms with channels first"
    return Reason(path="hardware.layout", value=ways[slow >= stopwatch.FASTER * fast], why=told)


@contextmanager
def applied(hardware: Hardware) -> Iterator[torch.device]:
    """This process set up for a run while the block runs, and as it was before afterwards.

    Denormal numbers are flushed to zero: they carry no information here and slow a step by up to 50 times.

    Yields:
        The device; the CPU when the recorded CUDA device is gone.

    Raises:
        ResourceError: The block asked for more memory than there is.
    """
    before = torch.get_num_threads()
    torch.set_num_threads(hardware.threads)
    torch.set_flush_denormal(True)
    available = hardware.device == "cpu" or torch.cuda.is_available()
    try:
        yield torch.device(hardware.device if available else "cpu")
    except (MemoryError, RuntimeError) as exc:
        if not _out_of_memory(exc):
            raise
        of = "the device" if isinstance(exc, torch.OutOfMemoryError) else "this machine"
        raise ResourceError(
            f"the memory of {of} is used up{_asked(exc)}.",
            "Train with a smaller --batch-size, smaller pictures or fewer units, or close other programs.",
        ) from exc
    finally:
        torch.set_num_threads(before)
        torch.set_flush_denormal(False)


def _out_of_memory(exc: Exception) -> bool:
    """Whether memory ran out; torch has no exception of its own for that of the machine."""
    return isinstance(exc, MemoryError | torch.OutOfMemoryError) or "can't allocate memory" in str(exc)


def _asked(exc: Exception) -> str:
    asked = re.search(r"tried to allocate ([\d.]+ ?[A-Za-z]+)", str(exc))
    return f": {asked[1]} more were asked for" if asked else ""
