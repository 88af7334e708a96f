"""The one list of everything that a spec can name: a line for each part, and which lectures name it.

A line is room, name, `module:object`, one sentence, and what a spec must know of the part without importing it. The
order is the order in which parts are tried or listed. `registry` makes parts of these lines.
"""

from __future__ import annotations

DATA_BY_NAME = ("sklearn:", "netwright:")  # how data that comes with a program is named in the place of a path

BUILT_IN: dict[str, dict[str, tuple[str, str] | tuple[str, str, dict[str, str]]]] = {
    # room: {name: (module:object, summary[, facts])}; order is the order tried or listed
    "layout": {
        "sklearn": ("netwright.readers.layouts.bundled:Bundled", "small real sets by name: `sklearn:digits`"),
        "spoken_digits": (
            "netwright.readers.layouts.spoken_digits:SpokenDigits",
            "the Free Spoken Digit Dataset",
        ),
        "netwright": ("netwright.readers.layouts.shipped:Shipped", "tiny texts to look through: `netwright:hello`"),
        "idx": ("netwright.readers.layouts.idx:Idx", "MNIST's idx files, packed or not"),
        "cifar": ("netwright.readers.layouts.cifar:Cifar", "CIFAR-10 and CIFAR-100, binary version"),
        "voc": ("netwright.readers.layouts.voc:Voc", "PASCAL VOC: pictures and what objects they show"),
        "imagenet": ("netwright.readers.layouts.imagenet:ImageNet", "ImageNet's train and val, val sorted or flat"),
        "pendigits": ("netwright.readers.layouts.pendigits:PenDigits", "UCI's pen-based digits, other writers test"),
        "digilets": ("netwright.readers.layouts.digilets:DigiLets", "DigiLeTs: characters in pen ink by writer"),
        "class_folders": ("netwright.readers.layouts.class_folders:ClassFolders", "one folder (or tar) per class"),
        "parallel_texts": (
            "netwright.readers.layouts.parallel_texts:ParallelTexts",
            "texts in several languages, line by line: train.en, train.de",
        ),
        "labelled_lines": (
            "netwright.readers.layouts.labelled_lines:LabelledLines",
            "a text with a class and a text on each line",
        ),
        "csv": ("netwright.readers.layouts.csv_table:CsvTable", "a CSV or TSV table, alone or beside its files"),
        "parquet": ("netwright.readers.layouts.parquet:Parquet", "a Parquet table"),
        "named_files": (
            "netwright.readers.layouts.named_files:NamedFiles",
            "files whose names say what they are, by `data.names`",
        ),
        "timed_tables": (
            "netwright.readers.layouts.timed_tables:TimedTables",
            "tables of rows in time, `frame id x y`, one file or several",
        ),
        "text_files": ("netwright.readers.layouts.text_files:TextFiles", "a text, or a folder of texts"),
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
        "audio": (
            "netwright.readers.kinds.audio:Audio",
            "a sound: how loud each pitch is, 100 times a second; in only",
        ),
        "ink": ("netwright.readers.kinds.ink:Ink", "pen points in their order; goes in only"),
        "text": ("netwright.readers.kinds.text:Text", "words or characters in their order"),
        "track": ("netwright.readers.kinds.track:Track", "where somebody was, step by step"),
        "series": ("netwright.readers.kinds.series:Series", "numbers over time, gone on with"),
        "signal": ("netwright.readers.kinds.signal:Signal", "some numbers at every step, e.g. what a sensor measures"),
        "labels": ("netwright.readers.kinds.labels:Labels", "a class at every step: a category with `per`; out only"),
    },
    "transform": {
        "mirror": (
            "netwright.data.augment.geometry:Mirror",
            "left becomes right in every other epoch: twice as many views",
        ),
        "shift": ("netwright.data.augment.geometry:Shift", "moved by a few pixels: `{name: shift, px: 2}`"),
        "crop": ("netwright.data.augment.geometry:Crop", "a part brought to full size: `{name: crop, share: 0.25}`"),
        "rotate": ("netwright.data.augment.geometry:Rotate", "turned: `{name: rotate, degrees: 15}`"),
        "stretch": ("netwright.data.augment.geometry:Stretch", "longer or wider: `{name: stretch, share: 0.2}`"),
        "distort": ("netwright.data.augment.geometry:Distort", "bent like rubber: `{name: distort, share: 0.3}`"),
        "colour": ("netwright.data.augment.colour:Colour", "a cast of colour: `{name: colour, strength: 0.3}`"),
        "light": ("netwright.data.augment.colour:Light", "brightness and contrast: `{name: light, strength: 0.3}`"),
        "grain": (
            "netwright.data.augment.colour:Grain",
            "noise in every pixel or point: `{name: grain, spread: 0.1}`",
        ),
        "mask": (
            "netwright.data.augment.colour:Mask",
            "stretches and bands of a sound covered: `{name: mask, steps: 20}`",
        ),
        "erase": ("netwright.data.augment.colour:Erase", "a rectangle covered: `{name: erase, share: 0.25}`"),
    },
    "layer": {
        "dense": ("netwright.models.layers:Dense", "weighted sums of all inputs plus a bias: `dense 64`"),
        "conv": ("netwright.models.convolution:Conv", "filters slid over a picture: `conv 16x5 pad 2`, 16 of 5x5"),
        "pool": (
            "netwright.models.convolution:Pool",
            "the largest (mean, sum) of each window: `pool 2`, `pool avg 2`",
        ),
        "global_pool": ("netwright.models.convolution:GlobalPool", "the average of each whole channel: `global_pool`"),
        "batch_norm": (
            "netwright.models.layers:BatchNorm",
            "each channel at mean 0 and spread 1, then as learned: `batch_norm`",
        ),
        "depthwise": (
            "netwright.models.convolution:Depthwise",
            "a filter for each channel by itself: `depthwise 3 pad 1`",
        ),
        "whiten": (
            "netwright.models.convolution:Whiten",
            "small patches with their correlations taken out: `whiten 2`",
        ),
        "timm": ("netwright.models.timm_body:Timm", "the body of one of timm's networks: `timm efficientnet_b0`"),
        "pad": ("netwright.models.convolution:Pad", "zeros above and left, below and right: `pad 0 1`"),
        "widen": (
            "netwright.models.convolution:Widen",
            "a shortcut to more channels and fewer places: `widen 32 stride 2`",
        ),
        "maxout": (
            "netwright.models.layers:Maxout",
            "the largest of several sums: `maxout 64 group 3`",
            {"initialiser": "he"},
        ),
        "rbf": ("netwright.models.layers:Rbf", "units that answer to learned places: `rbf 32`"),
        "lstm": ("netwright.models.recurrent:Lstm", "a state that gates let in, keep and let out: `lstm 64`"),
        "gru": ("netwright.models.recurrent:Gru", "a state with two gates: `gru 64 both yes` reads both ways"),
        "rnn": ("netwright.models.recurrent:Rnn", "the vanilla recurrent layer: `rnn 64 activation relu`"),
        "conv1d": ("netwright.models.recurrent:Conv1d", "filters slid along the steps: `conv1d 32x5`, 32 of 5 steps"),
        "columns": ("netwright.models.convolution:Columns", "a picture as a sequence of its columns: `columns`"),
        "last": ("netwright.models.recurrent:Last", "what a sequence is at its last step: `last`"),
        "layer_norm": ("netwright.models.layers:LayerNorm", "each example at mean 0 and spread 1: `layer_norm`"),
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
        "inception": ("netwright.models.convnets.inception:googlenet", "GoogLeNet by the name of its modules"),
        "bn_inception": ("netwright.models.convnets.inception:bn_inception", "Inception with batch normalisation"),
        "resnet": ("netwright.models.convnets.resnet:resnet", "sums over shortcuts: `{name: resnet, depth: 34}`"),
        "resnet18": ("netwright.models.convnets.resnet:resnet18", "a residual network of eighteen layers"),
        "resnet34": ("netwright.models.convnets.resnet:resnet34", "a residual network of thirty-four layers"),
        "resnet50": ("netwright.models.convnets.resnet:resnet50", "a residual network of fifty layers"),
        "resnet101": ("netwright.models.convnets.resnet:resnet101", "a residual network of 101 layers"),
        "resnet152": ("netwright.models.convnets.resnet:resnet152", "a residual network of 152 layers"),
        "airbench": (
            "netwright.models.convnets.airbench:airbench",
            "learns CIFAR-10 quickly: `{name: airbench, width: 0.5}`",
        ),
        "mobilenet": (
            "netwright.models.convnets.mobilenet:mobilenet",
            "few products: `{name: mobilenet, width: 0.25}`",
        ),
        "cifar_resnet": (
            "netwright.models.convnets.resnet:cifar_resnet",
            "small, for small pictures: `{name: cifar_resnet, depth: 20}`",
        ),
        "wide_resnet": (
            "netwright.models.convnets.resnet:wide_resnet",
            "more channels: `{name: wide_resnet, depth: 16, width: 4}`",
        ),
        "timm": ("netwright.models.timm_body:timm", "any network of timm's: `{name: timm, model: efficientnet_b0}`"),
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
        "relu6": (
            "netwright.models.activations:relu6",
            "min(6, max(0, x))",
            {"initialiser": "he", "limits": "0 6"},
        ),
        "gelu": ("netwright.models.activations:gelu", "x times the normal share below x", {"initialiser": "he"}),
        "elu": (
            "netwright.models.activations:elu",
            "x, or alpha (e^x - 1) below 0",
            {"initialiser": "he", "limits": "-alpha inf"},
        ),
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
        "dirac": ("netwright.models.initialisers:dirac", "convolutions that pass on what comes in"),
        "zeros": ("netwright.models.initialisers:zeros", "all the same, for teaching: nothing tells units apart"),
    },
    "task": {
        # named after the kind of output it serves
        "category": ("netwright.tasks.category:Category", "one of several classes: softmax, or sigmoid for two"),
        "number": ("netwright.tasks.number:Number", "one real number in its own units"),
        "vector": ("netwright.tasks.vector:Vector", "several real numbers in their own units"),
        "tags": ("netwright.tasks.tags:Tags", "several classes at once: a sigmoid and a threshold for each"),
        "text": ("netwright.tasks.written:Written", "a text of any length, written by a decoder"),
        "transcript": (
            "netwright.tasks.transcript:Transcript",
            "a text read off a longer sequence by CTC: speech, pen strokes",
        ),
        "per_step": (
            "netwright.tasks.per_step:PerStep",
            "a class or a number at every step of a sequence, with `per`",
        ),
        "next": ("netwright.tasks.next:Next", "what comes next at every step of a text: a language model"),
        "track": ("netwright.tasks.track:Track", "the next points of a track, from where it was and how it moved"),
        "series": ("netwright.tasks.series:Series", "the next steps of a series, beside what was a season ago"),
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
        "displacement": (
            "netwright.losses:displacement",
            "mean distance of points from where they should be",
            {"compares": "points"},
        ),
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
            "keeps the best epoch's weights, stops when none is better",
        ),
        "carry": ("netwright.training.strategies.carry:Carry", "states go on from one piece of a text to the next"),
        "augment": (
            "netwright.training.strategies.augment:Augment",
            "training examples seen differently at every step",
        ),
        "scheduled_sampling": (
            "netwright.training.strategies.scheduled_sampling:ScheduledSampling",
            "feeds a decoder more and more of its own guesses",
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
        "stages": ("netwright.training.stages:Stages", "lets a language model write a text now and then"),
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
        "future": (
            "netwright.doctor.checks.future:Future",
            "answers of a causal model that depend on what comes later",
            {"looks_at": "start"},
        ),
        "room": (
            "netwright.doctor.checks.room:Room",
            "texts longer than the sequences that they are read off",
            {"looks_at": "start"},
        ),
        "mates": (
            "netwright.doctor.checks.mates:Mates",
            "answers to sequences that depend on the others in their batch",
            {"looks_at": "start"},
        ),
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
        "vanishing": (
            "netwright.doctor.checks.signal:Vanishing",
            "gradients of which nothing reaches the first layers",
            {"looks_at": "start"},
        ),
        "stacked": (
            "netwright.doctor.checks.stacked:Stacked",
            "recurrent layers one on the other with little to learn from",
            {"looks_at": "start"},
        ),
    },
}
NAMED_IN = {
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
