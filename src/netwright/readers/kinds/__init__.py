"""Kinds: how one cell becomes an array; one file each, found through the registry."""
