"""Recurrent layers one on the other: told by what stands on what, and held back by dropout between them alone."""

import pytest

from netwright.doctor import plant
from netwright.doctor.checks.stacked import Stacked


@pytest.mark.parametrize(
    ("layers", "state"),
    [
        ("x2 {lstm 32}", "note"),
        ("gru 32, dense 8, relu, rnn 32", "note"),
        ("lstm 32, dropout 0.3, lstm 32", "good"),
        ("lstm 32, lstm 32, dropout 0.3", "note"),
        ("lstm 4, lstm 2", "good"),
        ("lstm 32", None),
        ("{lstm 32 | gru 32} concat", None),
    ],
)
def test_what_stands_on_what_is_counted(layers: str, state: str | None) -> None:
    found = Stacked().look(plant.walk(layers))
    assert [each.state for each in found] == ([state] if state else [])
