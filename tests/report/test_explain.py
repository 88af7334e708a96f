"""Explanations: read from the parts themselves, with examples that are run."""

from __future__ import annotations

from collections.abc import Callable
from pathlib import Path

import pytest

from netwright import catalogue, registry
from netwright.errors import SpecError
from netwright.report import explain

PARTS = [(room, name) for room in explain.ROOMS for name in registry.parts(room)]
WITHOUT_SOURCE = {"identity", "constant", "flatten", "pool", "conv", "dense", "controls", "finite"}


@pytest.mark.parametrize(("room", "name"), PARTS)
def test_every_part_says_what_it_computes_and_every_option_what_it_means(room: str, name: str) -> None:
    explained = explain.explain(registry.part(room, name))
    assert len(" ".join(explained.about)) > 12
    assert all(meaning for _, _, meaning in explained.options), explained.options
    assert f"<h1>{name}</h1>" in explain.page(explained)


@pytest.mark.parametrize(
    ("room", "name"), [(r, n) for r, n in PARTS if r in {"activation", "initialiser", "optimizer", "loss", "strategy"}]
)
def test_every_technique_names_its_source_or_its_formula(room: str, name: str) -> None:
    explained = explain.explain(registry.part(room, name))
    assert explained.source or "=" in " ".join(explained.about) or name in WITHOUT_SOURCE | {"sigmoid"}


def test_the_hinge_loss_of_the_lecture_is_computed_when_asked() -> None:
    explained = explain.explain(explain.find(["loss", "hinge"]))
    assert explained.example[-1] == "([2.9, 0.0, 12.9], 5.27)"
    assert explained.lectures == ["3: an introduction to neural networks"]


def test_the_lectures_that_are_named_name_parts_there_are() -> None:
    for room, names in catalogue.NAMED_IN.items():
        assert set(names) <= set(registry.parts(room)), room
        assert all(set(which) <= set(catalogue.LECTURES) for which in names.values())


def test_activations_losses_and_schedules_are_drawn() -> None:
    drawn = {part for part in PARTS if explain.curves(explain.explain(registry.part(*part)))}
    wanted = {part for part in PARTS if part[0] in {"activation", "loss", "schedule"}} - {("schedule", "plateau")}
    assert drawn == wanted


@pytest.mark.parametrize(
    ("words", "told"),
    [
        (["tnah"], r'there is no part "tnah" \(did you mean "tanh"\?\)'),
        (["los", "hinge"], r'"los" is no kind of part \(did you mean "loss"\?\)'),
        (["vector"], "vector is the name of several parts"),
    ],
)
def test_words_that_name_no_part_get_the_nearest(words: list[str], told: str) -> None:
    with pytest.raises(SpecError, match=told):
        explain.find(words)


def test_the_command_prints_it_and_writes_the_page(netwright: Callable, tmp_path: Path) -> None:
    said = netwright("explain", "elu", "--to", "elu.html")
    assert said.returncode == 0, said.stderr
    assert "alpha = 1.0: What negative values bend towards, > 0." in said.stdout
    assert "elu and its derivative" in (tmp_path / "elu.html").read_text(encoding="utf-8")
    assert "leaky_relu" in netwright("explain", "activation").stdout


def test_lists_of_parts_fit_80_columns() -> None:
    for room in explain.ROOMS:
        parts = registry.parts(room)
        name = max(map(len, (*parts, room)))
        wide = [part.name for part in parts.values() if name + 3 + len(part.summary) > 80]
        assert not wide, (room, wide)
