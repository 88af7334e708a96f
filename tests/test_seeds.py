"""Generators: the same four values give the same stream in any process; other values give another."""

import itertools

import torch

from netwright import seeds


def test_values_are_fixed_for_all_time() -> None:
    # A change of these numbers changes every split, order and initial weight of every run ever made.
    assert seeds.derive(0, "shuffle") == 7_363_965_175_932_502_219
    assert seeds.numpy_generator(0, "shuffle").permutation(5).tolist() == [3, 0, 1, 2, 4]
    assert 0 <= min(seeds.derive(s, "p") for s in range(1000)) <= max(seeds.derive(s, "p") for s in range(1000)) < 2**63


def test_every_argument_matters_and_none_is_mixed_with_another() -> None:
    keys = list(itertools.product((0, 1, 11), ("a", "b"), (0, 1, 11), (0, 1, 11)))
    assert len({seeds.derive(*key) for key in keys}) == len(keys)


def test_generators_do_not_touch_global_state() -> None:
    torch.manual_seed(5)
    before = torch.get_rng_state()
    first = torch.rand(4, generator=seeds.torch_generator(1, "x"))
    assert torch.equal(torch.get_rng_state(), before)
    assert torch.equal(first, torch.rand(4, generator=seeds.torch_generator(1, "x")))
    assert seeds.numpy_generator(1, "x").random() == seeds.numpy_generator(1, "x").random()
    assert seeds.numpy_generator(1, "x").random() != seeds.numpy_generator(1, "x", epoch=1).random()
