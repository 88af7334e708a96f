"""Metrics and intervals: values known by thought or from scikit-learn."""

from __future__ import annotations

import numpy as np
import pytest
import torch
from sklearn import metrics as reference

from netwright import metrics

PROBABILITIES = torch.tensor([[0.7, 0.2, 0.1], [0.1, 0.5, 0.4], [0.3, 0.3, 0.4], [0.5, 0.4, 0.1]])
TARGETS = torch.tensor([0, 2, 2, 1])


def test_accuracy_and_top_k() -> None:
    assert metrics.accuracy(PROBABILITIES, TARGETS) == 0.5
    assert metrics.accuracy(PROBABILITIES, TARGETS, top=2) == 1.0


def test_of_equally_likely_classes_the_first_counts() -> None:
    tied = torch.tensor([[0.5, 0.5]])
    assert metrics.accuracy(tied, torch.tensor([0])) == 1.0
    assert metrics.accuracy(tied, torch.tensor([1])) == 0.0


def test_confusion_has_truth_in_rows() -> None:
    counts = metrics.confusion(PROBABILITIES, TARGETS)
    assert counts.tolist() == [[1, 0, 0], [1, 0, 0], [0, 1, 1]]
    assert counts.numpy().tolist() == reference.confusion_matrix(TARGETS, PROBABILITIES.argmax(1)).tolist()


def test_log_loss_equals_scikit_learn_and_survives_a_zero() -> None:
    probabilities = PROBABILITIES.double() / PROBABILITIES.double().sum(dim=1, keepdim=True)
    expected = reference.log_loss(TARGETS, probabilities.numpy())
    assert metrics.log_loss(probabilities, TARGETS) == pytest.approx(expected)
    assert metrics.log_loss(torch.tensor([[1.0, 0.0]]), torch.tensor([1])) == pytest.approx(15.94, abs=0.01)


def test_errors_of_numbers_equal_scikit_learn() -> None:
    generator = np.random.default_rng(0)
    for shape in ((50,), (50, 3)):
        wanted = generator.normal(1e6, 3, shape)
        given = wanted + generator.normal(0, 1, shape)
        answers, targets = torch.from_numpy(given), torch.from_numpy(wanted)
        assert metrics.rmse(answers, targets) == pytest.approx(np.sqrt(np.mean((given - wanted) ** 2)))
        assert metrics.mae(answers, targets) == pytest.approx(reference.mean_absolute_error(wanted, given))
        assert metrics.r2(answers, targets) == pytest.approx(reference.r2_score(wanted, given))


def test_r2_of_targets_that_never_change() -> None:
    constant = torch.full((4,), 3.0)
    assert metrics.r2(constant, constant) == 1.0
    assert metrics.r2(constant + 1, constant) == 0.0


def test_wilson_is_sound_at_the_ends() -> None:
    assert metrics.wilson(0, 10) == pytest.approx((0.0, 0.2775), abs=1e-4)
    assert metrics.wilson(10, 10) == pytest.approx((0.7225, 1.0), abs=1e-4)
    assert metrics.wilson(0, 0) == (0.0, 1.0)
    assert all(metrics.wilson(count, count)[1] == 1 and metrics.wilson(0, count)[0] == 0 for count in range(1, 500))
    low, high = metrics.wilson(9150, 10000)
    assert (low, high) == pytest.approx((0.9094, 0.9203), abs=1e-4)


def mean_of_first(means: np.ndarray) -> np.ndarray:
    return means[:, 0]


def test_the_bootstrap_of_a_mean_is_about_two_standard_errors_wide() -> None:
    values = np.random.default_rng(0).normal(size=(2000, 1))
    low, high = metrics.bootstrap(values, mean_of_first)
    assert high - low == pytest.approx(2 * 1.96 / 2000**0.5, rel=0.1)
    assert low < values.mean() < high
    assert metrics.bootstrap(values, mean_of_first) == (low, high)
    assert metrics.bootstrap(values, mean_of_first, seed=1) != (low, high)


def test_examples_of_one_group_count_as_one() -> None:
    groups = np.repeat(np.arange(40), 50)
    values = np.random.default_rng(0).normal(size=40)[groups][:, None]
    alone = np.subtract(*reversed(metrics.bootstrap(values, mean_of_first)))
    grouped = np.subtract(*reversed(metrics.bootstrap(values, mean_of_first, groups)))
    assert grouped / alone == pytest.approx(50**0.5, rel=0.2)
    assert np.isnan(metrics.bootstrap(values, mean_of_first, np.zeros(len(values)))).all()  # others may be otherwise


def test_very_many_examples_are_summed_into_blocks_of_the_same_spread() -> None:
    values = np.random.default_rng(0).normal(size=(50_000, 1))
    low, high = metrics.bootstrap(values, mean_of_first)
    assert high - low == pytest.approx(2 * 1.96 / 50_000**0.5, rel=0.1)


# ---- several classes at once -----------------------------------------------------------------------------------------


def column(*values: float) -> torch.Tensor:
    return torch.tensor(values, dtype=torch.float32)[:, None]


def test_average_precision_is_that_of_the_textbook_and_ranks_equals_together() -> None:
    truth = column(1, 0, 1, 0)
    assert metrics.average_precision(column(0.9, 0.8, 0.7, 0.1), truth).tolist() == pytest.approx([(1 + 2 / 3) / 2])
    assert metrics.average_precision(column(0.5, 0.5, 0.5, 0.5), truth).tolist() == [0.5]
    assert metrics.average_precision(column(0.1, 0.9, 0.1, 0.9), truth).tolist() == [0.5]
    assert metrics.average_precision(column(1, 0.5, 1, 0), truth).tolist() == [1.0]


def test_average_precision_agrees_with_scikit_learn() -> None:
    draw = np.random.default_rng(0)
    answers = torch.from_numpy(draw.integers(0, 12, (90, 4)) / 12)  # with ties
    truth = torch.from_numpy((draw.random((90, 4)) < [0.1, 0.5, 0.9, 0.3]).astype(float))
    expected = [reference.average_precision_score(truth[:, k], answers[:, k]) for k in range(4)]
    assert metrics.average_precision(answers, truth).tolist() == pytest.approx(expected)
    assert metrics.mean_average_precision(answers, truth) == pytest.approx(np.mean(expected))


def test_a_class_without_examples_is_left_out_of_the_mean() -> None:
    answers, truth = torch.rand(4, 2), torch.tensor([[1.0, 0], [1, 0], [1, 0], [1, 0]])
    assert metrics.mean_average_precision(answers, truth) == 1.0
    assert metrics.mean_average_precision(answers, truth * 0) == 0.0


def test_the_interval_of_mean_average_precision_holds_it_and_widens_with_groups() -> None:
    generator = torch.Generator().manual_seed(0)
    truth = (torch.rand(10, 3, generator=generator) < 0.5).float().repeat_interleave(20, 0)
    answers = truth + 1.5 * torch.randn(10, 3, generator=generator).repeat_interleave(20, 0)
    score = metrics.mean_average_precision(answers, truth)
    low, high = metrics.precision_interval(answers, truth)
    assert low < score < high
    wide = metrics.precision_interval(answers, truth, np.arange(200) // 20)
    assert wide[1] - wide[0] > 2 * (high - low)
    assert metrics.precision_interval(answers, truth) == (low, high)


@pytest.mark.parametrize(
    ("answers", "truth", "expected"),
    [
        ((0.8, 0.6, 0.2), (1, 1, 0), 0.4),
        ((0.8, 0.6, 0.2), (1, 0, 0), 0.7),
        ((0.8, 0.6, 0.2), (1, 1, 1), 0.1),
        ((0.8, 0.6, 0.6), (0, 1, 0), 0.3),  # equal answers are taken together
        ((0.8, 0.6, 0.2), (0, 0, 0), 0.5),
    ],
)
def test_a_threshold_lies_behind_the_last_answer_it_takes(
    answers: tuple[float, ...], truth: tuple[float, ...], expected: float
) -> None:
    assert metrics.best_thresholds(column(*answers), column(*truth)) == pytest.approx([expected])
