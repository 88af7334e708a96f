"""Where a run computes: by a rule, with its reason, and never by a stopwatch."""

import pytest
import torch

from netwright.resolved import Hardware
from netwright.training import hardware


def test_small_steps_get_one_thread_and_large_ones_the_cores() -> None:
    assert hardware.decide(hardware.ONE_THREAD_MULTIPLY_ADDS - 1, True, "fits").threads == 1
    large = hardware.decide(10**9, True, "fits")
    assert large.threads >= 1
    (why,) = [reason.why for reason in large.why if reason.path == "training.threads"]
    assert why.startswith("a step is 1e+03 M multiply-adds")


def test_the_users_own_choice_needs_no_reason() -> None:
    chosen = hardware.decide(0, False, "too large", threads=3)
    assert chosen.threads == 3
    assert {reason.path: reason.value for reason in chosen.why} == {
        "hardware.device": chosen.device, "hardware.resident": "false",
    }  # fmt: skip


def test_a_process_is_set_up_as_recorded_and_put_back_afterwards() -> None:
    before, tiny = torch.get_num_threads(), torch.tensor([1e-39])
    with hardware.applied(Hardware(device="cpu", threads=before + 1, resident=True)) as device:
        assert device == torch.device("cpu")
        assert torch.get_num_threads() == before + 1
        assert (tiny * 1.0).item() == 0  # denormal numbers are flushed
    assert torch.get_num_threads() == before
    assert (tiny * 1.0).item() > 0


def test_a_recorded_device_that_is_gone_falls_back_to_the_cpu() -> None:
    expected = "cuda" if torch.cuda.is_available() else "cpu"
    with hardware.applied(Hardware(device="cuda", threads=1, resident=True)) as device:
        assert device.type == expected


def test_threads_that_the_environment_grants_are_not_exceeded(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(hardware.psutil, "cpu_count", lambda **_: 8)
    monkeypatch.setattr(hardware.os, "sched_getaffinity", lambda _: set(range(8)), raising=False)
    enough = "enough to share among the cores"
    for said, threads, why in (
        ("3", 3, "OMP_NUM_THREADS is 3"), ("4,2", 4, "OMP_NUM_THREADS is 4"), ("16", 8, enough), ("0", 8, enough),
        ("x", 8, enough),
    ):  # fmt: skip
        monkeypatch.setenv("OMP_NUM_THREADS", said)
        found = hardware.decide(10**9, True, "fits")
        assert found.threads == threads
        assert any(why in reason.why for reason in found.why)
