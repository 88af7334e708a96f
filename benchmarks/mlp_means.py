"""How much faster than the best plain torch loop a small net could be trained with the same mathematics.

784-100-10 on MNIST, batches of 128, plain gradient descent. Each way is measured against the plain loop of
`mlp_loop.py` in alternating segments, and must end with the same weights as that loop to within rounding.

- flat: all weights, and all their gradients, are views of one tensor; one update moves it.
- written out: the derivative by hand into buffers that are kept, and the update within the product that makes it.
- compiled step: forward, derivative and update as one function under `torch.compile` (needs a C++ compiler).

Usage: NETWRIGHT_DATA=... python benchmarks/mlp_means.py
"""

from __future__ import annotations

import sys
from collections.abc import Callable, Iterable
from dataclasses import asdict

import torch
from mlp_loop import BATCH, LR, MULTIPLY_ADDS, by_hand, coded, load, place
from pairs import keep, matmul_limit, measure
from torch import Tensor, nn
from torch.nn import functional

Update = Callable[[Tensor, Tensor], None]


def fresh() -> nn.Sequential:
    """The net, the same each time."""
    torch.manual_seed(0)
    return nn.Sequential(nn.Linear(784, 100), nn.ReLU(), nn.Linear(100, 10))


def epoch_of(update: Update, x: Tensor, y: Tensor) -> Callable[[], int]:
    """An epoch in a new order of the examples."""

    def epoch() -> int:
        for pick in torch.randperm(len(x)).split(BATCH):
            update(x.index_select(0, pick), y.index_select(0, pick))
        return len(x)

    return epoch


def flat(network: nn.Sequential) -> Update:
    """Weights and gradients as views of one tensor each."""
    weights = list(network.parameters())
    whole = torch.cat([weight.detach().flatten() for weight in weights])
    slopes, start = torch.zeros_like(whole), 0
    for weight in weights:
        end = start + weight.numel()
        weight.data, weight.grad = whole[start:end].view_as(weight), slopes[start:end].view_as(weight)
        start = end

    def update(x: Tensor, y: Tensor) -> None:
        slopes.zero_()
        functional.cross_entropy(network(x), y).backward()
        whole.add_(slopes, alpha=-LR)

    return update


def written_out(network: nn.Sequential) -> Update:
    """No recorded graph: each derivative is the product that the chain rule names."""
    (first, shift), (second, bias) = (tuple(weight.detach() for weight in part.parameters()) for part in network[::2])
    one = torch.ones(BATCH)

    def update(x: Tensor, y: Tensor) -> None:
        hidden = torch.addmm(shift, x, first.T).relu_()
        slope = torch.softmax(torch.addmm(bias, hidden, second.T), 1)
        slope.scatter_add_(1, y[:, None], -one[: len(y), None])
        rate = -LR / len(y)
        inner = torch.mm(slope, second).mul_(hidden > 0)
        second.addmm_(slope.T, hidden, alpha=rate)
        bias.add_(slope.sum(0), alpha=rate)
        first.addmm_(inner.T, x, alpha=rate)
        shift.add_(inner.sum(0), alpha=rate)

    return update


def compiled(network: nn.Sequential) -> Update:
    """The whole step as one compiled function."""
    weights = [weight.detach() for weight in network.parameters()]

    def step(first: Tensor, shift: Tensor, second: Tensor, bias: Tensor, x: Tensor, y: Tensor) -> None:
        hidden = torch.relu(functional.linear(x, first, shift))
        slope = torch.softmax(functional.linear(hidden, second, bias), 1) - functional.one_hot(y, 10)
        slope = slope * (-LR / len(y))
        inner = slope @ second * (hidden > 0)
        second.add_(slope.T @ hidden)
        bias.add_(slope.sum(0))
        first.add_(inner.T @ x)
        shift.add_(inner.sum(0))

    fused = torch.compile(step, fullgraph=True, dynamic=False)
    return lambda x, y: fused(*weights, x, y)


WAYS: Iterable[tuple[str, Callable[[nn.Sequential], Update], int]] = (
    ("flat", flat, 1),
    ("written out", written_out, 1),
    ("written out", written_out, 2),
    ("compiled step", compiled, 1),
    ("compiled step", compiled, 2),
)


def main() -> int:
    """Prints each way's speed beside the plain loop's."""
    data = place("mnist")
    if data is None:
        return 3
    torch.set_flush_denormal(True)
    _, dataset = load(data)
    x, y = coded(dataset, "train")
    entries = []
    for name, make, threads in WAYS:
        torch.set_num_threads(threads)
        network = fresh()
        update = make(network)
        error = _apart(network, update, x, y)
        plain = by_hand(fresh(), x, y)
        limit = matmul_limit(threads) / MULTIPLY_ADDS
        torch.set_num_threads(threads)
        found = measure((name, epoch_of(update, x, y)), ("by hand", plain), limit=limit)
        print(f"{threads} thread(s): {found}; weights after 20 steps apart by {error:.1e}", flush=True)
        entries.append({"work": f"batch {BATCH}, {threads} thread(s)", **asdict(found), "apart": error})
    keep("mlp_means", entries, "")
    return 0


def _apart(network: nn.Sequential, update: Update, x: Tensor, y: Tensor) -> float:
    """Largest difference of any weight from the plain loop's after some steps."""
    other = fresh()
    optimizer = torch.optim.SGD(other.parameters(), lr=LR)
    for step in range(20):
        some = slice(step * BATCH, (step + 1) * BATCH)
        update(x[some], y[some])
        optimizer.zero_grad()
        functional.cross_entropy(other(x[some]), y[some]).backward()
        optimizer.step()
    pairs = zip(network.parameters(), other.parameters(), strict=True)
    return max(float((one - two).detach().abs().max()) for one, two in pairs)


if __name__ == "__main__":
    sys.exit(main())
