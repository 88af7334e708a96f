"""`netwright --install-completion`."""

from __future__ import annotations

from typing import Literal

from netwright.cli.screen import Output


def install(*, shell: Literal["bash", "zsh", "fish"] | None = None, output: Output | None = None) -> None:
    """Teach your shell to complete netwright's words with the tab key.

    Args:
        shell: Which shell; the one you are using when left out.
        output: How to print.
    """
    from cyclopts.completion.detect import ShellDetectionError

    from netwright.cli.app import make_app
    from netwright.errors import SpecError

    output = output or Output()
    try:
        where = make_app(listing=False).install_completion(shell=shell)
    except ShellDetectionError as exc:
        raise SpecError("your shell could not be recognised.", "Name it: --shell bash, zsh or fish.") from exc
    if output.json:
        output.document({"file": where})
    else:
        output.lines([f"written: {where}", "Open a new terminal, then type: netwright tr<tab>"])
