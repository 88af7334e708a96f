"""Compare settings: every combination trained with every seed, one table with intervals.

Each training is an ordinary run in the comparison's folder. A finished run is read, an unfinished one is resumed, so
an interrupted comparison goes on where it was. The same seed gives every setting the same split and the same order,
so differences are taken seed by seed. The score is that of the validation part: choosing by the test part would spoil
it. In the place of seeds there may be folds: then each example is tested once, and the score is that of the tests.
"""

from __future__ import annotations

import itertools
import json
import math
import statistics
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from pathlib import Path

from netwright import files, run, spec
from netwright.errors import DivergedError, SpecError
from netwright.progress import Display, Once, Silent
from netwright.report.compare import ComparedCurve, ComparedRow, Comparison, compare_page
from netwright.report.facts import Facts
from netwright.report.sentences import (
    baseline_name,
    duration,
    interval_text,
    is_share,
    lower_is_better,
    score_name,
    score_text,
)
from netwright.run.folder import RunFolder, data_name, now_utc
from netwright.run.gather import warnings
from netwright.spec import Spec
from netwright.studies.place import remember, study_folder
from netwright.training import history
from netwright.words import begun, counted

_CONFIDENCE = 0.95


@dataclass
class Setting:
    """One combination of varied values, filled in run by run.

    Args:
        label: In words, e.g. "depth 2".
        values: Dotted path to YAML value.
        scores: Validation score by seed.
        test: Test score by seed.
        parameters: Of its network.
        seconds: Training time by seed.
        curve: (examples seen, seconds, validation loss) after each epoch of the first seed.
        problems: What went wrong, by seed.
        warnings: What makes the first seed's result worth less than it looks, e.g. examples set aside.
        reached: The step by which the score first reached what was asked for, by seed; None where it never did.
        steps: Of the longest training.
        beside: What simple methods score on the test part, by name and seed.
    """

    label: str
    values: dict[str, str]
    scores: dict[int, float] = field(default_factory=dict)
    test: dict[int, float] = field(default_factory=dict)
    parameters: int = 0
    seconds: dict[int, float] = field(default_factory=dict)
    curve: list[tuple[float, float, float]] = field(default_factory=list)
    problems: dict[int, str] = field(default_factory=dict)
    warnings: list[str] = field(default_factory=list)
    reached: dict[int, int | None] = field(default_factory=dict)
    steps: int = 0
    beside: dict[str, dict[int, float]] = field(default_factory=dict)

    def known(self) -> dict[int, float]:
        """The scores that are numbers, by seed."""
        return {seed: value for seed, value in self.scores.items() if math.isfinite(value)}


@dataclass(frozen=True)
class Table:
    """What a comparison found.

    Args:
        folder: Where its runs lie.
        page: The page with figures.
        score: Name of the score.
        settings: One per combination, in the order asked.
        answer: What came out, in words.
        text: All of it in words, line by line.
    """

    folder: Path
    page: Path
    score: str
    settings: list[Setting]
    answer: str
    text: list[str]


def compare(
    wanted: Spec,
    vary: Mapping[str, Sequence[str]],
    *,
    seeds: int | Sequence[int] = 3,
    folds: int = 0,
    reach: float | None = None,
    out: Path | None = None,
    data: object = None,
    show: Display | None = None,
) -> Table:
    """Train every combination of values with every seed.

    Args:
        wanted: The spec that is varied.
        vary: Dotted paths of the spec to YAML values, e.g. `{"model.depth": ["1", "2"]}`.
        seeds: How many seeds, the spec's and those behind it, or which.
        folds: So many parts of the data are held out one after the other, in the place of seeds; `vary` may be empty.
        reach: A validation score; it is told after how many steps each setting first reached it.
        out: Folder of the comparison; an existing one is gone on with.
        data: Examples in memory instead of the spec's data path.
        show: Where progress is told.

    Raises:
        SpecError: Nothing is varied, or a value is out of range.
    """
    show = Once(show or Silent())
    if not vary and not folds:
        raise SpecError("nothing is varied.", "Say what: --vary depth=1,2,3")
    first = wanted.training.seed
    chosen = list(range(first, first + seeds)) if isinstance(seeds, int) else list(seeds)
    if folds:
        chosen = list(range(1, folds + 1))
        spec.override(wanted, {"data.split.fold": f'"1/{folds}"'})  # which may not be a number of folds
    if not chosen:
        raise SpecError("a comparison needs at least one seed.", "Say how many: --seeds 3")
    combinations = [dict(zip(vary, values, strict=True)) for values in itertools.product(*vary.values())]
    specs = [spec.override(wanted, values) for values in combinations]  # every mistake before the first training
    question = _question(wanted, vary) | ({"folds": folds} if folds else {})
    folder = out or study_folder("compare", data_name(wanted), question)
    remember(folder, question, ("spec",))
    settings = [Setting(_label(values), values) for values in combinations]
    score = ""
    for number, seed in enumerate(chosen):
        for setting, base in zip(settings, specs, strict=True):
            told = f"fold {seed}" if folds else f"seed {seed}"
            place = folder / files.safe_name("-".join(filter(None, [setting.label, told.replace(" ", "-")])))
            show.note(f"{', '.join(filter(None, [setting.label, told]))} ({number + 1} of {len(chosen)})")
            one = {"data.split.fold": f'"{seed}/{folds}"'} if folds else {"training.seed": str(seed)}
            score = _one(setting, spec.override(base, one), seed, place, data, show) or score
            if reach is not None and score:
                _note_reached(setting, seed, place, score, reach)
    notes = _reached_lines(settings, score, reach) + (_beside_lines(settings, score) if folds else [])
    return _table(folder, settings, ("fold" if folds else "seed", len(chosen)), score, vary, notes)


def _one(setting: Setting, wanted: Spec, seed: int, place: Path, data: object, show: Display) -> str:
    """Train, resume or read one run, and note what it scored under the number of its seed or fold."""
    try:
        if (place / "run.json").exists():
            run.resume(place, data=data, show=show)
        else:
            run.train(wanted, data=data, out=place, examples=False, show=show)
    except DivergedError as exc:
        setting.problems[seed] = exc.message
        return ""
    facts = Facts.read(RunFolder(place).facts)
    output = facts.outputs[0]
    held_out = "validation" if "validation" in output.scores and not wanted.data.split.fold else "test"
    value = output.scores[held_out].get(output.headline)
    setting.scores[seed] = math.nan if value is None else value
    tested = output.scores.get("test", {}).get(output.headline)
    setting.test[seed] = math.nan if tested is None else tested
    for baseline in output.baselines:
        known = baseline.scores.get(output.headline)
        if known is not None:
            setting.beside.setdefault(baseline_name(baseline), {})[seed] = known
    setting.seconds[seed] = facts.seconds or 0.0
    setting.parameters = facts.parameters
    if not setting.curve:
        setting.curve.extend(_curve(RunFolder(place), facts))
        setting.warnings.extend(warnings(facts, RunFolder(place)))
    return output.headline


def _note_reached(setting: Setting, seed: int, place: Path, score: str, reach: float) -> None:
    """The step at which the validation score of a run first was what is asked for.

    Raises:
        SpecError: No score can be so high.
    """
    if is_share(score) and reach > 1:
        raise SpecError(f"--reach {reach:g}: {score_name(score)} is a share of one.", f"Write --reach {reach / 100:g}.")
    if seed in setting.problems:
        setting.reached[seed] = None
        return
    name = Facts.read(RunFolder(place).facts).outputs[0].name
    rows = [row for row in history.read(RunFolder(place).history) if row["kind"] == "epoch"]
    sign = -1 if lower_is_better(score) else 1
    seen = [(row.get(f"validation/{score}", row.get(f"validation/{name}/{score}")), row["step"]) for row in rows]
    there = [int(step) for value, step in seen if isinstance(value, float) and step and sign * value >= sign * reach]
    setting.reached[seed] = there[0] if there else None
    setting.steps = max([setting.steps, *(int(row["step"] or 0) for row in rows)])


def _curve(folder: RunFolder, facts: Facts) -> list[tuple[float, float, float]]:
    seconds = {row["epoch"]: float(row["seconds"] or 0) for row in history.read(folder.timing)}
    examples = facts.ledger.splits.get("train", 0)
    return [
        (
            float(point.epoch * examples),
            seconds.get(point.epoch, math.nan),
            float(point.validation.get("loss") or math.nan),
        )
        for point in facts.curves
    ]


def _question(wanted: Spec, vary: Mapping[str, Sequence[str]]) -> dict[str, object]:
    return {"spec": spec.dump(wanted), "vary": {path: list(values) for path, values in vary.items()}}


def _label(values: Mapping[str, str]) -> str:
    return ", ".join(f"{path.rpartition('.')[2].replace('_', ' ')} {_plain(value)}" for path, value in values.items())


def _plain(value: str) -> str:
    return value.strip("\"'") or "none"


# ---- what came out ---------------------------------------------------------------------------------------------------


def mean_interval(values: Sequence[float]) -> tuple[float, float] | None:
    """95 % interval of a mean by Student's t; None for fewer than two values.

    Example:
        >>> low, high = mean_interval([1.0, 2.0, 3.0])
        >>> round(low, 2), round(high, 2)
        (-0.48, 4.48)
    """
    if len(values) < 2:
        return None
    from scipy.stats import t

    spread = statistics.stdev(values) / math.sqrt(len(values))
    reach = float(t.ppf((1 + _CONFIDENCE) / 2, len(values) - 1)) * spread
    mean = statistics.fmean(values)
    return mean - reach, mean + reach


def _table(
    folder: Path,
    settings: list[Setting],
    trained: tuple[str, int],
    score: str,
    vary: Mapping[str, Sequence[str]],
    notes: list[str],
) -> Table:
    """The table, in words and as a page.

    Args:
        folder: Of the comparison.
        settings: What was compared.
        trained: Whether on seeds or folds, and on how many.
        score: Name of the score.
        vary: What was varied.
        notes: Further lines.
    """
    one, _ = trained
    rows = [_row(setting, score) for setting in settings]
    answer = verdict(settings, score, vary)
    doubts = next((setting.warnings for setting in settings if setting.warnings), [])
    comparison = Comparison(
        title=": ".join(filter(None, [folder.name, ", ".join(path.rpartition(".")[2] for path in vary)])),
        question=f"Which {' and '.join(path.rpartition('.')[2].replace('_', ' ') for path in vary)}?"
        if vary
        else "How good on data it has not seen?",
        answer=answer,
        score=score or "accuracy",
        split="test" if one == "fold" else "validation",
        rows=rows,
        curves=[_drawn(setting) for setting in settings if setting.curve],
        loss="validation loss",
        notes=notes
        + doubts
        + [f"{s.label}, {one} {seed}: {told}" for s in settings for seed, told in s.problems.items()],
        created=now_utc(),
    )
    page = folder / "compare.html"
    files.write_text(page, compare_page(comparison))
    plain = [_plainly(setting) for setting in settings]
    files.write_text(
        folder / "compare.json", json.dumps({"score": score, "answer": answer, "settings": plain}, indent=1)
    )
    text = [
        *_lines(settings, score, trained),
        "",
        *_progress_lines(settings),
        *notes,
        answer,
        *doubts,
        f"page: {page}",
    ]
    return Table(folder, page, score, settings, answer, text)


def _plainly(setting: Setting) -> dict[str, object]:
    def finite(values: dict[int, float]) -> dict[str, float | None]:
        return {str(seed): value if math.isfinite(value) else None for seed, value in values.items()}

    return {
        "label": setting.label,
        "values": setting.values,
        "validation": finite(setting.scores),
        "test": finite(setting.test),
        "parameters": setting.parameters,
        "seconds": finite(setting.seconds),
        "beside": {name: finite(values) for name, values in setting.beside.items()},
        "reached": {str(seed): step for seed, step in setting.reached.items()},
        "problems": {str(seed): problem for seed, problem in setting.problems.items()},
    }


def _row(setting: Setting, score: str) -> ComparedRow:
    values = list(setting.known().values())
    tried = len(setting.scores) + len(setting.problems)
    return ComparedRow(
        label=setting.label,
        mean=statistics.fmean(values) if values else None,
        interval=_possible(mean_interval(values), score),
        seeds={str(seed): value for seed, value in setting.scores.items()},
        parameters=setting.parameters or None,
        seconds=statistics.fmean(setting.seconds.values()) if setting.seconds else None,
        note=f"{len(setting.problems)} of {tried} diverged" if setting.problems else "",
    )


def _possible(interval: tuple[float, float] | None, score: str) -> tuple[float, float] | None:
    """What of an interval a score can take: few seeds make it wider than that."""
    if interval is None:
        return None
    name = score.rpartition("/")[2]
    least = -math.inf if name == "r2" else 0.0
    most = 1.0 if name in {"r2", "accuracy", "top5"} or name.endswith("average_precision") else math.inf
    return max(interval[0], least), min(interval[1], most)


def _drawn(setting: Setting) -> ComparedCurve:
    examples, seconds, loss = (list(column) for column in zip(*setting.curve, strict=True))
    return ComparedCurve(label=setting.label, examples=examples, seconds=seconds, loss=loss)


def verdict(settings: list[Setting], score: str, vary: Mapping[str, Sequence[str]]) -> str:
    """The best setting, which others cannot be told from it, and where a growing number stops helping."""
    known = [setting for setting in settings if setting.known()]
    if not known:
        return "No setting finished a run."
    sign = -1 if lower_is_better(score) else 1
    best = max(known, key=lambda s: sign * statistics.fmean(s.known().values()))
    value = score_text(score, statistics.fmean(best.known().values()))
    said = f"Best: {best.label} with {score_name(score)} {value}."
    alike = [s for s in known if s is not best and not _better(best, s, sign)]
    if not vary:
        return f"{begun(score_name(score))} {value} on {counted(len(best.known()), 'fold')}."
    if len(best.known()) < 2:
        return f"{said} One seed cannot tell luck from merit; use --seeds 3."
    if score.rpartition("/")[2] == "r2" and (mean_interval(list(best.known().values())) or (1.0,))[0] <= 0:
        return f"{said} Its interval holds 0: no setting is better than always answering the mean."
    if alike:
        said += f" Not to be told from it on {len(best.known())} seeds: {', '.join(s.label for s in alike)}."
    return f"{said} {_stops_helping(known, sign, vary)}".strip()


def _better(one: Setting, other: Setting, sign: int) -> bool:
    """Whether one setting is better than another seed by seed, its whole interval on the better side."""
    first, second = one.known(), other.known()
    between = mean_interval([sign * (first[seed] - second[seed]) for seed in first if seed in second])
    return between is not None and between[0] > 0


def _stops_helping(known: list[Setting], sign: int, vary: Mapping[str, Sequence[str]]) -> str:
    """Where more of a single varied number no longer brings a better score."""
    if len(vary) != 1:
        return ""
    path = next(iter(vary))
    try:
        ordered = sorted(known, key=lambda s: float(s.values[path]))
    except ValueError:
        return ""
    name = path.rpartition(".")[2].replace("_", " ")
    for place, setting in enumerate(ordered):
        if not any(_better(later, setting, sign) for later in ordered[place + 1 :]):
            last = place == len(ordered) - 1
            return (
                f"More {name} still helped at {setting.values[path]}."
                if last
                else (
                    f"More {name} stopped helping at {setting.values[path]}: nothing larger is better on these seeds."
                )
            )
    return ""


def _lines(settings: list[Setting], score: str, trained: tuple[str, int]) -> list[str]:
    cells = [("setting", f"{score_name(score)}", "95 % interval", "parameters", "time")]
    for row in (_row(setting, score) for setting in settings):
        cells.append(
            (
                row.label,
                score_text(score, row.mean) if row.mean is not None else "-",
                interval_text(score, row.interval) or "-",
                f"{row.parameters:,}" if row.parameters else "-",
                duration(row.seconds),
            )
        )
    widths = [max(len(line[i]) for line in cells) for i in range(5)]
    rows = ["  ".join(cell.ljust(width) for cell, width in zip(line, widths, strict=True)).rstrip() for line in cells]
    one, many = trained
    held_out = "test" if one == "fold" else "validation"
    return [f"{held_out} scores, mean of {counted(many, one)}:", *rows]


def _beside_lines(settings: list[Setting], score: str) -> list[str]:
    """The best simple method on the same folds, and whether the net is better."""
    lines = []
    sign = -1 if lower_is_better(score) else 1
    for setting in settings:
        on_all = {name: scores for name, scores in setting.beside.items() if len(scores) == len(setting.known())}
        if not on_all:
            continue
        name, scores = max(on_all.items(), key=lambda pair: sign * statistics.fmean(pair[1].values()))
        other = Setting(name, {}, scores)
        mean = score_text(score, statistics.fmean(scores.values()))
        told = (
            "the net is better, fold by fold"
            if _better(setting, other, sign)
            else "it is better than the net"
            if _better(other, setting, sign)
            else "not to be told from the net on these folds"
        )
        lines.append(f"{setting.label}: {name} on the same folds {mean}: {told}.".removeprefix(": "))
    return lines


def _reached_lines(settings: list[Setting], score: str, reach: float | None) -> list[str]:
    """After how many steps each setting first had the score that was asked for, looked at after every epoch."""
    if reach is None or not score:
        return []
    wanted = f"validation {score_name(score)} {score_text(score, reach)}"
    lines = []
    for setting in settings:
        steps = [step for step in setting.reached.values() if step is not None]
        never = len(setting.reached) - len(steps)
        told = ", ".join(f"{step:,}" for step in steps)
        mean = f" (mean {statistics.fmean(steps):,.0f})" if len(steps) > 1 else ""
        missed = f"not within {setting.steps:,} steps" + (f" on {counted(never, 'seed')}" if steps else "")
        said = "; ".join(filter(None, [f"{told}{mean}" if steps else "", missed if never else ""]))
        lines.append(f"steps to {wanted}: {setting.label}: {said}")
    return lines


def _progress_lines(settings: list[Setting]) -> list[str]:
    """Loss against examples seen and against seconds, at the same few places for every setting."""
    drawn = [setting for setting in settings if setting.curve]
    if not drawn:
        return []
    most = min(setting.curve[-1][0] for setting in drawn)
    places = [most * share for share in (0.1, 0.25, 0.5, 1.0)]
    lines = ["validation loss (and seconds) by examples seen, first seed:"]
    for setting in drawn:
        points = [next((p for p in setting.curve if p[0] >= place - 0.5), setting.curve[-1]) for place in places]
        told = "  ".join(f"{seen:,.0f}: {loss:.4f} ({seconds:.2g} s)" for seen, seconds, loss in points)
        lines.append(f"  {setting.label}: {told}")
    return [*lines, ""]
