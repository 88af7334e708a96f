"""Everything that changes training, one file each; see `strategy.Strategy` for what one may do."""
