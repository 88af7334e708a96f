"""A look at runs: how well each does on held-out pictures that are moved aside."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path

from netwright import files
from netwright.errors import SpecError
from netwright.figures.lines import SERIES
from netwright.figures.marks import percent
from netwright.lens.shifts import ShiftScore, largest_px, shift_scores
from netwright.progress import Display, Silent
from netwright.report.sentences import is_share, score_name, with_interval
from netwright.report.shifts import ShiftLine, shift_page
from netwright.run.held_out import HeldOut, held_out

MOST_EXAMPLES = 10_000


@dataclass(frozen=True)
class Shifts:
    """Scores of some runs on moved pictures.

    Args:
        score: Name of the score.
        scores: By run, one for each distance from 0 on.
        page: Where the picture lies.
        text: In words, line by line.
    """

    score: str
    scores: dict[str, tuple[ShiftScore, ...]]
    page: Path
    text: list[str]


def shifts(run: Path, *, to: int = 8, beside: Sequence[Path] = (), show: Display | None = None) -> Shifts:
    """The headline score of runs on their held-out pictures, moved by 0 up to `to` pixels.

    Args:
        run: The run folder; the page is written there.
        to: Largest distance in pixels, at least 1; where it does not fit into the pictures, as far as it goes.
        beside: Further runs.
        show: Where progress is told.

    Raises:
        SpecError: A run without pictures or with another headline score, too many runs, or `to` is below 1.
        DataError: A run's data is gone or changed.
    """
    if to < 1:
        raise SpecError(f"--to is {to}, so nothing would be moved.", "Give 1 or more.")
    runs = [run, *beside]
    if len(runs) > SERIES:
        raise SpecError(f"{len(runs)} runs are too many for one picture.", f"Name at most {SERIES}.")
    show = show or Silent()
    looked = [held_out(each, MOST_EXAMPLES, show) for each in runs]
    reach = min([to, *(largest_px(each.model) for each in looked)])
    outputs = [next(iter(each.model.tasks.items())) for each in looked]
    headlines = {task.headline for _, task in outputs}
    if len(headlines) > 1:
        raise SpecError(
            f"these runs have different scores ({', '.join(sorted(headlines))}).", "Name runs with one kind of output."
        )
    (score,) = headlines
    scores: dict[str, tuple[ShiftScore, ...]] = {}
    for label, each, (name, _) in zip(_labels(runs), looked, outputs, strict=True):
        show.stage(f"moving pictures of {files.printable(label)}", len(each.dataset.parts[each.part]))
        with each.computing():
            scores[label] = tuple(shift_scores(each.model, name, each.batches(), reach, show.advance))
    notes = [*_changes(scores), *_notes(looked, to, reach)]
    page = looked[0].folder.path / "shifts.html"
    lines = [ShiftLine(label, [(s.px, s.score, s.interval) for s in found]) for label, found in scores.items()]
    files.write_text(page, shift_page(score, lines, notes))
    return Shifts(score, scores, page, [*_text(score, scores), *notes, f"picture: {files.printable(page)}"])


def _labels(runs: Sequence[Path]) -> list[str]:
    """Names of the folders; whole paths where they are no names."""
    names = [each.resolve().name for each in runs]
    return names if len(set(names)) == len(names) else [str(each) for each in runs]


def _changes(scores: dict[str, tuple[ShiftScore, ...]]) -> list[str]:
    """How many answers moving changes, one sentence a run."""
    told = []
    for label, found in scores.items():
        seen = [f"{percent(each.changed)} by {each.px}" for each in found[1:] if each.changed is not None]
        if seen:
            told.append(f"answers of {files.printable(label)} that moving changes, by pixels: {', '.join(seen)}")
    return told


def _notes(looked: Sequence[HeldOut], to: int, reach: int) -> list[str]:
    told = [
        "each distance is the mean of four directions; what comes in at a border is what lay there, reflected",
        *dict.fromkeys(f"looked at {each.told()}" for each in looked),
    ]
    shortest = min(largest_px(each.model) for each in looked) + 1
    if 2 * reach > shortest:
        told.append(f"more than {shortest // 2} pixels aside, most of what is seen is its reflection")
    if reach < to:
        told.append(f"the smallest pictures end at {reach} pixels, so {to} was not reached")
    ids = [set(each.dataset.ids.take(each.dataset.parts[each.part]).to_pylist()) for each in looked]
    if any(other != ids[0] for other in ids[1:]):
        told.append("the runs hold out different examples: compare how the scores fall, not where they begin")
    return told


def _text(score: str, scores: dict[str, tuple[ShiftScore, ...]]) -> list[str]:
    """A line for each distance with a column for each run."""
    lines = [f"{score_name(score)} on held-out pictures moved by so many pixels, with 95 % intervals:"]
    columns = [["px", *(str(one.px) for one in next(iter(scores.values())))]]
    for label, found in scores.items():
        cells = [with_interval(score, one.score, one.interval) for one in found]
        columns.append([files.printable(label), *cells])
    widths = [max(map(len, column)) for column in columns]
    rows = zip(*columns, strict=True)
    lines += ["  " + "  ".join(f"{cell:>{width}}" for cell, width in zip(row, widths, strict=True)) for row in rows]
    falls = [f"{files.printable(label)} {_fall(score, found)}" for label, found in scores.items()]
    return [*lines, f"moved by {columns[0][-1]} pixels: {'; '.join(falls)}"]


def _fall(score: str, found: Sequence[ShiftScore]) -> str:
    change = found[-1].score - found[0].score
    return f"{100 * change:+.1f} points" if is_share(score) else f"{change:+.4g}"
