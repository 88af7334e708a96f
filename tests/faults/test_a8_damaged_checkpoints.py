"""A8: a flipped byte or a cut anywhere in a checkpoint is noticed, named, and the one before it is used."""

from __future__ import annotations

import json
import shutil
from pathlib import Path

import pytest
import torch

from netwright import run
from netwright.errors import NetwrightError
from netwright.training import checkpoint

FILES = ("tensors.safetensors", "facts.json", "manifest.json")


@pytest.fixture
def folder(tmp_path: Path) -> Path:
    (tmp_path / "run").mkdir()
    for step in (7, 8):
        facts = {"step": step, "words": ["text"] * 2000}
        checkpoint.save(tmp_path / "run" / "checkpoints", step, {"a": torch.arange(5000.0)}, facts)
    return tmp_path / "run" / "checkpoints"


def _falls_back(folder: Path, file: str) -> None:
    found = checkpoint.latest(folder)
    assert found is not None
    assert found.facts["step"] == 7
    (problem,) = found.refused
    assert problem.startswith(f"step-000000000008: {file}")


@pytest.mark.parametrize("file", FILES)
@pytest.mark.parametrize("bit", [0x01, 0x80, 0xFF])
def test_a8_every_1000th_byte_flipped(folder: Path, file: str, bit: int) -> None:
    path = folder / "step-000000000008" / file
    good = path.read_bytes()
    for place in range(0, len(good), 1000 if file != "manifest.json" else 10):
        path.write_bytes(good[:place] + bytes([good[place] ^ bit]) + good[place + 1 :])
        if file == "manifest.json":  # a flip there may hit a value of the other files
            found = checkpoint.latest(folder)
            assert found is not None
            assert (found.facts["step"], len(found.refused)) == (7, 1)
        else:
            _falls_back(folder, file)


@pytest.mark.parametrize("file", FILES)
def test_a8_cut_at_every_block_or_gone(folder: Path, file: str) -> None:
    path = folder / "step-000000000008" / file
    good = path.read_bytes()
    for size in (*range(0, len(good), 4096 if file != "manifest.json" else 16), len(good) - 1):
        path.write_bytes(good[:size])
        _falls_back(folder, file)
    path.write_bytes(good + b"\0")
    _falls_back(folder, file)
    path.unlink()
    _falls_back(folder, file)


def test_a8_all_damaged_is_an_error_that_names_every_one(folder: Path) -> None:
    for path in folder.glob("*/tensors.safetensors"):
        path.write_bytes(path.read_bytes()[:-1])
    with pytest.raises(
        NetwrightError,
        match=r"no checkpoint in .* can be used: step-0+8: tensors.* bytes, expected .*; step-0+7: tensors",
    ):
        checkpoint.latest(folder)


@pytest.mark.parametrize("version", [0, 2, "1", None])
def test_a8_another_version_is_named(folder: Path, version: object) -> None:
    for path in folder.glob("*/manifest.json"):
        path.write_text(json.dumps(json.loads(path.read_text()) | {"version": version}))
    with pytest.raises(NetwrightError, match=f"step-000000000008: format version {version}, this netwright reads 1"):
        checkpoint.latest(folder)


@pytest.mark.parametrize(
    "manifest", ["[]", "5", '{"version": 1}', '{"version": 1, "step": 8, "files": {"tensors.safetensors": 5}}']
)
def test_a8_a_manifest_of_another_shape_is_damage(folder: Path, manifest: str) -> None:
    (folder / "step-000000000008" / "manifest.json").write_text(manifest)
    found = checkpoint.latest(folder)
    assert found is not None
    assert found.facts["step"] == 7


class Notes:
    def __init__(self) -> None:
        self.notes: list[str] = []

    def stage(self, name: str, total: int) -> None: ...
    def advance(self, done: int) -> None: ...
    def epoch(self, row: object) -> None: ...
    def note(self, text: str) -> None:
        self.notes.append(text)


def test_a8_a_resume_says_which_it_passed_over(unbroken: Path, tmp_path: Path) -> None:
    folder = Path(shutil.copytree(unbroken, tmp_path / "run"))
    facts = json.loads((folder / "run.json").read_text())
    (folder / "run.json").write_text(json.dumps(facts | {"state": "stopped"}))
    (good,) = (folder / "checkpoints").iterdir()
    bad = Path(shutil.copytree(good, good.with_name(f"{good.name}.1")))
    (bad / "facts.json").write_bytes(b"{}")
    told = Notes()
    run.resume(folder, show=told)
    (said,) = [note for note in told.notes if "passed over" in note]
    assert said.startswith(f"checkpoint {bad.name}: facts.json has 2 bytes, expected ")
    assert said.endswith(f"passed over, going on from {good.name}")
