"""A data set divided: the parts, copies kept together, what can be learned checked, and the fields fitted.

Means and deviations come from the training part alone, so that nothing of validation and test leaks into a model.
"""

from __future__ import annotations

import json
from collections.abc import Callable
from dataclasses import dataclass, field
from pathlib import Path

import numpy as np
import pyarrow as pa

from netwright.data import ahead, duplicates, splits
from netwright.data.duplicates import Rows
from netwright.data.encoded import Encoded
from netwright.data.fields import Plan, kind_of
from netwright.data.store import Store
from netwright.data.windows import followed
from netwright.errors import DataError, SpecError
from netwright.field import ONE_CLASS, Field, Reason
from netwright.files import printable
from netwright.readers.columns import Arrays, Cells, Found
from netwright.readers.dates import read_moments
from netwright.readers.kinds.text import strangers, unseen
from netwright.spec import Spec
from netwright.words import counted, listed

_FIT_BYTES = 256 * 1024**2
_SHOWN = 5  # unknown tokens that are told
_GROUPS = "groups.npy"
_OTHER = "Name another output, or check that the column was read as you meant it."


@dataclass(frozen=True)
class Division:
    """How a data set is divided.

    Args:
        codes: int8 part per used example, a place in `PARTS`.
        fitted: The fields with means and deviations of the training part.
        twins: (position, position, correlation) of near twins that stand in different parts.
        reasons: Why it is divided so.
        notes: What a person should know.
        groups: What each used example belongs to, as a number, where it was divided by that.
    """

    codes: np.ndarray
    fitted: dict[str, Field]
    twins: list[tuple[int, int, float]]
    reasons: list[Reason] = field(default_factory=list)
    notes: list[str] = field(default_factory=list)
    groups: np.ndarray | None = None

    def save(self, folder: Path) -> None:
        """Keep it in a folder."""
        np.save(folder / "codes.npy", self.codes)
        if self.groups is not None:
            np.save(folder / _GROUPS, self.groups)
        facts = {
            "fitted": {name: facts.model_dump(mode="json") for name, facts in self.fitted.items()},
            "twins": self.twins,
            "reasons": [reason.model_dump(mode="json") for reason in self.reasons],
            "notes": self.notes,
        }
        (folder / "facts.json").write_text(json.dumps(facts), encoding="utf-8")

    @classmethod
    def load(cls, folder: Path) -> Division:
        """What `save` kept."""
        facts = json.loads((folder / "facts.json").read_text(encoding="utf-8"))
        return cls(
            np.load(folder / "codes.npy", allow_pickle=False),
            {name: Field.model_validate(values) for name, values in facts["fitted"].items()},
            [(int(a), int(b), float(c)) for a, b, c in facts["twins"]],
            [Reason.model_validate(values) for values in facts["reasons"]],
            facts["notes"],
            np.load(folder / _GROUPS, allow_pickle=False) if (folder / _GROUPS).exists() else None,
        )


def divide(spec: Spec, plan: Plan, held: Store, given: set[str], find: Callable[[], Found]) -> Division:
    """Divide a data set as the spec wishes.

    Args:
        spec: Wishes and seed.
        plan: The fields.
        held: The used examples.
        given: Names of fields that come from an earlier run: what they can learn is not judged again.
        find: Gives the columns, should the split need one that is no field.

    Raises:
        DataError: Nothing to learn, a split that cannot be, or copies on both sides of a split that is not ours.
    """
    for name, facts in plan.outputs.items():
        if name not in given:
            _require_something_to_learn(name, facts, held.arrays[name])
    _require_pieces(spec, plan, len(held.rows))
    labels = next((np.asarray(held.arrays[n][:]) for n, f in plan.outputs.items() if f.kind in ONE_CLASS), None)
    wish, columns = _columns(spec, held, find)
    codes, reason = splits.split(wish, spec.split_seed, labels=labels, count=len(held.rows), **columns)
    if ahead.asked(spec):
        by = next(str(facts.options.get("divided")) for facts in plan.inputs.values())
        sizes = reason.why[reason.why.rfind("(") :]
        why = f"tracks and time were divided before windows were cut, so that none spans two parts {sizes}"
        reason = Reason(path=reason.path, value=by, why=why)
    official = None if ahead.asked(spec) else columns["official"]
    codes, reasons, notes = _without_torn_copies(spec, plan, held, codes, reason, labels, official)
    if spec.data.split.take is not None:
        codes, fewer = splits.taken(codes, spec.data.split.take, spec.split_seed, labels)
        reasons.append(fewer)
    notes += _remarks(codes, plan, held)
    torn: list[tuple[int, int, float]] = []
    for twins in held.twins.values():
        which, said = duplicates.told(twins, codes)
        reasons += said
        torn += [
            (int(a), int(b), float(c)) for (a, b), c in zip(twins.pairs[which], twins.correlation[which], strict=True)
        ]
    train = np.flatnonzero(codes == splits.TRAIN)
    fitted = {}
    for name, facts in plan.fields.items():
        if name in given:
            fitted[name] = facts
            path = f"{'outputs' if name in plan.outputs else 'inputs'}.{name}"
            reasons += _of_known_tokens(path, facts, held.arrays[name])
            continue
        values, why = _for_fit(held.arrays[name], train)
        of = str(facts.options.get("of") or facts.options.get("onward") or "")
        fitted[name] = _fitted(facts, values, fitted.get(of))
        following = [other for other, each in plan.outputs.items() if each.options.get("of") == name]
        for asked in following if facts.options.get("tokens") != "bpe" else ():  # pieces are made of every byte
            fitted[name] = _with_asked(fitted[name], kind_of(facts).fit(_for_fit(held.arrays[asked], train)[0], facts))
        reasons += [Reason(path=f"fit.{name}", value=f"{len(values):,} examples", why=why)] if why else []
        cells = held.arrays[name]
        told = name in plan.inputs or (facts.kind == "text" and not of)
        if told and (isinstance(cells, np.ndarray) or facts.ragged):
            reasons += kind_of(facts).decided(np.asarray(cells[:]), fitted[name])
    names = columns["groups"]
    groups = None if names is None else np.unique(names, return_inverse=True)[1]
    return Division(codes, fitted, torn, [reason, *reasons], notes, groups)


def _fitted(facts: Field, values: np.ndarray, of: Field | None) -> Field:
    """What training values teach about a field, or the one that it goes on with; and how many steps sequences have."""
    found = kind_of(facts).following(facts, of) if of else kind_of(facts).fit(values, facts)
    counts = [len(row) for row in values] if facts.ragged else []
    return found.model_copy(update={"steps": (min(counts), max(counts))}) if counts else found


def _of_known_tokens(path: str, facts: Field, cells: Rows) -> list[Reason]:
    """How many tokens of texts are none of those that a model to start from knows.

    Raises:
        DataError: Most are: of unknown tokens nothing can be learned, and guessing them right says nothing.
    """
    if facts.kind != "text" or facts.options.get("of"):
        return []
    others, tokens = strangers(np.asarray(cells[:]), facts)
    if others.total() * 2 > tokens:
        first = listed([printable(token) for token, _ in others.most_common()], _SHOWN)
        raise DataError(
            f"{path}: the model to start from knows few tokens; {others.total():,} of {tokens:,} are none of its: "
            f"{first}.",
            "Train without --from, or start from a model of texts like these.",
        )
    why = "; ".join(filter(None, ("those of the model to start from", unseen(np.asarray(cells[:]), facts))))
    return [Reason(path=f"{path}.vocabulary", value=f"{len(facts.vocabulary):,} tokens", why=why)]


def _with_asked(fitted: Field, asked: Field) -> Field:
    """A text's field with the tokens that are only ever asked for, such as the very last one of the training part."""
    new = [token for token in asked.vocabulary if token not in fitted.vocabulary]
    room = int(fitted.options["vocabulary"]) - len(fitted.vocabulary)
    return fitted.model_copy(update={"vocabulary": (*fitted.vocabulary, *new[: max(room, 0)])}) if new else fitted


def _remarks(codes: np.ndarray, plan: Plan, held: Store) -> list[str]:
    """What a person should know about the classes of every output."""
    said = []
    for name, facts in plan.outputs.items():
        if facts.kind == "category":
            said += splits.remarks(codes, np.asarray(held.arrays[name][:]), facts.vocabulary, name)
        if facts.kind == "identity":
            said += splits.identity_remarks(codes, np.asarray(held.arrays[name][:]), name)
        if facts.kind == "tags":
            said += splits.tag_remarks(codes, np.asarray(held.arrays[name][:]), facts.vocabulary, name)
    return said


def _require_pieces(spec: Spec, plan: Plan, count: int) -> None:
    """Of a text that is cut into pieces, at least one for each part."""
    parts = sum(part > 0 for part in spec.data.split.parts)
    if count < parts and any(facts.options.get("of") for facts in plan.outputs.values()):
        raise DataError(
            f"the text makes {counted(count, 'piece')}, and {parts} parts are to be made of them.",
            "Give a longer text, or a shorter data.window.",
        )


def _require_something_to_learn(name: str, facts: Field, values: Rows) -> None:
    cells = np.asarray(values[:])
    if not len(cells):
        return
    if len(cells) == 1 and not facts.ragged:
        raise DataError(f"there is only one example, with {name} {_shown(facts, cells[0])}.", "Add examples.")
    if facts.kind in ONE_CLASS and len(np.unique(cells)) < 2:
        label = _shown(facts, cells[0])
        if _is_number(facts.vocabulary[int(cells[0])]):  # one number for all is read as one class
            raise DataError(f"{name} is always {label}: there is nothing to learn.", _OTHER)
        raise DataError(
            f"{name}: all {len(cells):,} examples are of class {label}: nothing to learn.",
            "Add examples of at least one other class, or name another output.",
        )
    if facts.kind == "identity" and np.bincount(cells).max() < 2:
        raise DataError(
            f"{name}: each of {len(cells):,} identities has a single example: nothing to compare it with.",
            "Add a second example of some of them.",
        )
    if facts.kind == "tags" and (cells == cells[0]).all():
        raise DataError(
            f"{name}: all {len(cells):,} examples have the same tags: nothing to learn.",
            "Add examples with other tags, or name another output.",
        )
    if facts.kind in {"number", "vector"} and (cells == cells[0]).all():
        raise DataError(f"{name} is always {_shown(facts, cells[0])}: there is nothing to learn.", _OTHER)


def _shown(facts: Field, value: np.ndarray | np.generic) -> str:
    """One target as a person writes it."""
    if facts.kind in ONE_CLASS:
        label = printable(facts.vocabulary[int(value)])
        return label if _is_number(label) else f'"{label}"'
    return str(kind_of(facts).preview(value, facts))


def _is_number(text: str) -> bool:
    try:
        float(text.replace(",", "."))
    except ValueError:
        return False
    return True


# ---- columns that divide ---------------------------------------------------------------------------------------------


def _columns(
    spec: Spec, held: Store, find: Callable[[], Found]
) -> tuple[splits.SplitSpec, dict[str, np.ndarray | None]]:
    """The wish, and what it looks at: groups, times, or the split that the data brings."""
    wish = spec.data.split
    columns: dict[str, np.ndarray | None] = {"groups": None, "times": None, "official": held.official}
    if followed(spec) and wish.by in {"random", "stratified"}:
        raise SpecError(
            f"data.split.by: {wish.by} tears apart pieces of a text that follow each other.",
            "Leave it out: the end of the text is held out.",
        )
    if followed(spec) and wish.by is None:  # pieces of texts, in their order
        columns["times"] = held.rows
        return wish.model_copy(update={"by": "time"}), columns
    if ahead.asked(spec):  # divided before they were cut
        return wish.model_copy(update={"by": "column", "column": None}), columns
    if wish.column is None:
        return wish, columns
    whole = _whole(find(), wish.column)
    by, values = wish.by or "group", whole.take(pa.array(held.rows))
    if by == "time":
        columns["times"] = _times(whole, held.rows, wish.column)
    elif by == "column":
        columns["official"] = splits.official_codes(values.cast(pa.string()).fill_null("").to_pylist(), wish.column)
    else:
        columns["groups"] = _names(values)
    return wish.model_copy(update={"by": by}), columns


def groups_of(spec: Spec, find: Callable[[], Found], rows: np.ndarray) -> np.ndarray | None:
    """What each example belongs to, as a number, by the column of groups that a spec divides by; None without one.

    Args:
        spec: Of a run.
        find: Gives other data, which are not divided.
        rows: Places of the used examples.
    """
    split = spec.data.split
    if split.by not in {None, "group"} or split.column is None or split.column not in (found := find()).columns:
        return None
    return np.unique(_names(_whole(found, split.column).take(pa.array(rows))), return_inverse=True)[1]


def _whole(found: Found, name: str) -> pa.Array:
    column = found.column(name)
    if isinstance(column, Arrays):
        return pa.array(np.asarray(column.values).reshape(len(column.values), -1)[:, 0])
    if isinstance(column, Cells):
        return column.values.combine_chunks()
    raise DataError(f'column "{name}" holds files; a split needs texts or numbers.', "Name another column.")


def _names(values: pa.Array) -> np.ndarray:
    return np.array(values.cast(pa.string()).fill_null("").to_pylist(), dtype=object).astype(str)


def _times(values: pa.Array | pa.ChunkedArray, used: np.ndarray, name: str) -> np.ndarray:
    """A column as something that can be put in order: numbers, or seconds where it holds dates.

    Args:
        values: The whole column, because all of it decides whether its dates are written day first.
        used: Places of the used examples.
        name: Of the column.
    """
    try:
        numbers = values.cast(pa.float64())
        times, missing = (
            numbers.to_numpy(zero_copy_only=False)[used],
            numbers.is_null().to_numpy(zero_copy_only=False)[used],
        )
    except (pa.ArrowInvalid, pa.ArrowNotImplementedError):
        moments = read_moments(pa.chunked_array([values]))
        times, missing, odd = moments.values[used], moments.missing[used], np.flatnonzero(moments.unreadable[used])
        if len(odd):
            why = moments.readings or f'such as "{values[int(used[odd[0]])].as_py()}"'
            what = "dates that can be read two ways:" if moments.readings else "what is neither a number nor a date"
            raise DataError(
                f'column "{name}" holds {what} {why}.',
                "Write times as 2024-01-31 or 2024-01-31 10:00:00, or divide another way.",
            ) from None
    if missing.any():
        raise DataError(f'column "{name}" has {missing.sum():,} empty times.', "Fill them, or remove the rows.")
    return np.asarray(times)


# ---- copies ----------------------------------------------------------------------------------------------------------


def _without_torn_copies(
    spec: Spec,
    plan: Plan,
    held: Store,
    codes: np.ndarray,
    reason: Reason,
    labels: np.ndarray | None,
    official: np.ndarray | None,
) -> tuple[np.ndarray, list[Reason], list[str]]:
    """Keep copies in one part where the cut was ours; refuse, or tell, where it was not."""
    first = duplicates.first_copies(held.content)
    copies = int((first != np.arange(len(first))).sum())
    if not copies:
        return codes, [], []
    reasons = []
    ours = _ours(reason.value, official, len(codes))
    if len(ours):
        inner = duplicates.first_copies(held.content[ours])
        classes = labels[ours] if labels is not None else np.zeros(len(ours), dtype=np.int64)
        codes = codes.copy()
        codes[ours] = duplicates.together(codes[ours], inner, classes, spec.split_seed)
        splits.require_parts(codes, spec.data.split.parts, reason.value)
        have = (
            "has the inputs of an earlier one and stays" if copies == 1 else "have the inputs of earlier ones and stay"
        )
        why = f"{counted(copies, 'example')} {have} in its part"
        reasons = [Reason(path="data.duplicates", value="kept together", why=why)]
    torn = duplicates.across(codes, first)
    tabular = all(facts.kind != "image" for facts in plan.inputs.values())
    if tabular and reason.value in {"group", "time"} and len(torn):
        return codes, reasons, [f"{len(torn):,} rows have the same inputs as a row in another part of the split."]
    accept = spec.data.duplicates == "accept" or bool(followed(spec))
    ids = held.ledger.table["id"]
    return codes, reasons, duplicates.refuse_or_tell(torn, codes, ids, accept=accept)


def _ours(by: str, official: np.ndarray | None, count: int) -> np.ndarray:
    """Positions whose part was our choice alone."""
    if by in {"random", "stratified"}:
        return np.arange(count)
    if by == "column" and official is not None:
        return np.flatnonzero(official == splits.TRAIN)
    return np.zeros(0, dtype=np.int64)


# ---- fitting ---------------------------------------------------------------------------------------------------------


def _for_fit(values: Rows, train: np.ndarray) -> tuple[np.ndarray, str]:
    """Training rows for means and deviations; of a large set an evenly spread share, so that it fits in memory."""
    each = int(np.prod(values.shape[1:], dtype=np.int64)) * (8 if isinstance(values, Encoded) else 1)
    most = max(1, _FIT_BYTES // max(1, each))
    if len(train) <= most:
        return np.asarray(values[train]), ""
    chosen = train[np.unique(np.linspace(0, len(train) - 1, most).astype(np.int64))]
    return np.asarray(
        values[chosen]
    ), f"mean and deviation from {most:,} of {len(train):,} training examples, evenly spread"
