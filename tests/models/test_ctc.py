from itertools import product

import numpy as np
import pytest
import torch

from netwright.field import UNKNOWN, Field
from netwright.models.ctc import best_path, needed, prefix_search
from netwright.spec import OutputSpec
from netwright.tasks.task import task_for
from netwright.tasks.transcript import Transcript

FIELD = Field(
    name="said", kind="text", source="said", dtype="uint8", ragged=True, vocabulary=(UNKNOWN, "a", "b", "c"),
    options={"tokens": "characters", "align": "ctc"},
)  # fmt: skip


def task() -> Transcript:
    found = task_for("said", FIELD, OutputSpec(align="ctc"))
    assert isinstance(found, Transcript)
    return found


def likeliest(shares: np.ndarray) -> list[int]:
    """The text whose ways through all steps have the largest probability together, all of them tried."""
    sums: dict[tuple[int, ...], float] = {}
    for way in product(range(shares.shape[1]), repeat=len(shares)):
        text = tuple(best_path(np.array(way)))
        sums[text] = sums.get(text, 0.0) + float(np.prod([step[code] for step, code in zip(shares, way, strict=True)]))
    return list(max(sums, key=lambda text: sums[text]))


@pytest.mark.parametrize("seed", range(12))
def test_a_wide_beam_finds_the_likeliest_text(seed: int) -> None:
    shares = np.random.default_rng(seed).dirichlet(np.ones(3) * 0.7, 6)
    assert prefix_search(shares, 64, least=0.0) == likeliest(shares)


def test_repetitions_are_joined_unless_a_blank_stands_between() -> None:
    assert best_path(np.array([1, 1, 0, 1, 2, 2])) == [1, 1, 2]
    assert (needed([1, 1, 2]), needed([])) == (4, 0)


def outputs(*ways: list[int]) -> torch.Tensor:
    x = torch.full((len(ways), max(map(len, ways)), 4), torch.nan)
    for row, way in zip(x, ways, strict=True):
        row[: len(way)] = torch.nn.functional.one_hot(torch.tensor(way), 4) * 20.0
    return x


def test_what_is_written_plainly_is_read_off() -> None:
    x, truth = outputs([1, 1, 0, 2, 0, 2], [3]), torch.tensor([[1, 2, 2], [3, -1, -1]])
    assert task().decode(task().answers(x)) == ["abb", "c"]
    scores = task().score(task().judged(x, truth), truth)
    assert scores == {"error": 0, "word_error": 0, "exact": 1}
    assert task().terms(x, truth).max() < 1e-3


def test_scores_are_those_of_the_answers_and_quick_ones_of_the_likeliest_way() -> None:
    x = torch.tensor([[[0.6, 0.4, 1e-9, 1e-9]] * 2]).log()  # nothing is the likeliest way, and "a" the likeliest text
    truth = torch.tensor([[1]])
    assert task().decode(task().answers(x)) == ["a"]
    assert task().score(task().judged(x, truth), truth)["error"] == 0
    assert task().score(task().judged(x, truth, quick=True), truth)["error"] == 1


def test_edits_are_counted_over_all_tokens() -> None:
    x, truth = outputs([1, 0, 2], [3]), torch.tensor([[1, 3, -1], [3, 3, 1]])
    scores = task().score(task().judged(x, truth), truth)
    assert scores["error"] == pytest.approx((1 + 2) / 5)
    assert scores["exact"] == 0


def test_the_loss_is_minus_the_log_of_all_ways() -> None:
    scores = torch.randn(1, 3, 4, generator=torch.Generator().manual_seed(0))
    shares = torch.softmax(scores, dim=2)[0].numpy()
    total = sum(
        float(np.prod([step[code] for step, code in zip(shares, way, strict=True)]))
        for way in product(range(4), repeat=3)
        if best_path(np.array(way)) == [1, 2]
    )
    assert float(task().terms(scores, torch.tensor([[1, 2]]))[0]) == pytest.approx(-np.log(total) / 2, rel=1e-5)


def test_padding_and_mates_change_no_loss_and_the_rest_gets_no_gradient() -> None:
    x, truth = torch.randn(2, 5, 4), torch.tensor([[1, 2, 1], [3, -1, -1]])
    x[1, 2:] = torch.nan
    together = task().terms(x, truth)
    alone = torch.cat([task().terms(x[:1], truth[:1]), task().terms(x[1:, :2], truth[1:, :1])])
    torch.testing.assert_close(together, alone)
    x.requires_grad_()
    task().terms(x, truth).sum().backward()
    assert x.grad is not None
    assert x.grad.isfinite().all()
