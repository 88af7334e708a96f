"""A network: nodes in the order they are executed, and their modules.

`network.nodes` is what is executed, node by node, so that a drawing or a table made from it cannot differ from it.
"""

from __future__ import annotations

import math
from collections import Counter
from collections.abc import Callable, Iterable, Iterator, Mapping
from dataclasses import dataclass
from functools import partial
from itertools import pairwise

import torch
from jaxtyping import Int
from torch import Tensor, nn
from torch.nn.functional import relu6

from netwright.errors import SpecError
from netwright.field import STEPS
from netwright.models.decoders import Decoder
from netwright.models.layers import Layer
from netwright.models.recurrent import Carried
from netwright.models.steps import opened, there
from netwright.registry import nearest
from netwright.words import counted, listed

Step = tuple[Callable[..., Tensor], tuple[int, ...], int]  # a module, the slots that it reads, and the one it writes
MOST_ROWS, MOST_NUMBERS = 1024, 2**26  # computed at once without gradients: examples, and what one layer gives
_TIMM = 8  # times as many numbers as a picture has, in a layer of one of timm's networks
# Never fall, and a gradient passes them as it is or not at all; here they write over what they are given.
_ZERO_OR_ONE: dict[str, Callable[[Tensor], Tensor]] = {"relu": torch.relu_, "relu6": partial(relu6, inplace=True)}


@dataclass(frozen=True)
class Node:
    """One value of the network and what makes it.

    Args:
        name: Unique: "conv1", an output's name for its head, "input:table" for what comes in.
        part: Registry name ("conv", "relu"), "add" or "concat" for merges, "input" for what comes in.
        text: As in the layer text, e.g. "conv 16x5 pad 2".
        inputs: Names of the nodes it reads, in order.
        shape: Of one example that comes out.
        parameters: Number of weights and biases.
        multiply_adds: Products summed for one example, forward.
        receptive_field: Rows and columns of the input picture that one place can see; None without a picture.
    """

    name: str
    part: str
    text: str
    inputs: tuple[str, ...]
    shape: tuple[int, ...]
    parameters: int
    multiply_adds: int
    receptive_field: tuple[int, int] | None


@dataclass(frozen=True)
class Auxiliary:
    """An output beside the last, which only helps training: gradients reach early layers by a shorter way.

    Args:
        node: Its head.
        output: Whose answer it gives too.
        share: Of its loss in what is minimised.

    Source: Szegedy et al. 2015, Going Deeper with Convolutions, arXiv:1409.4842, section 5.
    """

    node: str
    output: str
    share: float


class Network(nn.Module):
    """A directed graph without cycles, executed node by node.

    Args:
        nodes: In order of execution; inputs first.
        modules: One for each node that is not an input, by name.
        groups: What comes in: group name to its input node's name.
        heads: What goes out, names of nodes.
        auxiliary: What goes out too while it learns; what leads to them alone is left out afterwards.

    Example:
        >>> import torch
        >>> from netwright.models.build import build
        >>> from netwright.spec import ModelSpec
        >>> net = build(ModelSpec(layers="dense 8, relu"), {"table": (4,)}, {"price": 1}, seed=0)
        >>> [node.name for node in net.nodes], net({"table": torch.zeros(3, 4)})["price"].shape
        (['input:table', 'dense1', 'relu1', 'price'], torch.Size([3, 1]))
    """

    def __init__(
        self,
        nodes: tuple[Node, ...],
        modules: Mapping[str, nn.Module],
        groups: Mapping[str, str],
        heads: tuple[str, ...],
        auxiliary: tuple[Auxiliary, ...] = (),
    ) -> None:
        super().__init__()
        self.nodes = nodes
        self.groups = tuple(groups)
        self.heads = heads
        self.auxiliary = auxiliary
        self.frozen: frozenset[str] = frozenset()
        # An output may be called "type" or "a.b", which torch refuses as a module's name: heads get a prefix.
        self.parts = nn.ModuleDict({self.key(node.name): modules[node.name] for node in nodes if node.inputs})
        self._program, self._head_slots, self._slots = self._compiled([groups[group] for group in groups])
        self.aside = self._aside()
        made = [node for node in nodes if node.inputs]
        self._sooner, swapped = self._pooled_sooner(made)
        self._answering, _ = self._pooled_sooner([node for node in made if node.name not in self.aside])
        self._moved = [*swapped, *map(self.module, self.aside)]
        self._behind: dict[str, list[Node]] = {node.name: [] for node in nodes}
        for node in nodes:
            for name in {*node.inputs}:
                if node.name not in self.aside or name in self.aside:
                    self._behind[name].append(node)
        shapes = [node.shape for node in nodes if not node.inputs]
        self._writers = {module: head for head in heads if isinstance(module := self.module(head), Decoder)}
        self._answers_on = {node.name for node in nodes if node.name in heads and node.shape[0] == STEPS} - {
            *self._writers.values()
        }
        self._sequences = frozenset(place for place, shape in enumerate(shapes) if shape[0] == STEPS)

    def forward(
        self,
        inputs: dict[str, Tensor],
        carried: Carried | None = None,
        targets: dict[str, Tensor] | None = None,
    ) -> dict[str, Tensor]:
        """The outputs of a batch; those of auxiliary heads too, by the names of their nodes, while it learns.

        Args:
            inputs: By group, each `(batch, *shape)`; sequences padded as `readers/padding.py` says.
            carried: What layers know of the steps before, and afterwards of those up to the end; `models/recurrent`.
            targets: By output; of texts, the true ones, whose tokens a decoder is to score instead of writing its own.
        """
        if self._sequences or self._writers:
            values, steps = self._over_time(inputs, carried, targets)
            return {head: self._ended(head, values[slot], steps[slot]) for head, slot in self._wanted()}
        values: list[Tensor | None] = [inputs[group] for group in self.groups]
        values += [None] * (self._slots - len(values))
        watched = any(map(_hooked, self._moved))  # hooks are to see what is drawn
        sooner = self._sooner if self.training else self._answering
        for module, slots, out in self._program if watched else sooner:
            values[out] = module(*[values[slot] for slot in slots])
        return {head: values[slot] for head, slot in self._wanted()}  # type: ignore[misc]

    def _wanted(self) -> list[tuple[str, int]]:
        """What is given, and in which slot it lies."""
        return self._head_slots if self.training else self._head_slots[: len(self.heads)]

    def values(self, inputs: dict[str, Tensor], names: Iterable[str]) -> dict[str, Tensor]:
        """What some nodes give for a batch; without sequences, what lies behind the last of them is not computed.

        What lies behind the end of a sequence is no number.

        Args:
            inputs: By group, each `(batch, *shape)`.
            names: Of nodes, what comes in among them.
        """
        missing = set(names)
        if self._sequences or self._writers:
            return self._values_over_time(inputs, missing)
        values: list[Tensor | None] = [inputs[group] for group in self.groups]
        values += [None] * (self._slots - len(values))
        into = [node.name for node in self.nodes if not node.inputs]
        found = {name: inputs[group] for name, group in zip(into, self.groups, strict=True) if name in missing}
        missing -= set(into)
        made = [node.name for node in self.nodes if node.inputs]
        for name, (module, slots, out) in zip(made, self._program, strict=True):
            if not missing:
                break
            values[out] = value = module(*[values[slot] for slot in slots])
            if name in missing:
                found[name] = value
                missing.remove(name)
        return found

    def _over_time(
        self,
        inputs: dict[str, Tensor],
        carried: Carried | None,
        targets: dict[str, Tensor] | None = None,
        seen: dict[nn.Module, Tensor] | None = None,
    ) -> tuple[list[Tensor | None], list[Tensor | None]]:
        """The values in their slots, computed with the number of steps that each example has, and these numbers."""
        values: list[Tensor | None] = [inputs[group] for group in self.groups]
        values += [None] * (self._slots - len(values))
        steps: list[Tensor | None] = [None] * self._slots
        for place in self._sequences:
            values[place], steps[place] = opened(inputs[self.groups[place]])
        for module, slots, out in self._program:
            read = [values[slot] for slot in slots]
            left = steps[slots[0]]
            if isinstance(module, Decoder):
                found = module(*read, left, (targets or {}).get(self._writers[module]))
            elif isinstance(module, Layer) and module.timed:
                goes_on = carried is not None and module.carries
                found = module(*read, left, carried) if goes_on else module(*read, left)
                left = None if left is None else module.lengths(left)
            else:
                found = module(*read)
            values[out], steps[out] = found, left
            if seen is not None:
                over = left is not None and found.ndim == 3
                seen[module] = found.masked_fill(~there(found, left), torch.nan) if over else found  # type: ignore[arg-type]
        return values, steps

    def _ended(self, head: str, value: Tensor | None, steps: Tensor | None) -> Tensor:
        """An output; of one that answers at every step, what lies behind the end of an example is no number."""
        if value is None:
            raise RuntimeError(f"{head} was not computed")  # pragma: no cover - heads are nodes
        if steps is None or head not in self._answers_on:
            return value
        return value.masked_fill(~there(value, steps), torch.nan)

    def _values_over_time(self, inputs: dict[str, Tensor], names: set[str]) -> dict[str, Tensor]:
        into = [node.name for node in self.nodes if not node.inputs]
        found = {name: inputs[group] for name, group in zip(into, self.groups, strict=True) if name in names}
        seen: dict[nn.Module, Tensor] = {}
        self._over_time(inputs, None, None, seen)
        return found | {name: seen[self.module(name)] for name in names - set(into)}

    def behind(self, name: str) -> list[Node]:
        """The nodes that read one; of what the answer comes from, none that only leads to auxiliary heads.

        Args:
            name: Of a node.
        """
        return self._behind[name]

    def freeze(self, upto: int | str) -> list[str]:
        """Layers keep the weights they have, from the input on, and answer as they do after training.

        So the running means of a `batch_norm` among them stay too, and a `dropout` among them leaves nothing out.

        Args:
            upto: How many layers with weights, the name of the last of them, or "all" but those of the outputs. A
                `batch_norm` counts together with the layer before it.

        Returns:
            The names of those with weights.

        Raises:
            SpecError: No layer of this name has weights.
        """
        hidden = [node for node in self.nodes if node.inputs and node.name not in {*self.heads, *self.aside}]
        weighed = [node.name for node in hidden if node.parameters and node.part != "batch_norm"]
        if isinstance(upto, str) and upto != "all" and upto not in weighed:
            raise SpecError(
                f'training.freeze: no layer with weights is called "{upto}"{nearest(upto, weighed)}.',
                f"From the input on they are {listed(weighed, 8)}.",
            )
        if isinstance(upto, int) and upto > len(weighed):
            raise SpecError(
                f"training.freeze is {upto}, and {counted(len(weighed), 'layer')} with weights can be frozen.",
                f"From the input on they are {listed(weighed, 8)}.",
            )
        last = weighed.index(upto) + 1 if upto in weighed else len(weighed) if isinstance(upto, str) else upto
        frozen, passed = [], 0
        for node in hidden:
            passed += node.name in weighed
            if passed > last:
                break
            frozen.append(node)
        self.frozen = frozenset(node.name for node in frozen)
        for name in self.frozen:
            self.module(name).requires_grad_(requires_grad=False)
        return [node.name for node in frozen if node.parameters]

    def train(self, mode: bool = True) -> Network:
        """Layers learn, but for frozen ones."""
        super().train(mode)
        for name in self.frozen:
            self.module(name).train(mode=False)
        return self

    def rows(self, steps: int) -> int:
        """How many examples are computed at once without gradients, so that a layer gives no more than `MOST_NUMBERS`.

        Args:
            steps: That a sequence has on average.
        """

        def numbers(node: Node) -> int:
            module = self.module(node.name)
            if isinstance(module, Decoder):
                return max(module.longest, module.beam) * module.tokens
            if node.part == "timm":  # whose first layers give more than what goes in
                return _TIMM * math.prod(module.in_shape)  # type: ignore[operator,arg-type]
            return abs(math.prod(node.shape)) * (steps if node.shape[0] == STEPS else 1)

        return max(1, min(MOST_ROWS, MOST_NUMBERS // max(numbers(node) for node in self.nodes if node.inputs)))

    def pieces(self, inputs: Mapping[str, Tensor], most: int = MOST_ROWS) -> Iterator[dict[str, Tensor]]:
        """Examples, as many at a time as are computed at once; see `rows`.

        Args:
            inputs: By group, coded.
            most: At most so many.
        """
        ragged = {node.name.removeprefix("input:") for node in self.nodes if not node.inputs and node.shape[0] == STEPS}
        count = len(next(iter(inputs.values())))
        most = min(most, self.rows(max((inputs[group].shape[1] for group in ragged & inputs.keys()), default=1)))
        for start in range(0, max(count, 1), most):
            yield {group: values[start : start + most] for group, values in inputs.items()}

    def steps_left(self, steps: Mapping[str, Int[Tensor, " batch"]], name: str) -> Int[Tensor, " batch"]:
        """How many steps of each example there are behind a node, by how many go in; one number where all have as many.

        Args:
            steps: By group that is a sequence.
            name: Of a node that is one.
        """
        left: dict[str, Tensor] = {}
        for node in self.nodes:
            if not node.inputs:
                group = node.name.removeprefix("input:")
                left |= {node.name: steps[group]} if group in steps else {}
                continue
            module, first = self.module(node.name), node.inputs[0]
            if isinstance(module, Layer) and module.steps_made:
                left[node.name] = torch.tensor([module.steps_made])
            elif first in left:
                left[node.name] = module.lengths(left[first]) if isinstance(module, Layer) else left[first]
        return left[name]

    @property
    def convolves(self) -> bool:
        """Whether filters are slid over pictures."""
        return any(node.part in {"conv", "timm"} for node in self.nodes)

    @property
    def foresees(self) -> dict[str, tuple[str, str]]:
        """Layers whose values depend on steps that come later: why, and what to write instead, by the node's text."""
        layers = [(node, self.module(node.name)) for node in self.nodes if node.inputs]
        return {node.text: layer.foresees for node, layer in layers if isinstance(layer, Layer) and layer.foresees[0]}

    @property
    def shortens(self) -> str:
        """The first layer that leaves steps out, as it is written; nothing where there is none."""
        layers = [(node, self.module(node.name)) for node in self.nodes if node.inputs and node.shape[0] == STEPS]
        return next((node.text for node, layer in layers if getattr(layer, "step", 1) > 1), "")

    def module(self, name: str) -> nn.Module:
        """The module that makes a node's value; hooks on it see what is executed.

        Args:
            name: Name of a node that is not an input.
        """
        return self.parts[self.key(name)]

    def key(self, name: str) -> str:
        """The module's name: the node's, with `head:` before an output's, and with dots escaped."""
        escaped = name.replace("%", "%25").replace(".", "%2E")
        return f"head:{escaped}" if name in self.heads else escaped

    def _compiled(self, inputs: list[str]) -> tuple[list[Step], list[tuple[str, int]], int]:
        """The nodes as (module, slots read, slot written); a slot is used again when its value is no more read."""
        last = {name: place for place, node in enumerate(self.nodes) for name in node.inputs}
        ends = [*self.heads, *(each.node for each in self.auxiliary)]
        last.update(dict.fromkeys(ends, len(self.nodes)))
        slot = {name: place for place, name in enumerate(inputs)}
        free: list[int] = []
        count = len(inputs)
        program = []
        for place, node in enumerate(self.nodes):
            if not node.inputs:
                continue
            reads = tuple(slot[name] for name in node.inputs)
            free += sorted({slot[name] for name in node.inputs if last[name] == place}, reverse=True)
            if free:
                slot[node.name] = free.pop()
            else:
                slot[node.name], count = count, count + 1
            program.append((self.module(node.name), reads, slot[node.name]))
            if node.name not in last:  # a dead end: its slot is free at once
                free.append(slot[node.name])
        return program, [(head, slot[head]) for head in ends], count

    def _aside(self) -> frozenset[str]:
        """The nodes that lead to auxiliary heads alone."""
        needed = set(self.heads)
        for node in reversed(self.nodes):
            if node.name in needed:
                needed.update(node.inputs)
        led = {each.node for each in self.auxiliary}
        for node in reversed(self.nodes):
            if node.name in led:
                led.update(node.inputs)
        return frozenset(led - needed)

    def _pooled_sooner(self, nodes: list[Node]) -> tuple[list[Step], list[nn.Module]]:
        """The program of some nodes with each relu behind the largest-value pool that follows it, and what moved.

        Largest values and their gradients are the same numbers either way; a relu of a quarter of the map takes a
        quarter of the time, and writes over the pool's values, which nothing else reads.
        """
        steps = dict(zip((node.name for node in self.nodes if node.inputs), self._program, strict=True))
        read = Counter(name for node in self.nodes for name in node.inputs)
        read.update([*self.heads, *(each.node for each in self.auxiliary)])
        program, swapped = [steps[node.name] for node in nodes], []
        for place, (first, second) in enumerate(pairwise(nodes)):
            largest = getattr(self.module(second.name), "how", "") == "max" and second.part == "pool"
            alone = second.inputs == (first.name,) and read[first.name] == 1
            if first.part in _ZERO_OR_ONE and largest and alone:
                (relu, slots, _), (pool, _, out) = program[place : place + 2]
                program[place : place + 2] = [(pool, slots, out), (_ZERO_OR_ONE[first.part], (out,), out)]
                swapped += [relu, pool]
        return program, swapped


def _hooked(module: nn.Module) -> bool:
    return bool(
        module._forward_hooks or module._forward_pre_hooks or module._backward_hooks or module._backward_pre_hooks
    )
