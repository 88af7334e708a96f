"""How finely a step multiplies: in float32, or in bfloat16 where that is faster and finds the same loss.

Weights, gradients, updates and losses are float32 either way, and so is everything but training. Whether bfloat16 is
faster depends on processor, kernels and network at once, so a few steps of both are timed, once, before a training that
is long enough to be worth it; the choice stands in `resolved.yaml` and is not made again.

Source: Micikevicius et al. 2018, Mixed Precision Training, arXiv:1710.03740; Kalamkar et al. 2019, A Study of BFLOAT16
for Deep Learning Training, arXiv:1905.12322: no scaling of the loss is needed.
"""

from __future__ import annotations

import statistics
import time
from collections.abc import Callable
from typing import Literal

import torch
from torch import Tensor

from netwright.data.batches import Batch
from netwright.field import Reason
from netwright.models.network import Network
from netwright.models.recurrent import Carried
from netwright.training.loop import Losses

Precision = Literal["float32", "bfloat16"]
Answer = Callable[..., dict[str, Tensor]]  # inputs, carried, targets, as of a network
WORTH_MULTIPLY_ADDS = 2e11  # of all steps together; below, a training takes seconds
FASTER = 1.2  # times, for bfloat16 to be chosen: what two measurements of the same disagree by is less
SECONDS, LEAST, MOST = 1.0, 2, 20  # of measuring each way, in seconds and in steps
APART = 0.02  # of the loss of one batch, by which the two may differ
PATH = "training.precision"


def narrowed(network: Network) -> Answer:
    """The network with its products in bfloat16, its outputs in float32.

    Args:
        network: Its weights stay float32.
    """

    def answer(
        inputs: dict[str, Tensor], carried: Carried | None = None, targets: dict[str, Tensor] | None = None
    ) -> dict[str, Tensor]:
        with torch.autocast(next(iter(inputs.values())).device.type, torch.bfloat16):
            found = network(inputs, carried, targets)
        for layer, state in (carried or {}).items():
            carried[layer] = tuple(part.float() for part in state)  # type: ignore[index]
        return {name: value.float() for name, value in found.items()}

    return answer


def measured(make: Callable[[Precision], Losses], batch: Batch) -> Reason:
    """What a few forward and backward passes of one batch say; no weight is moved.

    Args:
        make: The losses of a batch, computed either way.
        batch: Of the training part.
    """
    ways: dict[Precision, Losses] = {"float32": make("float32"), "bfloat16": make("bfloat16")}
    with torch.random.fork_rng():  # so that the run after it draws what it would have drawn
        try:
            first = {way: _pass(losses, batch)[1] for way, losses in ways.items()}
            seconds: dict[str, list[float]] = {way: [] for way in ways}
            while not _enough(seconds["float32"]):
                for way, losses in ways.items():
                    seconds[way].append(_pass(losses, batch)[0])
        except RuntimeError as exc:  # a kernel that bfloat16 has not
            told = (str(exc).splitlines() or [type(exc).__name__])[0][:80]
            return Reason(path=PATH, value="float32", why=f"bfloat16 does not compute this network here: {told}")
    slow, fast = (statistics.median(seconds[way]) for way in ("float32", "bfloat16"))
    apart = abs(first["bfloat16"] - first["float32"]) / max(abs(first["float32"]), 1e-6)
    told = f"a step's passes take {1000 * slow:.3g} ms in float32, {1000 * fast:.3g} ms in bfloat16"
    if not apart <= APART:
        why = f"{told}, but the loss of a batch is {first['float32']:.4g} and {first['bfloat16']:.4g}"
        return Reason(path=PATH, value="float32", why=why)
    if slow < FASTER * fast:
        return Reason(path=PATH, value="float32", why=f"{told}: not worth its rounding")
    return Reason(path=PATH, value="bfloat16", why=f"{told}; weights, updates and scores stay float32")


def _enough(seconds: list[float]) -> bool:
    return len(seconds) >= MOST or (len(seconds) >= LEAST and sum(seconds) > SECONDS)


def _pass(losses: Losses, batch: Batch) -> tuple[float, float]:
    """Seconds of one forward and backward pass, and the loss."""
    torch.manual_seed(0)  # both leave out the same units
    start = time.perf_counter()
    terms = losses(batch)
    total = sum(terms.values())
    total.backward()  # type: ignore[union-attr]
    value = float(total.detach())  # type: ignore[union-attr]  # on a CUDA device this waits for the kernels
    return time.perf_counter() - start, value
