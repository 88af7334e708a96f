"""What a report knows: the numbers, pictures and words of one run, written as `facts.json` and drawn by `page.py`.

Nothing here computes anything: whoever measured a thing states it.
"""

from __future__ import annotations

from pathlib import Path
from typing import Literal

from pydantic import BaseModel, ConfigDict, model_validator

from netwright import files
from netwright.report.values import Interval, Number, Png, day, writable

SPLITS = ("test", "validation", "train")


class _Fact(BaseModel):
    model_config = ConfigDict(frozen=True, extra="forbid")

    @model_validator(mode="before")
    @classmethod
    def _names_can_be_written(cls, values: object) -> object:
        return writable(values)


class Shown(_Fact):
    """One held-out example with the net's answer.

    Args:
        id: The example's id, e.g. its file name.
        picture: Its picture, where its kind has one.
        text: Its content in words otherwise.
        truth: What it really is.
        bars: The likeliest answers with their probabilities, likeliest first; empty where there are none.
        right: The answer is the truth; None where there is more than one way to be right.
        confidence: Probability of the answer given.
        answer: For numbers, tags, identities and texts: the answer in words.
    """

    id: str
    picture: Png | None = None
    text: str = ""
    truth: str
    bars: list[tuple[str, Number]] = []
    right: bool | None
    confidence: Number = None
    answer: str = ""


class Baseline(_Fact):
    """What a simple method reaches on the same test examples.

    Args:
        name: What it is: "majority", "mean", "linear", or words that fit "<name> reaches".
        scores: By name of score.
        interval: 95 % intervals of the scores.
        seconds: Time it took.
        note: What a reader must know, e.g. 'always "3"' or "learned from 20,000 of 60,000 examples".
    """

    name: str
    scores: dict[str, Number]
    interval: dict[str, Interval] = {}
    seconds: Number = None
    note: str = ""


class ClassFacts(_Fact):
    """How well one of several tags is told on the test split; see `netwright.tasks.tags.OneClass`."""

    name: str
    count: int
    average_precision: Number = None
    threshold: Number = None
    precision: Number = None
    recall: Number = None


class AlarmFacts(_Fact):
    """What comes of one threshold on the test split; see `netwright.tasks.sought.Alarm`."""

    name: str
    threshold: float
    alarms: int
    precision: Number = None
    recall: Number = None
    missed: int
    false_alarms: int
    cost: float


class SoughtFacts(_Fact):
    """How a class that is sought is found on the test split.

    Args:
        positive: The class.
        count: Examples of it.
        alarms: What comes of some thresholds, the chosen one first.
        curve: (recall, precision) over all thresholds.
        costs: What a miss and a false alarm cost, where that was given.
        rule: From which probability on it is answered, and why; empty where the likelier class is.
        bill: What the mistakes on the test split cost in all; empty where nobody asked.
    """

    positive: str
    count: int
    alarms: list[AlarmFacts]
    curve: list[tuple[float, float]] = []
    costs: tuple[float, float] | None = None
    rule: str = ""
    bill: str = ""


class ApartFacts(_Fact):
    """Distances of same and different pairs, see `netwright.tasks.retrieval.Apart`, and how far a known one may lie."""

    low: float
    high: float
    same: list[int]
    different: list[int]
    threshold: Number = None


class NearFacts(_Fact):
    """A held-out example and those nearest to it; of these `right` says the same identity and `answer` the distance."""

    shown: Shown
    nearest: list[Shown]


class TrackFacts(_Fact):
    """A held-out track: points that were seen, that came, that the net and a simple method give, mean distance."""

    id: str
    seen: list[tuple[float, float]]
    true: list[tuple[float, float]]
    answer: list[tuple[float, float]]
    simple: list[tuple[float, float]] = []
    off: float
    measure: str = ""


class Confused(_Fact):
    """Held-out pictures of one class that were taken for another, surest first."""

    truth: str
    answer: str
    pictures: list[Png]


class OutputFacts(_Fact):
    """One output of the net, scored.

    Args:
        name: Name of the output.
        kind: "category", "number", "vector", "tags", "identity".
        unit: Output unit: "softmax", "sigmoid", "identity".
        headline: The score that stands first, e.g. "accuracy" or "r2".
        scores: By split ("train", "validation", "test"), then by score.
        intervals: 95 % intervals of the scores of `shown`.
        baselines: Simple methods on the same examples.
        quick: Whether texts of the training part were scored without a beam, and those of the others with one.
        drawn: Texts of the training part that were drawn to be scored; 0 where all were.
        steps: How many answers these examples have together, where each has one at every step; else 0.
        classes: Names of the classes, in the order of `confusion`.
        confusion: `confusion[truth][answer]`, counts on the test split.
        confused: Pictures of the most frequent confusions.
        sought: How a class that is sought is found.
        calibration: (mean probability of the answer, share right, count) in bins, of a category on the test split.
        calibration_error: Mean distance of the two, by the counts.
        temperature: What its scores were divided by, where that was asked for.
        per_class: Of tags: how well each class is told on the test split.
        apart: Of identities: how the distances of same and of different pairs are spread on the test split.
        near: Of identities: test examples and those nearest to them, first some drawn by chance, then mistakes.
        remarks: What must be known about the answers and scores, in sentences.
        mistakes: Mistakes on the test split, most confident first.
        grid: Test examples drawn by chance, with answers.
        scatter: (truth, predicted) on the test split, for numbers.
        tracks: Of tracks: test examples drawn by chance, with how they went on and were said to.
        measure: What a number output is measured in, e.g. "m" or "euro"; may be empty.
    """

    name: str
    kind: str
    unit: str = ""
    headline: str
    scores: dict[str, dict[str, Number]]
    intervals: dict[str, Interval] = {}
    baselines: list[Baseline] = []
    classes: list[str] = []
    confusion: list[list[int]] = []
    confused: list[Confused] = []
    sought: SoughtFacts | None = None
    calibration: list[tuple[float, float, int]] = []
    calibration_error: Number = None
    temperature: Number = None
    per_class: list[ClassFacts] = []
    apart: ApartFacts | None = None
    near: list[NearFacts] = []
    remarks: list[str] = []
    mistakes: list[Shown] = []
    grid: list[Shown] = []
    scatter: list[tuple[Number, Number]] = []
    tracks: list[TrackFacts] = []
    measure: str = ""
    quick: bool = False
    drawn: int = 0
    steps: int = 0

    @property
    def shown(self) -> str:
        """The split that all but `scores` is about: test; where nothing was held out for it, validation or training."""
        return next((split for split in SPLITS if self.scores.get(split)), "test")


class VerdictFacts(_Fact):
    """The doctor's judgement of the curves; see `netwright.doctor.fit`."""

    label: Literal["fitting", "over-fitting", "under-fitting", "undecided"]
    since_epoch: int | None = None
    sentence: str
    evidence: list[str] = []


class EndingFacts(_Fact):
    """How training ended; see `netwright.doctor.convergence`."""

    label: Literal["converged", "still improving", "oscillating", "diverged", "undecided"]
    sentence: str
    evidence: str = ""


class LayerInside(_Fact):
    """What went on in one layer.

    Args:
        layer: Its name.
        std_first: Spread of its values before the first step.
        std_last: And at the end.
        zeros: Share of its values that are 0 at the end.
        saturated: Share at the limits of its function at the end; None for layers without limits.
        units: How many units it has, and `dead` are 0 for every example; None where that has no meaning.
        gradients: (step, root mean square of the gradient of its weights); empty for layers without weights.
        moved: Share of their size that its weights moved in a step, the median of all looks.
        small: Share of its weights that are next to nothing at the end.
        rates: Learning rates that the optimizer gave its single weights: that of 1 % of them, the middle one, of 99 %.
        first: Histogram of its weights (or values) before the first step: low, high, counts.
        last: And at the end.
    """

    layer: str
    std_first: Number = None
    std_last: Number = None
    zeros: Number = None
    saturated: Number = None
    units: int | None = None
    dead: list[int] | None = None
    gradients: list[tuple[int, Number]] = []
    moved: Number = None
    small: Number = None
    rates: tuple[float, float, float] | None = None
    first: tuple[float, float, list[int]] | None = None
    last: tuple[float, float, list[int]] | None = None


class Changed(_Fact):
    """A training example as it is and as a training step saw it, in pictures (PNG as base64 text) or in words."""

    id: str
    before: str
    after: str
    pictures: bool


class Coefficient(_Fact):
    """What one column adds to the answer of a linear model.

    Args:
        name: The column.
        weight: For one spread of the column.
        own: For one unit of the column, in the answer's own units; None where these have no meaning.
    """

    name: str
    weight: float
    own: Number = None


class PlaneFacts(_Fact):
    """What a net of two number inputs answers all over their plane; see `netwright.figures.plane.Plane`."""

    inputs: tuple[str, str]
    x: tuple[float, float]
    y: tuple[float, float]
    answers: list[list[tuple[int, float]]]
    points: list[tuple[float, float, int]]
    centres: list[tuple[float, float, float, float]] = []
    classes: list[str]


class RateTest(_Fact):
    """A learning-rate range test: rates, the loss after each, and the rate that was chosen."""

    rates: list[float]
    losses: list[Number]
    lowest: float
    chosen: float


class Mark(_Fact):
    """Something that a strategy or a person did to the training, and in which epoch."""

    epoch: int
    text: str


class FindingFacts(_Fact):
    """One thing the doctor looked at before the first update; see `netwright.doctor.finding`."""

    name: str
    state: Literal["good", "note", "bad"]
    message: str
    cure: str = ""


class CurvePoint(_Fact):
    """One epoch: loss and scores on both splits, and the learning rate."""

    epoch: int
    train: dict[str, Number] = {}
    validation: dict[str, Number] = {}
    lr: Number = None


class LedgerReason(_Fact):
    """Why examples were left out, how many, and where the first of them are."""

    state: str
    reason: str
    count: int
    where: list[str] = []


class LedgerFacts(_Fact):
    """Every example accounted for.

    Args:
        counts: By state: used, refused, quarantined.
        reasons: Why the others were not used.
        splits: Examples by split.
        policy: How they were split, and why so.
    """

    counts: dict[str, int] = {}
    reasons: list[LedgerReason] = []
    splits: dict[str, int] = {}
    policy: str = ""


class Twins(_Fact):
    """Two examples that are nearly the same, in different splits.

    Args:
        first: Id of one.
        second: Id of the other.
        parts: Their splits.
        similarity: Correlation of their contents, up to 1.
        pictures: Both pictures, where there are any.
    """

    first: str
    second: str
    parts: tuple[str, str]
    similarity: Number = None
    pictures: tuple[Png, Png] | None = None


class LayerFacts(_Fact):
    """One row of the layer table; shapes are of one example; `frozen` layers kept the weights they began with."""

    layer: str
    text: str
    shape: tuple[int, ...]
    parameters: int
    multiply_adds: int = 0
    receptive_field: int | None = None
    memory_mb: Number = None
    frozen: bool = False


class GraphNodeFacts(_Fact):
    """One node of the executed graph."""

    name: str
    text: str
    shape: tuple[int, ...] = ()
    parameters: int = 0


class GraphFacts(_Fact):
    """The executed graph: nodes in the order they run, edges as (from, to)."""

    nodes: list[GraphNodeFacts]
    edges: list[tuple[str, str]]


class SettingFacts(_Fact):
    """One decided setting, and why it is so."""

    path: str
    value: str
    why: str


class Template(_Fact):
    """The weights into one class of a linear image classifier, as a picture."""

    label: str
    png: Png


class FormFacts(_Fact):
    """A form that the learned text keeps, and how far a text that was written keeps it.

    Args:
        name: E.g. "brackets closed".
        share: Of its places that are right in what was written; None where it has none.
        itself: The same of the text that was learned from.
    """

    name: str
    share: Number = None
    itself: Number = None


class StageFacts(_Fact):
    """What a language model wrote at a moment of its training.

    Args:
        step: Updates so far.
        epoch: Whole epochs so far.
        bits: How surprised it was by a character, or a word, of held-out text.
        by: Which of them.
        words: Share of its words that occur in the training text.
        copied: Characters in a row that it has from there.
        forms: What the learned text keeps besides.
        text: What it wrote.
    """

    step: int
    epoch: int
    bits: Number = None
    by: str = "character"
    words: Number = None
    copied: int = 0
    forms: list[FormFacts] = []
    text: str


class SmallNet(_Fact):
    """All weights of a small net, for the drawing; see `netwright.figures.network.DrawnNet`."""

    units: list[list[str]]
    weights: list[list[list[float]]]
    biases: list[list[float]]
    functions: list[str] = []


class Facts(_Fact):
    """Everything the report of one run shows.

    Args:
        title: Name of the run.
        created_utc: When the report was made, ISO 8601.
        netwright_version: Version that made it.
        command: The command that reproduces the run.
        verdict: The doctor's judgement of the curves.
        ending: How training ended.
        clipped: How often gradients were cut, in a sentence; empty where none are.
        inside: What went on in each layer.
        changed: Training examples beside what a step sees of them, where these differ.
        range_test: Learning rates tried before training.
        marks: What changed training on the way.
        stages: What a language model wrote on the way.
        plane: What a net of two number inputs answers all over their plane.
        coefficients: Of a linear model with one unit on a table, the largest first, and its intercept.
        idle_inputs: Inputs whose weights are all next to nothing.
        findings: What the doctor said before the first update, good things included.
        best_epoch: Epoch whose weights were kept.
        stopped_epoch: Last epoch.
        stop_reason: Why training ended, e.g. "no better for 5 epochs".
        curves: One point per epoch.
        ledger: Every example accounted for.
        twins: Near-twins across splits.
        layers: The layer table, without a total row.
        parameters: Parameters in all.
        graph: The executed graph.
        settings: Decided settings with reasons.
        versions: Library versions.
        hardware: What it ran on, in words.
        seconds: Training time.
        test_reads: How often the test split was read.
        outputs: The outputs, the watched one first.
        templates: Pictures of a linear image classifier's weights.
        small_net: Weights and biases of a net of at most 40 units.
        notes: Anything else the reader must know.
        noun: What an example is called in sentences, plural.
    """

    title: str
    created_utc: str
    netwright_version: str
    command: str
    verdict: VerdictFacts | None = None
    ending: EndingFacts | None = None
    clipped: str = ""
    inside: list[LayerInside] = []
    changed: list[Changed] = []
    range_test: RateTest | None = None
    marks: list[Mark] = []
    stages: list[StageFacts] = []
    plane: PlaneFacts | None = None
    coefficients: list[Coefficient] = []
    idle_inputs: list[str] = []
    findings: list[FindingFacts] = []
    best_epoch: int | None = None
    stopped_epoch: int | None = None
    stop_reason: str = ""
    curves: list[CurvePoint] = []
    ledger: LedgerFacts = LedgerFacts()
    twins: list[Twins] = []
    layers: list[LayerFacts] = []
    parameters: int = 0
    graph: GraphFacts | None = None
    settings: list[SettingFacts] = []
    versions: dict[str, str] = {}
    hardware: dict[str, str] = {}
    seconds: Number = None
    test_reads: int = 0
    outputs: list[OutputFacts] = []
    templates: list[Template] = []
    small_net: SmallNet | None = None
    notes: list[str] = []
    noun: str = "examples"

    @property
    def day(self) -> str:
        """The day of the report as people write it."""
        return day(self.created_utc)

    def write(self, path: Path) -> None:
        """Writes the facts as JSON, whole or not at all."""
        files.write_text(path, self.model_dump_json(indent=1))

    @classmethod
    def read(cls, path: Path) -> Facts:
        """The facts of a run from its `facts.json`."""
        return cls.model_validate_json(path.read_text("utf-8"))
