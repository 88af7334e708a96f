"""Every example is accounted for: one row per thing that was found, used or not, with the reason when not."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Literal, NamedTuple

import numpy as np
import pyarrow as pa
import pyarrow.compute as pc
import pyarrow.parquet as pq

from netwright import files
from netwright.readers.columns import Refusal

STATES = ("used", "refused", "quarantined")
PARTS = ("train", "validation", "test")
UNUSED = -1  # code of an example that is in no part
_SHOWN = 5  # how many places a reason names

State = Literal["used", "refused", "quarantined"]


class Group(NamedTuple):
    """All rows that were left out for one reason: state, reason, how many, and the places of the first few."""

    state: str
    reason: str
    rows: int
    where: tuple[str, ...]


@dataclass(frozen=True)
class Ledger:
    """What became of every thing found.

    Args:
        table: Columns `id`, `where` (a place for people, for what was left out), `state` (used, refused,
            quarantined), `reason` ("" when used), `split` (train, validation, test, or "") and `content` (hash of
            the input cells in hexadecimal, "" when not used); once the doctor doubts examples also `doubt` ("" where it
            does not). Used examples stand first, in the data set's order.
    """

    table: pa.Table

    def __len__(self) -> int:
        return self.table.num_rows

    def write(self, path: Path) -> None:
        """Keep the ledger as a Parquet file, atomically."""
        with files.writing(path, self.table.nbytes) as file:
            pq.write_table(self.table, file, compression="zstd")

    @classmethod
    def read(cls, path: Path) -> Ledger:
        """The ledger that `write` kept."""
        return cls(pq.read_table(path))

    def counts(self) -> dict[str, int]:
        """How many rows there are in each state and in each split; `found` is all of them."""
        states, parts = self._count("state"), self._count("split")
        found = {"found": len(self)} | {state: states.get(state, 0) for state in STATES}
        return found | {part: parts.get(part, 0) for part in PARTS}

    def reasons(self) -> list[Group]:
        """Why examples were left out, the most frequent reason first."""
        left_out = self.table.filter(pc.field("where") != "")
        rows: dict[tuple[str, str], list[str]] = {}
        for state, reason, where in zip(
            *(left_out[name].to_pylist() for name in ("state", "reason", "where")), strict=True
        ):
            rows.setdefault((state, reason), []).append(where)
        groups = [Group(*key, len(where), tuple(where[:_SHOWN])) for key, where in rows.items()]
        return sorted(groups, key=lambda group: (-group.rows, group.reason))

    def told(self) -> list[str]:
        """What was left out and why, in lines; nothing when nothing was."""
        counts, groups, lines = self.counts(), self.reasons(), []
        for state in STATES[1:]:
            if not counts[state]:
                continue
            lines.append(f"{counts[state]:,} {state}:")
            for group in groups:
                if group.state == state:
                    more = ", ..." if group.rows > 3 else ""
                    lines.append(f"  {group.rows:,} x {group.reason.rstrip('.')}: {', '.join(group.where[:3])}{more}")
        return lines

    def left_out(self) -> int:
        """How many of the things found are not used."""
        counts = self.counts()
        return sum(counts[state] for state in STATES[1:])

    def with_split(self, codes: np.ndarray) -> Ledger:
        """The same ledger with the split of the used examples filled in.

        Args:
            codes: Place in `PARTS` per used example.
        """
        indices = np.full(len(self), len(PARTS), dtype=np.int8)
        indices[: len(codes)] = np.where(codes == UNUSED, len(PARTS), codes)
        split = pa.DictionaryArray.from_arrays(pa.array(indices), pa.array([*PARTS, ""]))
        place = self.table.schema.get_field_index("split")
        return Ledger(self.table.set_column(place, "split", split))

    def with_doubts(self, doubts: Mapping[int, str]) -> Ledger:
        """The same ledger with what is doubted of used examples.

        Args:
            doubts: By position in the data set.
        """
        column = pa.array([files.printable(doubts.get(place, "")) for place in range(len(self))], pa.string())
        return Ledger(self.table.append_column("doubt", column))

    def _count(self, column: str) -> dict[str, int]:
        return {str(row["values"]): int(row["counts"]) for row in self.table[column].value_counts().to_pylist()}


def build(used: pa.Array, content: np.ndarray, left_out: Sequence[Refusal]) -> Ledger:
    """The ledger of a data set before it is split.

    Args:
        used: Ids of the used examples, in the order of the data set.
        content: (examples, 2) uint64 content hashes of them.
        left_out: Everything that was found and not used.
    """
    reasons = list(dict.fromkeys(["", *(refusal.reason for refusal in left_out)]))
    place = {reason: i for i, reason in enumerate(reasons)}
    nothing = np.zeros(len(used), dtype=np.int32)
    state_codes = np.array([STATES.index(refusal.state) for refusal in left_out], dtype=np.int32)
    reason_codes = np.array([place[refusal.reason] for refusal in left_out], dtype=np.int32)
    ids = pa.concat_arrays([used.cast(pa.string()), pa.array([files.printable(r.id) for r in left_out], pa.string())])
    places = pa.array([files.printable(refusal.where) for refusal in left_out], pa.string())
    blank = pa.array([""] * 1, pa.string())
    no_split = np.zeros(len(ids), dtype=np.int8)
    return Ledger(
        pa.table(
            {
                "id": ids,
                "where": pa.concat_arrays([_repeated("", len(used)), places]),
                "state": pa.DictionaryArray.from_arrays(
                    pa.array(np.concatenate([nothing, state_codes])), pa.array(STATES)
                ),
                "reason": pa.DictionaryArray.from_arrays(
                    pa.array(np.concatenate([nothing, reason_codes])), pa.array(reasons)
                ),
                "split": pa.DictionaryArray.from_arrays(pa.array(no_split), blank),
                "content": pa.concat_arrays([hexadecimal(content), _repeated("", len(left_out))]),
            }
        )
    )


def hexadecimal(content: np.ndarray) -> pa.StringArray:
    """Content hashes as text of 32 digits each, without a loop over them."""
    text = content.astype(">u8").tobytes().hex().encode()
    offsets = np.arange(0, len(content) + 1, dtype=np.int32) * 32
    return pa.StringArray.from_buffers(len(content), pa.py_buffer(offsets.tobytes()), pa.py_buffer(text))


def _repeated(text: str, count: int) -> pa.Array:
    return pa.repeat(pa.scalar(text, pa.string()), count)
