"""Checkpoints: a folder of safetensors and JSON that is either whole or not there.

A checkpoint is built under another name, fsynced and renamed; its `manifest.json`, written last, holds size and
SHA-256 of every file. The two newest are kept, so a damaged one costs one interval and never the run. A second one of
the same step gets a name of its own. A full disk leaves the older ones as they were.
"""

from __future__ import annotations

import json
import re
import shutil
from dataclasses import dataclass
from pathlib import Path

import torch
from safetensors import SafetensorError
from safetensors.torch import load_file, save_file
from torch import Tensor

from netwright import files
from netwright.errors import NetwrightError

VERSION = 1
_NAME = re.compile(r"step-(?P<step>\d{12,})(\.(?P<again>\d+))?")


@dataclass(frozen=True)
class Checkpoint:
    """A checkpoint read back.

    Args:
        path: Its folder.
        tensors: Everything that is a tensor.
        facts: Everything else.
        refused: Newer checkpoints that were damaged, each with the reason.
    """

    path: Path
    tensors: dict[str, Tensor]
    facts: dict[str, object]
    refused: tuple[str, ...] = ()


def save(folder: Path, step: int, tensors: dict[str, Tensor], facts: dict[str, object]) -> Path:
    """Write a checkpoint and drop all but the newest two.

    Args:
        folder: The run's `checkpoints` folder.
        step: Step it was taken at.
        tensors: Tensors by name; any layout, ties allowed.
        facts: Plain values for JSON.

    Raises:
        ResourceError: The disk is full; older checkpoints are untouched.
        NetwrightError: The run's folder is gone or read-only.
    """
    if not folder.parent.is_dir():
        raise NetwrightError(
            f"{files.printable(folder.parent)}: the run's folder is gone at step {step}.",
            "It was deleted or unmounted while training; start the run again.",
        )
    files.sweep(folder)
    again = [_place(p)[1] + 1 for p in _found(folder) if _place(p)[0] == step]
    path = folder / (f"step-{step:012d}" + (f".{max(again)}" if again else ""))
    apart = {key: value.detach().to("cpu", copy=True).contiguous() for key, value in tensors.items()}
    needed = sum(value.numel() * value.element_size() for value in apart.values())
    with files.making_folder(path, needed_bytes=needed) as building, files.explained(path, needed):
        try:
            save_file(apart, building / "tensors.safetensors")
        except SafetensorError as exc:
            raise _disk_error(exc) from exc
        (building / "facts.json").write_text(json.dumps(facts, sort_keys=True), encoding="utf-8")
        members = ("tensors.safetensors", "facts.json")
        manifest = {"version": VERSION, "step": step, "files": {name: _facts(building / name) for name in members}}
        (building / "manifest.json").write_text(json.dumps(manifest, sort_keys=True), encoding="utf-8")
    for old in _found(folder)[2:]:
        shutil.rmtree(old, ignore_errors=True)
    return path


def _disk_error(exc: SafetensorError) -> OSError:
    """Safetensors words the system's errors; the number in them tells which one it was."""
    number = re.search(r"os error (\d+)", str(exc))
    return OSError(int(number[1]) if number else 5, str(exc))


def _facts(path: Path) -> dict[str, object]:
    return {"bytes": path.stat().st_size, "sha256": files.sha256(path)}


def _found(folder: Path) -> list[Path]:
    """Checkpoints by name, newest first."""
    return sorted((p for p in folder.glob("step-*") if _NAME.fullmatch(p.name)), key=_place, reverse=True)


def _place(path: Path) -> tuple[int, int]:
    """Step of a checkpoint, and how many of the same step came before it."""
    found = _NAME.fullmatch(path.name)
    return (int(found["step"]), int(found["again"] or 0)) if found else (-1, 0)


def latest(folder: Path) -> Checkpoint | None:
    """The newest whole checkpoint, or None when there is none.

    A damaged one is passed over and named in `refused`.

    Raises:
        NetwrightError: There are checkpoints and every one of them is damaged or of an unknown version.
    """
    refused = []
    for path in _found(folder):
        problem = damage(path)
        if not problem:
            facts = json.loads((path / "facts.json").read_text(encoding="utf-8"))
            tensors = load_file(path / "tensors.safetensors")
            return Checkpoint(path, tensors, facts, tuple(refused))
        refused.append(problem)
    if refused:
        raise NetwrightError(
            f"no checkpoint in {files.printable(folder)} can be used: {'; '.join(refused)}.",
            "Start the run again from its spec.yaml, or restore the folder from a copy.",
        )
    return None


def damage(path: Path) -> str:
    """What is wrong with a checkpoint, in words; empty when it is whole."""
    try:
        manifest = json.loads((path / "manifest.json").read_text(encoding="utf-8"))
        version, step, members = manifest["version"], manifest["step"], manifest["files"]
    except (OSError, ValueError, KeyError, TypeError):
        return f"{path.name}: manifest.json is missing or damaged"
    if version != VERSION:
        return f"{path.name}: format version {version}, this netwright reads {VERSION}"
    if step != _place(path)[0]:
        return f"{path.name}: manifest.json is of step {step}"
    problems = (_member_damage(path / name, members) for name in ("tensors.safetensors", "facts.json"))
    return next((f"{path.name}: {problem}" for problem in problems if problem), "")


def _member_damage(file: Path, members: object) -> str:
    try:
        size, digest, found = members[file.name]["bytes"], members[file.name]["sha256"], _facts(file)  # type: ignore[index]
    except (OSError, KeyError, TypeError):
        return f"{file.name} is missing"
    if found["bytes"] != size:
        return f"{file.name} has {found['bytes']} bytes, expected {size}"
    return "" if found["sha256"] == digest else f"{file.name} does not match its checksum"


def same(a: Checkpoint, b: Checkpoint) -> list[str]:
    """Names of tensors and facts in which two checkpoints differ; elapsed seconds do not count."""
    different = [k for k in sorted({*a.tensors, *b.tensors}) if not _equal(a.tensors.get(k), b.tensors.get(k))]
    keys = sorted({*a.facts, *b.facts} - {"elapsed"})
    return different + [key for key in keys if a.facts.get(key) != b.facts.get(key)]


def _equal(a: Tensor | None, b: Tensor | None) -> bool:
    """Whether two tensors hold the same bits, so that a NaN equals itself and 0.0 does not equal -0.0."""
    if a is None or b is None or a.dtype != b.dtype or a.shape != b.shape:
        return False
    return torch.equal(a.reshape(-1).view(torch.uint8), b.reshape(-1).view(torch.uint8))
