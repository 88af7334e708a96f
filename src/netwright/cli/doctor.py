"""`netwright doctor`."""

from __future__ import annotations

from pathlib import Path

from netwright.cli.screen import Output


def doctor(run_folder: Path | None = None, /, *, output: Output | None = None) -> None:
    """Say what is wrong with a run, or with this installation.

    Args:
        run_folder: Folder of a run; the installation itself when left out.
        output: How to print.
    """
    output = output or Output()
    if run_folder is None:
        from netwright.data.cache import folder
        from netwright.doctor import installation

        output.findings(installation.check(folder()), "the installation is sound")
    else:
        from netwright import run

        output.findings(run.diagnose(run_folder), "nothing wrong was found")
