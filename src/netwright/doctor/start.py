"""Evidence at step 0: what a fresh network does with one real batch, before the first update.

Everything is measured on a copy in evaluation mode, with the random state put back, so that training does not notice.
"""

from __future__ import annotations

import copy
import math
from collections.abc import Callable, Mapping
from dataclasses import dataclass, field

import torch
from jaxtyping import Float
from torch import Tensor, nn
from torch.nn.modules.batchnorm import _BatchNorm

from netwright.data.batches import Batch, Batches
from netwright.data.dataset import Dataset
from netwright.doctor.backwards import Backwards, backwards, with_relu
from netwright.doctor.short import Short
from netwright.field import STEPS
from netwright.model_file import Model, assemble
from netwright.models.layers import BatchNorm
from netwright.models.network import Network, Node
from netwright.readers import padding

MOST_EXAMPLES = 128  # enough to tell a dead unit from one that sleeps through a small batch
MOST_NUMBERS = 30_000_000  # activations held at once
CHANGED = 8  # examples whose future is changed, to see whether a causal model notices
MOST_MULTIPLY_ADDS = 20_000_000_000  # of one forward pass over the batch


@dataclass(frozen=True)
class Later:
    """What becomes of values when what comes later in the sequences is changed.

    Args:
        changes: By node over time, in order of execution, the largest change of a value before.
        cuts: At how many steps the examples were changed from there on.
    """

    changes: dict[str, float]
    cuts: int


@dataclass(frozen=True)
class Alone:
    """What becomes of answers when sequences that were answered together are answered one by one.

    Args:
        examples: How many were.
        lengths: Steps of the shortest and of the longest of them.
        change: The largest change of an output.
    """

    examples: int
    lengths: tuple[int, int]
    change: float


@dataclass(frozen=True, eq=False)
class Start:
    """What one batch does before the first update.

    Args:
        nodes: Of the network, in order of execution.
        heads: Names of the nodes that are outputs.
        losses: By output, the mean loss of the batch.
        blind: By output, the loss of answering without looking: every output unit at 0, which is the same share for
            every class, or the mean of a number; of what goes on from an input, the loss of its base alone.
        values: By node, what comes out for the batch.
        gradients: By node, the gradients of the sum of all losses for its weights.
        classes: By output, how many classes it has; 0 for numbers.
        fresh: The weights were drawn, not taken from a trained model.
        later: What the future changes; None for a model that may look ahead.
        alone: What batch mates change; None where no sequence goes in.
        back: What is left of the gradient at the first layer; None where layers are few.
        relu: The same with relu for activations that level off; None where none does, or nothing vanishes.
        answers: How many the training part has to learn from: one for each class, number, step or token; 0 if unknown.
        silent: Behind a trained body all outputs begin at 0, whatever goes in, so that gradients and batch mates tell
            nothing yet.
        short: By output that is read off a sequence, the texts of all parts that have no room in their steps.
    """

    nodes: tuple[Node, ...]
    heads: tuple[str, ...]
    losses: dict[str, float]
    blind: dict[str, float]
    values: dict[str, Float[Tensor, "batch *shape"]]
    gradients: dict[str, list[Tensor]]
    classes: dict[str, int]
    fresh: bool = True
    later: Later | None = None
    alone: Alone | None = None
    back: Backwards | None = None
    relu: Backwards | None = None
    answers: int = 0
    silent: bool = False
    short: Mapping[str, Short] = field(default_factory=dict)

    @property
    def examples(self) -> int:
        """How many examples the batch has."""
        return len(next(iter(self.values.values())))


def measure(
    model: Model,
    batch: Batch,
    weights: Mapping[str, float] | None = None,
    *,
    fresh: bool = True,
    examples: int = 0,
    short: Mapping[str, Short] | None = None,
) -> Start:
    """What a network does with a batch; the network itself is left as it is.

    Args:
        model: The fresh model.
        batch: Real training examples, on the network's device.
        weights: Factor of each output's loss; 1 when left out.
        fresh: See `Start`.
        examples: How many the training part has.
        short: See `Start`.
    """
    network = copy.deepcopy(model.network).eval()
    for module in network.modules():
        if fresh and isinstance(module, BatchNorm | _BatchNorm):
            module.train()  # its running means know nothing yet; in training those of the batch serve
    values: dict[str, Tensor] = {}
    for node in network.nodes:
        if node.inputs:
            network.module(node.name).register_forward_hook(_kept(values, node.name))
    devices = {weight.device for weight in network.parameters()} - {torch.device("cpu")}
    with torch.random.fork_rng(devices=list(devices)):
        outputs = network(batch.inputs, None, batch.targets)
        losses = {name: task.loss(outputs[name], batch.targets[name]) for name, task in model.tasks.items()}
        bare = _without_own_words(model, batch)
        blind = {
            name: task.loss(bare[name] if name in bare else _blank(outputs[name]), batch.targets[name])
            for name, task in model.tasks.items()
        }
        total = _weighed(model, network, batch, losses, weights or {})
        if total.requires_grad:
            total.backward()
    gradients = _gradients(network)
    silent = not fresh and _silent(network)
    back = backwards([node for node in network.nodes if node.name not in network.aside], network.heads, gradients)
    return Start(
        nodes=network.nodes,
        heads=network.heads,
        losses={name: loss.item() for name, loss in losses.items()},
        blind={name: loss.item() for name, loss in blind.items()},
        values=values,
        gradients=gradients,
        classes={name: len(field.vocabulary) for name, field in model.outputs.items()},
        fresh=fresh,
        later=_later(copy.deepcopy(model.network).eval(), batch) if model.spec.model.causal else None,
        alone=None if silent else _alone(copy.deepcopy(model.network).eval(), batch),
        back=back,
        relu=_with_relu(model, batch, weights) if fresh and back and back.vanishes else None,
        answers=round(examples * _answers(batch) / len(batch.index)),
        silent=silent,
        short=short or {},
    )


def _blank(outputs: Tensor) -> Tensor:
    """Scores of 0 wherever there are any; steps that are not there stay missing."""
    return torch.zeros_like(outputs).masked_fill(outputs.isnan(), torch.nan)


def _weighed(
    model: Model, network: Network, batch: Batch, losses: dict[str, Tensor], weights: Mapping[str, float]
) -> Tensor:
    """The sum of all losses, those of auxiliary outputs among them."""
    found = [weights.get(name, 1.0) * loss for name, loss in losses.items()]
    aided = network.values(batch.inputs, [each.node for each in network.auxiliary]) if network.auxiliary else {}
    for each in network.auxiliary:
        loss = model.tasks[each.output].loss(aided[each.node], batch.targets[each.output])
        found.append(weights.get(each.output, 1.0) * each.share * loss)
    return torch.stack(found).sum()


def _silent(network: Network) -> bool:
    """Whether all weights of the outputs are 0, so that nothing comes through them yet."""
    heads = [weight for name in network.heads for weight in network.module(name).parameters() if weight.ndim > 1]
    return not any(bool(weight.any()) for weight in heads)


def _answers(batch: Batch) -> int:
    """How many answers a batch has: what is no number, or below 0 among codes, is none."""
    return sum(
        int((~values.isnan() if values.is_floating_point() else values >= 0).sum()) for values in batch.targets.values()
    )


def _with_relu(model: Model, batch: Batch, weights: Mapping[str, float] | None) -> Backwards | None:
    """What would be left of the gradient with relu, from the same seed and for the same batch."""
    wanted = with_relu(model.spec.model)
    if wanted is None:
        return None
    spec = model.spec.model_copy(update={"model": wanted})
    other = assemble(spec, model.inputs, model.outputs, model.spec.training.seed)
    other.network.to(next(model.network.parameters()).device)
    return measure(other, batch, weights).back


def _alone(network: Network, batch: Batch) -> Alone | None:
    """The outputs of a few examples together and one by one, each padded to nothing but itself.

    A batch holds sequences of about one length; so that there is padding, they are cut, the first one to its half.
    """
    rows = {group: values[:CHANGED] for group, values in batch.inputs.items()}
    targets = {name: values[:CHANGED] for name, values in batch.targets.items()}
    into = [node.shape for node in network.nodes if not node.inputs]
    ragged = [group for group, shape in zip(network.groups, into, strict=True) if shape[0] == STEPS]
    if not ragged:
        return None
    rows |= {group: _cut(rows[group]) for group in ragged}
    change, steps = 0.0, padding.lengths(rows[ragged[0]])
    with torch.no_grad():
        together = network(rows, None, targets)
        for place in range(len(batch.index[:CHANGED])):
            own = {group: values[place : place + 1] for group, values in rows.items()}
            own |= {group: padding.trimmed(own[group]) for group in ragged}
            given = network(own, None, {name: values[place : place + 1] for name, values in targets.items()})
            for head, value in given.items():
                among = together[head][place : place + 1, : value.shape[1]]
                change = max(change, _apart(among, value))
    return Alone(len(steps), (int(steps.min()), int(steps.max())), change)


def _cut(x: Tensor) -> Tensor:
    """The same sequences, the first one cut to half of its steps, the last one whole, those between in between."""
    shares = torch.linspace(0.5, 1.0, len(x), device=x.device)
    kept = (padding.lengths(x) * shares).ceil().long()
    gone = torch.arange(x.shape[1], device=x.device) >= kept[:, None]
    return x.masked_fill(gone, padding.NO_TOKEN) if x.ndim == 2 else x.masked_fill(gone[..., None], math.nan)


def _without_own_words(model: Model, batch: Batch) -> dict[str, Tensor]:
    """What comes out where heads add nothing to the base that they go on by; nothing without such heads."""
    names = [name for name, task in model.tasks.items() if task.goes_on]
    if not names:
        return {}
    network = copy.deepcopy(model.network).eval()
    with torch.no_grad():
        for name in names:
            for weight in network.module(name).parameters():
                weight.zero_()
        found = network(batch.inputs)
    return {name: found[name] for name in names}


def _later(network: Network, batch: Batch) -> Later:
    """Examples whose steps from some place on are changed, beside themselves: what comes before that place."""
    names = [node.name for node in network.nodes if node.inputs and node.shape[0] == STEPS]
    rows = {group: values[:CHANGED] for group, values in batch.inputs.items()}
    sequences = [name for name, values in rows.items() if values.ndim == 3 or not values.is_floating_point()]
    if not names or not sequences:
        return Later({}, 0)
    longest = rows[sequences[0]].shape[1]
    cuts = sorted({max(1, longest * share // 8) for share in (1, 3, 6)} & set(range(1, longest)))
    changes = dict.fromkeys(names, 0.0)
    with torch.no_grad():
        before = network.values(rows, names)
        for cut in cuts:
            other = {group: _changed(x, cut) if group in sequences else x for group, x in rows.items()}
            begun = {group: x[:, :cut] if group in sequences else x for group, x in rows.items()}
            places = {name: x.shape[1] for name, x in network.values(begun, names).items()}  # fewer behind a stride
            after = network.values(other, names)
            for name in names:
                change = _apart(after[name][:, : places[name]], before[name][:, : places[name]])
                changes[name] = max(changes[name], change)
    return Later(changes, len(cuts))


def _apart(one: Tensor, other: Tensor) -> float:
    """The largest difference; what is no number in both is padding, in one of them alone it is without end."""
    both = one.isnan() & other.isnan()
    return float((one - other).abs().masked_fill(both, 0.0).nan_to_num(nan=math.inf).max())


def _changed(x: Tensor, cut: int) -> Tensor:
    """The same with other steps from a place on: other tokens, or numbers three spreads away; padding stays."""
    found = x.clone()
    if x.is_floating_point():
        found[:, cut:] += 3.0  # padding is no number and stays none
        return found
    highest = int(x.max())
    found[:, cut:] = torch.where(x[:, cut:] < 0, x[:, cut:], (x[:, cut:] + 1) % max(highest + 1, 1))
    return found


def first_batch(dataset: Dataset, network: Network, seed: int, device: torch.device) -> Batch:
    """Training examples to look at: the first of epoch 0, as many as memory and time allow.

    Args:
        dataset: The data.
        network: What they go into.
        seed: The run's seed.
        device: Where they are to be.
    """
    numbers = dataset.mean_steps * sum(abs(math.prod(node.shape)) for node in network.nodes)
    adds = dataset.mean_steps * sum(node.multiply_adds for node in network.nodes)
    most = min(MOST_NUMBERS // max(1, numbers), MOST_MULTIPLY_ADDS // max(1, adds), MOST_EXAMPLES)
    source = Batches(dataset, "train", max(2, most), seed, shuffle=True, resident=False, device=device)
    return next(iter(source.epoch(0)))


def _kept(values: dict[str, Tensor], name: str) -> Callable[[nn.Module, tuple[Tensor | None, ...], Tensor], None]:
    def keep(module: nn.Module, inputs: tuple[Tensor | None, ...], output: Tensor) -> None:
        del module, inputs
        values[name] = output.detach()

    return keep


def _gradients(network: Network) -> dict[str, list[Tensor]]:
    layers = {node.name: list(network.module(node.name).parameters()) for node in network.nodes if node.parameters}
    return {
        name: [torch.zeros_like(weight) if weight.grad is None else weight.grad for weight in weights]
        for name, weights in layers.items()
    }
