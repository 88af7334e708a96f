"""From what readers find to batches: the ledger, honest splits, copies, the cache, and named public data sets."""

from netwright.data.batches import Batch, Batches, groups, order
from netwright.data.dataset import Dataset, prepare
from netwright.data.ledger import Ledger

__all__ = ["Batch", "Batches", "Dataset", "Ledger", "groups", "order", "prepare"]
