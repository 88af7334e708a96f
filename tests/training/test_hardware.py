"""Where a run computes: by a rule, with its reason, and never by a stopwatch."""

from collections.abc import Iterator

import pytest
import torch

from netwright.spec import Hardware
from netwright.training import hardware


@pytest.fixture(autouse=True)
def _same_threads_afterwards() -> Iterator[None]:
    before = torch.get_num_threads()
    yield
    torch.set_num_threads(before)
    torch.set_flush_denormal(False)


def test_small_steps_get_one_thread_and_large_ones_the_cores():
    assert hardware.decide(19_999_999, True, "fits").threads == 1
    large = hardware.decide(10**9, True, "fits")
    assert large.threads >= 1
    (why,) = [reason.why for reason in large.why if reason.path == "training.threads"]
    assert why.startswith("a step is 1e+03 M multiply-adds")


def test_the_users_own_choice_needs_no_reason():
    chosen = hardware.decide(0, False, "too large", threads=3)
    assert chosen.threads == 3
    assert {reason.path: reason.value for reason in chosen.why} == {
        "hardware.device": chosen.device, "hardware.resident": "false",
    }  # fmt: skip


def test_a_process_is_set_up_as_recorded():
    device = hardware.apply(Hardware(device="cpu", threads=1, resident=True))
    assert device == torch.device("cpu")
    assert torch.get_num_threads() == 1
    assert (torch.tensor([1e-39]) * 1.0).item() == 0  # denormal numbers are flushed


def test_a_recorded_device_that_is_gone_falls_back_to_the_cpu():
    expected = "cuda" if torch.cuda.is_available() else "cpu"
    assert hardware.apply(Hardware(device="cuda", threads=1, resident=True)).type == expected
