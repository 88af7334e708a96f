import math
from pathlib import Path

import pytest
from pydantic import ValidationError

from netwright.report.facts import CurvePoint, Facts, LedgerReason, Shown, Template


def test_facts_come_back_from_their_file_as_they_were(facts: Facts, tmp_path: Path) -> None:
    facts.write(tmp_path / "facts.json")
    assert Facts.read(tmp_path / "facts.json") == facts


def test_b9_numbers_that_are_not_finite_are_null_in_the_file(tmp_path: Path, facts: Facts) -> None:
    curves = [CurvePoint(epoch=1, train={"loss": math.nan}, validation={"loss": math.inf})]
    diverged = facts.model_copy(update={"curves": curves})
    diverged.write(tmp_path / "facts.json")
    assert "NaN" not in (tmp_path / "facts.json").read_text()
    assert Facts.read(tmp_path / "facts.json").curves[0].validation == {"loss": None}


def test_file_names_that_are_not_utf8_can_be_written(tmp_path: Path, facts: Facts) -> None:
    name = b"cats/\xff.png".decode("utf-8", "surrogateescape")
    reason = LedgerReason(state="refused", reason="cut off", count=1, where=[name])
    assert reason.where == [r"cats/\udcff.png"]
    assert reason.model_dump_json()


def test_a_picture_is_base64_and_nothing_else() -> None:
    with pytest.raises(ValidationError, match="should match pattern"):
        Template(label="cat", png='"><script>')
    with pytest.raises(ValidationError, match="should match pattern"):
        Shown(id="a", truth="b", right=True, picture="javascript:alert(1)")


def test_a_misspelt_fact_is_refused() -> None:
    with pytest.raises(ValidationError, match="Extra inputs are not permitted"):
        CurvePoint.model_validate({"epoch": 1, "trian": {}})
