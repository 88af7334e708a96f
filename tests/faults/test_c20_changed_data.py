"""C20: data that changed since the run began is noticed and told; going on needs a word."""

import os
from pathlib import Path

import numpy as np
import pytest
from PIL import Image

from netwright import spec
from netwright.data import dataset, fingerprint
from netwright.errors import DataError


@pytest.fixture
def photos(tmp_path: Path) -> Path:
    random = np.random.default_rng(0)
    for name in ("cat", "dog"):
        (tmp_path / "photos" / name).mkdir(parents=True)
        for number in range(10):
            coarse = random.integers(0, 256, (9, 9, 3)).astype(np.uint8)
            Image.fromarray(coarse).save(tmp_path / "photos" / name / f"{number}.png")
    return tmp_path / "photos"


def prepare(path: Path, expected: fingerprint.Fingerprint | None = None, accept: bool = False) -> dataset.Dataset:
    wish = spec.load(f"{{data: {{path: '{path}'}}, outputs: [category]}}")
    return dataset.prepare(wish, expected=expected, accept=accept)


def repaint(path: Path) -> None:
    Image.new("RGB", (9, 9), "red").save(path)


def test_c20_unchanged_data_goes_on(photos: Path) -> None:
    assert prepare(photos, prepare(photos).files).notes == prepare(photos).notes


def test_c20_changed_new_and_gone_files_are_counted_and_named(photos: Path) -> None:
    before = prepare(photos).files
    for number in range(3):
        repaint(photos / "cat" / f"{number}.png")
    repaint(photos / "dog" / "new.png")
    (photos / "dog" / "9.png").unlink()
    expected = (
        r"the data changed since the run began: 3 files changed \(cat/0\.png, cat/1\.png, cat/2\.png\), "
        r"1 file new \(dog/new\.png\), 1 file gone \(dog/9\.png\)\..*--accept"
    )
    with pytest.raises(DataError, match=expected) as told:
        prepare(photos, before)
    assert told.value.exit_code == 3


def test_c20_accepted_change_is_noted_and_read_anew(photos: Path) -> None:
    first = prepare(photos)
    repaint(photos / "cat" / "0.png")
    again = prepare(photos, first.files, accept=True)
    assert any("accepted: 1 file changed (cat/0.png)" in note for note in again.notes)
    assert (np.asarray(again.arrays["image"])[0] != np.asarray(first.arrays["image"])[0]).any()


def test_c20_without_a_run_changed_data_is_simply_read_anew(photos: Path) -> None:
    prepare(photos)
    repaint(photos / "cat" / "0.png")
    assert np.asarray(prepare(photos).arrays["image"])[0, 0, 0].tolist() == [255, 0, 0]


def test_c20_touched_files_are_no_change_when_all_were_copied(photos: Path) -> None:
    before = prepare(photos).files
    for file in photos.rglob("*.png"):
        os.utime(file, ns=(10**18, 10**18))
    assert len(prepare(photos, before)) == 20


def test_c20_fingerprint_kept_with_a_run_still_compares(photos: Path, tmp_path: Path) -> None:
    prepare(photos).files.write(tmp_path / "files.parquet")
    kept = fingerprint.Fingerprint.read(tmp_path / "files.parquet")
    assert len(prepare(photos, kept)) == 20
    repaint(photos / "dog" / "3.png")
    with pytest.raises(DataError, match=r"1 file changed \(dog/3\.png\)"):
        prepare(photos, kept)


def test_c20_edited_table_is_noticed(tmp_path: Path) -> None:
    table = tmp_path / "t.csv"
    table.write_text("x,category\n" + "".join(f"{i * 0.3:.2f},{'ab'[i % 2]}\n" for i in range(40)))
    before = prepare(table).files
    table.write_text(table.read_text().replace("0.30", "0.31"))
    with pytest.raises(DataError, match=r"1 file changed \(t\.csv\)"):
        prepare(table, before)
