"""`netwright doctor`."""

from __future__ import annotations

from pathlib import Path

from netwright.cli.screen import Output


def doctor(run_folder: Path | None = None, /, *, output: Output | None = None) -> None:
    """Say what is wrong and what to do about it: with a run, or without one with this installation.

    Args:
        run_folder: Folder of a run; the installation itself when left out.
    """
    output = output or Output()
    if run_folder is None:
        from netwright.doctor import installation

        output.findings(installation.check(), "the installation is sound")
    else:
        from netwright import run

        output.findings(run.diagnose(run_folder), "nothing wrong was found")
