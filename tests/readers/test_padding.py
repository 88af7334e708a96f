import numpy as np
import pytest
import torch
from hypothesis import given
from hypothesis import strategies as st

from netwright.readers import padding

LENGTHS = st.lists(st.integers(0, 6), min_size=1, max_size=8)


def sequences(lengths: list[int], dim: int) -> list[np.ndarray]:
    chance = np.random.default_rng(0)
    if dim:
        return [chance.normal(size=(length, dim)).astype(np.float32) for length in lengths]
    return [chance.integers(0, 9, length) for length in lengths]


@given(LENGTHS, st.sampled_from([0, 3]))
def test_what_is_padded_is_told_apart_from_what_is_there(lengths: list[int], dim: int) -> None:
    rows = sequences(lengths, dim)
    x = padding.padded(rows, dim)
    assert x.shape[:2] == (len(rows), max(*lengths, 1))
    assert padding.lengths(x).tolist() == lengths
    for row, values in zip(rows, x, strict=True):
        np.testing.assert_array_equal(values[: len(row)].numpy(), row)


@given(LENGTHS, st.sampled_from([0, 3]), st.randoms(use_true_random=False))
def test_sequences_held_end_to_end_come_back_as_they_were(lengths: list[int], dim: int, chance: object) -> None:
    rows = sequences(lengths, dim)
    middle = len(rows) // 2
    parts = [padding.padded(some, dim) for some in (rows[:middle], rows[middle:]) if some]
    flat = padding.Flat(parts)
    assert len(flat.values) == sum(lengths)
    pick = list(range(len(rows)))
    chance.shuffle(pick)  # type: ignore[attr-defined]
    found = flat.rows(torch.tensor(pick))
    assert padding.lengths(found).tolist() == [lengths[place] for place in pick]
    assert found.shape[1] == max(*lengths, 1)
    for place, values in zip(pick, found, strict=True):
        np.testing.assert_array_equal(values[: lengths[place]].numpy(), rows[place])


@pytest.mark.parametrize("dim", [0, 2])
def test_batches_of_different_lengths_are_joined_and_cut_again(dim: int) -> None:
    long, short = (padding.padded(sequences(lengths, dim), dim) for lengths in ([5, 2], [1]))
    whole = padding.joined([short, long])
    assert whole.shape[:2] == (3, 5)
    assert padding.lengths(whole).tolist() == [1, 5, 2]
    assert torch.equal(padding.trimmed(whole[:1]), short)
    torch.testing.assert_close(padding.joined([long, long]), torch.cat([long, long]), equal_nan=True)
