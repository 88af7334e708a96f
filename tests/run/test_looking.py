"""The doctor before the first update: told once, kept, shown in the report, and without any effect on training."""

from __future__ import annotations

import json
from pathlib import Path

import numpy as np
import pytest
import torch
from safetensors.torch import load_file

from netwright import catalogue, run, spec
from netwright.doctor import plant
from netwright.doctor.finding import Finding
from netwright.progress import Silent
from netwright.run import looking, scoring
from netwright.run.folder import RunFolder

TEXT = "{outputs: [tree], model: {layers: 'dense 8, relu'}, training: {stop: {epochs: 2}}}"


class Notes(Silent):
    """Keeps the notes."""

    def __init__(self) -> None:
        self.notes: list[str] = []

    def note(self, text: str) -> None:
        self.notes.append(text)


def leaking() -> dict[str, np.ndarray]:
    columns = plant.sound()
    return {**columns, "record": np.array([f"r{tree[0]}" for tree in columns["tree"]])}


@pytest.fixture(scope="module")
def looked(tmp_path_factory: pytest.TempPathFactory) -> tuple[RunFolder, Notes]:
    notes = Notes()
    outcome = run.train(spec.load(TEXT), data=leaking(), out=tmp_path_factory.mktemp("looked") / "run", show=notes)
    return RunFolder(outcome.run), notes


def test_what_is_wrong_is_told_in_one_line_with_its_cure(looked: tuple[RunFolder, Notes]) -> None:
    _, notes = looked
    (said,) = [note for note in notes.notes if note.startswith("leaks:")]
    assert "record (100.0 % of the answers) tells tree all by itself" in said
    assert "leave it out: --without record." in said
    assert "\n" not in said
    assert not [note for note in notes.notes if note.startswith(("classes:", "first loss:"))]  # they are good


def test_what_bears_on_the_score_is_part_of_the_result_and_the_rest_is_not(looked: tuple[RunFolder, Notes]) -> None:
    folder, notes = looked
    said = scoring.outcome(folder).text
    assert [line for line in said if line.startswith("leaks:")] == [n for n in notes.notes if n.startswith("leaks:")]
    assert not [line for line in said if "set aside" in line or line.startswith(("classes:", "imbalance:", "copies:"))]


def test_report_facts_and_doctor_say_it_again(looked: tuple[RunFolder, Notes]) -> None:
    folder, _ = looked
    facts = json.loads(folder.facts.read_text(encoding="utf-8"))
    assert {each["name"]: each["state"] for each in facts["findings"]}["leaks"] == "note"
    assert "What the doctor found" in folder.report.read_text(encoding="utf-8")
    assert "leaks" in {finding.name for finding in run.diagnose(folder.path)}


def test_weights_and_history_are_the_same_bits_without_any_check(
    looked: tuple[RunFolder, Notes], tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setitem(catalogue.BUILT_IN, "check", {})
    alone = RunFolder(run.train(spec.load(TEXT), data=leaking(), out=tmp_path / "run").run)
    watched, _ = looked
    assert looking.kept(alone) == []
    one, other = (load_file(folder.model) for folder in (watched, alone))
    assert set(one) == set(other)
    assert all(torch.equal(one[name], other[name]) for name in one)
    assert watched.history.read_bytes() == alone.history.read_bytes()


def test_a_resume_keeps_what_was_found_and_does_not_look_again(done_run: Path) -> None:
    folder = RunFolder(done_run)
    folder.findings.write_text('[{"name": "x", "state": "note", "message": "kept", "cure": ""}]', encoding="utf-8")
    folder.report.unlink()
    folder.update(state="stopped")
    notes = Notes()
    run.resume(done_run, show=notes)
    assert [finding.message for finding in looking.kept(folder)] == ["kept"]
    assert "kept" in folder.report.read_text(encoding="utf-8")
    folder.findings.unlink()
    folder.report.unlink()
    run.resume(done_run, show=notes)  # it was trained before there was a doctor
    assert looking.kept(folder) == []


def test_an_example_that_is_doubted_twice_keeps_both_doubts() -> None:
    findings = [
        Finding("labels", "note", "a", doubts={3: "looks like b"}),
        Finding("order", "good", "c"),
        Finding("room", "note", "d", doubts={3: "needs 5 steps", 8: "needs 6 steps"}),
    ]
    assert looking._doubts(findings) == {3: "looks like b; needs 5 steps", 8: "needs 6 steps"}
