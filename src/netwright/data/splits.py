"""Honest splits: which examples train, which stop the training early, and which are kept for the last question.

Every way of dividing is a pure function of the seed and the columns it looks at. What cannot be divided is refused
with its reason; what is divided oddly (rare classes, classes seen only in test) is said by `remarks`.
"""

from __future__ import annotations

from collections.abc import Sequence

import numpy as np

from netwright.data.duplicates import ranks
from netwright.data.ledger import PARTS, UNUSED
from netwright.errors import DataError
from netwright.field import Reason
from netwright.seeds import numpy_generator
from netwright.spec_data import SplitSpec
from netwright.words import counted, listed

TRAIN, VALIDATION, TEST = range(3)
_SMALLEST_CLASS = 3  # one example for each part
_NAMED = 5
_OFFICIAL_NAMES = {
    "train": TRAIN, "training": TRAIN, "tr": TRAIN, "validation": VALIDATION, "valid": VALIDATION, "val": VALIDATION,
    "dev": VALIDATION, "test": TEST, "testing": TEST, "holdout": TEST, "eval": TEST,
}  # fmt: skip


def split(
    spec: SplitSpec,
    seed: int,
    *,
    labels: np.ndarray | None,
    groups: np.ndarray | None,
    times: np.ndarray | None,
    official: np.ndarray | None,
    count: int,
) -> tuple[np.ndarray, Reason]:
    """Which part every example belongs to.

    Args:
        spec: The wish; `by` left out takes the data's own split when it brings one, else equal class shares when
            there are classes, else chance.
        seed: The run's seed.
        labels: Class code per example, for stratified splits.
        groups: Whatever must not be torn apart (writer, video, person), per example.
        times: Something sortable per example, for splits by time.
        official: The split that the data brings: "train", "validation", "test" (or usual synonyms) per example;
            "" counts as train.
        count: Number of examples.

    Returns:
        int8 codes, 0 train, 1 validation, 2 test; and the reason in words.

    Raises:
        DataError: The data cannot be divided this way.
    """
    if count < sum(part > 0 for part in spec.parts):
        raise DataError(
            f"{count} usable example{'s' * (count != 1)} cannot be divided into training, validation and test.",
            "Give more data: a dozen examples is the least that means anything.",
        )
    brought = "column" if official is not None and not spec.fold else ""
    by = spec.by or brought or ("stratified" if labels is not None else "random")
    match by:
        case _ if spec.fold:
            alike = _required(labels, by) if by == "stratified" else np.zeros(count, dtype=np.int64)
            codes, why = _fold(spec, seed, alike, _required(groups, by) if by == "group" else None)
        case "column":
            codes, why = _by_official(_required(official, by), spec.parts, seed, labels)
        case "group":
            codes, why = _by_group(_required(groups, by), spec.parts, seed)
        case "time":
            codes, why = _by_time(_required(times, by), spec.parts)
        case "stratified":
            codes, why = _stratified(_required(labels, by), spec.parts, seed, np.arange(count))
        case _:
            codes, why = _random(count, spec.parts, seed)
    require_parts(codes, spec.parts, by)
    sizes = ", ".join(f"{int((codes == code).sum()):,} {name}" for code, name in enumerate(PARTS))
    return codes, Reason(path="data.split.by", value=by, why=f"{why} ({sizes})")


def taken(codes: np.ndarray, take: int | float, seed: int, labels: np.ndarray | None) -> tuple[np.ndarray, Reason]:
    """The parts with some training examples alone, class shares kept; what a smaller number takes, a larger one has.

    Args:
        codes: Part per example.
        take: How many training examples to use, or which share of them if below 1.
        seed: Of the draw.
        labels: Class code per example; None where there are no classes.

    Raises:
        DataError: There are not so many, or fewer than classes would be left.
    """
    train = np.flatnonzero(codes == TRAIN)
    want = round(take * len(train)) if take < 1 else int(take)
    classes = labels[train] if labels is not None else np.zeros(len(train), dtype=np.int64)
    least = len(np.unique(classes))
    if not least <= want <= len(train):
        raise DataError(
            f"data.split.take: {take:g} asks for {want:,} of {len(train):,} training examples"
            + (f" of {least} classes." if want < least else "."),
            f"Give a number from {least:,} to {len(train):,}, or a share below 1.",
        )
    chance = numpy_generator(seed, "take").random(len(train))
    rank = ranks(classes, chance)
    share = (rank + 0.5) / np.bincount(classes)[classes]  # how far down its class an example stands, in 0..1
    chosen = train[np.lexsort((chance, share, rank > 0))[:want]]  # one of each class first
    kept = np.where(codes == TRAIN, UNUSED, codes).astype(codes.dtype)
    kept[chosen] = TRAIN
    why = f"of {len(train):,} training examples, in their classes' shares; the others stay unused"
    return kept, Reason(path="data.split.take", value=f"{want:,}", why=why)


def remarks(codes: np.ndarray, labels: np.ndarray, vocabulary: Sequence[str], name: str) -> list[str]:
    """What a person should know about the classes of one output before training starts.

    Args:
        codes: Part per example.
        labels: Class code per example.
        vocabulary: Class names by code.
        name: The output's name.
    """
    per_part = np.stack([np.bincount(labels[codes == part], minlength=len(vocabulary)) for part in range(3)])
    total = per_part.sum(axis=0)
    said = []
    for which, words in (
        (total == 0, "without a usable example"),
        ((total > 0) & (total < _SMALLEST_CLASS), f"with fewer than {_SMALLEST_CLASS} examples; all of these train"),
        ((total >= _SMALLEST_CLASS) & (per_part[TRAIN] == 0), "without a training example: not to be learned"),
        ((total >= _SMALLEST_CLASS) & (per_part[TEST] == 0), "without a test example: the score is unknown"),
    ):
        if which.any():
            said.append(f"{name}: {_classes([vocabulary[i] for i in np.flatnonzero(which).tolist()])} {words}.")
    largest, smallest = int(total.max()), int(total[total > 0].min())
    if largest > 100 * smallest:
        most, least = vocabulary[int(total.argmax())], vocabulary[int(np.where(total > 0, total, largest).argmin())]
        said.append(
            f'{name}: unbalanced, {largest:,} examples of "{most}" against {smallest:,} of "{least}"; '
            "accuracy alone will mislead."
        )
    return said


def tag_remarks(codes: np.ndarray, tags: np.ndarray, vocabulary: Sequence[str], name: str) -> list[str]:
    """What a person should know about the classes of tags before training starts.

    Args:
        codes: Part per example.
        tags: (example, class) 1 where an example has a class.
        vocabulary: Class names.
        name: The output's name.
    """
    per_part = np.stack([tags[codes == part].sum(axis=0) for part in range(3)])
    said = []
    for which, words in (
        (per_part.sum(axis=0) == 0, "without a usable example"),
        ((per_part.sum(axis=0) > 0) & (per_part[TRAIN] == 0), "without a training example: not to be learned"),
        (
            (codes == TEST).any() & (per_part[TRAIN] > 0) & (per_part[TEST] == 0),
            "without a test example: the score is unknown",
        ),
    ):
        if which.any():
            said.append(f"{name}: {_classes([vocabulary[i] for i in np.flatnonzero(which).tolist()])} {words}.")
    return said


def identity_remarks(codes: np.ndarray, labels: np.ndarray, name: str) -> list[str]:
    """What a person should know about the identities of one output before training starts.

    Args:
        codes: Part per example.
        labels: Code of the identity per example.
        name: The output's name.
    """
    per_part = np.stack([np.bincount(labels[codes == part], minlength=int(labels.max()) + 1) for part in range(3)])
    said = []
    if single := int((per_part[TRAIN] == 1).sum()):
        said.append(f"{name}: {counted(single, 'identity', 'identities')} with a single training example.")
    for part in (VALIDATION, TEST):
        there = per_part[part] > 0
        if new := int((there & (per_part[TRAIN] == 0)).sum()):
            of = counted(int(there.sum()), "identity", "identities")
            said.append(f"{name}: {new:,} of {of} of the {PARTS[part]} part were never learned.")
        if not (per_part[part] > 1).any() and there.any():
            said.append(f"{name}: no identity has two {PARTS[part]} examples; there is nothing to be found.")
    return said


def official_codes(values: Sequence[str], column: str) -> np.ndarray:
    """Part codes from the words of a split column; "" means train.

    Raises:
        DataError: Words that name no part; all of them, and how many.
    """
    words, inverse, counts = np.unique(
        np.asarray(values, dtype=object).astype(str), return_inverse=True, return_counts=True
    )
    known = [TRAIN if not word.strip() else _OFFICIAL_NAMES.get(word.strip().casefold(), -1) for word in words]
    odd = [f'"{word}" ({n:,})' for word, n, code in zip(words, counts, known, strict=True) if code < 0]
    if odd:
        raise DataError(
            f'column "{column}" holds {listed(odd, _NAMED)}; a split column says {", ".join(PARTS)}.',
            "Write these words, or divide another way (--set data.split.by=random).",
        )
    return np.array(known, dtype=np.int8)[inverse]


# ---- the ways --------------------------------------------------------------------------------------------------------


def _random(count: int, parts: tuple[float, float, float], seed: int) -> tuple[np.ndarray, str]:
    codes, _ = _stratified(np.zeros(count, dtype=np.int64), parts, seed, np.arange(count))
    return codes, f"by chance, seed {seed}; there are no classes to balance"


def _stratified(
    labels: np.ndarray, parts: tuple[float, float, float], seed: int, among: np.ndarray
) -> tuple[np.ndarray, str]:
    """Equal class shares; `among` are the positions to be divided, all others stay in training."""
    codes = np.zeros(len(labels), dtype=np.int8)
    chosen = labels[among]
    chance = numpy_generator(seed, "split").random(len(among))
    rank = ranks(chosen, chance)
    validation, test = (amount[chosen] for amount in _amounts(np.bincount(chosen, minlength=1), parts))
    codes[among] = np.where(rank < test, TEST, np.where(rank < test + validation, VALIDATION, TRAIN))
    return codes, f"every part has the same shares of the classes, seed {seed}"


def _amounts(sizes: np.ndarray, parts: tuple[float, float, float]) -> tuple[np.ndarray, np.ndarray]:
    """How many of each class go to validation and to test; a part with a share gets at least one of three."""
    enough = sizes >= _SMALLEST_CLASS
    validation, test = (
        np.where(enough & (share > 0), np.maximum(1, np.floor(sizes * share + 0.5)), 0).astype(int)
        for share in parts[1:]
    )
    spare = np.maximum(0, validation + test - np.maximum(0, sizes - 1))  # training keeps one
    taken = np.minimum(spare, np.maximum(0, validation - 1))
    return validation - taken, test - (spare - taken)


def _by_group(groups: np.ndarray, parts: tuple[float, float, float], seed: int) -> tuple[np.ndarray, str]:
    names, inverse, sizes = np.unique(groups, return_inverse=True, return_counts=True)
    needed = [part for part in range(3) if parts[part] > 0]
    if len(names) < len(needed):
        raise DataError(
            f"the split by group needs at least {len(needed)} groups, the column has {len(names)}.",
            "Choose a column with more groups, or divide another way.",
        )
    chance = numpy_generator(seed, "split").random(len(names))
    order = np.lexsort((chance, -sizes))  # the largest first, so that the small ones can even it out
    wanted = np.array(parts) * len(groups)
    have, of_group = np.zeros(3), np.zeros(len(names), dtype=np.int8)
    for group in order:
        part = int(np.argmax(wanted - have))
        of_group[group] = part
        have[part] += sizes[group]
    for part in needed:
        if not (of_group == part).any():  # few, large groups: the smallest one that is not alone moves over
            movable = [g for g in order[::-1] if (of_group == of_group[g]).sum() > 1]
            of_group[movable[0]] = part
    return of_group[inverse], f"no group stands in two parts; {len(names):,} groups, seed {seed}"


def _fold(spec: SplitSpec, seed: int, labels: np.ndarray, groups: np.ndarray | None) -> tuple[np.ndarray, str]:
    """One of equal folds as test part, the rest divided as if it were all there is.

    Raises:
        DataError: There are more folds than groups, or than examples.
    """
    which, of = (int(number) for number in (spec.fold or "1/1").split("/"))
    names, inverse = np.unique(groups, return_inverse=True) if groups is not None else (labels, np.arange(len(labels)))
    if of > len(names):
        what = "groups" if groups is not None else "examples"
        raise DataError(f"data.split.fold: {of} folds of {len(names):,} {what}.", f"Give at most {len(names):,}.")
    chance = numpy_generator(seed, "folds").random(len(names))
    if groups is None:
        turn = np.empty(len(names), dtype=np.int64)  # class after class, each in an order of its own, dealt out in turn
        turn[np.lexsort((chance, labels))] = np.arange(len(names)) % of
    else:
        turn = _even(np.bincount(inverse), chance, of)
    test = turn[inverse] == which - 1
    codes = np.full(len(labels), TEST, dtype=np.int8)
    rest = np.flatnonzero(~test)
    shares = (spec.parts[0] + spec.parts[2], spec.parts[1], 0.0)
    if groups is not None:
        codes[rest] = _by_group(groups[rest], shares, seed)[0]
    else:
        codes[rest] = _stratified(labels[rest], shares, seed, np.arange(len(rest)))[0]
    return codes, f"fold {which} of {of} is the test part, seed {seed}"


def _even(sizes: np.ndarray, chance: np.ndarray, of: int) -> np.ndarray:
    """A fold for each group, the largest first, each into the fold that has the fewest examples."""
    have, turn = np.zeros(of), np.zeros(len(sizes), dtype=np.int64)
    for group in np.lexsort((chance, -sizes)):
        turn[group] = int(np.argmin(have))
        have[turn[group]] += sizes[group]
    return turn


def _by_time(times: np.ndarray, parts: tuple[float, float, float]) -> tuple[np.ndarray, str]:
    order = np.argsort(times, kind="stable")
    ordered = times[order]
    ends = [min(len(times), round(len(times) * share)) for share in np.cumsum(parts)[:2]]
    # Examples of one moment stay together: a boundary moves to the end of its moment.
    first, second = (int(np.searchsorted(ordered, ordered[end - 1], side="right")) if end else 0 for end in ends)
    codes = np.full(len(times), TEST, dtype=np.int8)
    codes[order[:first]] = TRAIN
    codes[order[first : max(first, second)]] = VALIDATION
    return codes, "the past trains, the future tests"


def _by_official(
    official: np.ndarray, parts: tuple[float, float, float], seed: int, labels: np.ndarray | None
) -> tuple[np.ndarray, str]:
    codes = official.astype(np.int8) if official.dtype.kind in "iu" else official_codes(official.tolist(), "split")
    have = {part: bool((codes == part).any()) for part in range(3)}
    if not have[TRAIN]:
        raise DataError(
            "the data's own split has no training example.", "Divide another way: --set data.split.by=random."
        )
    if have[VALIDATION] and have[TEST]:
        return codes, "the data brings its own split"
    if not have[VALIDATION] and not have[TEST]:
        codes, why = _cut(codes, parts, seed, labels)
        return codes, f"the data's own split names only training examples; {why}"
    missing = VALIDATION if have[TEST] else TEST
    shares = (1 - parts[missing], parts[missing] * (missing == VALIDATION), parts[missing] * (missing == TEST))
    cut, _ = _cut(codes, shares, seed, labels)
    codes = np.where(codes == TRAIN, cut, codes).astype(np.int8)
    brought = PARTS[TEST if have[TEST] else VALIDATION]
    return codes, (
        f"the data brings its own {brought} examples; {PARTS[missing]} is {parts[missing]:.0%} cut from its training "
        f"examples, {'equal class shares' if labels is not None else 'by chance'}, seed {seed}"
    )


def _cut(
    codes: np.ndarray, parts: tuple[float, float, float], seed: int, labels: np.ndarray | None
) -> tuple[np.ndarray, str]:
    """Divide the training examples of an official split."""
    among = np.flatnonzero(codes == TRAIN)
    same = np.zeros(len(codes), dtype=np.int64)
    cut, why = _stratified(labels if labels is not None else same, parts, seed, among)
    return cut, why if labels is not None else f"by chance, seed {seed}"


# ---- checks ----------------------------------------------------------------------------------------------------------


def _required(values: np.ndarray | None, by: str) -> np.ndarray:
    if values is not None:
        return values
    lacking = {
        "column": "the data brings no split of its own",
        "stratified": "no output is a category or an identity",
        "group": "no column of groups was given",
        "time": "no column of times was given",
    }[by]
    raise DataError(f"the data cannot be split by {by}: {lacking}.", "Choose another data.split.by, or leave it out.")


def require_parts(codes: np.ndarray, parts: tuple[float, float, float], by: str) -> None:
    """Refuse a split that leaves a wanted part empty.

    Raises:
        DataError: A part with a share has no example.
    """
    empty = [PARTS[part] for part in range(3) if (parts[part] > 0 or part == TRAIN) and not (codes == part).any()]
    if empty:
        raise DataError(
            f"split by {by}: nothing is left for {' and '.join(empty)} out of {len(codes):,} examples.",
            "Give more data, or other shares with data.split.parts.",
        )


def _classes(names: list[str]) -> str:
    shown = listed([f'"{name}"' for name in names], _NAMED)
    return f"{'class' if len(names) == 1 else 'classes'} {shown}"
