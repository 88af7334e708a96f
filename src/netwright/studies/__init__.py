"""Many runs together: settings compared over several seeds, in a table that goes on when interrupted."""

from __future__ import annotations

from netwright.studies.compare import Table, compare
from netwright.studies.restarts import Restarts, restarts

__all__ = ["Restarts", "Table", "compare", "restarts"]
