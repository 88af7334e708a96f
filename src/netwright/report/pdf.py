"""An HTML page -> a PDF file, through an installed Chromium, Chrome or Edge, without window and network."""

from __future__ import annotations

import os
import subprocess
import sys
import tempfile
from pathlib import Path

from netwright import files
from netwright.doctor.installation import find_browser
from netwright.errors import ResourceError

_SECONDS = 120


def pdf(page: Path, target: Path, browser: Path | None = None) -> None:
    """Prints a page to a PDF file; the file appears whole or not at all.

    Args:
        page: The HTML file, self-contained.
        target: The PDF file to write.
        browser: The browser to use; the first one found when None.

    Raises:
        ResourceError: There is no browser that can do it, or it failed; says how to print by hand.
    """
    by_hand = f"Open {page} in any browser and print it to a PDF file; the page is made for paper."
    program = browser or find_browser()
    if program is None:
        raise ResourceError(
            "A PDF needs an installed Chromium, Chrome or Edge on the PATH, and none was found.", by_hand
        )
    if not page.is_file():
        raise ResourceError(f"{page} is not a file, so it cannot be printed.", "Write the report first.")
    # The profile is new and thrown away: printing must neither read nor leave anything in the user's own.
    with tempfile.TemporaryDirectory(prefix="netwright-print-") as folder:
        printed = Path(folder) / "page.pdf"
        failed = _print(program, page, printed, Path(folder) / "profile")
        if failed or not printed.is_file() or not printed.read_bytes().startswith(b"%PDF"):
            raise ResourceError(f"{program} could not print {page}: {failed or 'it wrote no PDF'}.", by_hand)
        files.write_bytes(target, printed.read_bytes())


def _print(program: Path, page: Path, printed: Path, profile: Path) -> str:
    """What went wrong, in one line; empty when nothing did."""
    command = [
        str(program),
        "--headless",
        "--disable-gpu",
        "--no-first-run",
        "--disable-extensions",
        "--disable-background-networking",
        "--disable-component-update",
        "--disable-dev-shm-usage",
        "--host-resolver-rules=MAP * ~NOTFOUND",
        f"--user-data-dir={profile}",
        "--no-pdf-header-footer",
        f"--print-to-pdf={printed}",
        page.resolve().as_uri(),
    ]
    if sys.platform == "linux" and os.geteuid() == 0:
        command.insert(
            1, "--no-sandbox"
        )  # Chromium's sandbox refuses to run as root; the page is our own, without scripts
    try:
        done = subprocess.run(command, capture_output=True, text=True, errors="replace", timeout=_SECONDS, check=False)
    except subprocess.TimeoutExpired:
        return f"it did not finish within {_SECONDS} s"
    except OSError as exc:
        return f"it cannot be started ({exc.strerror or exc})"
    lines = done.stderr.strip().splitlines()
    return "" if done.returncode == 0 else f"exit {done.returncode}, {lines[-1] if lines else 'no message'}"
