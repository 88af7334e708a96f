"""`netwright report`."""

from __future__ import annotations

from pathlib import Path

from netwright.cli.screen import Output


def report(
    run_folder: Path, /, *, html: Path | None = None, pdf: Path | None = None, output: Output | None = None
) -> None:
    """Write a run's report again, as a page or as PDF.

    Args:
        run_folder: Folder of the run.
        html: File to write the page to; report.html in the run's folder when left out.
        pdf: File to print the page to, too; needs Chromium or Chrome.
        output: How to print.
    """
    from netwright import run

    output = output or Output()
    where = run.report(run_folder, pdf=pdf, html=html)
    if output.json:
        output.document({"report": where})
    else:
        output.lines([f"report: {where}"])
