"""Top-1 and top-5 error by crops and models: agreement with `evaluate` and with averages taken by hand; refusals."""

import shutil
from pathlib import Path

import numpy as np
import pytest
import torch
from PIL import Image

from netwright import model_file, run, spec
from netwright.data import views
from netwright.errors import DataError, SpecError
from netwright.readers.pictures import decode
from netwright.run import crops
from netwright.run.folder import RunFolder

SPEC = (
    "{data: {path: '%s', split: {seed: %d}}, inputs: {image: {size_px: [%d, %d]}}, outputs: [category], "
    "model: {layers: ''}, training: {stop: {epochs: 4}, seed: %d}}"
)
CLASSES = "abcdefg"


def train(data: Path, out: Path, *, size: tuple[int, int] = (8, 8), seed: int = 0, split: int = 0) -> Path:
    return run.train(spec.load(SPEC % (data, split, *size, seed)), out=out).run


@pytest.fixture(scope="module")
def seven(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """Seven classes of 16 x 12 pictures, told apart by brightness, not always well."""
    folder, draw = tmp_path_factory.mktemp("seven") / "seven", np.random.default_rng(0)
    for place, label in enumerate(CLASSES):
        (folder / label).mkdir(parents=True)
        for number in range(20):
            pixels = np.clip(draw.normal(30 + 30 * place, 60, (16, 12)), 0, 255).astype(np.uint8)
            Image.fromarray(pixels).save(folder / label / f"{number}.png")
    return folder


@pytest.fixture(scope="module")
def first(seven: Path, session_cache: Path) -> Path:
    return train(seven, seven.parent / "first")


@pytest.fixture(scope="module")
def second(seven: Path, session_cache: Path) -> Path:
    return train(seven, seven.parent / "second", size=(12, 9), seed=5)


def test_one_crop_is_what_evaluate_says(first: Path) -> None:
    scored = run.evaluate(first)
    (row,) = run.evaluate_crops(first).rows
    assert (row.output, row.model, row.resolution, row.crops, row.models) == ("category", "first", "8 x 8", 1, 1)
    assert row.top1_error == pytest.approx(1 - scored.scores["category"]["accuracy"])
    assert row.top5_error == pytest.approx(1 - scored.scores["category"]["top5"])
    low, high = scored.intervals["category"]["accuracy"]
    assert row.top1_interval == pytest.approx((1 - high, 1 - low))


def test_two_crops_are_the_mean_of_the_picture_and_its_mirror_image(first: Path, seven: Path) -> None:
    model = model_file.load(RunFolder(first).model)
    (row,) = run.evaluate_crops(first, crops=[2], data=seven).rows
    wrong = 0
    for path in sorted(seven.rglob("*.png")):
        raw = model.read([{"image": path.read_bytes()}])["image"]
        both = sum(model.answers(model.code({"image": each}))["category"] for each in (raw, raw[:, :, ::-1].copy()))
        wrong += CLASSES[int(both[0].argmax())] != path.parent.name
    assert row.top1_error == pytest.approx(wrong / 140)


def test_ten_crops_are_cut_from_the_file_at_eight_sevenths(first: Path, seven: Path) -> None:
    model = model_file.load(RunFolder(first).model)
    found = run.evaluate_crops(first, crops=[10], data=seven)
    wrong = 0
    for path in sorted(seven.rglob("*.png")):
        with Image.open(path) as picture:
            large = np.asarray(picture.resize((9, 9), Image.Resampling.BILINEAR, box=(0, 2, 12, 14)))[None, :, :, None]
        corners = [(0, 0), (0, 1), (1, 0), (1, 1), (0, 0)]  # a middle of half a pixel is rounded to the even one
        crops = [large[:, top : top + 8, left : left + 8] for top, left in corners]
        crops += [crop[:, :, ::-1] for crop in crops]
        total = sum(model.answers(model.code({"image": crop.copy()}))["category"] for crop in crops)
        wrong += CLASSES[int(total[0].argmax())] != path.parent.name
    assert found.rows[0].top1_error == pytest.approx(wrong / 140)
    assert any("read at 9 x 9" in line and "enlarged" not in line for line in found.text)


def test_the_table_has_each_model_and_all_together(first: Path, second: Path) -> None:
    found = run.evaluate_crops(first, crops=[1, 10, 144], ensemble=[second])
    assert [(row.model, row.resolution, row.crops, row.models) for row in found.rows] == [
        (name, size, crops, models)
        for name, size, models in (("first", "8 x 8", 1), ("second", "12 x 9", 1), ("ensemble", "several", 2))
        for crops in (1, 10, 144)
    ]
    assert all(row.top5_error is not None and row.top5_error <= row.top1_error for row in found.rows)
    assert max(map(len, found.text[1:11])) <= 80
    assert found.text[1].split()[:4] == ["model", "resolution", "crops", "models"]
    assert any("16 of 16" in line or "files looked at are smaller" in line for line in found.text)  # 11/7 of 12 is 19


def test_every_view_counts_as_often_as_it_should(first: Path, seven: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    seen: list[torch.Tensor] = []

    def row(task: object, about: tuple[str, str, str, int, int], answers: torch.Tensor, codes: object) -> crops.CropRow:
        seen.append(answers)
        return crops.CropRow(*about, 0.0, (0.0, 0.0))

    monkeypatch.setattr(crops, "_row", row)
    run.evaluate_crops(first, crops=[1, 2, 10, 144], ensemble=[first], data=seven)
    assert len(seen) == 12
    model, paths = model_file.load(RunFolder(first).model), sorted(seven.rglob("*.png"))
    for many, answers in zip([1, 2, 10, 144] * 3, seen, strict=True):
        expected = torch.zeros(len(paths), len(CLASSES), dtype=torch.float64)
        for reading in views.SCHEMES[many]:
            pixels = np.stack([decode(path.read_bytes(), reading.frame((8, 8, 1))) for path in paths])
            for crop in reading.crops:
                given = model.code({"image": views.cut(pixels, crop, 8, 8).copy()})
                expected += reading.weight / many * model.answers(given)["category"]
        torch.testing.assert_close(answers, expected, rtol=1e-5, atol=1e-6)


def test_an_ensemble_averages_probabilities_whatever_the_order_of_the_classes(first: Path, seven: Path) -> None:
    alone = run.evaluate_crops(first, data=seven).rows[0]
    model = model_file.load(RunFolder(first).model)
    again = seven.parent / "again.netwright"
    turned = model.outputs["category"].model_copy(update={"vocabulary": tuple(reversed(CLASSES))})
    head = next(reversed([each for each in model.network.modules() if hasattr(each, "weight")]))
    head.weight.data = head.weight.data.flip(0)
    head.bias.data = head.bias.data.flip(0)
    other = model_file.Model(model.spec, model.inputs, {"category": turned}, model.network, model.tasks, {}, {})
    model_file.write(again, other, [])
    rows = run.evaluate_crops(first, ensemble=[again], data=seven).rows
    assert [row.top1_error for row in rows] == [pytest.approx(alone.top1_error)] * 3
    assert [row.models for row in rows] == [1, 1, 2]


def test_the_test_part_of_every_run_is_counted_once_for_the_whole_table(
    first: Path, second: Path, tmp_path: Path
) -> None:
    one, two = (Path(shutil.copytree(path, tmp_path / path.name)) for path in (first, second))
    before = [RunFolder(path).reads()["test"] for path in (one, two)]
    found = run.evaluate_crops(one, crops=[1, 2], ensemble=[two])
    assert [RunFolder(path).reads()["test"] for path in (one, two)] == [count + 1 for count in before]
    assert found.reads == before[0] + 1
    assert any(f"now read {found.reads} times" in line for line in found.text)


def test_a_network_that_learned_from_the_test_examples_is_refused(first: Path, seven: Path, tmp_path: Path) -> None:
    other = train(seven, tmp_path / "other", seed=1, split=1)
    before = RunFolder(first).reads()["test"]
    with pytest.raises(DataError, match=r"other learned from \d+ of the \d+ test examples .*data\.split\.seed=0"):
        run.evaluate_crops(first, ensemble=[other])
    assert RunFolder(first).reads()["test"] == before
    found = run.evaluate_crops(first, ensemble=[other], data=seven)
    assert any("were learned from" in line for line in found.text)


def test_other_classes_are_refused_by_name(first: Path, picture_run: Path) -> None:
    with pytest.raises(SpecError, match=r"run answers among other classes .* lacks a, b.* has bright, dark besides"):
        run.evaluate_crops(first, ensemble=[picture_run])


def test_what_cannot_be_cut_or_counted_is_refused(first: Path, trained: Path, tmp_path: Path) -> None:
    with pytest.raises(SpecError, match=r"--crops: 7 crops are not known.*1: .*; 2: .*; 10: .*; 144: "):
        run.evaluate_crops(first, crops=[7])
    with pytest.raises(SpecError, match=r"goes size \(number\).*; crops are cut from just one picture"):
        run.evaluate_crops(trained, crops=[10])
    (tmp_path / "t.csv").write_text("x,y\n" + "\n".join(f"{k},{k * 1.5}" for k in range(40)), encoding="utf-8")
    text = "{data: {path: '%s'}, outputs: [y], model: {layers: ''}, training: {stop: {epochs: 1}}}"
    number = run.train(spec.load(text % (tmp_path / "t.csv")), out=tmp_path / "run").run
    with pytest.raises(SpecError, match=r"answers y \(number\); top-1 error needs one of several classes"):
        run.evaluate_crops(number)
    with pytest.raises(SpecError, match='has no category "category"; it answers y'):
        run.evaluate_crops(first, ensemble=[number])


def test_tables_have_ensembles_too(done_run: Path) -> None:
    rows = run.evaluate_crops(done_run, ensemble=[done_run]).rows
    assert [row.models for row in rows] == [1, 1, 2]
    assert rows[0].top1_error == rows[2].top1_error
    assert rows[0].top5_error is None
    assert rows[0].resolution == "-"
