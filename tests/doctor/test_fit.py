"""Curves made by thought, one per rule; and curves of real training that must be judged the same."""

import math

import pytest
from hypothesis import given
from hypothesis import strategies as st

from netwright.doctor.fit import judge


def falling(to: float, epochs: int = 30, since: float = 2.3, pace: float = 3.0) -> list[float]:
    return [to + (since - to) * math.exp(-k / pace) for k in range(epochs)]


def test_both_curves_level_out_together_is_fitting() -> None:
    verdict = judge(range(1, 31), falling(0.10), falling(0.15), chance=2.3)
    assert verdict.label == "fitting"
    assert verdict.since_epoch is None
    assert "training loss is 0.1" in verdict.evidence[0]


def test_a_validation_loss_that_turns_up_is_over_fitting_since_it_left_its_valley() -> None:
    validation = [*falling(0.5, 15), *(0.5 + 0.05 * k for k in range(1, 16))]
    verdict = judge(range(1, 31), falling(0.0), validation, chance=2.3)
    assert verdict.label == "over-fitting"
    assert verdict.since_epoch is not None
    assert 16 <= verdict.since_epoch <= 18
    assert f"From epoch {verdict.since_epoch} on" in verdict.sentence
    assert "rose from 0.5" in verdict.evidence[0]


def test_curves_that_part_without_turning_are_over_fitting_since_they_parted() -> None:
    train, validation = falling(0.05), [max(value, 1.2) for value in falling(0.05)]
    verdict = judge(range(1, 31), train, validation, chance=2.3)
    assert verdict.label == "over-fitting"
    parted = next(k for k in range(30) if validation[k] - train[k] > 0.25 * 2.3)
    assert verdict.since_epoch == parted + 1


def test_a_net_that_learns_little_is_under_fitting() -> None:
    verdict = judge(range(1, 31), falling(1.9), falling(1.92), chance=2.3)
    assert verdict.label == "under-fitting"
    assert "even on the examples it was trained on" in verdict.sentence


def test_a_net_that_learns_nothing_is_under_fitting() -> None:
    assert judge(range(1, 11), [0.7] * 10, [0.7] * 10, chance=math.log(2)).label == "under-fitting"


def test_a_run_that_ends_while_still_improving_is_under_fitting() -> None:
    slow = [2.3 - 0.15 * k for k in range(10)]
    verdict = judge(range(1, 11), slow, slow, chance=2.3)
    assert verdict.label == "under-fitting"
    assert "more epochs" in verdict.sentence


def test_one_bad_epoch_decides_nothing() -> None:
    validation = falling(0.15)
    validation[20] = 2.0
    validation[-1] = 0.9
    assert judge(range(1, 31), falling(0.10), validation, chance=2.3).label == "fitting"


def test_noise_about_a_level_is_not_over_fitting() -> None:
    noisy = [value + 0.08 * (-1) ** k for k, value in enumerate(falling(0.4, 40))]
    assert judge(range(40), falling(0.3, 40), noisy, chance=2.3).label == "fitting"


def test_a_rise_that_comes_back_is_not_over_fitting() -> None:
    validation = falling(0.3, 40)
    validation[15:25] = [0.6] * 10
    assert judge(range(40), falling(0.2, 40), validation, chance=2.3).label == "fitting"


def test_both_losses_rising_is_not_called_over_fitting() -> None:
    up = [0.5 + 0.1 * k for k in range(12)]
    assert judge(range(12), up, up, chance=2.3).label != "over-fitting"


@pytest.mark.parametrize("missing", [None, math.nan, math.inf])
def test_too_few_measured_epochs_is_undecided(missing: float | None) -> None:
    verdict = judge([1, 2, 3, 4], [1.0, 0.9, 0.8, 0.7], [1.0, missing, 0.8, 0.7])
    assert verdict.label == "undecided"
    assert verdict.evidence == ("3 such epochs",)


def test_epochs_are_named_by_their_numbers_not_their_places() -> None:
    validation = [*falling(0.5, 15), *(0.5 + 0.05 * k for k in range(1, 16))]
    plain = judge(range(1, 31), falling(0.0), validation, chance=2.3)
    later = judge(range(101, 131), falling(0.0), validation, chance=2.3)
    assert plain.since_epoch is not None
    assert later.since_epoch == plain.since_epoch + 100


@given(
    st.lists(st.tuples(st.floats(0, 1e6) | st.none(), st.floats(0, 1e6) | st.none()), max_size=40),
    st.floats(1e-6, 1e6) | st.none(),
)
def test_every_pair_of_curves_gets_a_verdict_with_evidence(
    curves: list[tuple[float | None, float | None]], chance: float | None
) -> None:
    verdict = judge(range(len(curves)), [a for a, _ in curves], [b for _, b in curves], chance=chance)
    assert verdict.sentence
    assert verdict.evidence
    assert (verdict.since_epoch is not None) == (verdict.label == "over-fitting")


def _real_curves(hidden: int, epochs: int, examples: int) -> tuple[list[float], list[float]]:
    from sklearn.datasets import load_digits
    from sklearn.metrics import log_loss
    from sklearn.neural_network import MLPClassifier

    pixels, digits = load_digits(return_X_y=True)
    train, held_out = slice(0, examples), slice(1200, 1797)
    net = MLPClassifier((hidden,), learning_rate_init=0.005, batch_size=50, random_state=0)
    losses: tuple[list[float], list[float]] = ([], [])
    for _ in range(epochs):
        net.partial_fit(pixels[train] / 16, digits[train], classes=range(10))
        for curve, part in zip(losses, (train, held_out), strict=True):
            curve.append(float(log_loss(digits[part], net.predict_proba(pixels[part] / 16), labels=range(10))))
    return losses


@pytest.mark.parametrize(
    ("hidden", "epochs", "examples", "label"),
    [(32, 20, 1200, "fitting"), (64, 60, 50, "over-fitting"), (1, 10, 1200, "under-fitting")],
)
def test_real_training_is_judged_as_a_person_would(hidden: int, epochs: int, examples: int, label: str) -> None:
    train, validation = _real_curves(hidden, epochs, examples)
    assert judge(range(1, epochs + 1), train, validation, chance=math.log(10)).label == label
