"""How finely a step multiplies: in float32, or in bfloat16 where that is faster and finds the same loss.

Weights, gradients, updates and losses are float32 either way, and so is everything but training. Whether bfloat16 is
faster depends on processor, kernels and network at once, so a few steps of both are timed, once, before a training that
is long enough to be worth it; the choice stands in `resolved.yaml` and is not made again.

Source: Micikevicius et al. 2018, Mixed Precision Training, arXiv:1710.03740; Kalamkar et al. 2019, A Study of BFLOAT16
for Deep Learning Training, arXiv:1905.12322: no scaling of the loss is needed.
"""

from __future__ import annotations

from collections.abc import Callable
from functools import partial
from typing import Literal

import torch
from torch import Tensor

from netwright.data.batches import Batch
from netwright.field import Reason
from netwright.models.network import Network
from netwright.models.recurrent import Carried
from netwright.training import stopwatch
from netwright.training.loop import Losses

Precision = Literal["float32", "bfloat16"]
Answer = Callable[..., dict[str, Tensor]]  # inputs, carried, targets, as of a network
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
    computed: dict[str, Losses] = {"float32": make("float32"), "bfloat16": make("bfloat16")}
    ways = {name: partial(partial, losses, batch) for name, losses in computed.items()}
    try:
        (slow, loss), (fast, rounded) = stopwatch.passes(ways).values()
    except RuntimeError as exc:  # a kernel that bfloat16 has not
        told = (str(exc).splitlines() or [type(exc).__name__])[0][:80]
        return Reason(path=PATH, value="float32", why=f"bfloat16 does not compute this network here: {told}")
    apart = abs(rounded - loss) / max(abs(loss), 1e-6)
    told = f"a step's passes take {1000 * slow:.3g} ms in float32, {1000 * fast:.3g} ms in bfloat16"
    if not apart <= APART:
        return Reason(
            path=PATH, value="float32", why=f"{told}, but the loss of a batch is {loss:.4g} and {rounded:.4g}"
        )
    if slow < stopwatch.FASTER * fast:
        return Reason(path=PATH, value="float32", why=f"{told}: not worth its rounding")
    return Reason(path=PATH, value="bfloat16", why=f"{told}; weights, updates and scores stay float32")
