"""Optional packages that are installed but broken are treated as not installed.

pyarrow and scikit-learn look for pandas and go on without it, but only when it is absent: a pandas built for another
numpy raises something else than ImportError and takes them with it. Importing this module first makes a broken pandas
look absent; `netwright doctor` names it.
"""

from __future__ import annotations

import importlib.util
import sys
from collections.abc import Sequence
from importlib.machinery import ModuleSpec
from types import ModuleType

OPTIONAL = ("pandas",)


class _Absent:
    """Finds the broken packages and says that they cannot be imported."""

    def __init__(self, names: tuple[str, ...]) -> None:
        self._names = names

    def find_spec(
        self, name: str, path: Sequence[str] | None = None, target: ModuleType | None = None
    ) -> ModuleSpec | None:
        """A spec whose module cannot be executed; None for every other package."""
        return importlib.util.spec_from_loader(name, self) if name in self._names else None  # type: ignore[arg-type]

    def create_module(self, spec: ModuleSpec) -> None:
        """Nothing special."""

    def exec_module(self, module: ModuleType) -> None:
        """What a missing package raises.

        Raises:
            ImportError: Always.
        """
        raise ImportError(f"{module.__name__} is installed but broken", name=module.__name__)


def _broken() -> tuple[str, ...]:
    found = []
    for name in OPTIONAL:
        try:
            importlib.import_module(name)
        except ImportError:
            continue
        except Exception:  # noqa: BLE001  (a broken package may raise anything)
            found.append(name)
    return tuple(found)


if _names := _broken():
    sys.meta_path.insert(0, _Absent(_names))
