"""Errors: one tree, exit codes as documented, the cure beside the message."""

import pickle
import signal

import pytest

from netwright import errors
from netwright.errors import CellError, DataError, NetwrightError, Stopped

CODES = {
    "NetwrightError": 1, "SpecError": 2, "ModelFileError": 2, "DataError": 3, "CellError": 3,
    "DivergedError": 4, "ResourceError": 5,
}  # fmt: skip


def test_the_tree_is_the_one_that_is_drawn() -> None:
    classes = {n: c for n, c in vars(errors).items() if isinstance(c, type) and issubclass(c, NetwrightError)}
    assert set(classes) == {*CODES, "Stopped"}
    assert {name: classes[name].exit_code for name in CODES} == CODES
    assert errors.__doc__ is not None
    assert all(name in errors.__doc__ for name in classes)
    assert issubclass(CellError, DataError)


@pytest.mark.parametrize(("signum", "code"), [(signal.SIGINT, 130), (signal.SIGTERM, 143), (0, 0)])
def test_stopped_exits_like_the_signal(signum: int, code: int) -> None:
    assert Stopped("stopped", signum=signum).exit_code == code


def test_message_and_cure_are_told_together_and_travel_between_processes() -> None:
    error = NetwrightError("it broke.", "Mend it.")
    assert str(error) == "it broke. Mend it."
    assert str(NetwrightError("it broke.")) == "it broke."
    again = pickle.loads(pickle.dumps(error))  # a reading process hands its error to the one that asked
    assert (again.message, again.cure) == ("it broke.", "Mend it.")
