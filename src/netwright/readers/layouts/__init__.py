"""Layouts: where examples lie and how they are told apart; one file each, found through the registry."""
