"""The command line: one file per verb, each of which parses, makes one library call and prints.

Results go to standard output, everything said on the way to standard error, so that a pipe gets results only.
Exit codes: 0 done, 1 failed, 2 bad input or spec, 3 data unusable, 4 diverged, 5 out of resources, 130 and 143
stopped by a signal, 141 nobody reads the output any more.
"""

from __future__ import annotations

import os
import sys
from collections.abc import Sequence


def main(arguments: Sequence[str] | None = None) -> int:
    """Runs one command line and gives its exit code; nothing but `--traceback` ever shows a traceback.

    Args:
        arguments: The words after the program's name; those of this process when left out.
    """
    words = list(sys.argv[1:] if arguments is None else arguments)
    try:
        # Imported here, so that Ctrl-C during the first tenth of a second is as quiet as later on.
        from netwright.cli.app import run

        code = run(words)
        sys.stdout.flush()
    except KeyboardInterrupt:
        return 130
    except BrokenPipeError:
        # Python flushes standard output once more at exit; it must find something that still takes it.
        os.dup2(os.open(os.devnull, os.O_WRONLY), 1)
        return 141
    return code
