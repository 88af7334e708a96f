"""What every registered check keeps to: it finds the fault it plants, and is silent on sound data.

A new one is tested here by being registered.
"""

from __future__ import annotations

from dataclasses import replace

import numpy as np
import pytest
import torch

from netwright import registry
from netwright.doctor import plant
from netwright.doctor.border import Border
from netwright.doctor.check import DataCheck, StartCheck, judge_data, judge_start
from netwright.doctor.finding import Finding

ABOUT_DATA = [name for name, part in registry.parts("check").items() if part.facts["looks_at"] == "data"]
ABOUT_START = [name for name, part in registry.parts("check").items() if part.facts["looks_at"] == "start"]


def _told(findings: list[Finding]) -> list[str]:
    return [f"{finding.name}: {finding.message}" for finding in findings if finding.state != "good"]


@pytest.mark.parametrize("name", registry.parts("check"))
def test_it_finds_the_fault_it_plants_and_says_what_to_do(name: str) -> None:
    check = registry.resolve("check", name)()
    assert isinstance(check, DataCheck if name in ABOUT_DATA else StartCheck)
    assert check.fault
    found = [finding for finding in check.look(check.planted()) if finding.state != "good"]
    assert found, f"{name} does not find: {check.fault}"
    for finding in found:
        assert len(finding.message) > 20
        assert finding.cure.endswith(".")


@pytest.mark.parametrize("name", ABOUT_DATA)
def test_it_is_silent_on_sound_data(name: str) -> None:
    check = registry.resolve("check", name)()
    pictures = plant.border(plant.pictures(), "light")
    for border in (plant.border(plant.sound()), plant.border(plant.sound(), "price"), pictures):
        assert _told(check.look(border)) == []


@pytest.mark.parametrize("name", ABOUT_START)
@pytest.mark.parametrize("layers", ["", "dense 16, relu, dense 16, relu", "dense 8, tanh, x5 {dense 8, tanh}"])
def test_it_is_silent_on_a_sound_network(name: str, layers: str) -> None:
    assert _told(registry.resolve("check", name)().look(plant.start(layers))) == []


def test_it_looks_without_touching_the_random_state_or_the_data() -> None:
    before, drawn = torch.random.get_rng_state(), np.random.get_state()[1].copy()
    border = plant.border(plant.sound())
    kept = {name: np.array(values[:]) for name, values in border.dataset.arrays.items()}
    judge_data(border)
    judge_start(plant.start())
    assert torch.equal(torch.random.get_rng_state(), before)
    assert (np.random.get_state()[1] == drawn).all()
    assert all((border.dataset.arrays[name][:] == values).all() for name, values in kept.items())


def _odd() -> dict[str, tuple[dict[str, np.ndarray], str]]:
    draw = np.random.default_rng(0)
    few = {"x": np.arange(5.0), "y": np.array(["a", "b", "a", "b", "a"])}
    wide = {"x": draw.normal(size=(60, 200)), "y": np.array(["a", "b", "c"] * 20)}
    huge = {"x": np.append(draw.normal(size=119) * 1e-100, 1e100), "y": draw.normal(size=120) * 1e50}
    many = {"x": draw.normal(size=200), "y": np.array([f"class {i % 9}" for i in range(200)])}
    flat_but_one = {"x": draw.normal(size=200), "z": np.zeros((200, 4)), "y": np.array(["a", "b"] * 100)}
    both = {"x": draw.normal(size=200), "y": draw.normal(size=(200, 2))}
    return {name: (data, "y") for name, data in locals().items() if name != "draw"}


@pytest.mark.parametrize("name", _odd())
def test_all_of_them_survive_odd_data(name: str) -> None:
    columns, output = _odd()[name]
    border = plant.border(columns, output)
    assert judge_data(border)
    assert judge_data(border) == judge_data(replace(border))


def test_large_data_is_judged_by_a_draw_that_the_seed_decides() -> None:
    columns = plant.sound(20_000)
    one, again, other = (Border(plant.border(columns).dataset, seed) for seed in (1, 1, 2))
    assert len(one.rows) == 10_000
    assert (one.rows == again.rows).all()
    assert (one.rows != other.rows).any()
    assert set(one.rows.tolist()) <= set(one.dataset.parts["train"].tolist())
