"""Augmentation in a run: training alone sees it, the report shows it, no signed answer is turned in silence."""

from __future__ import annotations

import re
from dataclasses import replace
from pathlib import Path

import numpy as np
import pytest
import torch

from netwright import registry, run, spec
from netwright.data.augment import Draw, Transform
from netwright.data.batches import Batch, Batches
from netwright.data.dataset import prepare
from netwright.errors import SpecError
from netwright.model_file import assemble
from netwright.report.facts import Facts
from netwright.run.fit import weighted
from netwright.run.folder import RunFolder
from netwright.run.resolve import settle
from netwright.spec import Spec
from netwright.training import history
from netwright.training.strategies.augment import Augment

PICTURES = """
data: {path: %s}
inputs: {image: {augment: %s}}
outputs: [category]
model: {layers: ""}
training: {stop: {epochs: 2}}
"""


class Blank(Transform):
    """Nothing is left of a picture."""

    def image(self, pixels: torch.Tensor, draw: Draw) -> torch.Tensor:
        return torch.full_like(pixels, 777.0)


@pytest.fixture
def blank(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setitem(registry._own, ("transform", "blank"), (registry.Part("transform", "blank", "", ""), Blank))


def test_only_training_sees_it(pictures: Path, tmp_path: Path, blank: None) -> None:
    outcome = run.train(spec.load(PICTURES % (pictures, "[blank]")), out=tmp_path / "run")
    folder = RunFolder(outcome.run)
    rows = [row for row in history.read(folder.history) if row["kind"] == "epoch"]
    best = min(rows, key=lambda row: float(row["validation/loss"] or 0))
    assert float(best["train/loss"] or 0) > 2  # 64 numbers of 777 at every step
    assert best["validation/loss"] == pytest.approx(outcome.scores["category"]["validation"]["loss"], rel=1e-5)
    with pytest.MonkeyPatch.context() as patch:
        patch.setattr(Blank, "image", lambda self, pixels, draw: 1 / 0)
        assert run.evaluate(folder.path).scores["category"] == outcome.scores["category"]["test"]


def test_the_report_shows_pictures_beside_what_a_step_saw_and_how_many_views_there_are(
    pictures: Path, tmp_path: Path
) -> None:
    wanted = spec.load(PICTURES % (pictures, "[mirror, {name: shift, px: 1}]"))
    outcome = run.train(wanted, out=tmp_path / "run")
    facts = Facts.model_validate_json(RunFolder(outcome.run).facts.read_text(encoding="utf-8"))
    assert len(facts.changed) == 12
    assert any(each.before != each.after for each in facts.changed)
    told = next(reason for reason in facts.settings if reason.path == "inputs.image.augment")
    count = facts.ledger.splits["train"]
    assert told.value == "mirror, shift"
    assert f"18 views of each of {count} training pictures: {18 * count} in all" in told.why
    page = (outcome.run / "report.html").read_text(encoding="utf-8")
    assert "What training saw" in page


def _steering(tmp_path: Path, values: np.ndarray, said: str = "") -> tuple[Spec, dict[str, np.ndarray]]:
    pixels = np.random.default_rng(0).integers(0, 255, (len(values), 6, 8, 1), dtype=np.uint8)
    text = "{inputs: {view: {augment: mirror}}, outputs: {angle: {kind: number%s}}, model: {layers: ''}}"
    return spec.load(text % said), {"view": pixels, "angle": values}


def test_a_number_with_both_signs_is_not_mirrored_unless_somebody_says_what_becomes_of_it(tmp_path: Path) -> None:
    signed = np.linspace(-1, 1, 60)
    wanted, data = _steering(tmp_path, signed)
    with pytest.raises(SpecError, match=r"inputs\.view\.augment: mirror: angle has both signs") as raised:
        settle(wanted, prepare(wanted, data=data))
    assert raised.value.cure == "Say it: outputs.angle.when_mirrored: negate, or keep."
    for values, said in ((signed, ", when_mirrored: keep"), (signed, ", when_mirrored: negate"), (signed + 2, "")):
        wanted, data = _steering(tmp_path, values, said)
        settle(wanted, prepare(wanted, data=data))


def test_an_angle_turns_once_with_all_its_pictures(tmp_path: Path) -> None:
    mirror = registry.resolve("transform", "mirror")()
    augment = Augment({name: [("mirror", mirror)] for name in ("left", "right")}, ["angle"], 0)
    picture = torch.arange(4.0).expand(30, 1, 2, 4)
    batch = Batch({"left": picture, "right": picture}, {"angle": torch.ones(30)}, torch.arange(30))
    seen = augment.changed(batch, 0)
    turned = seen.inputs["left"][:, 0, 0, 0] > 0
    assert 0 < int(turned.sum()) < 30
    assert torch.equal(seen.inputs["left"], seen.inputs["right"])
    assert torch.equal(seen.targets["angle"], torch.where(turned, -1.0, 1.0))
    assert torch.equal(batch.targets["angle"], torch.ones(30))


@pytest.mark.parametrize(
    ("given", "said"),
    [
        ("miror", 'unknown transform "miror" (did you mean "mirror"?).'),
        ("{name: shift, px: 0}", "inputs.image.augment: px is 0, expected at least 1."),
        ("{name: shift, px: 8}", "inputs.image.augment: px is 8, but pictures are 8 x 8."),
        (
            "{name: shift, pix: 1}",
            'inputs.image.augment: transform "shift" has no option "pix" (did you mean "px"?); it takes px.',
        ),
    ],
)
def test_what_cannot_be_is_said_before_training(pictures: Path, given: str, said: str) -> None:
    wanted = spec.load(PICTURES % (pictures, given))
    with pytest.raises(SpecError, match=f"^{re.escape(said)}"):
        settle(wanted, prepare(wanted))


def test_a_column_of_numbers_has_no_augmentation(flowers: Path) -> None:
    wanted = spec.load(f"{{data: {{path: {flowers}}}, inputs: {{size: {{augment: mirror}}}}, outputs: [class]}}")
    with pytest.raises(
        SpecError,
        match=r"inputs\.size\.augment: an input of kind number has no augment; image, audio, ink, track, signal have",
    ):
        prepare(wanted)


def test_blended_pictures_are_asked_for_both_answers_and_shown_in_the_report(pictures: Path, tmp_path: Path) -> None:
    said = "training: {regularize: {mixup: 0.4, cutmix: 1, label_smoothing: 0.1}, stop: {epochs: 3}}"
    wanted = spec.load(f"{{data: {{path: {pictures}}}, outputs: [category], model: {{layers: ''}}, {said}}}")
    first, second = (run.train(wanted, out=tmp_path / name) for name in ("one", "two"))
    assert RunFolder(first.run).history.read_bytes() == RunFolder(second.run).history.read_bytes()
    assert len(Facts.read(RunFolder(first.run).facts).changed) == 12


def test_nothing_can_be_pasted_into_a_table(flowers: Path) -> None:
    wanted = spec.load(f"{{data: {{path: {flowers}}}, outputs: [class], training: {{regularize: {{cutmix: 1}}}}}}")
    with pytest.raises(SpecError, match=r"training\.regularize\.cutmix: it pastes a part of a picture"):
        settle(wanted, prepare(wanted))


def test_the_loss_of_a_blend_is_the_blend_of_the_losses(pictures: Path) -> None:
    wanted = spec.load(PICTURES % (pictures, "[]"))
    data = prepare(wanted)
    model = assemble(settle(wanted, data)[0], data.inputs, data.outputs, 0)
    losses = weighted(model, {"category": 2.0}, smoothing=0.1)
    batch = next(Batches(data, "train", 8, 0, shuffle=False, resident=False).epoch(0))
    others = {"category": batch.targets["category"].flip(0)}
    with torch.no_grad():
        one, two = losses(batch), losses(replace(batch, targets=others))
        mixed = losses(replace(batch, others=others, share=0.3))
    assert set(mixed) == set(one)
    for name in one:
        assert float(mixed[name]) == pytest.approx(0.3 * float(one[name]) + 0.7 * float(two[name]), rel=1e-5)
