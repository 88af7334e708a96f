"""Endings of curves that were made to end so."""

from __future__ import annotations

import math

import numpy as np
import pytest

from netwright.doctor.convergence import judge

EPOCHS = np.arange(1, 41)
NOISE = np.random.default_rng(0).normal(size=40)


@pytest.mark.parametrize(
    ("losses", "label"),
    [
        (2.3 * np.exp(-EPOCHS / 3) + 0.1 + 0.001 * NOISE, "converged"),
        (2.3 * np.exp(-EPOCHS / 25), "still improving"),
        (2.3 - 0.05 * EPOCHS + 0.01 * NOISE, "still improving"),
        (1.0 + 0.2 * NOISE, "oscillating"),
        (1.0 + 0.3 * (-1.0) ** EPOCHS * np.minimum(EPOCHS, 5), "oscillating"),
        (np.concatenate([2.3 * np.exp(-EPOCHS[:30] / 5), 10 * EPOCHS[:10]]), "diverged"),
        (np.concatenate([2.3 * np.exp(-EPOCHS[:30] / 5), [math.nan]]), "diverged"),
        (np.array([2.0, 1.0, 0.5]), "undecided"),
        (np.full(10, 0.7), "converged"),
    ],
)
def test_a_made_curve_ends_as_it_was_made(losses: np.ndarray, label: str) -> None:
    found = judge(losses.tolist())
    assert found.label == label
    assert found.sentence.endswith(".")


def test_what_was_learned_counts_from_the_blind_answer() -> None:
    """A fall from 0.5 to 0.48 is much of what this net learned, and little beside the 10 there was."""
    losses = np.linspace(0.52, 0.48, 20).tolist()
    assert judge(losses).label == "still improving"
    assert judge(losses, chance=10.0).label == "converged"


def test_the_evidence_has_the_numbers() -> None:
    found = judge([1.0, 0.9, 0.6, 0.4, 0.2]).evidence
    assert found.startswith("over the last 4 epochs the training loss fell by ")
    assert " % of all that was learned and swung by " in found


def test_more_epochs_are_not_advised_to_a_net_that_learns_by_heart() -> None:
    losses = (2.3 * np.exp(-EPOCHS / 25)).tolist()
    assert judge(losses).sentence.endswith("more epochs would lower it further.")
    assert judge(losses, over_fitting=True).sentence.endswith("but not the loss on unseen examples.")
