"""Back-propagation through time taken apart: the gradient of the recurrent weights as a sum over steps.

dE/dW = sum_t dE_t/dW, and dE_t/dW = sum_{k<=t} dE_t/dy_t dy_t/dh_t dh_t/dh_k dh_k/dW. Each dE_t/dW is differentiated on
its own; for the terms of one k the layer is computed with a copy of its weights for every step, so that what a copy
gets is exactly the term of its step. The sums are compared with the gradient of the whole loss.

Source: Werbos 1990, Backpropagation Through Time: What It Does and How to Do It; the sum as in Pascanu, Mikolov, Bengio
2013, arXiv:1211.5063, equations 3 to 5.
"""

from __future__ import annotations

import statistics
import time
from collections.abc import Callable, Iterator, Mapping, Sequence
from contextlib import contextmanager
from dataclasses import dataclass
from itertools import pairwise

import torch
from jaxtyping import Float
from torch import Tensor, nn

from netwright.errors import SpecError
from netwright.lens.recurrence import cell_of
from netwright.models.network import Network
from netwright.models.recurrent import Carried, Recurrent, Rnn

Errors = Callable[[dict[str, Tensor]], Tensor]  # of outputs: each error, `(error,)`; they add up to the whole loss
_REPEATS = 5  # of a measured time, after one that is not counted


@dataclass(frozen=True)
class Terms:
    """The gradient of one layer's recurrent weights on one sequence.

    Args:
        errors: Each E_t.
        at: The step of each, from 0.
        norms: Norm of each dE_t/dW.
        parts: Norm of the term of E_t and step k, `[t][k]`, NaN where k > t.
        whole: Norm of dE/dW.
        apart_sum: Largest difference between dE/dW and the sum of all dE_t/dW, as a share of the largest of dE/dW.
        apart_parts: The same between dE/dW and the sum of all terms of all steps.
    """

    errors: tuple[float, ...]
    at: tuple[int, ...]
    norms: tuple[float, ...]
    parts: Float[Tensor, "error time"]
    whole: float
    apart_sum: float
    apart_parts: float


@dataclass(frozen=True)
class Truncated:
    """The gradient when errors go back so many steps at most, as training does it: piece by piece, the state carried.

    Args:
        steps: Steps of a piece.
        share: Of the whole gradient, along it: its scalar product with it, divided by the whole one's square.
        apart: Norm of what is missing or wrong, as a share of the norm of the whole gradient.
        seconds: Forwards and backwards over all steps.
        kept_bytes: What is kept at a time for the way back, weights not counted.
    """

    steps: int
    share: float
    apart: float
    seconds: float
    kept_bytes: int


def terms(
    network: Network, inputs: dict[str, Tensor], errors: Errors, at: Sequence[int], whole: Tensor, layer: Recurrent
) -> Terms:
    """The terms of the gradient on one sequence.

    Args:
        network: In the mode in which it is to be looked at.
        inputs: One sequence without padding, by group.
        errors: Of the network's outputs each error.
        at: The step of each error, from 0.
        whole: The loss that training differentiates, for the same sequence and with a way back to the weights.
        layer: Whose recurrent weights.

    Raises:
        SpecError: The layer reads both ways, so that errors also come from later steps.
    """
    refuse_both(layer)
    weights = recurrent_weights(layer)
    (gradient,) = torch.autograd.grad(whole, weights)
    found = errors(network(inputs))
    each = torch.stack([torch.autograd.grad(error, weights, retain_graph=True)[0] for error in found])
    with _a_copy_for_each_step(layer) as copies:
        again = errors(network(inputs))
        kept = tuple(copies)
    parts = torch.zeros(len(at), len(kept))
    added = torch.zeros_like(gradient)
    for row, error in enumerate(again):
        here = torch.autograd.grad(error, kept, retain_graph=True, materialize_grads=True)
        parts[row] = torch.stack([one.norm() for one in here])
        parts[row, at[row] + 1 :] = torch.nan
        added += torch.stack(here).sum(dim=0)
    largest = float(gradient.abs().max()) or 1.0
    return Terms(
        tuple(float(error) for error in found.detach()),
        tuple(at),
        tuple(each.flatten(1).norm(dim=1).tolist()),
        parts,
        float(gradient.norm()),
        float((each.sum(dim=0) - gradient).abs().max()) / largest,
        float((added - gradient).abs().max()) / largest,
    )


def truncated(
    network: Network,
    inputs: Mapping[str, Tensor],
    loss: Callable[[dict[str, Tensor], int, int], Tensor],
    layer: Recurrent,
    steps: Sequence[int],
) -> list[Truncated]:
    """What is left of the gradient when errors go back a few steps at most, and what that saves.

    Args:
        network: In the mode in which it is to be looked at; it answers at every step.
        inputs: Some sequences without padding, by group.
        loss: Of the outputs of the steps from one place to another: their part of the whole loss.
        layer: Whose recurrent weights.
        steps: Lengths of pieces; all steps are looked at beside them.

    Raises:
        SpecError: The layer reads both ways, or in pieces the network answers otherwise than at once.
    """
    refuse_both(layer)
    length = next(iter(inputs.values())).shape[1]
    wanted = sorted({min(each, length) for each in steps} | {length})
    whole, value, _ = _in_pieces(network, inputs, loss, layer, length)
    found = []
    for piece in wanted:
        gradient, there, kept_bytes = _in_pieces(network, inputs, loss, layer, piece)
        if abs(there - value) > 1e-3 * max(abs(value), 1e-3):
            raise SpecError(
                f"in pieces of {piece} steps this network has a loss of {there:.5f}, at once {value:.5f}: not all of "
                "its layers go on where a piece ended.",
                "Look at a network whose layers over time are rnn, lstm or gru.",
            )
        times = []
        for _ in range(1 + _REPEATS):
            start = time.perf_counter()
            _in_pieces(network, inputs, loss, layer, piece, weigh=False)
            times.append(time.perf_counter() - start)
        size = float(whole.square().sum()) or 1.0
        apart = float((gradient - whole).norm()) / size**0.5
        share = float((gradient * whole).sum()) / size
        found.append(Truncated(piece, share, apart, statistics.median(times[1:]), kept_bytes))
    return found


def recurrent_weights(layer: Recurrent) -> nn.Parameter:
    """The weights from step to step of a layer that reads forwards.

    Args:
        layer: The layer.

    Raises:
        SpecError: An own part whose formula is not known here.
    """
    found = layer.recurrent if isinstance(layer, Rnn) else getattr(getattr(layer, "ahead", None), "weight_hh_l0", None)
    if not isinstance(found, nn.Parameter):
        raise SpecError(f"how {type(layer).__name__} steps is not known here.", "Name an rnn, lstm or gru layer.")
    return found


def refuse_both(layer: Recurrent) -> None:
    """For looks that follow errors back in time.

    Raises:
        SpecError: The layer reads both ways.
    """
    if layer.both:
        raise SpecError(
            "a layer that reads both ways has no first step: each state depends on all steps before or behind it.",
            "Name a layer that reads forwards, or train one without `both yes`.",
        )


@contextmanager
def _a_copy_for_each_step(layer: Recurrent) -> Iterator[list[Tensor]]:
    """While the block runs, the layer computes each step with a copy of its recurrent weights of that step's own.

    Yields:
        The copies, once the network has run.
    """
    cell = cell_of(layer)
    copies: list[Tensor] = []

    def unrolled(module: nn.Module, given: tuple[Tensor | None, ...], out: Tensor) -> Tensor:
        del module
        x = given[0]
        if x is None:  # pragma: no cover - a layer over time is given its sequences
            return out
        state, found = cell.empty(x[:, 0]), []
        for step in x.unbind(dim=1):
            copies.append(cell.recurrent.detach().clone().requires_grad_())
            stepped = cell.step(step, state, copies[-1])
            state = stepped.state
            found.append(stepped.out)
        return torch.stack(found, dim=1)

    handle = layer.register_forward_hook(unrolled)
    try:
        yield copies
    finally:
        handle.remove()


def _in_pieces(
    network: Network,
    inputs: Mapping[str, Tensor],
    loss: Callable[[dict[str, Tensor], int, int], Tensor],
    layer: Recurrent,
    piece: int,
    weigh: bool = True,
) -> tuple[Tensor, float, int]:
    """The gradient of the recurrent weights from pieces, the loss of all, and bytes that the largest piece kept."""
    length, weights = next(iter(inputs.values())).shape[1], recurrent_weights(layer)
    own = {weight.untyped_storage().data_ptr() for weight in network.parameters()}
    gradient, value, most = torch.zeros_like(weights), 0.0, 0
    carried: Carried = {}
    for start, end in pairwise([*range(0, length, piece), length]):
        held: dict[int, int] = {}

        def kept(tensor: Tensor, held: dict[int, int] = held) -> Tensor:
            storage = tensor.untyped_storage()
            if storage.data_ptr() not in own:
                held[storage.data_ptr()] = storage.nbytes()
            return tensor

        part = {group: values[:, start:end] for group, values in inputs.items()}
        if weigh:
            with torch.autograd.graph.saved_tensors_hooks(kept, lambda tensor: tensor):
                share = loss(network(part, carried), start, end)
        else:
            share = loss(network(part, carried), start, end)
        (found,) = torch.autograd.grad(share, weights, allow_unused=True)
        gradient += found if found is not None else 0.0
        value, most = value + float(share.detach()), max(most, sum(held.values()))
        carried = {module: tuple(each.detach() for each in state) for module, state in carried.items()}
    return gradient, value, most
