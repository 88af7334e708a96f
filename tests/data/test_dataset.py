import json
from pathlib import Path

import numpy as np
import pytest
from PIL import Image

from netwright import spec
from netwright.data import cache, dataset
from netwright.data.encoded import Encoded
from netwright.errors import DataError, ResourceError, SpecError


def photos(root: Path, per_class: int = 10, classes: tuple[str, ...] = ("cat", "dog"), side: int = 24) -> Path:
    random = np.random.default_rng(0)
    for category in classes:
        (root / category).mkdir(parents=True, exist_ok=True)
        for number in range(per_class):
            coarse = random.integers(0, 256, (5, 5, 3)).astype(np.uint8)
            Image.fromarray(coarse).resize((side, side)).save(root / category / f"{number}.png")
    return root


def table(path: Path, rows: int = 40) -> Path:
    random = np.random.default_rng(0)
    lines = ["size,town,price"]
    lines += [f"{random.normal():.6f},{'ABC'[i % 3]},{random.normal():.6f}" for i in range(rows)]
    path.write_text("\n".join(lines) + "\n")
    return path


def wish(path: Path | str, text: str = "", outputs: str = "[category]", data: str = "") -> spec.Spec:
    return spec.load(f"{{data: {{path: {json.dumps(str(path))}{data}}}, outputs: {outputs}{text}}}")


def test_folder_of_class_folders(tmp_path: Path) -> None:
    data = dataset.prepare(wish(photos(tmp_path / "photos")))
    assert list(data.inputs) == ["image"]
    assert data.outputs["category"].vocabulary == ("cat", "dog")
    assert {name: len(part) for name, part in data.parts.items()} == {"train": 12, "validation": 4, "test": 4}
    assert data.arrays["image"].shape == (20, 24, 24, 3)
    assert data.raw(np.array([3]), "image")[0] == (tmp_path / "photos" / "cat" / "3.png").read_bytes()
    assert data.raw(np.array([3]), "category")[0] == "cat"
    assert str(data.ids[3]) == "cat/3.png"
    assert np.sort(np.concatenate(list(data.parts.values()))).tolist() == list(range(20))


def test_table_takes_every_other_column_and_says_so(tmp_path: Path) -> None:
    data = dataset.prepare(wish(table(tmp_path / "t.csv"), outputs="[price]"))
    assert {name: field.kind for name, field in data.inputs.items()} == {"size": "number", "town": "category"}
    assert ("inputs", "size, town") in [(reason.path, reason.value) for reason in data.reasons]
    train = np.asarray(data.arrays["price"])[data.parts["train"]]
    assert data.outputs["price"].mean == pytest.approx([train.mean()])
    assert data.outputs["price"].std == pytest.approx([train.std()])


def test_second_start_reads_nothing_again(tmp_path: Path) -> None:
    root = photos(tmp_path / "photos")
    first = dataset.prepare(wish(root))
    told: list[str] = []
    again = dataset.prepare(wish(root), progress=lambda what, done, total: told.append(what))
    assert told == []
    assert again.ledger.table.to_pylist() == first.ledger.table.to_pylist()
    assert (again.inputs, again.outputs) == (first.inputs, first.outputs)
    assert again.reasons == first.reasons
    assert (again.arrays["image"][:] == first.arrays["image"][:]).all()
    assert isinstance(again.arrays["image"], np.memmap)


def test_another_seed_shares_the_arrays(tmp_path: Path) -> None:
    root = photos(tmp_path / "photos")
    first = dataset.prepare(wish(root))
    other = dataset.prepare(wish(root, ", training: {seed: 1}"))
    assert len(cache.entries()) == 1
    assert first.parts["train"].tolist() != other.parts["train"].tolist()


def test_damaged_picture_is_left_out_and_accounted_for(tmp_path: Path) -> None:
    root = photos(tmp_path / "photos")
    whole = (root / "cat" / "4.png").read_bytes()
    (root / "cat" / "4.png").write_bytes(whole[: len(whole) // 2])
    (root / "dog" / "notes.txt").write_text("not a picture")
    data = dataset.prepare(wish(root))
    counts = data.ledger.counts()
    assert (counts["found"], counts["used"], counts["refused"]) == (21, 19, 2)
    assert {where for group in data.ledger.reasons() for where in group.where} == {"cat/4.png", "dog/notes.txt"}
    assert "cat/4.png" not in data.ids.to_pylist()
    assert data.raw(np.array([4]), "image")[0] == (root / "cat" / "5.png").read_bytes()
    assert len(data.arrays["category"]) == len(data.arrays["image"]) == 19
    with pytest.raises(DataError, match=r"2 of 21 examples cannot be used:[^$]*cat/4\.png"):
        dataset.prepare(wish(root), strict=True)


def test_row_without_a_number_is_quarantined_with_its_line(tmp_path: Path) -> None:
    path = table(tmp_path / "t.csv")
    lines = path.read_text().splitlines()
    lines[5], lines[8], lines[9] = "much,A,1.0", "1.0,A,NA", "NA,A,1.0"
    path.write_text("\n".join(lines) + "\n")
    data = dataset.prepare(wish(path, outputs="[price]"))
    assert {(group.where, group.state) for group in data.ledger.reasons()} == {
        (("t.csv line 6",), "quarantined"),
        (("t.csv line 9",), "quarantined"),
    }
    assert len(data) == 38
    aside = ", inputs: {size: {missing: set_aside}, town: {}}"
    assert len(dataset.prepare(wish(path, aside, outputs="[price]"))) == 37


def test_a_missing_number_keeps_its_row_and_is_told(tmp_path: Path) -> None:
    path = table(tmp_path / "t.csv")
    lines = path.read_text().splitlines()
    for line in (3, 5, 7, 9, 11, 13, 15, 17, 19, 21):
        lines[line] = f",{lines[line].partition(',')[2]}"
    path.write_text("\n".join(lines) + "\n")
    data = dataset.prepare(wish(path, outputs="[price]"))
    assert len(data) == 40
    size = np.asarray(data.arrays["size"])
    assert np.flatnonzero(np.isnan(size)).tolist() == list(range(2, 21, 2))
    train = size[data.parts["train"]]
    field = data.inputs["size"]
    assert field.mean == pytest.approx([np.nanmean(train)])
    assert field.std == pytest.approx([np.nanstd(train)])
    assert field.missing == (np.isnan(train).sum(),)
    (told,) = [reason for reason in data.reasons if reason.path == "inputs.size.missing"]
    assert told.value == "10 of 40 cells are empty"
    assert told.why.startswith("filled with the training mean")
    again = dataset.prepare(wish(path, outputs="[price]"), fields={**data.inputs, **data.outputs})
    assert again.inputs == data.inputs
    assert len(cache.entries()) == 1


def test_memory_needs_no_cache(cache_home: Path) -> None:
    random = np.random.default_rng(0)
    rows = {"x": random.normal(size=50), "y": np.array(["a", "b"] * 25)}
    data = dataset.prepare(spec.load("{outputs: [y]}"), data=rows)
    assert data.inputs["x"].kind == "number"
    assert len(data) == 50
    assert list(cache_home.iterdir()) == []
    assert data.fingerprint["files"] == 0


def test_given_fields_are_used_as_they_are(tmp_path: Path) -> None:
    first = dataset.prepare(wish(photos(tmp_path / "a")))
    facts = {**first.inputs, **first.outputs}
    other = dataset.prepare(wish(photos(tmp_path / "b", per_class=12)), fields=facts)
    assert other.inputs == first.inputs
    assert other.outputs == first.outputs
    assert dataset.prepare(wish(tmp_path / "a"), fields=facts).parts["test"].tolist() == first.parts["test"].tolist()
    assert len(cache.entries()) == 2  # given fields find the entry that planning made


def test_class_unknown_to_given_fields_is_left_out_with_the_nearest_name(tmp_path: Path) -> None:
    first = dataset.prepare(wish(photos(tmp_path / "a")))
    more = photos(tmp_path / "b", classes=("cat", "dog", "dogg"))
    other = dataset.prepare(wish(more), fields={**first.inputs, **first.outputs})
    assert other.ledger.counts()["quarantined"] == 10
    assert 'class "dogg" is not among the 2 known classes (did you mean "dog"?)' in other.ledger.reasons()[0].reason


def test_new_classes_stand_after_the_known_ones(tmp_path: Path) -> None:
    root = photos(tmp_path / "photos", classes=("ant", "cat", "dog"))
    data = dataset.prepare(wish(root), vocabulary={"category": ("dog", "cat")})
    assert data.outputs["category"].vocabulary == ("dog", "cat", "ant")
    assert np.asarray(data.arrays["category"])[0] == 2


def test_limit_keeps_pictures_encoded_with_the_same_pixels(tmp_path: Path) -> None:
    root = photos(tmp_path / "photos", per_class=100, side=96)
    whole = (root / "cat" / "4.png").read_bytes()
    (root / "cat" / "4.png").write_bytes(whole[: len(whole) // 2])
    size = ", inputs: {image: {size_px: [96, 96]}}"
    decoded = dataset.prepare(wish(root, size))
    encoded = dataset.prepare(wish(root, size, data=", cache_mb: 4"))
    assert isinstance(encoded.arrays["image"], Encoded)
    assert (encoded.arrays["image"][:20] == decoded.arrays["image"][:20]).all()
    assert (encoded.arrays["image"][7] == decoded.arrays["image"][7]).all()
    assert encoded.ledger.counts() == decoded.ledger.counts()
    assert any("decoded per batch" in note for note in encoded.notes)
    assert isinstance(dataset.prepare(wish(root, size, data=", cache_mb: 4")).arrays["image"], Encoded)
    with pytest.raises(ResourceError, match=r"needs \d+ MB, more than the limit of 1 MB \(data.cache_mb is 1\)"):
        dataset.prepare(wish(root, data=", cache_mb: 1"))


def test_split_by_a_column_of_groups(tmp_path: Path) -> None:
    lines = ["x,writer,y"] + [f"{i * 0.37:.3f},w{i % 10},{'ab'[i % 2]}" for i in range(100)]
    (tmp_path / "t.csv").write_text("\n".join(lines) + "\n")
    data = dataset.prepare(wish(tmp_path / "t.csv", outputs="[y]", data=", split: {by: group, column: writer}"))
    assert list(data.inputs) == ["x"]
    writers = [
        {data.found.columns["writer"].values[int(data.rows[p])].as_py() for p in part} for part in data.parts.values()
    ]
    assert sum(len(part) for part in writers) == len(set.union(*writers)) == 10
    again = dataset.prepare(wish(tmp_path / "t.csv", outputs="[y]", data=", split: {by: group, column: writer}"))
    for groups in (data.groups, again.groups):  # intervals draw whole writers anew; the second comes from the cache
        assert groups.tolist() == [int(row) % 10 for row in data.rows]


def test_split_by_time_reads_dates_and_refuses_what_is_none(tmp_path: Path) -> None:
    days = [f"2024-{1 + i // 28:02}-{1 + i % 28:02}" for i in range(100)]
    lines = ["day,x,y"] + [f"{day},{i % 7},{i * 0.5}" for i, day in enumerate(days)]
    (tmp_path / "t.csv").write_text("\n".join(lines) + "\n")
    text = ", split: {by: time, column: day}"
    data = dataset.prepare(wish(tmp_path / "t.csv", ", inputs: [x]", outputs="[y]", data=text))
    assert data.parts["train"].tolist() == list(range(70))
    assert data.parts["test"].tolist() == list(range(85, 100))
    (tmp_path / "t.csv").write_text("\n".join([*lines, "yesterday,1,2"]) + "\n")
    with pytest.raises(DataError, match='column "day" holds what is neither a number nor a date such as "yesterday"'):
        dataset.prepare(wish(tmp_path / "t.csv", ", inputs: [x]", outputs="[y]", data=text))


def test_what_only_divides_does_not_go_in_and_says_so_but_dates_do(tmp_path: Path) -> None:
    rows = "\n".join(f"2024-01-{k + 1:02d},{k},w{k // 4},{k % 3}.5" for k in range(24))
    (tmp_path / "t.csv").write_text(f"day,number,writer,y\n{rows}\n", encoding="utf-8")
    cases = (("group", "day", False), ("time", "day", True), ("time", "number", False), ("group", "writer", False))
    for by, column, goes_in in cases:
        text = f", split: {{by: {by}, column: {column}}}"
        found = dataset.prepare(wish(tmp_path / "t.csv", outputs="[y]", data=text))
        assert (column in found.inputs) is goes_in
        told = [reason.value for reason in found.reasons if reason.path == f"inputs.{column}"]
        assert told == ([] if goes_in else ["left out"])


def test_columns_that_do_not_go_in_are_named_or_refused(tmp_path: Path) -> None:
    (tmp_path / "t.csv").write_text("a,b,c,y\n" + "".join(f"{k},{k * 0.5},{k % 3},{k * 2}\n" for k in range(30)))
    found = dataset.prepare(wish(tmp_path / "t.csv", outputs="[y]", data=", without: [a, c]"))
    assert list(found.inputs) == ["b"]
    with pytest.raises(SpecError, match=r'data.without: there is no column "aa" .did you mean "a"'):
        dataset.prepare(wish(tmp_path / "t.csv", outputs="[y]", data=", without: [aa]"))
    with pytest.raises(SpecError, match=r"data\.without and inputs both say what goes in"):
        dataset.prepare(wish(tmp_path / "t.csv", ", inputs: [a]", outputs="[y]", data=", without: [b]"))


def test_a_split_by_time_reads_day_first_dates_over_the_whole_column(tmp_path: Path) -> None:
    days = [f"{1 + i % 28:02d}/{1 + i // 28:02d}/2026,{i},{i * 7 % 10}.5" for i in range(100)]
    text = ", split: {by: time, column: day}"
    path = tmp_path / "t.csv"
    path.write_text("\n".join(["day,x,y", *days[::-1]]) + "\n")
    data = dataset.prepare(wish(path, ", inputs: [x]", outputs="[y]", data=text))
    assert np.asarray(data.arrays["x"])[data.parts["test"]].tolist() == list(range(99, 84, -1))
    path.write_text("\n".join(["day,x,y", *(day for day in days if day < "13")]) + "\n")
    with pytest.raises(DataError, match=r'"day" holds dates that can be read two ways: "02/01/2026" is 2026-01-02 day'):
        dataset.prepare(wish(path, ", inputs: [x]", outputs="[y]", data=text))
    path.write_text("\n".join(["day,x,y", *days[:-1], ",1,2"]) + "\n")
    with pytest.raises(DataError, match='column "day" has 1 empty times'):
        dataset.prepare(wish(path, ", inputs: [x]", outputs="[y]", data=text))


def test_months_of_a_real_table_are_dates(data_dir: Path) -> None:
    data = dataset.prepare(wish(data_dir / "tables" / "airline-passengers.csv", outputs="[Passengers]"))
    assert (data.inputs["Month"].kind, data.inputs["Month"].parts) == ("date", ("year",))
    assert len(data) == 144


def test_empty_columns_are_left_out_and_the_others_go_in(tmp_path: Path) -> None:
    rows = "".join(f"{n},5;{n * 10};;\n" for n in range(40))
    (tmp_path / "t.csv").write_text(f"size;rent;;\n{rows}", encoding="utf-8")
    data = dataset.prepare(wish(tmp_path / "t.csv", outputs="[rent]"))
    assert list(data.inputs) == ["size"]
    told = {reason.path: (reason.value, reason.why) for reason in data.reasons}
    assert told["inputs.column_3.kind"] == told["inputs.column_4.kind"] == ("left out", "every cell is empty")
    with pytest.raises(SpecError, match="column_3: every cell is empty"):
        dataset.prepare(wish(tmp_path / "t.csv", outputs="[column_3]"))


def test_missing_output_and_unknown_column_are_said(tmp_path: Path) -> None:
    path = table(tmp_path / "t.csv")
    with pytest.raises(
        SpecError, match=r"nothing says what comes out\. Name a column with --out; there are: size, town"
    ):
        dataset.prepare(wish(path, outputs="{}"))
    with pytest.raises(SpecError, match=r'no column "prise" \(did you mean "price"\?\)'):
        dataset.prepare(wish(path, outputs="[prise]"))
    with pytest.raises(SpecError, match="no data is given"):
        dataset.prepare(spec.load("{outputs: [y]}"))


def test_folder_needs_no_output_named(tmp_path: Path) -> None:
    data = dataset.prepare(wish(photos(tmp_path / "photos"), outputs="{}"))
    assert list(data.outputs) == ["category"]


def test_small_data_is_held_in_memory(tmp_path: Path) -> None:
    fits, reason = dataset.prepare(wish(photos(tmp_path / "photos"))).resident()
    assert fits
    assert "MB coded" in reason.why
