"""The words of a report: scores, intervals and comparisons as sentences a person would say."""

from __future__ import annotations

import math
from collections.abc import Mapping

from netwright.figures.marks import Real, number, percent
from netwright.report.facts import Baseline, Facts, Interval, OutputFacts
from netwright.words import begun, sizes

_FAR_OFF = 0.03  # of probabilities, on average
_NAMES = {
    "accuracy": "accuracy",
    "balanced_accuracy": "balanced accuracy",
    "log_loss": "log loss",
    "top3": "truth among the three likeliest",
    "top5": "truth among the five likeliest",
    "auc": "area under the ROC curve",
    "rmse": "RMSE",
    "mae": "mean absolute error",
    "r2": "R²",
    "f1": "F1",
    "mean_average_precision": "mean average precision",
    "exact_match": "all tags right",
    "average_precision": "average precision",
    "precision_at_1": "precision@1",
    "bleu": "BLEU",
    "exact": "texts wholly right",
    "error": "wrong characters",
    "word_error": "wrong words",
    "ade": "mean distance",
    "fde": "distance at the end",
    "bits": "bits a character",
    "nats": "nats a character",
    "loss_alone": "loss behind its own guesses",
}
_SHARES = frozenset(
    [
        "accuracy",
        "balanced_accuracy",
        "top3",
        "top5",
        "f1",
        "recall",
        "precision",
        "exact_match",
        "exact",
        "error",
        "word_error",
        "precision_at_1",
    ]
)
_LOWER_IS_BETTER = frozenset(
    {"ade", "fde", "rmse", "mae", "log_loss", "loss", "loss_alone", "error", "bits", "nats", "perplexity", "word_error"}
)
_BASELINES = {
    "before": "the model it started from",
    "majority": "always the commonest class",
    "linear": "a linear model",
    "hand_made": "a hand-made pipeline",
    "bag_of_words": "a bag of words",
    "mean": "always the mean",
    "shares": "always each tag's share",
    "chance": "a neighbour drawn by chance",
    "inputs": "the nearest raw input",
    "unigram": "how often each comes",
    "five_gram": "counts of five in a row",
    "commonest": "always the commonest text",
    "nothing": "always nothing",
    "copy": "the input copied",
    "last_value": "the last value over and over",
    "season_ago": "what was a season ago",
    "season_and_growth": "a season ago and its growth",
    "last_step": "the last step over and over",
    "standing": "standing still",
    "constant_velocity": "the last step over and over",
    "straight_line": "a straight line through what was seen",
    "dictionary": "a dictionary, word by word",
}


def score_name(score: str) -> str:
    """A score's name in words.

    Example:
        >>> score_name("r2"), score_name("edit_distance")
        ('R²', 'edit distance')
    """
    return _NAMES.get(score, score.replace("_", " "))


def is_share(score: str) -> bool:
    """Scores that are shares of one and are written as per cent."""
    return score in _SHARES


def lower_is_better(score: str) -> bool:
    """Scores of which less is better."""
    return score in _LOWER_IS_BETTER


def gap(scores: Mapping[str, Real | None]) -> list[str]:
    """What it costs a decoder to go on from its own guesses instead of from the truth, where that was measured.

    Example:
        >>> gap({"loss": 1.92, "loss_alone": 2.31})
        ['A token costs 1.92 nats behind the true ones, 2.31 behind its own guesses: a gap of 0.39.']
    """
    true, alone = scores.get("loss"), scores.get("loss_alone")
    if true is None or alone is None:
        return []
    told = f"A token costs {number(true)} nats behind the true ones, {number(alone)} behind its own guesses"
    return [f"{told}: a gap of {number(alone - true)}."]


def score_text(score: str, value: Real | None) -> str:
    """A score's value as people write it."""
    return percent(value) if is_share(score) else number(value)


def interval_text(score: str, interval: Interval | None) -> str:
    """An interval as "95.3–99.0", in the unit of its score; empty when there is none.

    Example:
        >>> interval_text("accuracy", (0.953, 0.99)), interval_text("rmse", (48.12, 58.0)), interval_text("r2", None)
        ('95.3–99.0', '48.1–58', '')
    """
    low, high = interval or (None, None)
    if low is None or high is None or math.isnan(low) or math.isnan(high):
        return ""
    if is_share(score):
        return f"{100 * low:.1f}–{100 * high:.1f}"
    joint = " to " if low < 0 else "–"
    return f"{number(low)}{joint}{number(high)}"


def with_interval(score: str, value: Real | None, interval: Interval | None) -> str:
    """A score's value and, where it is known, its interval.

    Example:
        >>> with_interval("rmse", 50.1, (48.12, 58.0)), with_interval("rmse", 50.1, None)
        ('50.1 (48.1–58)', '50.1')
    """
    within = interval_text(score, interval)
    return f"{score_text(score, value)} ({within})" if within else score_text(score, value)


def believed(output: OutputFacts) -> str:
    """How far probabilities are off, and what brings them closer; nothing where that was not measured."""
    error = output.calibration_error
    if error is None:
        return ""
    off = f"Probabilities are off by {percent(error)} on average"
    if output.temperature is not None:
        return f"{off}; {divided(output.temperature)}."
    return f"{off}{f'; outputs.{output.name}.calibrate: true brings them closer' if error > _FAR_OFF else ''}."


def divided(temperature: float) -> str:
    """What was done so that probabilities come true, and why.

    Example:
        >>> divided(1.25)
        'scores were divided by 1.25, chosen on the validation part, where the net was surer than it was right'
    """
    sure = "surer" if temperature > 1 else "less sure"
    chosen = "chosen on the validation part, where the net was"
    return f"scores were divided by {number(temperature)}, {chosen} {sure} than it was right"


def baseline_name(baseline: Baseline) -> str:
    """A baseline's name in words."""
    if baseline.note.startswith("always "):
        return baseline.note
    return _BASELINES.get(baseline.name, baseline.name)


def leading_score(output: OutputFacts) -> str:
    """The score that the sentence is about: the error in own units for numbers, else the headline."""
    return "rmse" if "rmse" in output.scores.get(output.shown, {}) else output.headline


def split_name(output: OutputFacts) -> str:
    """The split that a score is about, e.g. "test split"."""
    return f"{'training' if output.shown == 'train' else output.shown} split"


def _asked(facts: Facts, output: OutputFacts) -> str:
    """The examples that a score is about, in words; not held-out ones where there is no test part."""
    count, noun = facts.ledger.splits.get(output.shown), facts.noun
    kind = "held-out" if output.shown == "test" else output.shown
    what = f"{number(count)} {kind} {noun}" if count else f"{kind} {noun}"
    if output.steps:
        what = f"{number(output.steps, 6)} steps of {what}"
    return what + (" (no test part was held out)" if output.shown == "validation" else "")


def result(facts: Facts, output: OutputFacts) -> str:
    """The whole result in one sentence: the net, its interval, the baselines."""
    score = leading_score(output)
    if output.shown == "train":
        return _nothing_held_out(facts, output, score)
    value = output.scores.get(output.shown, {}).get(score)
    what = _asked(facts, output)
    interval = interval_text(score, output.intervals.get(score))
    within = f" (95 % interval {interval})" if interval else ""
    if score == "accuracy":
        said = f"{score_text(score, value)} of {what} right{within}"
    elif score == "precision_at_1":
        said = f"{score_text(score, value)} of {what} lie nearest to one of the same identity{within}"
    elif score == "rmse":
        unit = f" {output.measure}" if output.measure else ""
        r2 = output.scores[output.shown].get("r2")
        explained = f", R² {number(r2)}" if r2 is not None else ""
        within = f", 95 % interval {interval}" if interval else ""
        said = f"A typical error of {number(value)}{unit} (RMSE{within}) on {what}{explained}"
    elif score in {"bits", "perplexity"}:
        where = "held-out" if output.shown == "test" else split_name(output).removesuffix(" split")
        much = score_text(score, value)
        told = f"{much} bits a character" if score == "bits" else f"A perplexity of {much} for each word"
        said = f"{told} on {where} text{within}"
    else:
        said = f"{begun(score_name(score))} {score_text(score, value)} on {what}{within}"
    others = [
        f"{baseline_name(each)}{' reaches' if k == 0 else ''} {score_text(score, each.scores[score])}"
        for k, each in enumerate(best_first(output.baselines, score))
        if score in each.scores
    ]
    return f"{said}; {', '.join(others)}." if others else f"{said}."


def _nothing_held_out(facts: Facts, output: OutputFacts, score: str) -> str:
    """What is known where training has seen every example."""
    value = score_text(score, output.scores.get("train", {}).get(score))
    told = f"{score_name(score)} {value} on its training {facts.noun}, which it may have learned by heart"
    return f"Nothing is held out, so nothing is known about new {facts.noun}: {told}."


def best_first(baselines: list[Baseline], score: str) -> list[Baseline]:
    """Baselines from the best to the worst; those without the score last."""
    known = [each for each in baselines if each.scores.get(score) is not None]
    known.sort(key=lambda each: each.scores[score] or 0.0, reverse=not lower_is_better(score))
    return known + [each for each in baselines if each.scores.get(score) is None]


def baseline_notes(output: OutputFacts) -> list[str]:
    """What must be known about the baselines, one sentence each."""
    noted = [each for each in output.baselines if each.note and not each.note.startswith("always ")]
    return [f"{begun(baseline_name(each))}: {each.note}." for each in noted]


def against_baselines(output: OutputFacts) -> str:
    """Whether the net is truly better than the best simple method, judged by the net's interval; empty if unknown."""
    score = leading_score(output)
    value, interval = output.scores.get(output.shown, {}).get(score), output.intervals.get(score)
    ranked = [each for each in best_first(output.baselines, score) if each.scores.get(score) is not None]
    if not ranked or value is None or interval is None or interval[0] is None or interval[1] is None:
        return ""
    name, other = baseline_name(ranked[0]), ranked[0].scores[score] or 0.0
    low, high = (interval[1], interval[0]) if lower_is_better(score) else (interval[0], interval[1])
    sign = -1 if lower_is_better(score) else 1
    if sign * other < sign * low:
        return (
            f"The net is better than {name}, the best simple method here: its whole interval lies on the better side."
        )
    if sign * other > sign * high:
        return f"The net is worse than {name}: the simple method is the better choice on this data."
    return f"The net and {name} cannot be told apart on this many examples: the net's interval includes both."


def test_reads(facts: Facts) -> str:
    """How often the test split was looked at, and what that means."""
    if facts.test_reads <= 0:
        return ""
    if facts.test_reads == 1:
        return "The test split was read once, for this report."
    return (
        f"The test split was read {facts.test_reads} times. Choosing between runs by a test score makes it look better "
        "than it will be on new data."
    )


def training_end(facts: Facts) -> str:
    """Which epoch was kept, when training ended and why."""
    parts = []
    if facts.best_epoch is not None:
        parts.append(f"best epoch {facts.best_epoch}")
    if facts.stopped_epoch is not None:
        parts.append(f"stopped at {facts.stopped_epoch}")
    said = ", ".join(parts)
    return f"{said} ({facts.stop_reason})" if said and facts.stop_reason else said or facts.stop_reason


def duration(seconds: Real | None) -> str:
    """A time span in the unit that suits it.

    Example:
        >>> duration(0.42), duration(75), duration(7260), duration(None)
        ('0.42 s', '1 min 15 s', '2 h 1 min', '–')
    """
    if seconds is None:
        return "–"
    if seconds < 60:
        return f"{number(seconds, 2 if seconds < 10 else 3)} s"
    whole = round(seconds)
    if whole < 3600:
        return f"{whole // 60} min {whole % 60} s"
    return f"{whole // 3600} h {whole % 3600 // 60} min"


def shape_text(shape: tuple[int, ...]) -> str:
    """A shape as "16 × 32 × 32"."""
    return sizes(shape, " × ")
