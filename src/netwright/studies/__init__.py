"""Many runs together: settings compared over several seeds, what a trained model is worth on other examples."""

from __future__ import annotations

from netwright.studies.compare import Table, compare
from netwright.studies.restarts import Restarts, restarts
from netwright.studies.transfer import Transfer, transfer

__all__ = ["Restarts", "Table", "Transfer", "compare", "restarts", "transfer"]
