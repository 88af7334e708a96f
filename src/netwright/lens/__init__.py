"""Looking inside: what a network does to its numbers, computed without changing it."""
