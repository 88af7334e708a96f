"""Names to parts: the one list of everything a spec can name, readable without importing any of it.

A part is registered by one line in `_BUILT_IN`: room, name, `module:object` and one sentence. Its options are
read from its signature when it is first used, so a part's signature is its schema and is declared nowhere else.
Names in specs, data folders and model files resolve only here; a name is never a path and never imports anything
that is not listed. A user's own parts join through `register`, from Python or from a file given with `--use`.
"""

from __future__ import annotations

import difflib
import hashlib
import importlib
import importlib.util
import inspect
from collections.abc import Callable, Iterable
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any, Literal, TypeVar, get_args, get_origin, get_type_hints

from netwright.errors import SpecError

T = TypeVar("T")


@dataclass(frozen=True)
class Part:
    """One thing a spec can name.

    Args:
        room: The kind of part, e.g. "layer" or "optimizer".
        name: What the user writes.
        target: `module:object`, imported on first use.
        summary: One sentence for lists and help.
        facts: What the spec must know without importing the part, e.g. `{"reads": "files"}`.
        source_sha256: Set for a user's own part: the hash of its source file or text.
    """

    room: str
    name: str
    target: str
    summary: str
    facts: dict[str, str] = field(default_factory=dict)
    source_sha256: str = ""


_BUILT_IN: dict[str, dict[str, tuple[str, str] | tuple[str, str, dict[str, str]]]] = {
    # room: {name: (module:object, summary[, facts])}; order is the order tried or listed
    "layout": {
        "sklearn": ("netwright.readers.layouts.bundled:Bundled", "small real sets by name: `sklearn:digits`"),
        "idx": ("netwright.readers.layouts.idx:Idx", "MNIST's idx files, packed or not"),
        "class_folders": ("netwright.readers.layouts.class_folders:ClassFolders", "one folder (or tar) per class"),
        "csv": ("netwright.readers.layouts.csv_table:CsvTable", "a CSV or TSV table, alone or beside its files"),
        "parquet": ("netwright.readers.layouts.parquet:Parquet", "a Parquet table"),
        "loose_files": ("netwright.readers.layouts.loose_files:LooseFiles", "pictures without classes, to predict"),
    },
    "kind": {
        "image": ("netwright.readers.kinds.image:Image", "a picture"),
        "number": ("netwright.readers.kinds.number:Number", "a quantity"),
        "category": ("netwright.readers.kinds.category:Category", "one of several classes"),
        "vector": ("netwright.readers.kinds.vector:Vector", "several quantities as one"),
        "tags": ("netwright.readers.kinds.tags:Tags", "several classes at once, or none: `beach;sun`"),
        "identity": ("netwright.readers.kinds.identity:Identity", "whose picture it is, to be told apart; out only"),
        "date": ("netwright.readers.kinds.date:Date", "a day, with or without a time; goes in only"),
    },
    "transform": {
        "mirror": (
            "netwright.data.augment.geometry:Mirror",
            "left becomes right in every other epoch: twice as many pictures",
        ),
        "shift": ("netwright.data.augment.geometry:Shift", "moved by a few pixels: `{name: shift, px: 2}`"),
        "crop": ("netwright.data.augment.geometry:Crop", "a part brought to full size: `{name: crop, share: 0.25}`"),
        "rotate": ("netwright.data.augment.geometry:Rotate", "turned: `{name: rotate, degrees: 15}`"),
        "stretch": ("netwright.data.augment.geometry:Stretch", "longer or wider: `{name: stretch, share: 0.2}`"),
        "distort": ("netwright.data.augment.geometry:Distort", "bent like rubber: `{name: distort, share: 0.3}`"),
        "colour": ("netwright.data.augment.colour:Colour", "a cast of colour: `{name: colour, strength: 0.3}`"),
        "light": ("netwright.data.augment.colour:Light", "brightness and contrast: `{name: light, strength: 0.3}`"),
        "grain": ("netwright.data.augment.colour:Grain", "noise in every pixel: `{name: grain, spread: 0.1}`"),
        "erase": ("netwright.data.augment.colour:Erase", "a rectangle covered: `{name: erase, share: 0.25}`"),
    },
    "layer": {
        "dense": ("netwright.models.layers:Dense", "weighted sums of all inputs plus a bias: `dense 64`"),
        "conv": ("netwright.models.layers:Conv", "filters slid over a picture: `conv 16x5 pad 2`, 16 of 5x5"),
        "pool": (
            "netwright.models.layers:Pool",
            "the largest (mean, sum) of each window: `pool 2`, `pool avg 2`",
        ),
        "global_pool": ("netwright.models.layers:GlobalPool", "the average of each whole channel: `global_pool`"),
        "batch_norm": (
            "netwright.models.layers:BatchNorm",
            "each channel at mean 0 and spread 1, then as learned: `batch_norm`",
        ),
        "widen": ("netwright.models.layers:Widen", "a shortcut to more channels and fewer places: `widen 32 stride 2`"),
        "maxout": (
            "netwright.models.layers:Maxout",
            "the largest of several sums: `maxout 64 group 3`",
            {"initialiser": "he"},
        ),
        "rbf": ("netwright.models.layers:Rbf", "units that answer to learned places: `rbf 32`"),
        "dropout": ("netwright.models.layers:Dropout", "numbers set to 0 by chance while training: `dropout 0.5`"),
        "flatten": ("netwright.models.layers:Flatten", "a picture's numbers in one row: `flatten`"),
    },
    "net": {
        # functions of a picture's shape that write the layers of a published network
        "lenet": ("netwright.models.convnets.classic:lenet", "two convolutions and two dense layers, for digits"),
        "convnetjs": ("netwright.models.convnets.classic:convnetjs", "three small convolutions, for CIFAR-10"),
        "tiny_vgg": ("netwright.models.convnets.vgg:tiny_vgg", "six convolutions of ten filters"),
        "alexnet": ("netwright.models.convnets.classic:alexnet", "five convolutions and two large dense layers"),
        "vgg": ("netwright.models.convnets.vgg:vgg", "many convolutions of 3x3: `{name: vgg, depth: 13}`"),
        "vgg16": ("netwright.models.convnets.vgg:vgg16", "VGG with sixteen layers"),
        "vgg19": ("netwright.models.convnets.vgg:vgg19", "VGG with nineteen layers"),
        "googlenet": ("netwright.models.convnets.inception:googlenet", "filters of several sizes side by side"),
        "bn_inception": ("netwright.models.convnets.inception:bn_inception", "Inception with batch normalisation"),
        "resnet": ("netwright.models.convnets.resnet:resnet", "sums over shortcuts: `{name: resnet, depth: 34}`"),
        "resnet18": ("netwright.models.convnets.resnet:resnet18", "a residual network of eighteen layers"),
        "resnet50": ("netwright.models.convnets.resnet:resnet50", "a residual network of fifty layers"),
        "resnet152": ("netwright.models.convnets.resnet:resnet152", "a residual network of 152 layers"),
        "cifar_resnet": (
            "netwright.models.convnets.resnet:cifar_resnet",
            "small, for small pictures: `{name: cifar_resnet, depth: 20}`",
        ),
        "wide_resnet": (
            "netwright.models.convnets.resnet:wide_resnet",
            "more channels: `{name: wide_resnet, depth: 16, width: 4}`",
        ),
    },
    "activation": {
        # "initialiser": how the weights in front of this activation are drawn; "limits": its least and largest value
        "relu": (
            "netwright.models.activations:relu",
            "max(0, x); the default of hidden layers",
            {"initialiser": "he", "limits": "0 inf"},
        ),
        "leaky_relu": (
            "netwright.models.activations:leaky_relu",
            "max(0, x) + slope min(0, x): no unit stops learning",
            {"initialiser": "he"},
        ),
        "elu": ("netwright.models.activations:elu", "x, or alpha (e^x - 1) below 0", {"initialiser": "he"}),
        "softplus": ("netwright.models.activations:softplus", "log(1 + e^x), a smooth relu", {"initialiser": "he"}),
        "hard_tanh": (
            "netwright.models.activations:hard_tanh",
            "max(-1, min(1, x))",
            {"initialiser": "glorot", "limits": "-1 1"},
        ),
        "tanh": (
            "netwright.models.activations:tanh",
            "(e^x - e^-x) / (e^x + e^-x)",
            {"initialiser": "glorot", "limits": "-1 1"},
        ),
        "sigmoid": (
            "netwright.models.activations:sigmoid",
            "1 / (1 + e^-x)",
            {"initialiser": "glorot", "limits": "0 1"},
        ),
        "threshold": (
            "netwright.models.activations:threshold",
            "1 above 0, else 0",
            {
                "initialiser": "glorot",
                "derivative": "straight-through: its true derivative is 0, so that it counts as a line near its step",
            },
        ),
        "identity": ("netwright.models.activations:identity", "x itself", {"initialiser": "glorot"}),
    },
    "initialiser": {
        "he": ("netwright.models.initialisers:he", "U(+-sqrt(6 / inputs)): keeps the spread through relu and like"),
        "glorot": ("netwright.models.initialisers:glorot", "U(+-sqrt(6 / (inputs + outputs))): tanh, sigmoid, linear"),
        "glorot_printed": (
            "netwright.models.initialisers:glorot_printed",
            "U(+-6 / sqrt(inputs + outputs)): a misprint, 2.4 times too wide",
        ),
        "fan_in": ("netwright.models.initialisers:fan_in", "U(+-1 / sqrt(inputs)): a plain old rule"),
        "normal": ("netwright.models.initialisers:normal", "a Gaussian of one spread for every layer"),
        "orthogonal": ("netwright.models.initialisers:orthogonal", "rows at right angles: lengths are kept"),
        "zeros": ("netwright.models.initialisers:zeros", "all the same, for teaching: nothing tells units apart"),
    },
    "task": {
        # named after the kind of output it serves
        "category": ("netwright.tasks.category:Category", "one of several classes: softmax, or sigmoid for two"),
        "number": ("netwright.tasks.number:Number", "one real number in its own units"),
        "vector": ("netwright.tasks.vector:Vector", "several real numbers in their own units"),
        "tags": ("netwright.tasks.tags:Tags", "several classes at once: a sigmoid and a threshold for each"),
        "identity": ("netwright.tasks.identity:Identity", "embeddings in which examples of one identity lie together"),
    },
    "loss": {
        # "compares": what the loss is given, class scores with class codes or values with values
        "cross_entropy": (
            "netwright.losses:cross_entropy",
            "-log of the true class's softmax",
            {"compares": "classes"},
        ),
        "binary_cross_entropy": (
            "netwright.losses:binary_cross_entropy",
            "-log of the true answer's sigmoid, two classes",
            {"compares": "yes_no"},
        ),
        "hinge": (
            "netwright.losses:hinge",
            "sum over wrong classes of max(0, score - true score + 1)",
            {"compares": "classes"},
        ),
        "absolute": ("netwright.losses:absolute", "mean of |output - target|", {"compares": "values"}),
        "huber": ("netwright.losses:huber", "squared for small errors, absolute for large", {"compares": "values"}),
        "squared": ("netwright.losses:squared", "mean of (output - target)^2", {"compares": "values"}),
        "triplet": (
            "netwright.losses:triplet",
            "max(0, distance of positive - of negative + margin)",
            {"compares": "triplets"},
        ),
    },
    "optimizer": {
        "adam": ("netwright.training.optimizers:adam", "steps scaled by running mean and root mean square"),
        "adamw": ("netwright.training.optimizers:adamw", "adam with weights that decay apart from the gradient"),
        "adagrad": ("netwright.training.optimizers:adagrad", "steps divided by the root of all squares so far"),
        "rmsprop": ("netwright.training.optimizers:rmsprop", "steps divided by a running root mean square"),
        "sgd": ("netwright.training.optimizers:sgd", "stochastic gradient descent, with momentum if asked"),
    },
    "schedule": {
        "cosine": ("netwright.training.schedules:cosine", "from the full rate down to none along half a cosine"),
        "constant": ("netwright.training.schedules:constant", "the same rate throughout", {"end": "any"}),
        "step": ("netwright.training.schedules:step", "stairs: the rate drops by a factor a few times"),
        "exponential": ("netwright.training.schedules:exponential", "the same share is lost at every step"),
        "one_cycle": ("netwright.training.schedules:one_cycle", "up from a small rate and down to a smaller one"),
        "plateau": (
            "netwright.training.strategies.plateau:Plateau",
            "drops when the validation score stops getting better",
            {"end": "any", "strategy": "plateau"},
        ),
    },
    "strategy": {
        "finite": ("netwright.training.strategies.finite:Finite", "refuses steps whose loss is no number"),
        "early_stopping": (
            "netwright.training.strategies.early_stopping:EarlyStopping",
            "keeps the best epoch's weights, stops when more bring nothing",
        ),
        "augment": (
            "netwright.training.strategies.augment:Augment",
            "training pictures seen differently at every step",
        ),
        "mix": ("netwright.training.strategies.mix:Mix", "blends of two examples, and of the answers asked for"),
        "noise": ("netwright.training.strategies.noise:Noise", "adds chance to the inputs of training batches"),
        "penalty": ("netwright.training.strategies.penalty:Penalty", "l1 and l2 on the weights, reported apart"),
        "clipping": ("netwright.training.strategies.clipping:Clipping", "cuts large gradients and counts how often"),
        "max_norm": ("netwright.training.strategies.max_norm:MaxNorm", "bounds the length of each unit's weights"),
        "plateau": ("netwright.training.strategies.plateau:Plateau", "drops the rate when nothing gets better"),
        "averaging": ("netwright.training.strategies.averaging:Averaging", "keeps a running mean of the weights"),
        "controls": ("netwright.training.strategies.controls:Controls", "acts of a person on a running training"),
    },
    "observer": {
        "progress": ("netwright.training.observers:Progress", "tells a display how far training is"),
        "timing": ("netwright.training.observers:Timing", "writes when each epoch ended"),
        "evidence": (
            "netwright.training.evidence:Evidence",
            "looks at activations, weights and gradients now and then",
        ),
    },
    "check": {
        # "looks_at": prepared data, or the first batch ("start"); the order is the order of reading
        "examples": (
            "netwright.doctor.checks.examples:Examples",
            "how many examples are used, and which were set aside and why",
            {"looks_at": "data"},
        ),
        "targets": (
            "netwright.doctor.checks.targets:Targets",
            "class codes out of range, or nothing to tell apart",
            {"looks_at": "data"},
        ),
        "imbalance": (
            "netwright.doctor.checks.classes:Imbalance",
            "one class is far more frequent than another",
            {"looks_at": "data"},
        ),
        "rare_classes": (
            "netwright.doctor.checks.classes:RareClasses",
            "classes with too few examples to be learned or scored",
            {"looks_at": "data"},
        ),
        "twin_classes": (
            "netwright.doctor.checks.classes:TwinClasses",
            "class names that differ by a typing slip",
            {"looks_at": "data"},
        ),
        "copies": (
            "netwright.doctor.checks.copies:Copies",
            "examples with the same inputs, and whether their answers agree",
            {"looks_at": "data"},
        ),
        "near_twins": (
            "netwright.doctor.checks.copies:NearTwins",
            "pictures that look alike on both sides of a split",
            {"looks_at": "data"},
        ),
        "leaks": (
            "netwright.doctor.checks.leaks:Leaks",
            "one input column that tells the answer all by itself",
            {"looks_at": "data"},
        ),
        "constant_inputs": (
            "netwright.doctor.checks.columns:ConstantInputs",
            "input columns that never change",
            {"looks_at": "data"},
        ),
        "same_inputs": (
            "netwright.doctor.checks.columns:SameInputs",
            "input columns that say the same thing twice",
            {"looks_at": "data"},
        ),
        "outliers": (
            "netwright.doctor.checks.scale:Outliers",
            "single values so large that all others look alike beside them",
            {"looks_at": "data"},
        ),
        "scale": (
            "netwright.doctor.checks.scale:Scale",
            "numbers that reach the network far too large or too small",
            {"looks_at": "data"},
        ),
        "labels": ("netwright.doctor.checks.labels:Labels", "examples whose class looks wrong", {"looks_at": "data"}),
        "order": ("netwright.doctor.checks.order:Order", "a source sorted by class", {"looks_at": "data"}),
        "first_loss": (
            "netwright.doctor.checks.first_loss:FirstLoss",
            "a first loss far from that of answering blindly",
            {"looks_at": "start"},
        ),
        "spread": (
            "netwright.doctor.checks.signal:Spread",
            "signals that vanish or explode on their way through the layers",
            {"looks_at": "start"},
        ),
        "symmetry": (
            "netwright.doctor.checks.signal:Symmetry",
            "layers whose units all do the same",
            {"looks_at": "start"},
        ),
        "dead_units": (
            "netwright.doctor.checks.signal:DeadUnits",
            "units that are 0 for every example",
            {"looks_at": "start"},
        ),
        "gradients": (
            "netwright.doctor.checks.signal:Gradients",
            "layers that get no gradient, or one that is no number",
            {"looks_at": "start"},
        ),
    },
}
_LECTURES = {
    # which of the five lectures name a part, by room; `LECTURES` has their subjects
    "transform": {
        "mirror": "1234",
        "shift": "23",
        "crop": "23",
        "rotate": "23",
        "stretch": "23",
        "distort": "23",
        "colour": "23",
        "grain": "124",
    },
    "net": {
        "lenet": "3",
        "convnetjs": "4",
        "tiny_vgg": "2",
        "alexnet": "1234",
        "vgg16": "124",
        "vgg19": "124",
        "googlenet": "124",
        "bn_inception": "1",
        "resnet152": "124",
        "wide_resnet": "14",
    },
    "layer": {
        "dense": "24",
        "conv": "234",
        "pool": "234",
        "maxout": "134",
        "rbf": "14",
        "dropout": "1234",
        "batch_norm": "14",
    },
    "activation": {
        "relu": "1234",
        "leaky_relu": "14",
        "elu": "3",
        "softplus": "14",
        "hard_tanh": "14",
        "tanh": "1234",
        "sigmoid": "123",
        "threshold": "23",
    },
    "initialiser": {"glorot": "14", "glorot_printed": "14", "fan_in": "14"},
    "loss": {"cross_entropy": "134", "binary_cross_entropy": "14", "hinge": "3", "squared": "1234", "triplet": "3"},
    "optimizer": {"sgd": "124", "adagrad": "2"},
    "schedule": {"plateau": "2"},
    "strategy": {
        "augment": "1234",
        "noise": "124",
        "penalty": "1234",
        "clipping": "25",
        "max_norm": "14",
        "plateau": "2",
        "early_stopping": "134",
    },
}
LECTURES = {
    "1": "recurrent networks and training strategies",
    "2": "so you want to train a neural network",
    "3": "an introduction to neural networks",
    "4": "convolutional networks and training strategies",
    "5": "transfer learning and recurrent networks",
}
_OTHER_NAMES = {  # what other programs call a setting
    "learning_rate": "lr",
    "max_epochs": "epochs",
    "early_stopping": "patience",
    "hidden_units": "width",
    "random_state": "seed",
    "test_size": "parts",
}
_own: dict[tuple[str, str], tuple[Part, object]] = {}


def nearest(name: str, names: Iterable[str]) -> str:
    """The phrase ` (did you mean "x"?)`, or nothing when no name is near.

    Example:
        >>> nearest("catt", ["cat", "dog"]), nearest("--lerning-rate", ["--lr", "--width"])
        (' (did you mean "cat"?)', ' (did you mean "--lr"?)')
    """
    found = close(name, names)
    return f' (did you mean "{found}"?)' if found else ""


def close(name: str, names: Iterable[str]) -> str:
    """The name that was probably meant, also where others call a setting differently; nothing when none is near."""
    folded = {known.casefold(): known for known in names}
    near = difflib.get_close_matches(name.casefold(), folded, n=1, cutoff=0.6)
    if near:
        return folded[near[0]]
    plain = name.casefold().lstrip("-").replace("-", "_")
    other = difflib.get_close_matches(plain, _OTHER_NAMES, n=1, cutoff=0.8)
    meant = _OTHER_NAMES[other[0]] if other else ""
    return next((known for key, known in folded.items() if meant and key.lstrip("-") == meant), "")


def rooms() -> tuple[str, ...]:
    """Every room that has parts."""
    return tuple(dict.fromkeys([*_BUILT_IN, *(room for room, _ in _own)]))


def parts(room: str) -> dict[str, Part]:
    """All parts of a room by name, built in first, nothing imported."""
    found = {}
    for name, entry in _BUILT_IN.get(room, {}).items():
        target, summary, *facts = entry
        told = {"lectures": _LECTURES[room][name]} if name in _LECTURES.get(room, {}) else {}
        found[name] = Part(room, name, target, summary, {**(facts[0] if facts else {}), **told})
    found.update({name: part for (of, name), (part, _) in _own.items() if of == room})
    return found


def part(room: str, name: str) -> Part:
    """One part by name.

    Raises:
        SpecError: No such name; lists the known ones and the nearest.
    """
    known = parts(room)
    if name not in known:
        raise SpecError(
            f'unknown {room} "{name}"{nearest(name, known)}.',
            f"Known {room}s: {', '.join(known) or 'none'}. Own parts come with --use my_parts.py.",
        )
    return known[name]


def resolve(room: str, name: str) -> Any:  # noqa: ANN401  (parts are of many types; each room's caller knows its own)
    """The object a name stands for, imported now.

    Raises:
        SpecError: No such name in this room.
    """
    found = part(room, name)
    if (room, name) in _own:
        return _own[room, name][1]
    module, _, attribute = found.target.partition(":")
    return getattr(importlib.import_module(module), attribute)


def options(room: str, name: str, *, given: tuple[str, ...] = ()) -> dict[str, inspect.Parameter]:
    """The options a spec may set on a part: its signature without what the program supplies.

    Args:
        room: Room of the part.
        name: Name of the part.
        given: Parameters the program supplies itself, e.g. `("params",)` of an optimizer.
    """
    signature = inspect.signature(resolve(room, name))
    return {key: value for key, value in signature.parameters.items() if key not in (*given, "self")}


def check_options(room: str, name: str, values: dict[str, Any], *, given: tuple[str, ...] = ()) -> list[str]:
    """Problems with the options a spec sets on a part, in words; empty when all is well."""
    known = options(room, name, given=given)
    problems = [
        f'{room} "{name}" has no option "{key}"{nearest(key, known)}; it takes {", ".join(known) or "none"}'
        for key in values
        if key not in known
    ]
    target = resolve(room, name)
    hints = get_type_hints(target.__init__ if inspect.isclass(target) else target)
    for key, value in values.items():
        if key in known and (wanted := _wanted(hints.get(key), value)):
            problems.append(f'{room} "{name}" option "{key}" is {value!r}, expected {wanted}')
    return problems


def _wanted(hint: object, value: object) -> str:
    """What an option of this type must be, in words, when the value is not it; else nothing."""
    if get_origin(hint) is Literal:
        return "" if value in get_args(hint) else " or ".join(map(str, get_args(hint)))
    words = {int: "a whole number", float: "a number", str: "text", bool: "true or false"}
    if hint not in words:
        return ""
    if hint in (int, float):
        fits = isinstance(value, (int, float) if hint is float else int) and not isinstance(value, bool)
    else:
        fits = isinstance(value, hint)  # type: ignore[arg-type]
    return "" if fits else words[hint]  # type: ignore[index]


def register(room: str, name: str, summary: str = "own part") -> Callable[[T], T]:
    """Decorator: add a part of one's own under a name.

    Example:
        >>> @register("activation", "square_example")
        ... def square(x):
        ...     return x * x
        >>> resolve("activation", "square_example")(3)
        9

    Raises:
        SpecError: The name is taken by a built-in part.
    """

    def add(target: T) -> T:
        if name in _BUILT_IN.get(room, {}):
            raise SpecError(
                f'{room} "{name}" is built in and cannot be replaced.', "Register the part under another name."
            )
        try:
            source = inspect.getsource(target)  # type: ignore[arg-type]
        except (OSError, TypeError):
            source = repr(target)
        digest = hashlib.sha256(source.encode()).hexdigest()
        where = f"{getattr(target, '__module__', '?')}:{getattr(target, '__qualname__', name)}"
        _own[room, name] = (Part(room, name, where, summary, {}, digest), target)
        return target

    return add


def use(path: Path) -> None:
    """Run a file of the user's own parts; only ever called for a file the user named with `--use`.

    Raises:
        SpecError: The file is missing or is not Python.
    """
    if not path.is_file() or path.suffix != ".py":
        raise SpecError(f"--use {path}: no such Python file.", "Give the path of a .py file that registers parts.")
    module = importlib.util.spec_from_file_location(f"netwright_own_{path.stem}", path)
    if module is None or module.loader is None:  # pragma: no cover - importlib gives one for every .py file
        raise SpecError(f"--use {path}: cannot be loaded.", "Check that it is plain Python.")
    module.loader.exec_module(importlib.util.module_from_spec(module))


def own_parts(named: Iterable[tuple[str, str]]) -> list[Part]:
    """Those of the named (room, name) pairs that are a user's own, for the record in run and model file."""
    return [_own[key][0] for key in named if key in _own]
