"""What every check is: evidence in, findings out, and one planted fault that it is proven to find.

A check looks at one of two places: the data border (`DataCheck`, evidence `Border`) or the moment before the first
update (`StartCheck`, evidence `Start`). It changes nothing and draws nothing from global random state, so a run is
the same bit for bit with and without it; what it costs is bounded by rows and columns, never by a clock, so that equal
runs find equal things. Adding one is a class here below `checks/` and a line in the registry's room "check".
"""

from __future__ import annotations

from abc import ABC, abstractmethod
from typing import ClassVar

from netwright import registry
from netwright.doctor.border import Border
from netwright.doctor.finding import Finding
from netwright.doctor.start import Start

HOPELESS = "targets"  # no training survives what this check calls bad
BROKEN = "future"  # a promise that the spec asks for is broken


class DataCheck(ABC):
    """Judges prepared data before anything is trained.

    Attributes:
        fault: What `planted` has wrong, in words for the published table.
    """

    fault: ClassVar[str]

    @abstractmethod
    def look(self, border: Border) -> list[Finding]:
        """What is to be said; a check with nothing to judge says nothing.

        Args:
            border: The evidence.
        """

    @abstractmethod
    def planted(self) -> Border:
        """Data with the fault that this check is for."""


class StartCheck(ABC):
    """Judges a fresh network on one real batch before the first update.

    Attributes:
        fault: What `planted` has wrong, in words for the published table.
    """

    fault: ClassVar[str]

    @abstractmethod
    def look(self, start: Start) -> list[Finding]:
        """What is to be said; a check with nothing to judge says nothing.

        Args:
            start: The evidence.
        """

    @abstractmethod
    def planted(self) -> Start:
        """A network with the fault that this check is for."""


def data_checks() -> dict[str, DataCheck]:
    """Every registered check of data, in the order a person should read what they say."""
    return {name: registry.resolve("check", name)() for name in _looking_at("data")}


def start_checks() -> dict[str, StartCheck]:
    """Every registered check of a fresh network."""
    return {name: registry.resolve("check", name)() for name in _looking_at("start")}


def judge_data(border: Border) -> list[Finding]:
    """What all checks of data say; targets that cannot be learned end it, since nothing else can be judged by them.

    Args:
        border: The evidence.
    """
    findings: list[Finding] = []
    for check in data_checks().values():
        findings += check.look(border)
        if any(finding.name == HOPELESS and finding.state == "bad" for finding in findings):
            break
    return findings


def judge_start(start: Start) -> list[Finding]:
    """What all checks of a fresh network say.

    Args:
        start: The evidence.
    """
    return [finding for check in start_checks().values() for finding in check.look(start)]


def _looking_at(place: str) -> list[str]:
    return [name for name, part in registry.parts("check").items() if part.facts.get("looks_at", "data") == place]
