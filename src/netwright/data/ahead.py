"""Tracks and series cut into examples: some steps that are seen, and beside them the steps that come then.

What is divided is whole tracks, or time, and only then are windows cut: no window spans two parts of the split.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, replace
from itertools import pairwise
from typing import Literal

import numpy as np
import pyarrow as pa

from netwright.data import splits, weeks
from netwright.data.ledger import PARTS
from netwright.data.roles import Roles, roles
from netwright.data.steps import Steps, read
from netwright.errors import DataError, SpecError
from netwright.field import Field
from netwright.files import printable
from netwright.readers.columns import Arrays, Cells, Cut, Found, Refusal
from netwright.readers.dates import spelled
from netwright.readers.kinds.track import titles
from netwright.readers.marks import MARKS
from netwright.spec import InputSpec, OutputSpec, Spec
from netwright.spec_data import SplitSpec, WindowSpec
from netwright.words import counted, listed

PAST = 8  # steps that are seen, where nothing says so
_OTHER = 1.5  # times as far apart: other steps than those of training
_FEWEST_TRACKS = 6  # below it, time is divided and not tracks


def asked(spec: Spec) -> dict[str, OutputSpec]:
    """Outputs that are the next steps of an input."""
    return {name: out for name, out in spec.outputs.items() if out.of is not None and out.horizon is not None}


def kind_of(spec: Spec) -> Literal["track", "series"]:
    """Whether points or plain numbers are gone on with.

    Raises:
        SpecError: Next steps are asked of something else, of several inputs, or beside other outputs.
    """
    outputs = asked(spec)
    of = {out.of for out in outputs.values()}
    if len(of) > 1 or len(outputs) < len(spec.outputs) or len(spec.inputs) > 1:
        raise SpecError(
            "the next steps of one input are all that can come out of it.",
            "Name one input and outputs with `of` and `horizon` alone; columns beside the coordinates go into `from`.",
        )
    name = next(iter(of))
    kind = (spec.inputs.get(str(name)) or InputSpec()).kind or "track"
    if kind not in {"track", "series"}:
        raise SpecError(
            f"outputs with a horizon go on with {name}, which is a {kind}.",
            f"Write inputs.{name}.kind: track, or series for numbers over time.",
        )
    return "series" if kind == "series" else "track"


def named(spec: Spec) -> Spec:
    """The same with the kinds written out, and every field read from the column of windows that has its name."""
    kind, outputs = kind_of(spec), asked(spec)
    of = str(next(iter(outputs.values())).of)
    wish = spec.inputs.get(of) or InputSpec()
    return spec.model_copy(
        update={
            "inputs": {of: wish.model_copy(update={"kind": kind, "source": None})},
            "outputs": {name: out.model_copy(update={"kind": kind, "source": None}) for name, out in outputs.items()},
        }
    )


def cut(found: Found, spec: Spec) -> Found:
    """The windows of a table of rows in time, each with the part of the split that it belongs to.

    Args:
        found: One row for each step.
        spec: Says how many steps are seen, how many are asked for, and how the tracks are divided.

    Raises:
        SpecError: Nothing says which column is what.
        DataError: No track is long enough, or the tracks cannot be divided.
    """
    which, steps = _steps(found, spec)
    window, outputs = _window(spec), asked(spec)
    horizon = max(int(out.horizon or 1) for out in outputs.values())
    codes, by, divided = _divided(found, spec, steps, which)
    back = kind_of(spec) == "series" and by == "time"  # what was before a border is known beyond it
    pieces = _pieces(steps, codes * 0 if back else codes)
    begins, seen, ends = _real(steps, *_windows(pieces, window, horizon))
    if back:
        inside = codes[seen] == codes[ends - 1]
        divided += f"; {int((~inside).sum())} windows whose steps to come lie in two parts are left out"
        begins, seen, ends = begins[inside], seen[inside], ends[inside]
    refused = [*found.refused, *steps.refused, *_short(found, steps, pieces, (window.least or window.past) + horizon)]
    if not len(begins):
        least = (window.least or window.past) + horizon
        raise DataError(
            f"{printable(found.origin)}: no track has {least} steps in a row, {least - horizon} to see and "
            f"{horizon} to come.",
            "Set data.window.past or the output's horizon lower"
            + (", or take the rows as the steps: data.window.gaps: ignore." if steps.torn else "."),
        )
    of = str(next(iter(outputs.values())).of)
    past = np.empty(len(begins), dtype=object)
    for place, (begin, end) in enumerate(zip(begins.tolist(), seen.tolist(), strict=True)):
        past[place] = steps.values[begin:end]
    axes = min(2, len(which.values)) if kind_of(spec) == "track" else len(which.values)
    columns: dict[str, Arrays] = {of: Arrays(past)}
    for name, out in outputs.items():
        places = seen[:, None] + np.arange(int(out.horizon or 1))
        columns[name] = Arrays(steps.values[places, :axes])
    several = counted(
        len(np.unique(steps.tracks)), *(("series", "series") if kind_of(spec) == "series" else ("track",))
    )
    note = f"{len(steps.rows):,} steps of {several}: {len(begins):,} windows"
    told = f"{note} of {window.past} + {horizon} steps, cut after the division: {divided}"
    return replace(
        found,
        ids=pa.array(_ids(steps, which, seen - 1), pa.string()),
        columns=columns,  # type: ignore[arg-type]
        official=pa.array([PARTS[code] for code in codes[ends - 1]], pa.string()),
        refused=tuple(refused),
        notes=(*found.notes, *steps.notes, told),
        lines=None,
        place="",
        groups=_groups(steps, begins, _FEWEST_TRACKS if back else 2),
        cut=_how(spec, which, steps, window.past, by),
    )


def _how(spec: Spec, which: Roles, steps: Steps, past: int, by: str) -> Cut:
    """How rows became windows, with what nobody said of dates and numbers."""
    return Cut(
        which.values,
        past,
        which.geographic,
        season=_season(steps),
        divided=by,
        as_rows=steps.why,
        day_first=steps.day_first if which.day_first is None else None,
        decimal="" if spec.data.decimal else steps.decimal,
        usual=_usual(steps),
        unnamed=which.unnamed,
    )


def known(spec: Spec, fields: Mapping[str, Field], found: Found | None = None) -> Spec:
    """The same with the columns that a model learned from named, dates and gaps read as there, for other tables.

    Args:
        spec: Of the model.
        fields: What goes into it.
        found: The other table, where it is there: without names, its columns are what they were in training.
    """
    of = str(next(iter(asked(spec).values())).of)
    wish, facts = spec.inputs.get(of) or InputSpec(), fields[of]
    unnamed = found is not None and facts.options.get("order") in found.columns
    for name in ("day_first", "decimal", *(("group", "order") if unnamed else ())):
        if getattr(spec.data, name) is None and name in facts.options:
            spec = spec.model_copy(update={"data": spec.data.model_copy(update={name: facts.options[name]})})
    source = wish.source or titles(facts)
    if facts.kind != "series":
        named = {**spec.inputs, of: wish.model_copy(update={"source": source})}
        return spec.model_copy(update={"inputs": named}) if unnamed else spec
    window, settled = spec.data.window or WindowSpec(), _window(spec)
    gaps = settled.gaps or facts.options.get("gaps", "cut")
    window = window.model_copy(update={"past": settled.past, "gaps": gaps})
    return spec.model_copy(
        update={
            "inputs": {**spec.inputs, of: wish.model_copy(update={"source": source})},
            "data": spec.data.model_copy(update={"window": window}),
        }
    )


def as_given(spec: Spec, given: Mapping[str, Field]) -> Spec:
    """The spec with rows in time read as by a model to go on from; see `known`.

    Args:
        spec: What the user said.
        given: Fields of that model.
    """
    of = next((str(out.of) for out in asked(spec).values()), None)
    return known(spec, given) if of in given else spec


def latest(found: Found, spec: Spec) -> Found:
    """The last steps of every track, to be gone on with: one example for each.

    Args:
        found: One row for each step.
        spec: Of the model.
    """
    which, steps = _steps(found, spec)
    window = _window(spec)
    pieces = _pieces(steps, np.zeros(len(steps.rows), dtype=np.int8))
    last = [piece for piece, after in zip(pieces, [*pieces[1:], (0, 0)], strict=True) if _ends(steps, piece, after)]
    least = min(window.least or 2, window.past)
    kept = [(max(begin, end - window.past), end) for begin, end in last if end - begin >= least]
    refused = [
        Refusal(steps.names[int(steps.tracks[begin])], steps.names[int(steps.tracks[begin])], "refused", why)
        for begin, end in last
        if end - begin < least and (why := f"has {counted(end - begin, 'step')} in the end, {least} are needed.")
    ]
    past = np.empty(len(kept), dtype=object)
    for place, (begin, end) in enumerate(kept):
        past[place] = steps.values[begin:end]
    of = str(next(iter(asked(spec).values())).of)
    ends = np.array([end - 1 for _, end in kept], dtype=np.int64)
    gaps = {refusal.id for refusal in steps.refused if refusal.id.startswith("gap in ")}
    return replace(
        found,
        ids=pa.array(_ids(steps, which, ends), pa.string()),
        columns={of: Arrays(past)},
        cut=Cut(which.values, window.past, usual=_usual(steps)),
        official=None,
        refused=(*found.refused, *(each for each in steps.refused if each.id not in gaps), *refused),
        lines=None,
        place="",
    )


def unlike(found: Found, spec: Spec, field: Field) -> list[str]:
    """How tracks differ from what training saw, in words: their steps are fewer, or lie elsewhere apart.

    Args:
        found: What `latest` gives.
        spec: Of the model.
        field: Of what goes in.
    """
    told = _fewer(found, spec)
    usual, learned = found.cut.usual if found.cut else 0.0, float(field.options.get("usual", 0.0))
    if usual and learned and not 1 / _OTHER < usual / learned < _OTHER:
        told.append(
            f"from one step to the next it is {spelled(usual)} here, and was {spelled(learned)} in training. Such "
            "answers are guesses."
        )
    return told


def _fewer(found: Found, spec: Spec) -> list[str]:
    window = _window(spec)
    least = window.least or window.past
    rows = [row for column in found.columns.values() if isinstance(column, Arrays) for row in column.values]
    short = [str(found.ids[place]) for place, steps in enumerate(rows) if len(steps) < least]
    if not short:
        return []
    many = f"{len(short):,} of {counted(len(found.ids), 'example')}"
    has = "have" if len(short) > 1 else "has"
    told = f"{many} {has} fewer than the {counted(least, 'step')} that training always saw ({listed(short, 3)})"
    return [f"{told}. Such answers are guesses."]


def _steps(found: Found, spec: Spec) -> tuple[Roles, Steps]:
    kind, data = kind_of(spec), spec.data
    of = str(next(iter(asked(spec).values())).of)
    source = (spec.inputs.get(of) or InputSpec()).source
    values = (source,) if isinstance(source, str) else tuple(source or ())
    which = roles(found, data, values, kind)
    if kind == "track" and len(which.values) < 2:
        raise SpecError(f"inputs.{of}.from: a track has two coordinates.", "Name them: from: [x, y]")
    gaps = _window(spec).gaps or ("cut" if kind == "track" else None)
    return which, read(found, which, gaps=gaps, decimal=MARKS.get(data.decimal or "", ""))


@dataclass(frozen=True)
class _Window:
    """`data.window`, with what is left out settled."""

    past: int
    least: int | None
    stride: int
    gaps: Literal["cut", "fill", "ignore"] | None


def _window(spec: Spec) -> _Window:
    window = spec.data.window or WindowSpec()
    past = window.past or PAST
    if window.least is not None and window.least > past:
        raise SpecError(f"data.window.least is {window.least}, more than past, {past}.", "Give a smaller number.")
    return _Window(past, window.least, window.stride, window.gaps)


def _ends(steps: Steps, piece: tuple[int, int], after: tuple[int, int]) -> bool:
    """Whether a piece is the last one of its track."""
    return after[1] == 0 or bool(steps.tracks[piece[0]] != steps.tracks[after[0]])


# ---- windows ---------------------------------------------------------------------------------------------------------


def _pieces(steps: Steps, codes: np.ndarray) -> list[tuple[int, int]]:
    """First step and step after the last of each stretch without a gap that lies in one part."""
    breaks = np.flatnonzero((np.diff(steps.pieces) != 0) | (np.diff(codes) != 0)) + 1
    edges = [0, *breaks.tolist(), len(steps.pieces)]
    return list(pairwise(edges))


def _windows(pieces: list[tuple[int, int]], window: _Window, horizon: int) -> tuple[np.ndarray, np.ndarray, np.ndarray]:
    """First step, step after the last that is seen, and step after the last that comes, of every window."""
    least = window.least or window.past
    begins, seen = [np.zeros(0, np.int64)], [np.zeros(0, np.int64)]
    for begin, end in pieces:
        first = np.arange(begin + least, min(begin + window.past, end - horizon + 1))  # where no more was seen yet
        full = np.arange(begin + window.past, end - horizon + 1, window.stride)
        now = np.concatenate([first, full])
        begins.append(np.maximum(now - window.past, begin))
        seen.append(now)
    found = np.concatenate(seen)
    return np.concatenate(begins), found, found + horizon


def _real(
    steps: Steps, begins: np.ndarray, seen: np.ndarray, ends: np.ndarray
) -> tuple[np.ndarray, np.ndarray, np.ndarray]:
    """Windows of which nothing that is asked, and not the last that is seen, was put into a gap."""
    filled = np.concatenate([[0], np.cumsum(steps.rows < 0)])
    real = filled[ends] == filled[seen - 1]
    return begins[real], seen[real], ends[real]


def _short(found: Found, steps: Steps, pieces: list[tuple[int, int]], least: int) -> list[Refusal]:
    """Stretches that are shorter than a window."""
    told = []
    for begin, end in pieces:
        if end - begin < least:
            place = steps.at(begin, "from")
            why = f"is shorter than a window of {least} steps."
            told.append(Refusal(place, f"{place}, {counted(end - begin, 'step')}", "refused", why))
    return told


def _groups(steps: Steps, begins: np.ndarray, least: int) -> pa.Array | None:
    """The track of each window; None where there are fewer, of which too little is told by drawing them anew."""
    if len(np.unique(steps.tracks)) < least:
        return None
    return pa.array(np.asarray(steps.names, dtype=object)[steps.tracks[begins]], pa.string())


def _ids(steps: Steps, which: Roles, places: np.ndarray) -> list[str]:
    """`recording.txt 7 at 780`: track and moment of the last step that is seen."""
    told = []
    for place in places.tolist():
        name = printable(steps.names[int(steps.tracks[place])])
        moment = steps.when(place)
        told.append(f"{name} at {moment}" if which.group or len(steps.names) > 1 else moment)
    return told


def _usual(steps: Steps) -> float:
    """Seconds of a usual step; 0 where steps are no dates, or none follows another."""
    return steps.usual if steps.dated and (np.diff(steps.tracks) == 0).any() else 0.0


def _season(steps: Steps) -> int:
    """Steps of a season; 0 where they are no dates, or none of a usual distance."""
    return weeks.season(steps.times, steps.usual, as_rows=steps.as_rows) if steps.dated else 0


# ---- parts -----------------------------------------------------------------------------------------------------------


def _divided(found: Found, spec: Spec, steps: Steps, which: Roles) -> tuple[np.ndarray, str, str]:
    """Part of every step, by what, and why: whole tracks stay together unless time is divided."""
    wish, tracks = spec.data.split, len(np.unique(steps.tracks))
    there = np.maximum.accumulate(np.where(steps.rows >= 0, np.arange(len(steps.rows)), 0))
    rows = np.maximum(steps.rows[there], 0)  # a step put into a gap lies where the one before it does
    by = wish.by
    if by is None and wish.column is not None:
        by = "time" if wish.column == which.order else "group"
    if by is None and found.official is None:
        several = tracks >= _FEWEST_TRACKS and not (kind_of(spec) == "series" and which.group)
        by = "group" if several else "time"  # of all series of a table the future is asked, at the same time
    if by in {"random", "stratified"}:
        by = "group"
    count, seed = len(steps.rows), spec.split_seed
    name = wish.column or which.order
    column = None if name in {which.group, which.order} else _texts(found, name)[rows]
    plain = SplitSpec(by=by, parts=wish.parts, column=wish.column or which.order)
    if by == "group":
        groups = steps.tracks if column is None else column
        codes, reason = splits.split(plain, seed, labels=None, groups=groups, times=None, official=None, count=count)
        return codes, by, f"by {wish.column or which.group or 'track'}, {reason.why}"
    if by == "time":
        codes, reason = splits.split(
            plain, seed, labels=None, groups=None, times=steps.times, official=None, count=count
        )
        return codes, by, f"by time, {reason.why}"
    if column is None:
        if found.official is None:
            raise DataError("the data brings no split of its own.", "Divide another way: --set data.split.by=group")
        column = np.asarray(found.official.to_pylist(), dtype=object)[rows]
    official = splits.official_codes(column.tolist(), wish.column or "split")
    codes, why = _completed(official, plain, seed, steps)
    return codes, "column", why


def _completed(official: np.ndarray, wish: SplitSpec, seed: int, steps: Steps) -> tuple[np.ndarray, str]:
    """The split that the data brings; of a part that it lacks, whole tracks are taken from those of training."""
    have = [bool((official == part).any()) for part in range(3)]
    missing = [part for part in (splits.VALIDATION, splits.TEST) if not have[part] and wish.parts[part] > 0]
    if not have[splits.TRAIN]:
        raise DataError("the data's own split has no training rows.", "Divide another way: --set data.split.by=group")
    if not missing:
        return official, "the data brings its own split"
    train = np.flatnonzero(official == splits.TRAIN)
    kept = 1 - sum(wish.parts[part] for part in missing)
    parts = (kept, *(wish.parts[part] if part in missing else 0.0 for part in (splits.VALIDATION, splits.TEST)))
    shares = SplitSpec(by="group", column="track", parts=parts)  # type: ignore[arg-type]
    codes, _ = splits.split(
        shares, seed, labels=None, groups=steps.tracks[train], times=None, official=None, count=len(train)
    )
    whole = official.copy()
    whole[train] = codes
    names = " and ".join(PARTS[part] for part in missing)
    return whole, f"the data brings its own split; {names}: whole tracks from its training part, seed {seed}"


def _texts(found: Found, name: str) -> np.ndarray:
    column = found.column(name)
    if not isinstance(column, Cells):
        raise DataError(f'column "{name}" holds no texts or numbers to divide by.', "Name another column.")
    return np.asarray([str(cell) for cell in column.values.to_pylist()], dtype=object).astype(str)
