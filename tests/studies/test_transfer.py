"""Transfer: four ways of learning from the same few examples, judged alike; gone on with; refused where senseless."""

from __future__ import annotations

import json
import math
from pathlib import Path

import numpy as np
import pytest
from PIL import Image

from netwright import run, spec, studies
from netwright.errors import NetwrightError, SpecError
from netwright.studies.transfer import LOGISTIC, SCRATCH, SVM, TUNED, verdict

LAYERS = "conv 6x3 pad 1, relu, pool 2, dense 12, relu"


def _stripes(folder: Path, names: tuple[str, ...], count: int, seed: int) -> Path:
    """Pictures of stripes, upright or lying, thin or thick: one class for each name."""
    draw = np.random.default_rng(seed)
    for kind, name in enumerate(names):
        (folder / name).mkdir(parents=True)
        for number in range(count):
            place = (np.arange(12) + int(draw.integers(8))) // (1 + kind // 2) % 2 * 150
            stripes = np.broadcast_to(place if kind % 2 else place[:, None], (12, 12))
            pixels = (stripes + draw.integers(0, 90, (12, 12))).astype(np.uint8)
            Image.fromarray(pixels).save(folder / name / f"{number}.png")
    return folder


@pytest.fixture(scope="module")
def base(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """A network that tells four kinds of stripes."""
    folder = _stripes(tmp_path_factory.mktemp("source") / "stripes", ("a", "b", "c", "d"), 60, 0)
    text = f"{{data: {{path: {folder}}}, outputs: [category], model: {{layers: '{LAYERS}'}}, "
    return run.train(spec.load(text + "training: {stop: {epochs: 8}}}"), out=folder.parent / "run").run


@pytest.fixture(scope="module")
def target(tmp_path_factory: pytest.TempPathFactory) -> Path:
    return _stripes(tmp_path_factory.mktemp("target") / "two", ("lying", "upright"), 40, 1)


def _wanted(target: Path, epochs: int = 2) -> spec.Spec:
    """Layers stay as they were and others learn slowly, where there are trained ones: from scratch all learn."""
    training = f"{{freeze: 1, layer_rates: 0.5, stop: {{epochs: {epochs}}}}}"
    return spec.load(f"{{data: {{path: {target}}}, outputs: [category], training: {training}}}")


def test_four_ways_at_every_size_and_seed_and_an_answer(base: Path, target: Path, tmp_path: Path) -> None:
    found = studies.transfer(_wanted(target), base, sizes=[4, 20], seeds=2, out=tmp_path / "study")
    assert found.sizes == [4, 20]
    assert set(found.accuracy) == {SCRATCH, LOGISTIC, SVM, TUNED}
    for scores in found.accuracy.values():
        assert {size: set(by_seed) for size, by_seed in scores.items()} == {"4": {"0", "1"}, "20": {"0", "1"}}
    assert np.mean(list(found.accuracy[LOGISTIC]["20"].values())) > 0.9  # the base knows such stripes
    assert set(found.crossed) == {LOGISTIC, SVM}
    page = found.page.read_text(encoding="utf-8")
    assert "Does a trained model help here?" in page
    assert found.answer in page
    assert "<svg" in page
    again = studies.transfer(_wanted(target), base, sizes=[4, 20], seeds=2, out=tmp_path / "study")
    assert again.accuracy == found.accuracy
    assert json.loads((tmp_path / "study" / "transfer.json").read_text(encoding="utf-8"))["answer"] == found.answer
    with pytest.raises(NetwrightError, match="holds a study of another spec or base"):
        studies.transfer(_wanted(target, 3), base, sizes=[4], seeds=1, out=tmp_path / "study")


def test_the_seed_of_the_spec_is_the_first(base: Path, target: Path, tmp_path: Path) -> None:
    wanted = spec.override(_wanted(target), {"training.seed": "5"})
    found = studies.transfer(wanted, base, sizes=[4], seeds=1, out=tmp_path / "study")
    assert {seed for scores in found.accuracy.values() for seed in scores["4"]} == {"5"}


def test_sizes_that_cannot_be_are_refused_before_anything_is_trained(base: Path, target: Path, tmp_path: Path) -> None:
    with pytest.raises(SpecError, match=r"--sizes 1, 500: there are 56 to train on, of 2 classes"):
        studies.transfer(_wanted(target), base, sizes=[1, 20, 500], out=tmp_path / "study")
    assert not list((tmp_path / "study").glob("*seed*"))


def test_the_answer_names_the_best_way_and_what_it_brings() -> None:
    low, high = {"0": 0.5, "1": 0.6}, {"0": 0.8, "1": 0.9}
    known = {SCRATCH: {"10": low, "50": high}, LOGISTIC: {"10": high, "50": low}, SVM: {"10": low, "50": low}}
    said = verdict([10, 50], {**known, TUNED: {"10": low, "50": low}}).replace("\N{NO-BREAK SPACE}", " ")
    assert said.startswith("With 10 examples features + logistic regression is best, 85.0 % right, 30.0 points above")
    assert said.endswith("With 50 examples from scratch is best, 85.0 % right.")


def test_trainings_that_diverged_count_for_nothing_and_win_nothing() -> None:
    gone, half, high = {"0": math.nan, "1": math.nan}, {"0": math.nan, "1": 0.5}, {"0": 0.8, "1": 0.9}
    known = {SCRATCH: {"10": half, "50": gone}, LOGISTIC: {"10": high, "50": high}, SVM: {"10": gone, "50": gone}}
    said = verdict([10, 50], {**known, TUNED: {"10": half, "50": gone}}).replace("\N{NO-BREAK SPACE}", " ")
    best = "features + logistic regression is best, 85.0 % right"
    assert said == f"With 10 examples {best}, 40.0 points above training from scratch. With 50 examples {best}."
    lost = {way: {"10": gone} for way in (SCRATCH, LOGISTIC, SVM, TUNED)}
    assert verdict([10], lost) == "With 10 examples every training diverged."
