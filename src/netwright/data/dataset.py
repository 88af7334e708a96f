"""From a spec to a data set ready to train on: found, read, checked, split, cached, with a ledger of every example.

`prepare` is the one entry. The first time it reads the data into the cache; after that it compares fingerprints and
maps what lies there. Everything it decides is told as a `Reason`; everything it leaves out is in the ledger.
"""

from __future__ import annotations

import json
from collections.abc import Callable
from dataclasses import dataclass, field, replace
from functools import cached_property
from pathlib import Path

import numpy as np
import psutil
import pyarrow as pa

from netwright import files, readers
from netwright.data import ahead, cache, duplicates, fields, fingerprint, grouped, store, windows
from netwright.data.batches import coded_width
from netwright.data.divide import Division, divide
from netwright.data.fields import Plan
from netwright.data.fingerprint import Fingerprint, Summary
from netwright.data.ledger import PARTS, Ledger
from netwright.data.store import Store
from netwright.errors import DataError, SpecError
from netwright.field import Field, Reason
from netwright.readers import missing, padding, spreadsheet
from netwright.readers.columns import Arrays, Blobs, Cells, Column, Found, Several, Steps, named
from netwright.readers.dates import exact, is_date
from netwright.seeds import numpy_generator
from netwright.spec import Spec
from netwright.words import listed

Progress = Callable[[str, int, int], None]
One = str | int | float | None
Raw = bytes | One | np.ndarray | list[One] | list[list[One]]
_STEPPED = ("signal", "labels")  # kinds whose steps may lie in rows

_RESIDENT_SHARE = 0.25
_SOME = 300  # examples
_RESIDENT_BYTES = 2 * 1024**3


@dataclass(frozen=True)
class Dataset:
    """Everything a run needs of the data.

    Args:
        inputs: Fields that go in, fitted on the training part.
        outputs: Fields that come out, likewise.
        arrays: Raw values by field name, one row per used example; memory-mapped, or decoded on access.
        ids: Id of each used example.
        parts: "train", "validation", "test" -> ascending int64 positions.
        ledger: What became of everything that was found.
        files: What the files looked like.
        twins: Pairs of ids of near-twin pictures that stand in different parts, with their correlation.
        reasons: Why things are as they are.
        notes: What a person should know.
        find: Looks at the source again; used by `found` and `raw` only.
        rows: Place of each used example among everything the readers found.
        groups: What each example belongs to, e.g. its track, where several belong together.
    """

    inputs: dict[str, Field]
    outputs: dict[str, Field]
    arrays: dict[str, duplicates.Rows]
    ids: pa.Array
    parts: dict[str, np.ndarray]
    ledger: Ledger
    files: Fingerprint
    twins: list[tuple[str, str, float]]
    reasons: list[Reason]
    notes: list[str]
    find: Callable[[], Found] = field(repr=False)
    rows: np.ndarray = field(repr=False)
    groups: np.ndarray | None = field(default=None, repr=False)

    def __len__(self) -> int:
        return len(self.rows)

    @cached_property
    def found(self) -> Found:
        """What the readers found; a data set that came out of the cache looks at its source only now."""
        return self.find()

    @cached_property
    def fingerprint(self) -> Summary:
        """The short fingerprint for run.json and the model file."""
        return self.files.summary()

    @cached_property
    def mean_steps(self) -> int:
        """Steps that an example has on average, the longest of its sequences counted, told from some; 1 without any."""
        found = [1]
        for name, facts in self.inputs.items():
            if facts.ragged and len(self):
                some = np.unique(np.linspace(0, len(self) - 1, _SOME).astype(np.int64))
                coded = fields.kind_of(facts).code(self.arrays[name][some], facts)
                found.append(round(float(padding.lengths(coded).float().mean())))
        return max(found)

    def positions(self, part: str) -> np.ndarray:
        """Positions of one part, or of "all" examples."""
        return np.arange(len(self)) if part == "all" else self.parts[part]

    def some(self, seed: int, **most: int) -> Dataset:
        """The same with fewer examples in some parts, drawn by chance.

        Args:
            seed: Of the draw.
            most: By part, how many are left at most.
        """
        parts = dict(self.parts)
        for part, count in most.items():
            if len(there := parts[part]) > count:
                parts[part] = there[np.sort(numpy_generator(seed, "look").permutation(len(there))[:count])]
        return replace(self, parts=parts)

    def raw(self, positions: np.ndarray, name: str) -> list[Raw]:
        """The original cells of examples: the bytes of a file, the text of a cell, or an array.

        Args:
            positions: Of the examples in the data set.
            name: Of the field; one made of several columns gives a list.
        """
        facts = {**self.inputs, **self.outputs}[name]
        column, rows = fields.column_of(self.found, facts), self.rows[positions]
        if isinstance(column, Blobs):  # together, since a packed archive is unpacked from its beginning
            cells = {k: read() for k, read in column.blobs(rows)}
            return [cells[k] for k in range(len(rows))]
        if facts.kind in _STEPPED and (steps := [_steps(column, int(row)) for row in rows]) and steps[0] is not None:
            return [row for row in steps if row is not None]
        return [_cell(column, facts.kind, int(row)) for row in rows]

    def preview(self, name: str, position: int) -> bytes | str:
        """One value in words, as the data has it; a picture as the bytes of a PNG.

        Args:
            name: Of the field.
            position: Of the example in the data set.
        """
        facts = {**self.inputs, **self.outputs}[name]
        return fields.kind_of(facts).preview(self.arrays[name][np.array([position])][0], facts)

    def resident(self) -> tuple[bool, Reason]:
        """Whether all examples fit coded into memory, and why."""
        width = sum(coded_width(facts) for facts in self.inputs.values() if not facts.ragged)
        even = [facts for facts in self.outputs.values() if not facts.ragged]
        width += sum(max(2, int(np.prod(facts.shape, dtype=np.int64))) for facts in even)
        ragged = [name for name, facts in {**self.inputs, **self.outputs}.items() if facts.ragged]
        steps = sum(2 * int(np.prod(self.arrays[name].shape)) for name in ragged)
        needed, free = 4 * (width * len(self) + steps), psutil.virtual_memory().available
        fits = needed <= min(_RESIDENT_BYTES, int(free * _RESIDENT_SHARE))
        coded = f"{needed / 2**20:,.0f} MB" if needed > 2**20 else "less than 1 MB"
        why = f"{coded} coded, {free / 2**20:,.0f} MB of memory free"
        return fits, Reason(path="data.resident", value=str(fits).lower(), why=why)


def prepare(
    spec: Spec,
    *,
    data: object = None,
    progress: Progress = lambda *_: None,
    strict: bool = False,
    accept: bool = False,
    vocabulary: dict[str, tuple[str, ...]] | None = None,
    fields: dict[str, Field] | None = None,
    expected: Fingerprint | None = None,
) -> Dataset:
    """The data set of a spec.

    Args:
        spec: What goes in and out, and where it is.
        data: The data itself, when it is in memory: a dict of arrays, a data frame, an Arrow table.
        progress: Called with what is being done, how much is done, and how much there is.
        strict: One refused or quarantined example is an error.
        accept: Go on although the data is not what `expected` says.
        vocabulary: By output, classes that come first; classes new in the data are appended after them.
        fields: Facts to be used exactly as they are (resume, evaluate, continued training), by name.
        expected: What the files looked like when the run was begun.

    Raises:
        SpecError: The spec names columns that are not there, or no data at all.
        DataError: Nothing usable, nothing to learn, a split that cannot be, copies on both sides of a split, changed
            data; or, when strict, anything left out.
        ResourceError: It does not fit on the disk.
    """
    if data is None and spec.data.path is None:
        raise SpecError("no data is given.", "Name a folder or file: netwright train PATH --in ... --out ...")
    given = fields or {}
    source = _Source(windows.as_given(spec, given), data)
    plan, files_now = _planned(source, vocabulary or {}, given, progress)
    accepted = fingerprint.require_same(expected, files_now, accept=accept) if expected else []
    held = _stored(source, plan, files_now, progress)
    if files_now is _IN_MEMORY:
        files_now = fingerprint.of_arrays({name: np.asarray(rows[:]) for name, rows in held.arrays.items()})
    if strict:
        _refuse_left_out(held.ledger)
    division = _divided(source, plan, held, set(given), files_now)
    by_field = {name: given.get(name, facts) for name, facts in division.fitted.items()}
    return Dataset(
        inputs={name: by_field[name] for name in plan.inputs},
        outputs={name: by_field[name] for name in plan.outputs},
        arrays=held.arrays,
        ids=held.ledger.table["id"].slice(0, len(held.rows)).combine_chunks(),
        parts={part: np.flatnonzero(division.codes == code) for code, part in enumerate(PARTS)},
        ledger=held.ledger.with_split(division.codes),
        files=files_now,
        twins=_named_twins(division, held),
        reasons=[*_without_left_out(plan.reasons), *division.reasons],
        notes=[*plan.notes, *held.notes, *division.notes, *(f"accepted: {words}" for words in accepted)],
        find=source.found,
        rows=held.rows,
        groups=division.groups if held.groups is None else held.groups,
    )


_IN_MEMORY = Fingerprint(pa.array([], pa.binary()), np.zeros(0, np.int64), np.zeros(0, np.int64), {})


class _Source:
    """Where the data comes from; looked at once, and only when somebody must know."""

    def __init__(self, spec: Spec, data: object) -> None:
        self.spec, self.data = spec, data
        self._found: Found | None = None

    def found(self) -> Found:
        if self._found is None:
            if self.data is not None:
                self._found = readers.from_memory(self.data)
            else:
                asked = next((field.kind or name for name, field in self.spec.inputs.items()), "")
                path, layout = str(self.spec.data.path), windows.layout(self.spec)
                self._found = readers.find(path, layout, self.spec.data.names, asked)
            self._found = windows.cut(missing.emptied(self._found, self.spec.data.empty), self.spec)
            if not ahead.asked(self.spec):  # there rows are the steps of tracks, which are cut already
                self._found = grouped.grouped(self._found, self.spec.data, grouped.wanted(self.spec))
            if not len(self._found.ids) and not self._found.refused:
                raise DataError(f"{self._found.origin}: there is nothing in it.", "Give data with examples in it.")
        return self._found

    def request(self, vocabulary: dict[str, tuple[str, ...]], given: dict[str, Field]) -> str:
        """A name for "this data read with these wishes", whatever the data is like at the moment."""
        spec, path = self.spec, str(self.spec.data.path)
        place = str(Path(path).absolute()) if Path(path).exists() else path
        wishes = {"inputs": spec.inputs, "outputs": spec.outputs}
        plain = [{name: wish.model_dump(mode="json") for name, wish in of.items()} for of in wishes.values()]
        known = {name: facts.model_dump(mode="json") for name, facts in given.items()}
        divided = (spec.data.split.by, spec.data.split.column, spec.data.without, _cut(spec))
        rows = (spec.data.group, spec.data.order, spec.data.day_first)
        told = json.dumps([plain, vocabulary, known, divided, spec.data.empty, rows], sort_keys=True)
        return cache.key(place, str(spec.data.layout), str(spec.data.names), str(spec.data.decimal), told)


def _cut(spec: Spec) -> str:
    """What decides how long texts, tracks and series are cut, and which examples there are."""
    data, outputs = spec.data, ahead.asked(spec)
    if not outputs:
        return str([data.window, windows.read_by(spec)])
    sources = [str(wish.source) for wish in spec.inputs.values()]
    steps = [data.window, data.group, data.order, data.split, spec.split_seed, data.decimal, data.empty, data.day_first]
    return str([*steps, *sources, *(out.horizon for out in outputs.values())])


def _planned(
    source: _Source, vocabulary: dict[str, tuple[str, ...]], given: dict[str, Field], progress: Progress
) -> tuple[Plan, Fingerprint]:
    """The fields, from the last time if the data is as it was, else from the data."""
    request = source.request(vocabulary, given) if source.data is None else ""
    kept = cache.recall(request) if request else None
    if kept is not None:
        sources = [Path(place) for place in _strings(kept["sources"])]
        files_now = fingerprint.take(sources)
        if files_now.digest() == kept["digest"]:
            return _plan_from(kept), files_now
    progress("looking at the data", 0, 0)
    found = source.found()
    # Taken before anything is read: a file that changes meanwhile then differs from its fingerprint.
    files_now = fingerprint.take(found.sources) if found.sources and request else _IN_MEMORY
    try:
        plan = fields.choose(source.spec, found, vocabulary, given)
    except SpecError as exc:
        below = spreadsheet.header_below(found, _asked(source.spec))
        raise SpecError(exc.message, below or exc.cure) from exc
    if files_now is not _IN_MEMORY:
        kept = {"sources": [str(path.absolute()) for path in found.sources], "digest": files_now.digest()}
        cache.remember(request, kept | _plan_to(plan))
    return plan, files_now


def _without_left_out(reasons: list[Reason]) -> list[Reason]:
    """Reasons as they turned out: a column that no kind fits is not listed among those that go in."""
    kinds = {r.path.removeprefix("inputs.").removesuffix(".kind"): r.value for r in reasons if r.path.endswith(".kind")}
    if "left out" not in kinds.values():
        return reasons
    kept = [name for name, kind in kinds.items() if kind != "left out" and not name.startswith("outputs.")]
    why = "every column that is neither output nor split and can be read goes in"
    told = Reason(path="inputs", value=listed(kept, 8), why=why)
    return [told if reason.path == "inputs" else reason for reason in reasons]


def _asked(spec: Spec) -> list[str]:
    """Every column that a spec names."""
    named: list[str] = []
    for name, wish in {**spec.inputs, **spec.outputs}.items():
        named += [wish.source or name] if isinstance(wish.source, str | None) else wish.source
    return named


def _plan_to(plan: Plan) -> dict[str, object]:
    return {
        "inputs": {name: facts.model_dump(mode="json") for name, facts in plan.inputs.items()},
        "outputs": {name: facts.model_dump(mode="json") for name, facts in plan.outputs.items()},
        "reasons": [reason.model_dump(mode="json") for reason in plan.reasons],
        "notes": plan.notes,
    }


def _plan_from(kept: dict[str, object]) -> Plan:
    def parsed(name: str) -> dict[str, Field]:
        values = kept[name]
        return {key: Field.model_validate(facts) for key, facts in values.items()} if isinstance(values, dict) else {}

    reasons = kept["reasons"] if isinstance(kept["reasons"], list) else []
    return Plan(
        parsed("inputs"), parsed("outputs"), [Reason.model_validate(r) for r in reasons], _strings(kept["notes"])
    )


def _strings(values: object) -> list[str]:
    return [str(value) for value in values] if isinstance(values, list) else []


def _stored(source: _Source, plan: Plan, files_now: Fingerprint, progress: Progress) -> Store:
    """The arrays: mapped from the cache, read into it, or read into memory when the data came in memory."""
    if files_now is _IN_MEMORY:
        return store.read(source.found(), plan.fields, list(plan.inputs), None, False, progress)
    unfitted = {name: facts.unfitted() for name, facts in plan.fields.items()}
    rows = [source.spec.data.group, source.spec.data.order] if source.spec.data.group else []
    rows += [source.spec.data.empty] if source.spec.data.empty else []
    facts = json.dumps(
        [sorted(plan.inputs), {n: f.model_dump(mode="json") for n, f in unfitted.items()}, *rows], sort_keys=True
    )
    limit, why = cache.cap_bytes(source.spec.data.cache_mb)
    # The limit shapes the content only when it was asked for; otherwise it depends on what is free at the moment.
    name = cache.key(files_now.digest(), facts, str(source.spec.data.cache_mb), _cut(source.spec))
    path = cache.lookup(name)
    if path is None:
        found = source.found()
        needed = store.needed_bytes(found, unfitted)
        encode = needed > limit
        if encode:
            needed = store.encoded_bytes(found, unfitted, limit, why)

        def fill(folder: Path) -> None:
            store.read(found, unfitted, list(plan.inputs), folder, encode, progress).save(folder)

        path = cache.build(name, found.origin, len(found.ids), needed, fill)
    return Store.load(path, unfitted)


def _divided(source: _Source, plan: Plan, held: Store, given: set[str], files_now: Fingerprint) -> Division:
    """The split and the fitted fields, from the cache when this very split was made before."""
    spec = source.spec
    wishes = json.dumps([spec.data.split.model_dump(mode="json"), spec.data.duplicates, sorted(given)])
    name = cache.key(wishes, str(spec.split_seed), str(list(plan.fields)))
    kept = held.folder / "splits" / name if held.folder else None
    if kept is not None and kept.is_dir():
        return Division.load(kept)
    division = divide(spec, plan, held, given, source.found)
    if kept is not None and held.folder is not None:
        with files.lock(cache.folder() / "locks" / held.folder.name, "the cache", wait_seconds=600.0):
            if not kept.is_dir():
                with files.making_folder(kept) as folder:
                    division.save(folder)
    return division


def _refuse_left_out(ledger: Ledger) -> None:
    groups = ledger.reasons()
    if groups:
        listed = "".join(f"\n  {g.rows:,} {g.state}: {g.reason} ({', '.join(g.where)})" for g in groups[:10])
        raise DataError(
            f"{sum(group.rows for group in groups):,} of {len(ledger):,} examples cannot be used:{listed}",
            "Repair or remove them, or leave --strict out to go on without them.",
        )


def _named_twins(division: Division, held: Store) -> list[tuple[str, str, float]]:
    ids = held.ledger.table["id"]
    return [(str(ids[int(a)]), str(ids[int(b)]), float(c)) for a, b, c in division.twins]


def _one(column: Column, row: int) -> One:
    """A cell of a column that is one of several in a field."""
    cell = _cell(column, "", row)
    value = cell.item() if isinstance(cell, np.ndarray) else cell
    if isinstance(value, bytes | list):
        raise DataError("a field of several columns holds a cell that is no number.", "Give it number columns.")
    return value


def _steps(column: Column, row: int) -> Raw | None:
    """The steps of a sequence that lies in columns, as a list of numbers or texts, or of rows of them."""
    parts = column.columns if isinstance(column, Several) else (column,)
    if not all(isinstance(part, Steps) or (isinstance(part, Cells) and not part.is_text) for part in parts):
        return None
    found = [
        part.cells.values.slice(start := int(part.starts[row]), int(part.ends[row]) - start).to_pylist()
        if isinstance(part, Steps)
        else part.values[row].as_py()
        for part in parts
        if isinstance(part, Steps | Cells)
    ]
    return found[0] if len(parts) == 1 else [list(step) for step in zip(*found, strict=True)]


def _cell(column: Column, kind: str, row: int) -> Raw:
    match column:
        case Several():
            return [_one(part, row) for part in column.columns]
        case Blobs():
            return column.one(row)
        case Arrays():
            return np.asarray(column.values[row])
        case Cells():
            if (kind in {"image", "audio"} and column.root is not None) or (kind == "ink" and named(column, kind)):
                return column.files(np.array([row])).one(0)
            cell = column.values.slice(row, 1)
            if is_date(cell.type):  # as text, which a model file can keep
                return exact(cell) if kind == "date" else cell.cast(pa.string())[0].as_py()
            return cell[0].as_py()
