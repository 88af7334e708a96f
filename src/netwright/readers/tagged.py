"""Cells that hold several words: which separator stands between them, and which words stand where."""

# pyarrow.compute makes its functions when it is imported, so a type checker cannot see them.
# pyright: reportAttributeAccessIssue=false
from __future__ import annotations

import numpy as np
import pyarrow as pa
import pyarrow.compute as pc

from netwright.readers.columns import is_text

SEPARATORS = (";", "|", ",")  # in the order tried
LEAST_SHARE = 0.05  # of the cells that are not empty hold the separator
LEAST_USES = 3  # of a word, on average
MOST_WORDS = 1_000


def holds_lists(kind: pa.DataType) -> bool:
    """Whether a column holds lists of texts."""
    return (pa.types.is_list(kind) or pa.types.is_large_list(kind)) and is_text(kind.value_type)


def separator_of(values: pa.ChunkedArray) -> tuple[str, str]:
    """The separator that the most cells hold, and why in words."""
    if holds_lists(values.type):
        return SEPARATORS[0], "the cells are lists already; it stands between tags in answers"
    counts = {one: int(pc.sum(pc.match_substring(values, one)).as_py() or 0) for one in SEPARATORS}
    best = max(counts, key=lambda one: counts[one])
    if not counts[best]:
        return best, f"no cell holds {' or '.join(SEPARATORS)}: no cell has two tags"
    return best, f"stands in {counts[best]:,} of {len(values):,} cells"


def words_of(values: pa.ChunkedArray, separator: str) -> tuple[np.ndarray, pa.Array]:
    """Every word with the place of its cell, in one normal form (NFC), without spaces around it.

    Args:
        values: Texts, or lists of texts; a null has no words.
        separator: Between the words of a text.

    Returns:
        Places, ascending int64, and words.

    Example:
        >>> places, words = words_of(pa.chunked_array([["sun; sea", "", "sea"]]), ";")
        >>> places.tolist(), words.to_pylist()
        ([0, 0, 2], ['sun', 'sea', 'sea'])
    """
    lists = values.combine_chunks() if values.num_chunks != 1 else values.chunk(0)
    if not holds_lists(values.type):
        lists = pc.split_pattern(lists.cast(pa.string()), separator)
    places = pc.list_parent_indices(lists).to_numpy()
    words = pc.utf8_trim_whitespace(pc.utf8_normalize(pc.list_flatten(lists).cast(pa.string()), form="NFC"))
    there = pc.fill_null(pc.not_equal(words, ""), False)
    return places[there.to_numpy(zero_copy_only=False)].astype(np.int64), words.filter(there)


def reads_as_tags(values: pa.ChunkedArray) -> str:
    """Why the texts of a column are tags rather than classes; empty when they are not.

    At least 5 % of the cells that are not empty hold the separator, and splitting there gives fewer different words
    than there are different texts, at most a thousand, each used three times on average.
    """
    separator, _ = separator_of(values)
    full = int(pc.sum(pc.not_equal(pc.utf8_trim_whitespace(values), "")).as_py() or 0)
    holding = int(pc.sum(pc.match_substring(values, separator)).as_py() or 0)
    if not full or holding < LEAST_SHARE * full:
        return ""
    _, words = words_of(values, separator)
    different, texts = (int(pc.count_distinct(of).as_py()) for of in (words, values))
    if different >= texts or different > MOST_WORDS or len(words) < LEAST_USES * different:
        return ""
    return f'{texts:,} different texts are made of {different:,} words; "{separator}" stands in {holding:,} of {full:,}'
