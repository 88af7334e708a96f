from pathlib import Path

import numpy as np
import pytest

from netwright import readers, spec
from netwright.data import ahead
from netwright.data.dataset import Dataset, prepare
from netwright.errors import DataError, SpecError
from netwright.field import Field
from netwright.readers import Arrays, Found, from_memory
from netwright.spec import Spec

ASKED = (
    "{data: {window: {past: 3}}, inputs: {path: {kind: track}}, outputs: {next: {of: path, horizon: 2}}, "
    "training: {seed: 1}}"
)


FIELD = Field(name="path", kind="track", source="path", shape=(2,), dtype="float64")


def wish(**values: str) -> Spec:
    return spec.override(spec.load(ASKED), {name.replace("__", "."): value for name, value in values.items()})


def walks(count: int, steps: int) -> dict[str, np.ndarray]:
    """So many tracks of so many steps, frame by frame; track k is at (10 k + frame, k)."""
    frames, ids = (grid.ravel() for grid in np.meshgrid(np.arange(steps), np.arange(count), indexing="ij"))
    return {"frame": frames, "id": ids, "x": 10.0 * ids + frames, "y": ids.astype(float)}


def rows(found: Found, name: str) -> list[list[list[float]]]:
    column = found.columns[name]
    assert isinstance(column, Arrays)
    return [np.asarray(row).tolist() for row in column.values]


def prepared(folder: Path, text: str, **values: str) -> Dataset:
    (folder / "walks.txt").write_text(text)
    return prepare(wish(data__path=f'"{folder / "walks.txt"}"', **values))


def lines(table: dict[str, np.ndarray], separator: str = " ") -> str:
    return "\n".join(separator.join(f"{value:g}" for value in row) for row in zip(*table.values(), strict=True))


def test_windows_follow_each_other_inside_a_track() -> None:
    found = ahead.cut(from_memory(walks(6, 6)), wish())
    assert len(found) == 6 * 2
    first = found.ids.to_pylist().index("2 at 2")
    assert rows(found, "path")[first] == [[20, 2], [21, 2], [22, 2]]
    assert rows(found, "next")[first] == [[23, 2], [24, 2]]
    assert rows(found, "path")[first + 1][0] == [21, 2]
    assert found.groups is not None
    assert found.groups.to_pylist() == [id.split()[0] for id in found.ids.to_pylist()]


def test_eight_steps_are_seen_where_other_settings_of_the_window_are_given_alone() -> None:
    for window in ("{gaps: fill}", "{stride: 1}"):
        found = ahead.cut(from_memory(walks(6, 12)), wish(data__window=window))
        assert {len(row) for row in rows(found, "path")} == {8}


def test_stride_leaves_windows_out_and_least_takes_in_short_ones() -> None:
    found = ahead.cut(from_memory(walks(6, 9)), wish(data__window="{past: 3, stride: 3}"))
    assert [id for id in found.ids.to_pylist() if id.startswith("0 ")] == ["0 at 2", "0 at 5"]
    found = ahead.cut(from_memory(walks(6, 6)), wish(data__window="{past: 3, least: 1}"))
    seen = [len(row) for row, id in zip(rows(found, "path"), found.ids.to_pylist(), strict=True) if id.startswith("0 ")]
    assert seen == [1, 2, 3, 3]
    with pytest.raises(SpecError, match=r"data\.window\.least is 4, more than past, 3"):
        ahead.cut(from_memory(walks(6, 6)), wish(data__window="{past: 3, least: 4}"))


def test_no_track_stands_in_two_parts_and_every_track_that_is_too_short_is_told() -> None:
    table = walks(12, 8)
    table = {name: np.append(column, [99]) for name, column in table.items()}
    found = ahead.cut(from_memory(table), wish())
    assert found.groups is not None
    assert found.official is not None
    parts: dict[str, set[str]] = {}
    for group, part in zip(found.groups.to_pylist(), found.official.to_pylist(), strict=True):
        parts.setdefault(group, set()).add(part)
    assert all(len(part) == 1 for part in parts.values())
    assert {part for each in parts.values() for part in each} == {"train", "validation", "test"}
    assert [(each.state, each.reason) for each in found.refused] == [
        ("refused", "is shorter than a window of 5 steps.")
    ]
    assert found.refused[0].where == "99 from 99, 1 step"


def test_time_is_divided_before_windows_are_cut_so_that_none_spans_two_parts() -> None:
    asked = wish(data__split="{by: time, column: frame, parts: [0.5, 0.25, 0.25]}")
    found = ahead.cut(from_memory(walks(2, 40)), asked)
    assert found.official is not None
    ends = {"train": (0, 19), "validation": (20, 29), "test": (30, 39)}
    for seen, then, part in zip(rows(found, "path"), rows(found, "next"), found.official.to_pylist(), strict=True):
        low, high = ends[part]
        frames = [x - 10 * y for x, y in [*seen, *then]]
        assert low <= frames[0]
        assert frames[-1] <= high


@pytest.mark.parametrize(("column", "by"), [("frame", "by time"), ("id", "by id"), ("team", "by team")])
def test_a_column_of_the_split_alone_divides_few_tracks_by_it(column: str, by: str) -> None:
    table = walks(4, 40)
    found = ahead.cut(from_memory(table | {"team": table["id"]}), wish(data__split=f"{{column: {column}}}"))
    assert f"cut after the division: {by}" in found.notes[-1]


def test_a_split_that_the_data_brings_is_kept_and_what_it_lacks_is_whole_tracks(tmp_path: Path) -> None:
    for part, count in (("train", 10), ("test", 3)):
        (tmp_path / "all" / part).mkdir(parents=True)
        table = walks(count, 8)
        table["y"] = table["y"] + (0.5 if part == "test" else 0.0)
        (tmp_path / "all" / part / "one.txt").write_text(lines(table))
    dataset = prepare(wish(data__path=f'"{tmp_path / "all"}"'))
    assert {str(dataset.ids[int(row)]).split()[0] for row in dataset.parts["test"]} == {"test/one.txt"}
    groups = dataset.groups
    assert groups is not None
    assert not set(groups[dataset.parts["train"]]) & set(groups[dataset.parts["validation"]])
    assert len(dataset.parts["validation"]) > 0
    reason = next(reason for reason in dataset.reasons if reason.path == "data.split.by")
    assert (reason.value, "so that none spans two parts" in reason.why) == ("column", True)


@pytest.mark.parametrize("separator", [" ", "\t", ",", "   ", ";"])
def test_a_table_without_a_header_is_recognised_by_what_it_holds(tmp_path: Path, separator: str) -> None:
    table = walks(6, 6)
    table["x"] = table["x"] + 0.25
    table["y"] = table["y"] + 0.5
    dataset = prepared(tmp_path, lines(table, separator))
    assert "no header: column_1 was read as the frame, column_2 as the id, column_3 and column_4 as x and y" in (
        dataset.notes
    )
    assert np.asarray(dataset.arrays["path"][0])[0].tolist() in [
        [10 * k + j + 0.25, k + 0.5] for k in range(6) for j in range(2)
    ]


def test_id_before_frame_is_told_apart_by_the_steps_of_a_track_being_short() -> None:
    table = walks(7, 9)
    swapped = {f"column_{place}": table[name] for place, name in enumerate(("id", "frame", "x", "y"), start=1)}
    swapped["column_3"] = swapped["column_3"] + 0.5
    swapped["column_4"] = swapped["column_4"] + 0.5
    found = ahead.cut(from_memory(swapped), wish())
    assert "no header: column_2 was read as the frame, column_1 as the id" in " ".join(found.notes)


def test_columns_are_known_by_their_names_or_asked_for() -> None:
    table = walks(6, 6)
    named = {
        "agent_id": table["id"],
        "time": table["frame"],
        "speed": table["x"] * 0 + 1,
        "x": table["x"],
        "y": table["y"],
    }
    found = ahead.cut(from_memory(named), wish(inputs__path="{kind: track, from: [x, y, speed]}"))
    assert rows(found, "path")[0][0][2] == 1
    assert len(rows(found, "next")[0][0]) == 2
    assert "left out" not in " ".join(found.notes)
    odd = {"a": table["id"], "b": table["frame"], "c": table["x"], "d": table["y"], "e": table["y"]}
    with pytest.raises(SpecError, match=r"nothing says when a row was; the columns are a, b, c, d, e"):
        ahead.cut(from_memory(odd), wish())
    asked = wish(data__order="b", data__group="a", inputs__path="{kind: track, from: [c, d]}")
    assert rows(ahead.cut(from_memory(odd), asked), "path") == rows(ahead.cut(from_memory(named), wish()), "path")
    with pytest.raises(SpecError, match=r'no column "bb"'):
        ahead.cut(from_memory(odd), wish(data__order="bb"))


def test_columns_beside_the_coordinates_are_told_with_how_to_take_them_in() -> None:
    table = {**walks(6, 6), "speed": np.ones(36), "team": walks(6, 6)["id"]}
    told = "left out: speed, team; such numbers go in where they are named: from: [x, y, speed]"
    assert told in ahead.cut(from_memory(table), wish()).notes
    found = ahead.cut(from_memory(table), wish(data__split="{column: team, by: group}"))
    assert "left out: speed; " in " ".join(found.notes)
    assert "left out" not in " ".join(ahead.cut(from_memory(walks(6, 6)), wish()).notes)


def test_the_columns_of_tracks_may_be_named(tmp_path: Path) -> None:
    table = lines({**walks(6, 6), "more": np.ones(36)}, ",")
    (tmp_path / "walks.csv").write_text(f"frame,id,x,y,more\n{table}\n")
    asked = {"data.path": f'"{tmp_path / "walks.csv"}"', "data.group": "id", "data.order": "frame"}
    dataset = prepare(spec.override(spec.load(ASKED), {**asked, "inputs.path.from": "[x, y]"}))
    assert len(dataset.arrays["path"]) == 12


def test_single_windows_are_not_dealt_out_by_folds(tmp_path: Path) -> None:
    with pytest.raises(SpecError, match=r"data\.split\.fold deals out examples one by one"):
        prepared(tmp_path, lines(walks(6, 6)), data__split__fold='"1/3"')


def test_a_gap_that_is_filled_is_of_its_tracks_part_and_never_asked_for(tmp_path: Path) -> None:
    folder = tmp_path / "walks"
    for part, whole in (("train", True), ("val", True), ("test", False)):
        (folder / part).mkdir(parents=True)
        table = walks(6, 12)
        kept = np.ones(72, dtype=bool) if whole else ~np.isin(table["frame"], (5, 6))
        (folder / part / "a.txt").write_text(lines({name: column[kept] for name, column in table.items()}))
    window = "{past: 3, gaps: fill}"
    dataset = prepare(wish(data__path=f'"{folder}"', data__window=window, data__duplicates="accept"))
    assert len(dataset.parts["train"]) == len(dataset.parts["validation"]) == 6 * 8
    # of 8 windows, those end on a step that was not there (frames 5, 6) or ask for one
    assert len(dataset.parts["test"]) == 6 * (8 - sum(bool({now, now + 1, now + 2} & {5, 6}) for now in range(2, 10)))


def test_next_steps_are_asked_of_one_track_and_of_nothing_else() -> None:
    table = from_memory(walks(6, 6))
    with pytest.raises(SpecError, match="the next steps of one input are all that can come out"):
        ahead.cut(table, spec.load("{inputs: {path: {}, x: {}}, outputs: {next: {of: path, horizon: 2}}}"))
    with pytest.raises(SpecError, match="outputs with a horizon go on with path, which is a image"):
        ahead.cut(table, spec.load("{inputs: {path: {kind: image}}, outputs: {next: {of: path, horizon: 2}}}"))
    with pytest.raises(SpecError, match="horizon needs `of`"):
        spec.load("{outputs: {next: {horizon: 2}}}")
    with pytest.raises(DataError, match=r"no track has 42 steps in a row, 40 to see and 2 to come"):
        ahead.cut(table, wish(data__window="40"))


def test_another_window_is_another_entry_of_the_cache(tmp_path: Path) -> None:
    text = lines(walks(8, 9))
    long, short = prepared(tmp_path, text), prepared(tmp_path, text, data__window="2")
    assert (len(np.asarray(long.arrays["path"][0])), len(np.asarray(short.arrays["path"][0]))) == (3, 2)
    again = prepared(tmp_path, text)
    assert (len(again), len(again.parts["train"])) == (len(long), len(long.parts["train"]))
    assert np.array_equal(again.groups, long.groups)
    other = prepared(tmp_path, text, training__seed="2")
    assert not np.array_equal(other.parts["test"], long.parts["test"])


def test_the_last_steps_of_every_track_are_gone_on_with() -> None:
    table = walks(3, 5)
    table = {name: np.append(column, 7 if name in {"id", "frame"} else 1.0) for name, column in table.items()}
    found = ahead.latest(from_memory(table), wish())
    assert found.ids.to_pylist() == ["0 at 4", "1 at 4", "2 at 4"]
    assert rows(found, "path")[1] == [[12, 1], [13, 1], [14, 1]]
    assert [each.reason for each in found.refused] == ["has 1 step in the end, 2 are needed."]
    assert ahead.unlike(found, wish(), FIELD) == []


def test_tracks_of_fewer_steps_than_training_saw_are_told() -> None:
    late = {"id": [7, 7], "frame": [5, 6]}
    table = {name: np.append(column, late.get(name, [1.0, 1.0])) for name, column in walks(3, 5).items()}
    (told,) = ahead.unlike(ahead.latest(from_memory(table), wish()), wish(), FIELD)
    assert told.startswith("1 of 4 examples has fewer than the 3 steps that training always saw (7 at 6).")


def test_real_recordings_give_as_many_windows_as_were_published(data_dir: Path) -> None:
    asked = "{data: {window: 8, split: {by: time, column: column_1}}, inputs: {path: {}}, outputs: {next: OUT}}"
    wanted = spec.load(asked.replace("OUT", "{of: path, horizon: 12}"))
    found = ahead.cut(readers.find(data_dir / "eth_ucy" / "eth" / "test", "timed_tables"), wanted)
    assert 200 < len(found.columns["path"]) <= 364  # less what the borders of the parts would cut through
