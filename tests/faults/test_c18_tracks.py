"""Damaged tracks: gaps, clocks that go back, exchanged axes, the far side of the globe; reported, and none is fatal."""

from pathlib import Path

import numpy as np
import pytest
import torch

from netwright import run, spec
from netwright.data import ahead
from netwright.data.ledger import Ledger
from netwright.errors import CellError, DataError
from netwright.field import Field
from netwright.readers import Arrays, Found, from_memory
from netwright.readers.columns import Cut
from netwright.readers.kinds import track
from netwright.readers.kinds.track import Track
from netwright.spec import InputSpec, Spec

ASKED = "{data: {window: 3}, inputs: {path: {kind: track}}, outputs: {next: {of: path, horizon: 2}}}"
STEPS = 12


def wish(**values: str) -> Spec:
    return spec.override(spec.load(ASKED), {name.replace("__", "."): value for name, value in values.items()})


def walks(count: int = 8) -> dict[str, list[float]]:
    """Tracks of twelve steps, one after the other."""
    return {
        "id": [k for k in range(count) for _ in range(STEPS)],
        "frame": [10 * j for _ in range(count) for j in range(STEPS)],
        "x": [k + 0.5 * j for k in range(count) for j in range(STEPS)],
        "y": [2.0 * k for k in range(count) for j in range(STEPS)],
    }


def cut(table: dict[str, list[float]], **values: str) -> Found:
    return ahead.cut(from_memory({name: np.array(column) for name, column in table.items()}), wish(**values))


def seen(found: Found) -> list[np.ndarray]:
    column = found.columns["path"]
    assert isinstance(column, Arrays)
    return [np.asarray(row) for row in column.values]


def reasons(found: Found) -> list[tuple[str, str, str]]:
    return [(each.state, each.where, each.reason) for each in found.refused]


def without(table: dict[str, list[float]], *rows: int) -> dict[str, list[float]]:
    return {name: [value for row, value in enumerate(column) if row not in rows] for name, column in table.items()}


def test_c18_a_gap_ends_a_track_is_told_and_stands_in_the_ledger() -> None:
    found = cut(without(walks(), 5, 6))
    assert "1 gap in 1 track, 2 steps (0 after 40 first): a track ends there" in " ".join(found.notes)
    assert ("refused", "0 after 40, 2 steps", "steps are missing: the track ends here and another begins.") in reasons(
        found
    )
    ways = [np.diff(row[:, 0]) for row in seen(found)]
    assert all(np.allclose(way, 0.5) for way in ways)
    whole = cut(without(walks(), 5, 6), data__window="{past: 3, gaps: fill}")
    assert "2 steps (0 after 40 first): filled along straight lines" in " ".join(whole.notes)
    asked_or_last_seen = {
        3,
        4,
        5,
        6,
    }  # the last steps seen of the windows that would ask for a filled step, or end on one
    assert len(seen(whole)) == 8 * (STEPS - 4) - len(asked_or_last_seen)
    assert not reasons(whole)


def test_c18_a_row_that_goes_back_in_time_is_quarantined_with_its_place() -> None:
    table = walks()
    table["frame"][7] = 5
    found = cut(table)
    assert ("quarantined", "row 8", "goes back in time: frame is smaller than in the row before it.") in reasons(found)
    assert all((np.diff(row[:, 0]) > 0).all() for row in seen(found))


def test_c18_a_table_that_is_not_sorted_at_all_is_put_in_order() -> None:
    table = {name: column[::-1] for name, column in walks().items()}
    found = cut(table)
    assert "are put in order by frame" in " ".join(found.notes)
    assert not reasons(found)
    assert len(seen(found)) == 8 * (STEPS - 4)


def test_c18_a_second_row_of_the_same_moment_is_quarantined() -> None:
    table = walks()
    for name, column in table.items():
        column.insert(3, column[2] + (1.0 if name == "x" else 0.0))
    found = cut(table)
    again = "is a second row of the same track at the same time"
    assert ("quarantined", "row 4", f"{again}, and says something else: the first one is kept.") in reasons(found)
    assert len(seen(found)) == 8 * (STEPS - 4)
    table = walks()
    for column in table.values():
        column.insert(3, column[2])
    assert ("quarantined", "row 4", f"{again}.") in reasons(cut(table))


@pytest.mark.parametrize(
    ("name", "value", "why"),
    [
        ("x", float("nan"), "x or y is no number."),
        ("y", float("inf"), "x or y is no number."),
        ("x", 1e12, "holds a number beyond 1e\\+09."),
        ("frame", float("nan"), "frame is neither a number nor a date."),
    ],
)
def test_c18_a_row_that_is_no_point_is_refused_with_its_place(name: str, value: float, why: str) -> None:
    table = walks()
    table[name][20] = value
    found = cut(table)
    assert ("refused", "row 21", why.replace("\\", "")) in reasons(found)
    assert all(np.isfinite(row).all() for row in seen(found))


def test_c18_exchanged_longitude_and_latitude_are_named() -> None:
    table = walks()
    table = {"id": table["id"], "frame": table["frame"], "lon": table["y"], "lat": [100 + x for x in table["x"]]}
    with pytest.raises(DataError, match=r"row 1: lat is 100, and a latitude ends at 90; .* the two are exchanged"):
        cut(table)
    table["lon"] = [x + 150 for x in table["lon"]]
    table["lat"] = [50.0] * len(table["lat"])
    table["lat"][3] = 95.0
    found = cut(table)
    assert ("refused", "row 4", "lat is no latitude: beyond 90.") in reasons(found)


def test_c18_a_way_across_the_180th_meridian_is_a_short_one() -> None:
    table = walks()
    lon = [179.9 + 0.02 * j - 360 * (179.9 + 0.02 * j > 180) for _ in range(8) for j in range(STEPS)]
    found = cut({"id": table["id"], "frame": table["frame"], "lon": lon, "lat": table["y"]})
    assert "8 tracks cross the 180th meridian (0 first)" in " ".join(found.notes)
    assert all(np.allclose(np.diff(row[:, 0]), 0.02) for row in seen(found))
    kind, column = Track(), found.columns["path"]
    assert isinstance(column, Arrays)
    facts, _ = kind.plan("path", column, InputSpec(), found)
    facts = kind.fit(column.values, facts)
    assert abs(abs(facts.mean[0]) - 180) < 1
    coded = kind.code(column.values, facts)
    assert float(coded[..., :2].diff(dim=1).norm(dim=2).max()) < 3_000  # metres: 0.02 degrees, not 360
    around = track.outer(torch.tensor([[[0.0, 0.0], [50_000.0, 0.0]]]), facts)
    assert bool((around[..., 0].abs() <= 180).all())


@pytest.mark.parametrize(
    ("raw", "why"),
    [
        ("[[1, 2], [3]]", "is no JSON of points"),
        ("[]", "holds no point"),
        (np.array([[1.0, np.nan]]), "is no number"),
        (np.array([[1.0, 2.0, 3.0]]), r"has shape \(1, 3\), expected a row of 2 numbers"),
        (None, "has no value, expected a track"),
    ],
)
def test_c18_a_cell_that_is_no_track_is_refused(raw: np.ndarray | str | None, why: str) -> None:
    field = Field(name="path", kind="track", source="path", shape=(2,), dtype="float64", ragged=True)
    with pytest.raises(CellError, match=why):
        Track().one(raw, field)


def test_c18_directions_are_told_by_their_names_and_units() -> None:
    rows = np.empty(2, dtype=object)
    rows[0], rows[1] = (np.array([[0.0, 0.0, turn, 90 - turn, 7.0]] * 3) for turn in (0.0, 90.0))
    titles = ("x", "y", "heading", "course", "speed")
    found = Found("m", "m", ids=from_memory({"a": [0, 1]}).ids, columns={"path": Arrays(rows)}, cut=Cut(titles, 3))
    field, told = Track().plan("path", Arrays(rows), InputSpec(), found)
    assert ("inputs.path: heading, course", "direction") in [(reason.path, reason.value) for reason in told]
    coded = Track().code(rows, Track().fit(rows, field))
    assert coded.shape == (2, 3, 7)
    np.testing.assert_allclose(coded[:, 0, 2:6], [[1, 0, 1, 0], [0, 1, 0, 1]], atol=1e-6)


def test_c18_a_run_over_damaged_tracks_accounts_for_every_row(tmp_path: Path) -> None:
    table = without(walks(30), 5)
    table["x"][100] = float("nan")
    text = ["id,frame,x,y", *(",".join(map(str, row)) for row in zip(*table.values(), strict=True))]
    (tmp_path / "walks.csv").write_text("\n".join(text))
    quick = "training: {threads: 1, stop: {epochs: 2}}, model: {layers: lstm 4}"
    asked = spec.load(f"{{{ASKED[1:-1]}, {quick}}}")
    asked = spec.override(asked, {"data.path": f'"{tmp_path / "walks.csv"}"'})
    outcome = run.train(asked, out=tmp_path / "run")
    ledger = Ledger.read(outcome.run / "ledger.parquet")
    left_out = {group.reason: group.rows for group in ledger.reasons()}
    assert left_out == {"steps are missing: the track ends here and another begins.": 2, "x or y is no number.": 1}
    assert ledger.counts()["used"] == 28 * (STEPS - 4) + 2 * (1 + 2)  # and two tracks in pieces of 5 and 6 steps
    assert any("3 of 233 examples set aside" in line for line in outcome.text)
