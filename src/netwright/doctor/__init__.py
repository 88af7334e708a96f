"""Evidence -> findings: what a run's curves say (`fit.py`) and whether the installation works (`installation.py`)."""
