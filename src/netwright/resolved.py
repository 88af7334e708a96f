"""What a run decided: a spec with nothing left open, the fields of its data, the machine's part, and why.

Written once as `resolved.yaml`; a resume reads it and decides nothing again.
"""

from __future__ import annotations

from pathlib import Path
from typing import Literal

from pydantic import Field as Setting
from pydantic import ValidationError

from netwright import yaml12
from netwright.errors import SpecError
from netwright.field import Field, Frozen, Reason
from netwright.spec import VERSION, Spec

Layout = Literal["contiguous", "channels_last"]  # of the axes of pictures


class Hardware(Frozen):
    """What was measured or detected once; a resume reads it and never measures again."""

    device: str
    threads: int
    precision: Literal["float32", "bfloat16"] = "float32"
    resident: bool
    layout: Layout = "contiguous"
    why: tuple[Reason, ...] = ()


class Resolved(Frozen):
    """A spec with nothing left open: every default filled in, every automatic choice made, and why.

    Args:
        version: Format of this file.
        netwright: Version that wrote it.
        spec: The spec with every setting filled in.
        inputs: What is known about each input.
        outputs: What is known about each output.
        hardware: Device, threads and where the data is held.
        reasons: Why each default has its value.
        own_parts: Names and source hashes of the user's own parts.
        fingerprint: Of the data, to notice that it changed.
    """

    version: int = VERSION
    netwright: str
    torch: str
    spec: Spec
    inputs: dict[str, Field]
    outputs: dict[str, Field]
    hardware: Hardware
    reasons: tuple[Reason, ...] = ()
    own_parts: dict[str, str] = Setting(default_factory=dict)
    fingerprint: dict[str, str | int | dict[str, str]] = Setting(default_factory=dict)


def load_resolved(path: Path) -> Resolved:
    """The resolved spec of a run.

    Raises:
        SpecError: The file is missing, damaged or of another version.
    """
    try:
        values, _ = yaml12.load(path.read_text(encoding="utf-8"), str(path))
        version = values.get("version") if isinstance(values, dict) else None
        if version != VERSION:
            raise SpecError(
                f"{path}: format version {version}, this netwright reads {VERSION}.",
                "Use the netwright that wrote it (its version stands in the file).",
            )
        return Resolved.model_validate(values)
    except (OSError, ValidationError) as exc:
        raise SpecError(f"{path}: not a resolved spec ({exc}).", "Is this the folder of a run?") from exc
