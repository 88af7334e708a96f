"""What the checks see of a table: the median for a missing number, a column for each tag, dates as dates."""

from __future__ import annotations

import numpy as np
import pytest

from netwright import spec
from netwright.data.dataset import prepare
from netwright.doctor.border import Border
from netwright.doctor.check import judge_data
from netwright.doctor.finding import Finding


@pytest.fixture
def border() -> Border:
    rng = np.random.default_rng(0)
    size = [None if at % 4 == 0 else float(value) for at, value in enumerate(rng.normal(50, 5, 240))]
    size[33] = 1e9
    columns = {
        "size": size,
        "day": [f"2026-{1 + at % 12:02d}-{1 + at % 28:02d}" for at in range(240)],
        "extras": [";".join(["pool"] * (at % 3 > 0) + ["garden"] * (at % 2)) for at in range(240)],
        "features": [";".join(["light"] * (at % 5 > 1) + ["quiet"] * (at % 7 > 2)) for at in range(240)],
    }
    wanted = spec.load("{data: {split: {parts: [1, 0, 0]}}, outputs: {features: tags}}")
    return Border(prepare(wanted, data=columns))


def test_columns_are_numbers_without_gaps(border: Border) -> None:
    assert [(column.name, column.classes) for column in border.columns] == [
        ("size", 0), ("day", 0), ("extras has garden", 0), ("extras has pool", 0),
    ]  # fmt: skip
    assert all(np.isfinite(column.values).all() for column in border.columns)
    size, day = border.columns[:2]
    assert size.values[0] == np.median([value for value in size.values if value != size.values[0]])
    assert day.said(day.values[0]) == "2026-01-01"
    assert border.counts(border.dataset.outputs["features"]).tolist() == [144, 136]


def test_every_check_of_the_data_reads_missing_values_dates_and_tags(border: Border) -> None:
    found: dict[str, Finding] = {finding.name: finding for finding in judge_data(border)}
    assert found["missing"].message.startswith("inputs.size: 60 of 240 cells are empty")
    assert found["classes"].message == "features: 2 classes with 136 to 144 examples"
    assert "size is 1,000,000,000 in row 34" in found["outliers"].message
    assert {name for name, finding in found.items() if finding.state == "bad"} <= {"contradictions"}
