"""Many runs together: settings compared over several seeds, in a table that goes on when interrupted."""

from __future__ import annotations

from netwright.studies.compare import Table, compare

__all__ = ["Table", "compare"]
