"""From a model's spec to a network: the graph of its layer text, and its first weights.

Guarantees: the same spec, shapes and seed give the same bits; the global random state is neither read nor moved; every
mistake is a `SpecError` with the column of the layer it came from.
"""

from __future__ import annotations

import math
from collections import Counter
from collections.abc import Collection, Mapping
from dataclasses import dataclass

import psutil
import torch
from torch import nn

from netwright import seeds
from netwright.errors import ResourceError, SpecError
from netwright.field import STEPS
from netwright.models import initialisers
from netwright.models.ahead import Frame, ahead_of, framed
from netwright.models.decoders import Decoder
from netwright.models.defaults import default_layers
from netwright.models.layers import MERGES, Activation, Dense, Embed, Flatten, Layer
from netwright.models.network import Auxiliary, Network, Node
from netwright.models.recurrent import EmbedTokens, Last
from netwright.models.text import Branches, Piece, Repeat, Step, count, marked, parse, steps
from netwright.registry import options as options_of
from netwright.registry import parts, resolve
from netwright.spec import DecoderSpec, ModelSpec, PartSpec

Shape = tuple[int, ...]
Groups = Mapping[str, Shape]
MOST_NODES = 10_000
BYTES = 4  # of a float32


@dataclass(frozen=True)
class Row:
    """One line of the layer table.

    Args:
        layer: Name of the node.
        text: As written.
        shape: Output shape of one example.
        parameters: Weights and biases.
        multiply_adds: For one example, forward.
        receptive_field: Rows and columns of the picture one place sees; None without a picture.
        memory_mb: Weights, activations and the gradients of both for one batch, in 10^6 bytes; without the state of
            the optimizer.
        frozen: Whether its weights stay as they are.
    """

    layer: str
    text: str
    shape: Shape
    parameters: int
    multiply_adds: int
    receptive_field: tuple[int, int] | None
    memory_mb: float
    frozen: bool = False


def build(
    model: ModelSpec,
    groups: Groups,
    heads: Mapping[str, int],
    seed: int,
    embeds: Mapping[str, int] | None = None,
    each_step: Collection[str] = (),
    writers: Mapping[str, int] | None = None,
    frames: Mapping[str, Frame] | None = None,
) -> Network:
    """A network with fresh weights.

    Several groups are joined: pictures of one size by channel when a layer takes pictures, everything else end to end
    where the pictures are flattened.

    Args:
        model: Layers as text, or depth, width, connect and activation.
        groups: Shape of one example of each input group: `(channel, height, width)`, `(dim,)`, or of sequences
            `(STEPS, dim)`.
        heads: Units of each output, by name.
        seed: Of the first weights.
        embeds: Groups of one class each, or of tokens, that are embedded first, and as how many numbers.
        each_step: Outputs that answer at every step of a sequence.
        writers: Outputs that are texts, and how many tokens the longest may have.
        frames: How tracks are seen, by group, and which outputs go on from them.

    Raises:
        SpecError: The text is wrong, or its layers do not fit together.
        ResourceError: The weights do not fit into memory.
    """
    network = outline(model, groups, heads, embeds, each_step, writers, frames)
    _allocate(network)
    _initialise(network, seed, model.initialiser)
    return network


def outline(
    model: ModelSpec,
    groups: Groups,
    heads: Mapping[str, int],
    embeds: Mapping[str, int] | None = None,
    each_step: Collection[str] = (),
    writers: Mapping[str, int] | None = None,
    frames: Mapping[str, Frame] | None = None,
) -> Network:
    """The same network on torch's meta device: nodes, names and shapes, but no memory and no numbers; see `build`.

    Args:
        model: As for `build`.
        groups: As for `build`.
        heads: As for `build`.
        embeds: As for `build`.
        each_step: As for `build`.
        writers: As for `build`.
        frames: As for `build`.
    """
    going = {name for frame in (frames or {}).values() for name in frame.going}
    text, _ = default_layers(model, groups, onwards=bool(each_step), whole=bool(writers), ahead=bool(going))
    whole = not (each_step or writers)
    graph = _Graph(text, groups, tuple(heads), embeds or {}, frames or {}, causal=bool(model.causal), whole=whole)
    graph.lay(parse(text))
    graph.write(model.decoder or DecoderSpec(), heads, writers or {})
    once = {name: units for name, units in heads.items() if name not in {*(writers or {}), *going}}
    graph.help_along({name: units for name, units in once.items() if name not in each_step})
    graph.finish(once, each_step)
    graph.go_on(frames or {})
    return Network(tuple(graph.nodes), graph.modules, graph.inputs, tuple(heads), tuple(graph.auxiliary))


def table(network: Network, batch_size: int, steps: int = 1) -> list[Row]:
    """What each node costs, inputs and heads included.

    Args:
        network: The network.
        batch_size: Examples per step, for the memory.
        steps: How many steps an example has, where sequences go in.
    """
    rows = []
    long: dict[str, int] = {}  # steps of each node that is a sequence
    for node in network.nodes:
        read = max((long.get(name, 1) for name in node.inputs), default=1)
        if node.shape[0] == STEPS:
            made = int(getattr(network.module(node.name), "steps_made", 0)) if node.inputs else steps
            long[node.name] = made or read
        numbers = 0 if node.part == "flatten" else abs(math.prod(node.shape))  # flattening only looks differently
        copies = 2 if node.inputs else 1  # what comes in needs no gradient
        numbers *= long.get(node.name, 1)
        memory = (2 * node.parameters + copies * batch_size * numbers) * BYTES
        rows.append(
            Row(
                node.name,
                node.text,
                node.shape,
                node.parameters,
                node.multiply_adds * read,
                node.receptive_field,
                round(memory / 1e6, 3),
                frozen=node.parameters > 0 and node.name in network.frozen,
            )
        )
    return rows


@dataclass(frozen=True)
class _Sight:
    """What one place of a value sees of the picture: rows and columns, and how far apart neighbours look."""

    field: tuple[int, int] | None
    jump: tuple[int, int] = (1, 1)


class _Graph:
    """The nodes so far, and the place where the next one is attached."""

    def __init__(
        self,
        text: str,
        groups: Groups,
        outputs: tuple[str, ...],
        embeds: Mapping[str, int],
        frames: Mapping[str, Frame],
        *,
        causal: bool,
        whole: bool,
    ) -> None:
        self.text, self.causal, self.whole = text, causal, whole
        self.within = ""  # how names begin; what is aside is counted for itself, whether it is there or not
        self.nodes: list[Node] = []
        self.modules: dict[str, nn.Module] = {}
        self.inputs: dict[str, str] = {}
        self.outputs = frozenset(outputs)
        self.counts: Counter[str] = Counter()
        self.shapes: dict[str, Shape] = {}
        self.sights: dict[str, _Sight] = {}
        self.picture: tuple[int, int] = (0, 0)
        for shape in groups.values():
            if len(shape) == 3:
                self.picture = (max(self.picture[0], shape[1]), max(self.picture[1], shape[2]))
        for group, shape in groups.items():
            sight = _Sight((1, 1) if len(shape) == 3 else None)
            self.inputs[group] = self.add_node(f"input:{group}", "input", f"input {group}", (), shape, None, sight)
        self.starts = tuple(
            self.framed(name, frames[group]) if group in frames else self.embedded(name, embeds.get(group))
            for group, name in self.inputs.items()
        )
        self.waiting: tuple[str, ...] = ()  # vectors that join where the pictures are flattened
        self.tip = ""
        self.asides: list[tuple[str, Branches]] = []
        self.auxiliary: list[Auxiliary] = []

    def lay(self, pieces: tuple[Piece, ...]) -> None:
        """The whole text: joins the inputs, then attaches piece after piece."""
        if count(pieces) > MOST_NODES:
            raise SpecError(
                f"model.layers: {count(pieces):,} layers; {MOST_NODES:,} are possible.", "Use fewer repeats."
            )
        names = self.starts
        pictures = tuple(name for name in names if len(self.shapes[name]) == 3)
        sequences = tuple(name for name in names if self.over_time(name))
        if len(sequences) > 1:
            raise SpecError(
                f"inputs: {len(sequences)} sequences go in ({', '.join(sequences)}); one is possible.",
                "Leave all but one out, or join them in the data.",
            )
        if len(names) == 1:
            self.tip = names[0]
        elif sequences:
            (self.tip,) = sequences
            self.waiting = tuple(self.flat(name) for name in names if name not in sequences)
        elif pictures and any(_takes(step) == "image" for step in steps(pieces)):
            self.tip = self.joined(pictures)
            self.waiting = tuple(name for name in names if name not in pictures)
        else:
            self.tip = self.joined(tuple(self.flat(name) for name in names))
        for piece in pieces:
            self.tip = self.attach(piece, self.tip, outermost=True)

    def embedded(self, name: str, dim: int | None) -> str:
        """An input, or for a class or tokens that are embedded the layer that does so."""
        if dim is None:
            return name
        with torch.device("meta"):
            timed, shape = self.over_time(name), self.shapes[name]
            layer = EmbedTokens(shape, dim, quiet=self.whole) if timed else Embed(shape, dim)
        return self.add_layer(self.free("embed"), "embed", f"embed {dim}", name, layer)

    def framed(self, name: str, frame: Frame) -> str:
        """A track as it is seen."""
        with torch.device("meta"):
            layer = framed(self.shapes[name], frame)
        return self.add_layer(self.free("frame"), "frame", f"frame {frame.name}", name, layer)

    def go_on(self, frames: Mapping[str, Frame]) -> None:
        """The next points for each output that goes on from a track."""
        for group, frame in frames.items():
            for output, going in frame.going.items():
                self.end()
                with torch.device("meta"):
                    head = ahead_of(self.shapes[self.tip], self.shapes[self.inputs[group]], frame, going)
                inputs = (self.inputs[group], self.tip)
                self.add_node(output, "ahead", f"ahead {going.horizon}", inputs, head.out_shape, head, _Sight(None))

    def write(self, wish: DecoderSpec, heads: Mapping[str, int], writers: Mapping[str, int]) -> None:
        """A decoder for each output that is a text, on what the layers end in: a sequence, a picture or a vector."""
        for output, longest in writers.items():
            try:
                with torch.device("meta"):
                    head = Decoder(self.shapes[self.tip], heads[output], longest, wish)
            except SpecError as exc:
                raise SpecError(f"model.decoder: {exc.message}", exc.cure) from exc
            if self.causal and head.foresees[0]:
                raise SpecError(f"model.causal: the decoder of {output} {head.foresees[0]}.", head.foresees[1])
            self.add_layer(output, "decoder", f"decoder {wish.dim}", self.tip, head)

    def finish(self, heads: Mapping[str, int], each_step: Collection[str] = ()) -> None:
        """A dense head for each other output: at every step of a sequence, or on the flattened end."""
        for output in each_step:
            if not self.over_time(self.tip):
                end = _in_words(self.shapes[self.tip])
                raise SpecError(
                    f"model.layers: {output} answers at every step, and the layers end in {end}.",
                    "Take out what ends the sequence: last, global_pool.",
                )
            if self.waiting:
                raise SpecError(
                    f"inputs: {', '.join(self.waiting)} {'is' if len(self.waiting) == 1 else 'are'} no sequence, and "
                    f"{output} answers at every step of one.",
                    "Leave out what is no sequence, or make it a column of the sequence.",
                )
            with torch.device("meta"):
                head = Dense(self.shapes[self.tip][1:], heads[output])
            self.add_layer(output, "dense", f"dense {heads[output]}", self.tip, head, (STEPS, heads[output]))
        heads = {output: units for output, units in heads.items() if output not in each_step}
        if not heads:
            return
        self.end()
        for output, units in heads.items():
            with torch.device("meta"):
                head = Dense(self.shapes[self.tip], units)
            self.add_layer(output, "dense", f"dense {units}", self.tip, head)

    def help_along(self, heads: Mapping[str, int]) -> None:
        """Auxiliary heads for each output that is answered once for an example."""
        for end, piece in self.asides:
            if any(self.over_time(name) for name in self.starts) or not heads:
                what = "a sequence goes in" if heads else "no output is a class, a number or a tag"
                cure = "Take it out; it is for outputs of pictures and tables that are answered once for each."
                raise self.wrong(piece.column, f"auxiliary outputs are not possible where {what}.", cure)
            self.within = "aside_"
            tip = self.flat(end)
            self.within = ""
            for output, units in heads.items():
                with torch.device("meta"):
                    head = Dense(self.shapes[tip], units)
                node = self.add_layer(self.free("auxiliary"), "dense", f"auxiliary dense {units}", tip, head)
                self.auxiliary.append(Auxiliary(node, output, piece.share))

    def end(self) -> None:
        """One vector of what the layers end in."""
        if self.over_time(self.tip):
            self.tip = self.add_layer(self.free("last"), "last", "last", self.tip, Last(self.shapes[self.tip]))
        self.tip = self.flat(self.tip, outermost=True)

    def attach(self, piece: Piece, tip: str, *, outermost: bool = False) -> str:
        """The node at the end of a piece that starts from `tip`."""
        match piece:
            case Step():
                return self.step(piece, tip, outermost=outermost)
            case Repeat():
                for _ in range(piece.times):
                    for inner in piece.body:
                        tip = self.attach(inner, tip, outermost=outermost)
                return tip
            case Branches():
                ends = []
                outside, self.within = self.within, "aside_" if piece.merge == "auxiliary" else self.within
                for path in piece.paths:
                    end = tip
                    for inner in path:
                        end = self.attach(inner, end)
                    ends.append(end)
                self.within = outside
                if piece.merge == "auxiliary":
                    self.asides += [(end, piece) for end in ends]
                    return tip
                return self.merged(piece.merge, tuple(ends), piece.column)

    def step(self, step: Step, tip: str, *, outermost: bool) -> str:
        takes = _takes(step)
        if self.over_time(tip):
            return self.step_of_sequence(step, tip, takes, outermost=outermost)
        if takes == "sequence":
            raise self.wrong(
                step.column,
                f'"{step.text}" reads a sequence step by step, but {_in_words(self.shapes[tip])} comes in.',
                "Put it before what ends the sequence (last, global_pool), or give a sequence: a text, say.",
            )
        if takes == "vector" or step.part == "flatten":
            flat = self.flat(tip, outermost=outermost)
            if step.part == "flatten":
                return flat
            tip = flat
        shape = self.shapes[tip]
        if takes in {"image", "places"} and len(shape) != 3:
            raise self.wrong(
                step.column,
                f'"{step.text}" takes a picture, but a vector of {shape[0]} comes in.',
                "Put it before the first dense or flatten; a table has no picture to slide over.",
            )
        try:
            with torch.device("meta"):
                layer = _layer(step, shape)
        except SpecError as exc:
            raise self.wrong(step.column, f'"{step.text}": {exc.message}', exc.cure) from exc
        return self.add_layer(self.free(step.part), step.part, step.text, tip, layer)

    def step_of_sequence(self, step: Step, tip: str, takes: str, *, outermost: bool) -> str:
        """A layer behind a sequence: it reads all of it, or treats each step alike."""
        shape = self.shapes[tip]
        whole = takes in {"sequence", "places"}
        if takes == "image" or (step.room == "layer" and not resolve("layer", step.part).stepwise):
            raise self.wrong(
                step.column,
                f'"{step.text}" cannot follow a sequence, whose examples have different numbers of steps.',
                "Put last or global_pool before it; to normalise each step there is layer_norm.",
            )
        try:
            with torch.device("meta"):
                layer = _layer(step, shape if whole else shape[1:], causal=self.causal)
        except SpecError as exc:
            raise self.wrong(step.column, f'"{step.text}": {exc.message}', exc.cure) from exc
        if self.causal and layer.foresees[0]:
            why, cure = layer.foresees
            raise self.wrong(step.column, f'"{step.text}" {why}, which model.causal rules out.', cure)
        out = layer.out_shape if whole else (STEPS, *layer.out_shape)
        tip = self.add_layer(self.free(step.part), step.part, step.text, tip, layer, out)
        if outermost and self.waiting and len(out) == 1:
            waiting, self.waiting = self.waiting, ()
            tip = self.joined((tip, *waiting))
        return tip

    def over_time(self, name: str) -> bool:
        """Whether a value is a sequence."""
        return self.shapes[name][0] == STEPS

    def flat(self, tip: str, *, outermost: bool = False) -> str:
        """The same numbers as a vector, and at the outermost level the vectors that waited for it."""
        if len(self.shapes[tip]) != 1:
            tip = self.add_layer(self.free("flatten"), "flatten", "flatten", tip, Flatten(self.shapes[tip]))
        if outermost and self.waiting:
            waiting, self.waiting = self.waiting, ()
            tip = self.joined((tip, *waiting))
        return tip

    def joined(self, names: tuple[str, ...]) -> str:
        return names[0] if len(names) == 1 else self.merged("concat", names, 0)

    def merged(self, merge: str, ends: tuple[str, ...], column: int) -> str:
        try:
            module = MERGES[merge](tuple(self.shapes[end] for end in ends))
        except SpecError as exc:
            raise self.wrong(column, exc.message, exc.cure) from exc
        sights = [self.sights[end] for end in ends if self.sights[end].field]
        widest = max(sights, key=lambda sight: sight.field or (0, 0), default=_Sight(None))
        return self.add_node(self.free(merge), merge, merge, ends, module.out_shape, module, widest)

    def add_layer(
        self, name: str, part_name: str, text: str, tip: str, layer: Layer, shape: Shape | None = None
    ) -> str:
        before = self.sights[tip]
        if before.field is None or (len(layer.in_shape) == 3 and len(layer.out_shape) == 1):
            sight = _Sight(self.picture if before.field else None)  # a vector of a picture sees all of it
        else:
            grown = [f + (w - 1) * j for f, w, j in zip(before.field, layer.window, before.jump, strict=True)]
            jump = (before.jump[0] * layer.stride[0], before.jump[1] * layer.stride[1])
            sight = _Sight((min(grown[0], self.picture[0]), min(grown[1], self.picture[1])), jump)
        return self.add_node(name, part_name, text, (tip,), shape or layer.out_shape, layer, sight)

    def add_node(
        self,
        name: str,
        part_name: str,
        text: str,
        inputs: tuple[str, ...],
        shape: Shape,
        module: nn.Module | None,
        sight: _Sight,
    ) -> str:
        if name in self.shapes:
            raise SpecError(f"outputs.{name}: the network already has a part of this name.", "Rename the output.")
        parameters = sum(weight.numel() for weight in module.parameters()) if module else 0
        multiply_adds = module.multiply_adds if isinstance(module, Layer) else 0
        self.nodes.append(Node(name, part_name, text, inputs, shape, parameters, multiply_adds, sight.field))
        if module:
            self.modules[name] = module
        self.shapes[name] = shape
        self.sights[name] = sight
        return name

    def free(self, word: str) -> str:
        """`conv1`, `conv2`, ...: the next name of this part that no node and no output has."""
        word = f"{self.within}{word}"
        self.counts[word] += 1
        while f"{word}{self.counts[word]}" in self.outputs:
            self.counts[word] += 1
        return f"{word}{self.counts[word]}"

    def wrong(self, column: int, message: str, cure: str) -> SpecError:
        shown = f"\n{marked(self.text, column)}" if self.text else ""
        return SpecError(f"model.layers column {column + 1}: {message}{shown}", cure)


def _in_words(shape: Shape) -> str:
    return f"a vector of {shape[0]}" if len(shape) == 1 else "a picture"


def _takes(step: Step) -> str:
    return resolve("layer", step.part).takes if step.room == "layer" else "any"


def _layer(step: Step, shape: Shape, *, causal: bool = False) -> Layer:
    """The layer of a step; in a causal model one that can see what has been alone does so unless it is told not to."""
    options = dict(step.options)
    if step.room == "activation":
        return Activation(shape, step.part, options)
    if causal and "causal" in options_of("layer", step.part, given=("in_shape",)):
        options.setdefault("causal", True)
    return resolve("layer", step.part)(shape, **options)


def _allocate(network: Network) -> None:
    """Gives every weight its memory; until here only shapes were known."""
    numbers = sum(node.parameters for node in network.nodes)
    too_large = ResourceError(
        f"the network has {numbers:,} weights ({numbers * BYTES / 1e9:,.1f} GB), more than memory holds.",
        "Make the layers smaller, or pool before the first dense layer.",
    )
    if numbers * BYTES > psutil.virtual_memory().total:
        raise too_large
    try:
        network.to_empty(device="cpu")
    except RuntimeError as exc:  # what torch raises when the allocator fails
        raise too_large from exc


def _initialise(network: Network, seed: int, wanted: PartSpec | None) -> None:
    """First weights: by the wanted rule, else by the one that fits the activation behind; draws from its generator."""
    readers: dict[str, list[Node]] = {node.name: network.behind(node.name) for node in network.nodes}
    merges = sum(node.part == "add" for node in network.nodes)
    for index, node in enumerate(network.nodes):
        if not node.parameters:
            continue
        layer = network.module(node.name)
        name = wanted.name if wanted else _fitting(node, readers)
        rule = initialisers.rule_of(name, wanted.options if wanted else {})
        # Every branch added to a residual sum raises its spread; drawn smaller, the sum of all of them stays bounded
        # (the rule of GPT-2's residual layers: Radford et al. 2019, section 2.3).
        scale = 1 / math.sqrt(merges) if _ends_branch(node, readers) else 1.0
        if isinstance(layer, Layer):
            layer.initialise(initialisers.Draw(rule, seeds.torch_generator(seed, "initialise", index=index), scale))


def _fitting(node: Node, readers: dict[str, list[Node]]) -> str:
    """The initialiser that a layer asks for, else the one for the activation behind it."""
    layer = parts("layer").get(node.part)
    asked = layer.facts.get("initialiser") if layer else None
    return asked or initialisers.before(_activation_behind(node, readers))


def _ends_branch(node: Node, readers: dict[str, list[Node]]) -> bool:
    """Whether a node holds the last weights of a branch that is added to others."""
    while len(readers[node.name]) == 1:
        (node,) = readers[node.name]
        if node.part == "add":
            return True
        if node.parameters:
            return False
    return False


def _activation_behind(node: Node, readers: dict[str, list[Node]]) -> str | None:
    """The first activation that a node's values go through before the next weights; None when there is none."""
    ahead, known = list(readers[node.name]), parts("activation")
    while ahead:
        reader = ahead.pop(0)
        if reader.part in known:
            return reader.part
        if not reader.parameters:
            ahead += readers[reader.name]
    return None
