"""The errors netwright raises on purpose; every message says what, where, what was expected and what to do.

    NetwrightError            exit code 1   the run failed
    ├── SpecError             exit code 2   a spec, option or argument is wrong
    ├── ModelFileError        exit code 2   a model file cannot be trusted or read
    ├── DataError             exit code 3   the data cannot be used
    │   └── CellError         (internal)    one cell cannot be read; the reader's border adds file and row
    ├── DivergedError         exit code 4   the loss stopped being a number
    ├── ResourceError         exit code 5   disk, memory or another limit of the machine is used up
    └── Stopped               exit code 130 or 143   a signal came; the state is saved

The low level states the fact; the border that knows file, row or step adds them (`raise ... from exc`).
"""

from __future__ import annotations

import signal


class NetwrightError(Exception):
    """Something went wrong that a person can act on.

    Args:
        message: What is wrong, with which value, where, and what was expected.
        cure: What to do about it, one or two sentences.
    """

    exit_code = 1

    def __init__(self, message: str, cure: str = "") -> None:
        super().__init__(message, cure)
        self.message = message
        self.cure = cure

    def __str__(self) -> str:
        return f"{self.message} {self.cure}".strip()


class SpecError(NetwrightError):
    """A spec, an option or an argument is wrong; all problems of one spec come in one message."""

    exit_code = 2


class ModelFileError(NetwrightError):
    """A model file is damaged, foreign, too new, or would have to run code."""

    exit_code = 2


class DataError(NetwrightError):
    """The data cannot be used: missing, empty, leaking between splits, or changed since the run began."""

    exit_code = 3


class CellError(DataError):
    """One cell cannot be read; carries only the fact, the reader adds where it stood."""


class DivergedError(NetwrightError):
    """The loss became NaN, infinite or a thousand times what it was, and did not recover."""

    exit_code = 4
    good_epoch = 0  # the last one that ended well; 0 for none


class ResourceError(NetwrightError):
    """A limit of the machine was reached: disk, memory, open files."""

    exit_code = 5


class Stopped(NetwrightError):  # noqa: N818  (not an error: the run was asked to stop and its state is saved)
    """A signal or the control inbox asked the run to stop; everything needed to go on is saved.

    Args:
        message: What was stopped and where its state lies.
        signum: The signal, e.g. `signal.SIGTERM`; 0 when the control inbox asked.
        cure: The command that goes on.
    """

    def __init__(self, message: str, cure: str = "", signum: int = signal.SIGINT) -> None:
        super().__init__(message, cure)
        self.exit_code = 128 + signum if signum else 0
