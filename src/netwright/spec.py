"""The spec: what goes in, what comes out, which model, how it is trained; read from YAML, checked, written back.

Every field left out stays `None` until the run resolves it to a stated default with its reason (`Reason`).
Every mistake of a spec is collected and raised in one `SpecError`, each with its line and the nearest known name.
"""

from __future__ import annotations

from pathlib import Path
from typing import Annotated, Literal

from pydantic import BaseModel, ValidationError, model_serializer, model_validator
from pydantic import Field as Setting

from netwright import yaml12
from netwright.errors import SpecError
from netwright.field import Frozen, Scalar
from netwright.spec_data import DataSpec, Several
from netwright.spec_problems import problems
from netwright.words import counted

VERSION = 1
Unit = Literal["identity", "sigmoid", "softmax"]


class PartSpec(Frozen):
    """A named part with its options, written `adam` or `{name: adam, lr: 0.001}`."""

    name: str
    options: dict[str, Scalar] = Setting(default={})

    @model_validator(mode="before")
    @classmethod
    def _flat(cls, given: object) -> object:
        if isinstance(given, str):
            return {"name": given}
        if isinstance(given, dict) and "options" not in given:
            if "name" not in given:
                raise ValueError(f"no name is given: write {{name: {next(iter(given), 'NAME')}, ...}}")
            return {"name": given["name"], "options": {k: v for k, v in given.items() if k != "name"}}
        return given

    @model_serializer
    def _write(self) -> dict[str, Scalar]:
        return {"name": self.name, **self.options}


class InputSpec(Frozen):
    """One input; the name is the column (or, in a folder, the kind) unless `from` says otherwise.

    Args:
        kind: image, number, category, vector, date, tags, text, audio, ink, signal, track or series; inferred from the
            data when left out.
        source: Written `from`: the column, or several number columns for a vector; the coordinates of a track and what
            goes in beside them.
        size_px: Height and width that pictures are brought to.
        channels: 1 for grey, 3 for colour pictures.
        missing: What becomes of a cell without a value. fill, the default: the training mean stands for a missing
            number and a column of its own says so, an empty class is a class. set_aside: its row is not used.
        embed: How many learned numbers stand for a class or token; 0 for a column for each. Follows from their number.
        tokens: What a text is read as: characters; words and signs; spaces, what stands between them; or bpe, pieces of
            words that are learned. Follows from the texts.
        lower: Whether words are read in lower case, the default.
        vocabulary: Most different tokens that are known; those that are rarer in the training part are one unknown.
        longest: Steps that are read of a longer sequence, from its beginning on.
        rate_hz: Samples a second that sounds are brought to; that of most files, at most 16,000, when left out.
        features: What a sound becomes a hundred times a second: mel, its energy in 40 bands, or mfcc, 13 numbers.
        day_first: Whether 03/04/2026 is the third of April; found from the whole column where it can be.
        frame: How the net sees a track: heading, from its last point in the direction of its last movement, the
            default; position, from its last point; world, as it lies.
        augment: How training sees pictures, tracks, pen ink, sounds and signals differently, e.g. mirror, or
            `{name: shift, px: 2}`; in this order.
    """

    kind: str | None = None
    source: str | list[str] | None = Setting(default=None, alias="from")
    size_px: tuple[Annotated[int, Setting(ge=1)], Annotated[int, Setting(ge=1)]] | None = None
    channels: Literal[1, 3] | None = None
    missing: Literal["fill", "set_aside"] | None = None
    embed: int | None = Setting(default=None, ge=0, le=1024)
    tokens: Literal["characters", "words", "spaces", "bpe"] | None = None
    lower: bool | None = None
    vocabulary: int | None = Setting(default=None, ge=2)
    longest: int | None = Setting(default=None, ge=1)
    rate_hz: int | None = Setting(default=None, ge=1_000, le=192_000)
    features: Literal["mel", "mfcc"] | None = None
    day_first: bool | None = None
    frame: Literal["heading", "position", "world"] | None = None
    augment: Annotated[tuple[PartSpec, ...], Several] | None = None


class CostSpec(Frozen):
    """What mistakes about a class that is sought cost, in any unit.

    Args:
        missed: One that is not found.
        false_alarm: An alarm where there is none.
    """

    missed: float = Setting(default=1.0, ge=0)
    false_alarm: float = Setting(default=1.0, ge=0)


class OutputSpec(Frozen):
    """One output.

    Args:
        kind: category, number, vector, tags, text or identity; inferred from the data when left out, but for the last
            two. What comes next (`of`) has that of its input.
        source: Written `from`: the column.
        loss: Name of the loss; the task's own when left out.
        weight: Factor of this output's loss in the sum.
        unit: Function of the output units: identity, sigmoid or softmax; follows from the kind when left out.
        class_weights: How much each class counts in the loss: `balanced`, all classes as much together, or a factor by
            class; those left out count 1.
        positive: Of two classes the one that is sought, e.g. fraud; scores are then about finding it.
        threshold: From which probability on it is answered: a number, likeliest (1/2), or chosen on the validation
            part for the best f1 or the least cost.
        cost: What a miss and a false alarm cost.
        when_mirrored: What becomes of a number when its picture is mirrored: it is kept, or negated as a direction is.
        dim: How many numbers the embedding of an identity has.
        of: What goes in and is gone on with: of a text what comes next is asked at every step, a language model; of a
            track or series, with `horizon`, its next steps.
        horizon: How many steps of a track or series come out.
        base: What the net's answer is added to: motion, the last step of a track over and over; season, what a series
            was a season ago and has grown since; or last, its last point. Follows from the kind.
        per: The sequence that goes in, at each of whose steps it is answered; a cell then holds an answer for each.
        align: `ctc`: the text is read off a sequence that is longer than it, such as speech or pen strokes.
        grams: With `align`: which tokens follow each other in the training texts is asked too while a text is read
            off, stretches of so many.
        tokens: What a text is written in: characters; words and signs; spaces, what stands between them; or bpe, pieces
            of words that are learned. Follows from the texts.
        lower: Whether words are written in lower case, the default.
        vocabulary: Most different tokens that are written.
        longest: Tokens that are learned of a longer text, from its beginning on.
        calibrate: Whether probabilities are brought to how often they come true: after training, scores are divided
            by the one number that has the least loss on the validation part.
    """

    kind: str | None = None
    source: str | list[str] | None = Setting(default=None, alias="from")
    per: str | None = None
    of: str | None = None
    horizon: int | None = Setting(default=None, ge=1, le=10_000)
    base: Literal["motion", "season", "last"] | None = None
    align: Literal["ctc"] | None = None
    grams: int | None = Setting(default=None, ge=2, le=8)
    loss: str | None = None
    weight: float = Setting(default=1.0, gt=0)
    unit: Unit | None = None
    class_weights: Literal["balanced"] | dict[str, Annotated[float, Setting(gt=0)]] | None = None
    positive: str | None = None
    threshold: Annotated[float, Setting(gt=0, lt=1)] | Literal["likeliest", "f1", "cost"] | None = None
    cost: CostSpec | None = None
    when_mirrored: Literal["keep", "negate"] | None = None
    dim: int | None = Setting(default=None, ge=2, le=4096)
    tokens: Literal["characters", "words", "spaces", "bpe"] | None = None
    lower: bool | None = None
    vocabulary: int | None = Setting(default=None, ge=3)
    longest: int | None = Setting(default=None, ge=1)
    calibrate: bool = False

    @model_validator(mode="after")
    def _read_off(self) -> OutputSpec:
        if self.grams is not None and self.align is None:
            raise ValueError("grams goes with align: ctc; nothing else reads texts off a sequence")
        return self


class DecoderSpec(Frozen):
    """What writes a text that comes out.

    Args:
        dim: Numbers of its state.
        layers: LSTMs on top of each other.
        embed: Numbers of a token that goes back in.
        attention: How it looks at the input: luong (the new state asks), bahdanau (the old one does), or none.
        dropout: Share of embedded tokens and of what the next is chosen from that training leaves out.
        beam: Texts that are kept while one is written; 1 always takes the likeliest token, as scores between epochs do.
        length_penalty: Of two texts the likelier one by its score over its length to about this power is written: 0
            prefers short ones, more long ones.
        longest: Tokens of the longest text it writes; half as many again as the longest learned from when left out.
        tied: Whether the next token is chosen by comparing with the embedded ones, without weights of its own for each.
    """

    dim: int = Setting(default=256, ge=1)
    layers: int = Setting(default=1, ge=1, le=8)
    embed: int = Setting(default=128, ge=1)
    attention: Literal["luong", "bahdanau", "none"] = "luong"
    dropout: float = Setting(default=0.3, ge=0, lt=1)
    beam: int = Setting(default=5, ge=1, le=64)
    length_penalty: float = Setting(default=0.6, ge=0, le=5)
    longest: int | None = Setting(default=None, ge=1)
    tied: bool = False


class ModelSpec(Frozen):
    """The network between inputs and output units; the last layer follows from the output and is never written.

    Args:
        net: A network with a name for pictures, e.g. resnet18, or `{name: vgg, depth: 13}`; `model: resnet18` is short
            for it.
        layers: Layers as text, e.g. "conv 16x5 pad 2, relu, pool 2, dense 64, relu"; "" is a linear model.
        depth: Number of hidden layers, when neither of these is given.
        width: Units per hidden layer, when neither is given.
        connect: chain, residual (each layer adds to its input) or dense (each layer sees all before it).
        activation: Function of the hidden units, when neither is given.
        decoder: What writes a text that comes out.
        causal: Whether an answer at a step of a sequence depends on that step and those before alone; layers that look
            ahead are then refused, and a look before training proves it.
        initialiser: How first weights are drawn, e.g. orthogonal or `{name: normal, spread: 0.1}`; follows from each
            layer's activation when left out.
    """

    net: PartSpec | None = None
    layers: str | None = None
    depth: int | None = Setting(default=None, ge=0, le=1000)
    width: int | None = Setting(default=None, ge=1)
    connect: Literal["chain", "residual", "dense"] | None = None
    activation: str | None = None
    decoder: DecoderSpec | None = None
    causal: bool | None = None
    initialiser: PartSpec | None = None

    def shape(self) -> dict[str, Scalar]:
        """Depth, width, connect and activation, where they are set."""
        values = {name: getattr(self, name) for name in ("depth", "width", "connect", "activation")}
        return {name: value for name, value in values.items() if value is not None}

    @model_validator(mode="before")
    @classmethod
    def _named(cls, given: object) -> object:
        return {"net": given} if isinstance(given, str) else given

    @model_validator(mode="after")
    def _one_way(self) -> ModelSpec:
        ways = [name for name in ("net", "layers") if getattr(self, name) is not None]
        twice = [*ways, *self.shape()]
        if ways and len(twice) > 1:
            raise ValueError(f"{ways[0]} and {', '.join(twice[1:])} say the same thing twice; give one or the other")
        return self


_WAYS = ({"net"}, {"layers"}, {"depth", "width", "connect", "activation"})  # to say what a network is


class StopSpec(Frozen):
    """When training ends: whichever comes first.

    Args:
        watch: The output whose validation score is watched, or "loss" for the sum of the validation losses.
        patience: Epochs without improvement before stopping; 0 never stops early.
        epochs: Most epochs.
        steps: Most steps.
        minutes: Most minutes of training.
    """

    watch: str | None = None
    patience: int | None = Setting(default=None, ge=0)
    epochs: int | None = Setting(default=None, ge=1)
    steps: int | None = Setting(default=None, ge=1)
    minutes: float | None = Setting(default=None, gt=0)


class ClipSpec(Frozen):
    """Where gradients are cut; written `clip: 1.0` for the length of all of them together.

    Args:
        norm: Largest length of all gradients together.
        value: Largest size of each number of a gradient.
    """

    norm: float | None = Setting(default=None, gt=0)
    value: float | None = Setting(default=None, gt=0)

    @model_validator(mode="before")
    @classmethod
    def _short(cls, given: object) -> object:
        return {"norm": given} if isinstance(given, int | float) and not isinstance(given, bool) else given

    @model_validator(mode="after")
    def _one(self) -> ClipSpec:
        if (self.norm is None) == (self.value is None):
            raise ValueError("clip needs a norm or a value, one of the two: {norm: 1.0}")
        return self


class RegularizeSpec(Frozen):
    """What keeps the net from learning its examples by heart.

    Args:
        l1: Strength of the penalty on the sizes of weights, l1 sum |w|; with l2 an elastic net.
        l2: Strength of the penalty on their squares, l2 sum w^2.
        max_norm: Largest length of the weights into one unit.
        dropout: Chance of a hidden unit to be left out of a step, behind every dense layer's activation and behind
            every recurrent layer.
        noise: Spread of Gaussian noise on the inputs, in spreads of the input.
        label_smoothing: Share of the true class's probability that is given to all classes alike.
        mixup: Examples are blended in shares drawn from Beta(mixup, mixup), e.g. 0.2, and so are the answers asked for.
        cutmix: Pictures get a rectangle of another one, with an area drawn from Beta(cutmix, cutmix), e.g. 1.
    """

    l1: float | None = Setting(default=None, ge=0)
    l2: float | None = Setting(default=None, ge=0)
    max_norm: float | None = Setting(default=None, gt=0)
    dropout: float | None = Setting(default=None, ge=0, lt=1)
    noise: float | None = Setting(default=None, ge=0)
    label_smoothing: float | None = Setting(default=None, ge=0, lt=1)
    mixup: float | None = Setting(default=None, ge=0)
    cutmix: float | None = Setting(default=None, ge=0)


class TrainingSpec(Frozen):
    """How the network is trained.

    Args:
        batch_size: Examples per step, or `all`.
        optimizer: Its name and options, e.g. `{name: sgd, lr: 0.1, momentum: 0.9}`; `{lr: 0.01}` is adam's.
        schedule: How the learning rate moves, e.g. cosine, plateau or `{name: cosine, warmup: 500}`.
        clip: Where gradients are cut: a length, or `{value: 0.5}`.
        regularize: What keeps the net from learning its examples by heart.
        freeze: Of a training that starts from a trained model: how many layers keep their weights, counted from the
            input on; the name of the last of them; or `all` but those of the outputs.
        layer_rates: Share of the learning rate at which the first layer learns; from there to the outputs' full rate it
            rises by the same factor at each layer.
        scheduled_sampling: Share of the tokens fed back to a decoder that are its own guesses, reached at the last step
            of the budget; the true ones alone when left out.
        average: Decay of the running mean of the weights that is validated and kept, e.g. 0.999; none when left out.
        restarts: Trainings from different first weights, of which the one with the lowest training loss is kept.
        stop: When training ends.
        seed: Seed of everything random.
        threads: Computing threads; follows from the size of a step when left out.
        precision: How finely steps multiply: float32 or bfloat16; measured before a long training when left out.
    """

    batch_size: Annotated[int, Setting(ge=1)] | Literal["all"] | None = None
    optimizer: PartSpec | None = None
    schedule: PartSpec | None = None
    clip: ClipSpec | None = None
    regularize: RegularizeSpec = RegularizeSpec()
    freeze: Annotated[int, Setting(ge=1)] | str | None = None
    layer_rates: float | None = Setting(default=None, gt=0, le=1)
    scheduled_sampling: float | None = Setting(default=None, gt=0, le=1)
    average: float | None = Setting(default=None, gt=0, lt=1)
    restarts: int | None = Setting(default=None, ge=1)
    stop: StopSpec = StopSpec()
    seed: int = Setting(default=0, ge=0)
    threads: int | None = Setting(default=None, ge=1)
    precision: Literal["float32", "bfloat16"] | None = None

    @model_validator(mode="before")
    @classmethod
    def _default_names(cls, given: object) -> object:
        """Options without a name belong to the default part."""
        if not isinstance(given, dict):
            return given
        named = {
            room: {"name": default, **given[room]}
            for room, default in (("optimizer", "adam"), ("schedule", "cosine"))
            if isinstance(given.get(room), dict)
        }
        return {**given, **named}


def _named(given: object) -> object:
    """`[a, b]` and `{a: image}` are short for `{a: {}, b: {}}` and `{a: {kind: image}}`."""
    if isinstance(given, list):
        return {name: {} for name in given}
    if isinstance(given, dict):
        return {name: {"kind": v} if isinstance(v, str) else ({} if v is None else v) for name, v in given.items()}
    return given


class Spec(Frozen):
    """A whole run, said once.

    Example:
        >>> spec = load("{data: {path: houses.csv}, outputs: [price]}")
        >>> spec.data.path, list(spec.outputs), spec.training.seed
        ('houses.csv', ['price'], 0)
    """

    version: int = VERSION
    data: DataSpec = DataSpec()
    inputs: dict[str, InputSpec] = Setting(default={})
    outputs: dict[str, OutputSpec] = Setting(default={})
    model: ModelSpec = ModelSpec()
    training: TrainingSpec = TrainingSpec()

    @property
    def split_seed(self) -> int:
        """Seed of the draw of the split."""
        return self.training.seed if self.data.split.seed is None else self.data.split.seed

    @model_validator(mode="before")
    @classmethod
    def _short_forms(cls, given: object) -> object:
        if isinstance(given, dict):
            return {k: _named(v) if k in {"inputs", "outputs"} else v for k, v in given.items()}
        return given

    @model_validator(mode="after")
    def _sound(self) -> Spec:
        if self.version != VERSION:
            raise ValueError(f"spec version {self.version} is not known; this netwright reads version {VERSION}")
        both = sorted(set(self.inputs) & set(self.outputs))
        if both:
            raise ValueError(f"{', '.join(both)} cannot be input and output at once")
        for name, out in self.outputs.items():
            if out.of is not None and out.of not in (self.inputs or {"text": None}):
                raise ValueError(f"outputs.{name}.of is {out.of}, which does not go in")
            if (out.horizon is not None or out.base is not None) and out.of is None:
                raise ValueError(f"outputs.{name}.horizon needs `of`: the input whose next steps are asked for")
            if out.per is not None and self.inputs and out.per not in self.inputs:
                raise ValueError(f"outputs.{name}.per is {out.per}, which does not go in")
            if out.per is not None and (out.of or out.align):
                raise ValueError(f"outputs.{name}: per and {'of' if out.of else 'align'} are two things; give one")
        return self

    @model_validator(mode="after")
    def _sound_steps(self) -> Spec:
        if self.data.split.fold and any(out.of is not None for out in self.outputs.values()):
            raise ValueError("data.split.fold deals out examples one by one, and windows of one text or track overlap")
        ahead = any(out.horizon is not None for out in self.outputs.values())
        if self.data.order is not None and self.data.group is None and not ahead:
            raise ValueError("data.order orders the steps of sequences; data.group says which rows belong to one")
        if self.data.day_first is not None and not ahead and self.data.order is None:
            raise ValueError("data.day_first is for dates that order steps; an input has inputs.NAME.day_first")
        return self


def load(source: str | Path, origin: str = "spec") -> Spec:
    """A spec from YAML text or a YAML file.

    Args:
        source: The text, or the path of a file.
        origin: What error messages call the text.

    Raises:
        SpecError: Unreadable YAML, or fields that are unknown or out of range: all of them, with lines.
    """
    if isinstance(source, Path):
        origin = str(source)
        try:
            source = source.read_text(encoding="utf-8")
        except (OSError, UnicodeDecodeError) as exc:
            raise SpecError(f"{origin}: cannot be read as a spec ({exc}).", "Give a UTF-8 YAML file.") from exc
    values, lines = yaml12.load(source, origin)
    if not isinstance(values, dict):
        raise SpecError(
            f"{origin}: a spec is a mapping with data, inputs, outputs, model, training.",
            "See `netwright recipes show digits` for one that works.",
        )
    return validate(values, lines, origin)


def validate(
    values: dict[str, object],
    lines: dict[str, int] | None = None,
    origin: str = "spec",
    said: dict[str, str] | None = None,
) -> Spec:
    """A spec from plain values; see `load` for what it raises, and `override` for `said`."""
    try:
        return Spec.model_validate(values)
    except ValidationError as exc:
        found = problems(exc, Spec, lines or {}, said or {})
    listed = "".join(f"\n  {each}" for each in found)
    raise SpecError(f"{origin}: {counted(len(found), 'problem')} found:{listed}", "Correct these.")


def dump(spec: BaseModel) -> str:
    """YAML of a spec (or another model of this module); `load(dump(spec)) == spec`."""
    return yaml12.dump(spec.model_dump(mode="json", by_alias=True, exclude_none=True))


def override(spec: Spec, values: dict[str, str], said: dict[str, str] | None = None) -> Spec:
    """A spec with some settings replaced, as `--set training.batch_size=64` does.

    Args:
        spec: The spec to start from; unchanged.
        values: Dotted paths to YAML values.
        said: What the user wrote for some of the paths, e.g. --epochs, for messages.

    Raises:
        SpecError: An unknown path or a value out of range.

    Example:
        >>> override(Spec(), {"training.batch_size": "64", "training.optimizer.name": "sgd"}).training.batch_size
        64
    """
    tree: dict[str, object] = spec.model_dump(mode="json", by_alias=True, exclude_unset=True)
    for path, text in values.items():
        value, _ = yaml12.load(text, (said or {}).get(path, f"--set {path}"))
        *parents, last = path.split(".")
        place: dict[str, object] = tree
        for parent in parents:
            inner = place[parent] = _grown(parent, place.get(parent, {}))
            if not isinstance(inner, dict):
                raise SpecError(f"--set {path}: {parent} holds {inner!r} and has no settings below it.")
            place = inner
        place[last] = value
        if parents[:1] == ["model"] or last == "model":
            _give_way(tree["model"], (*parents, last), value, values)
    origin = ("command line" if said else "--set") if values else "spec"
    return validate(tree, origin=origin, said=said)


def _give_way(model: object, path: tuple[str, ...], value: object, values: dict[str, str]) -> None:
    """Of the ways to say what a network is, that of the command line replaces the spec's; two there are refused."""
    way = next((way for way in _WAYS if path[-1] in way or (path[1:2] and path[1] in way)), None)
    if way is None or value is None or not isinstance(model, dict):
        return
    for other in set().union(*_WAYS) - way:
        if not any(given.startswith(f"model.{other}") for given in values):
            model.pop(other, None)


def _grown(name: str, value: object) -> object:
    """`optimizer: adam` as a mapping that can take options; everything else as it is."""
    parts = {"optimizer", "schedule", "initialiser", "net"}
    return {"name": value} if isinstance(value, str) and name in parts else value


def named_fields(text: str) -> dict[str, dict[str, str]]:
    """`a,b:number` as on the command line: names with an optional kind.

    Example:
        >>> named_fields("photo:image, age")
        {'photo': {'kind': 'image'}, 'age': {}}
    """
    fields: dict[str, dict[str, str]] = {}
    for word in filter(None, (word.strip() for word in text.split(","))):
        name, colon, kind = word.rpartition(":")
        fields[name if colon else word] = {"kind": kind} if colon else {}
    return fields


def parts_named(spec: Spec) -> list[tuple[str, str]]:
    """(room, name) of every registered part a spec names, for the record of own parts."""
    training, named = spec.training, []
    named += [("optimizer", training.optimizer.name)] if training.optimizer else []
    named += [("schedule", training.schedule.name)] if training.schedule else []
    named += [("net", spec.model.net.name)] if spec.model.net else []
    named += [("activation", spec.model.activation)] if spec.model.activation else []
    named += [("initialiser", spec.model.initialiser.name)] if spec.model.initialiser else []
    named += [("loss", out.loss) for out in spec.outputs.values() if out.loss]
    named += [("transform", transform.name) for wish in spec.inputs.values() for transform in wish.augment or ()]
    return named


def schema() -> dict[str, object]:
    """The JSON schema of a spec, for editors."""
    return Spec.model_json_schema(by_alias=True)
