"""Files whose names say what they are: `3_theo_17.wav` is a three, spoken by theo, the 17th time."""

from __future__ import annotations

import re
from pathlib import Path
from typing import ClassVar

import pyarrow as pa

from netwright.errors import DataError, SpecError
from netwright.files import printable
from netwright.readers.columns import Cells, Found, unique_ids
from netwright.readers.layouts.layout import Layout
from netwright.readers.layouts.listing import list_folder, refusal, signal_of, subset
from netwright.readers.sniff import is_no

_TAKEN = {"image", "audio", "ink", "text"}  # columns of the files themselves
_PLACE = re.compile(r"\{(\w+)\}")


class NamedFiles(Layout):
    """Files wherever they lie, with a column for each part of a name, as in `{digit}_{speaker}_{take}`.

    Only where `data.names` gives the pattern, which is matched against a file's name without its ending.

    Args:
        pattern: Names of columns in braces, and what stands between them.
    """

    name: ClassVar[str] = "named_files"

    def __init__(self, pattern: str = "{category}") -> None:
        names = _PLACE.findall(pattern)
        if not names or len(set(names)) < len(names) or _TAKEN & set(names):
            raise SpecError(
                f'data.names: "{pattern}" needs different names in braces, other than {", ".join(sorted(_TAKEN))}.',
                "Write what the parts of a name are: {digit}_{speaker}_{take}",
            )
        parts = _PLACE.split(pattern)
        shaped = "".join(re.escape(part) if k % 2 == 0 else f"(?P<{part}>.+?)" for k, part in enumerate(parts))
        self._pattern, self._names, self._said = re.compile(shaped), names, pattern

    def matches(self, path: Path) -> bool:
        """Never by itself."""
        del path
        return False

    def find(self, path: Path) -> Found:
        """All files whose names fit; everything else is refused with the reason.

        Raises:
            DataError: No name fits.
        """
        listing = list_folder(path)
        signal = signal_of(listing, asked=self.asked)
        refused, keep, found = list(listing.refused), [], []
        for place, (name, kind) in enumerate(zip(listing.blobs.names, listing.kinds, strict=True)):
            match = self._pattern.fullmatch(Path(name).stem)
            if not signal.holds(name, kind):
                refused.append(refusal(name, is_no(signal.noun, kind)))
            elif match is None:
                refused.append(refusal(name, f"its name does not fit {self._said}"))
            else:
                keep.append(place)
                found.append(match.groupdict())
        if not keep:
            first = printable(listing.blobs.names[0]) if listing.blobs.names else "nothing"
            raise DataError(
                f"{printable(path)}: no file is called like {self._said} (there is {first}).",
                "Correct data.names; it stands for a name without its ending.",
            )
        blobs = subset(listing, keep)
        columns = {name: [printable(each[name]) for each in found] for name in self._names}
        cells = {name: Cells(pa.chunked_array([pa.array(values, pa.string())])) for name, values in columns.items()}
        return Found(
            layout=self.name,
            origin=str(path),
            ids=unique_ids(blobs.names),
            columns={signal.name: blobs, **cells},
            refused=tuple(refused),
            sources=(path,),
        )
