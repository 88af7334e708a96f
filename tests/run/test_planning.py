"""Before training: sizes that can be worked out, reasons for everything, findings about planted faults."""

from pathlib import Path

import pytest

from netwright import run, spec
from netwright.errors import SpecError
from netwright.resolved import load_resolved


def test_sizes_are_those_one_works_out(flowers: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.chdir(tmp_path)
    text = (
        "{data: {path: %s}, outputs: [class], "
        "model: {layers: 'dense 8, relu'}, training: {batch_size: 16, stop: {epochs: 3}}}"
    )
    plan = run.plan(spec.load(text % flowers))
    # size, age and two colours go in; one unit says tall or small
    assert plan.parameters == (4 * 8 + 8) + (8 + 1)
    assert plan.multiply_adds == 4 * 8 + 8
    assert (plan.steps_per_epoch, plan.epochs) == (6, 3)
    assert f"{plan.parameters:,} parameters" in "\n".join(plan.text)
    assert sum(row.parameters for row in plan.layers) == plan.parameters
    assert {"training.optimizer", "data.split.by", "training.threads", "hardware.resident"} <= {
        r.path for r in plan.reasons
    }
    assert list(tmp_path.iterdir()) == []  # a plan leaves nothing behind


def test_a_plan_says_what_a_run_then_decides(trained: Path) -> None:
    wanted = spec.load(trained / "spec.yaml")
    decided = load_resolved(trained / "resolved.yaml")
    plan = run.plan(wanted)
    changing = {"hardware.resident"}  # says how much memory is free at the moment
    planned = {(r.path, r.value, r.why) for r in plan.reasons if r.path not in changing}
    assert {(r.path, r.value, r.why) for r in decided.reasons if r.path not in changing} <= planned


def test_a_plan_from_a_trained_model_says_what_is_taken_and_what_stays_frozen(trained: Path) -> None:
    """Settings that only a training from a trained model knows were passed over by a plan."""
    wanted = spec.override(spec.load(trained / "spec.yaml"), {"training.freeze": "1"})
    with pytest.raises(SpecError, match="first weights, which know nothing"):
        run.plan(wanted)
    plan = run.plan(wanted, base=trained)
    assert [row.layer for row in plan.layers if row.frozen] == ["dense1"]
    assert next(line for line in plan.text if line.startswith("  dense1")).endswith("frozen")
    assert any(f"4 of 4 weights taken from {trained} as they were" in line for line in plan.text)
    assert any("these layers keep weights" in line for line in plan.text)


def test_show_tells_fields_examples_and_mixed_batches(flowers: Path) -> None:
    shown = run.data_show(spec.load(f"{{data: {{path: {flowers}}}, outputs: [class]}}"))
    text = "\n".join(shown.text)
    assert shown.layout == "csv"
    assert shown.counts["used"] == 120
    assert set(shown.fields) == {"size", "age", "colour", "class"}
    assert "120 examples used (84 train, 18 validation, 18 test)" in text
    assert "colour: category, 2 classes (blue, red)" in text
    assert text.count("batch ") >= 2
    batch = next(line for line in shown.text if line.startswith("  batch 1"))
    assert "small" in batch
    assert "tall" in batch


def test_show_quotes_the_texts_that_come_out(tmp_path: Path) -> None:
    rows = [f"a dog number {place},ein sehr langer hund der nummer {place} hei\u00dft" for place in range(40)]
    (tmp_path / "texts.csv").write_text("\n".join(["en,de", *rows]) + "\n", encoding="utf-8")
    shown = run.data_show(spec.load(f"{{data: {{path: {tmp_path}/texts.csv}}, inputs: [en], outputs: {{de: text}}}}"))
    batch = next(line for line in shown.text if line.startswith("  batch 1"))
    assert batch.count(" | ") == 11
    assert "ein sehr langer hund der nummer" in batch


def test_check_names_rare_and_lopsided_classes_and_what_was_left_out(tmp_path: Path) -> None:
    rows = [f"{i},{'common' if i > 8 else 'rare'}" for i in range(400)] + ["many,common"]
    (tmp_path / "a.csv").write_text("\n".join(["x,y", *rows]) + "\n", encoding="utf-8")
    found = run.data_check(spec.load(f"{{data: {{path: {tmp_path / 'a.csv'}}}, inputs: {{x: number}}, outputs: [y]}}"))
    told = {finding.name: finding for finding in found}
    assert "1 class of y with fewer than 20 examples: rare (9)" in told["rare classes"].message
    assert "common has 391 examples, rare 9" in told["imbalance"].message
    assert "line 402" in told["left out"].message or "row 401" in told["left out"].message
    assert all(finding.cure for finding in found if finding.name in {"rare classes", "imbalance", "left out"})


def test_sound_data_is_said_to_be_sound(flowers: Path) -> None:
    found = run.data_check(spec.load(f"{{data: {{path: {flowers}}}, outputs: [class]}}"))
    assert [finding.state for finding in found if finding.name in {"examples", "classes"}] == ["good", "good"]
