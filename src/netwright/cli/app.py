"""The verbs by name, and what becomes of an error: two lines, `error:` and `try:`, and an exit code."""

from __future__ import annotations

import errno
import sys
from importlib.metadata import version
from types import TracebackType

from cyclopts import App, Group
from cyclopts.exceptions import CycloptsError, UnknownOptionError

from netwright.cli.screen import console, say_error
from netwright.errors import NetwrightError
from netwright.registry import nearest

TRAINING = Group("Train", sort_key=1)
USING = Group("Use", sort_key=2)
LOOKING = Group("Look closer", sort_key=3)
SETTING_UP = Group("Set up", sort_key=4)

# Loaded by name when first needed, so that one verb costs the import of one file.
VERBS = {
    "train": ("netwright.cli.train:train", TRAINING),
    "plan": ("netwright.cli.plan:plan", TRAINING),
    "resume": ("netwright.cli.resume:resume", TRAINING),
    "compare": ("netwright.cli.compare:compare", TRAINING),
    "predict": ("netwright.cli.predict:predict", USING),
    "evaluate": ("netwright.cli.evaluate:evaluate", USING),
    "report": ("netwright.cli.report:report", USING),
    "runs": ("netwright.cli.runs:app", USING),
    "look": ("netwright.cli.look:app", LOOKING),
    "data": ("netwright.cli.data:app", LOOKING),
    "doctor": ("netwright.cli.doctor:doctor", SETTING_UP),
    "recipes": ("netwright.cli.recipes:app", SETTING_UP),
}
ALONE = {"--version", "--help", "-h", "--install-completion"}

PROLOGUE = """You say what goes in and what comes out; netwright trains the neural network and shows what it learned.

    netwright train digits                                a recipe with a name
    netwright train photos/ --in image --out category     a folder of class folders
    netwright train houses.csv --out price                a table: every other column goes in
    netwright train drive.yaml                            a whole spec
    netwright predict runs/photos-1 new.jpg               three likeliest classes
"""


def _make() -> App:
    app = App(
        name="netwright",
        help=PROLOGUE,
        help_format="plaintext",
        version=lambda: version("netwright"),
        console=console(),
        print_error=False,
        exit_on_error=False,
        suppress_keyboard_interrupt=False,
        result_action="return_value",
        group_commands=SETTING_UP,
    )
    for order, (name, (where, group)) in enumerate(VERBS.items()):
        app.command(where, name=name, group=group, sort_key=order)
    app.register_install_completion_command(group=SETTING_UP, help="Make the shell complete netwright's words.")
    app["--help"].group = app["--version"].group = SETTING_UP
    return app


def run(words: list[str]) -> int:
    """Runs one command line; see `netwright.cli.main`.

    Raises:
        KeyboardInterrupt: Ctrl-C before or after the library minds signals.
        BrokenPipeError: Nobody reads standard output any more.
    """
    app = _make()
    show_traceback = "--traceback" in words
    if not show_traceback:
        sys.excepthook = _unexpected
    try:
        app(words)
    except CycloptsError as exc:
        if show_traceback:
            raise
        say_error(*_all_mistakes(app, words, exc))
        return 2
    except NetwrightError as exc:
        if show_traceback and exc.exit_code not in {0, 130, 143}:
            raise
        say_error(exc.message, exc.cure, "stopped" if exc.exit_code in {0, 130, 143} else "error")
        return exc.exit_code
    except BrokenPipeError:
        raise
    except (OSError, MemoryError) as exc:
        if show_traceback:
            raise
        return _refused(exc)
    return 0


def _refused(exc: OSError | MemoryError) -> int:
    """The machine said no: which file, which limit."""
    if isinstance(exc, MemoryError):
        say_error("the memory of this machine is used up.", "Use a smaller --batch-size, or close other programs.")
        return 5
    named = f"{exc.filename}: " if exc.filename else ""
    say_error(f"{named}{exc.strerror or exc}.", "Check the path and its permissions, or add --traceback for details.")
    return 5 if exc.errno in {errno.ENOSPC, errno.EDQUOT, errno.EMFILE, errno.ENOMEM} else 1


def _unexpected(kind: type[BaseException], exc: BaseException, _: TracebackType | None) -> None:
    """Stands in for the traceback of an error nobody foresaw; Python then exits with 1."""
    lines = str(exc).strip().splitlines()
    told = f"{kind.__name__}: {lines[0]}" if lines else kind.__name__
    say_error(f"netwright made a mistake of its own ({told}).", "Run it again with --traceback and report what it shows.")


def _all_mistakes(app: App, words: list[str], first: CycloptsError) -> tuple[str, str]:
    """Every mistyped option of a command line at once, as (what is wrong, what to do)."""
    told: list[str] = []
    rest, error = list(words), first
    while isinstance(error, UnknownOptionError) and len(told) < 10:
        told.append(_in_words(error))
        wrong = error.token.keyword or error.token.value
        place = next((i for i, word in enumerate(rest) if word.split("=")[0] == wrong.split("=")[0]), None)
        if place is None:
            break
        del rest[place]
        try:
            app.parse_args(rest)
            break
        except CycloptsError as exc:
            error = exc
    if not told:
        told = [_in_words(first)]
    verb = next((f" {word}" for word in words if word in VERBS), "")
    return "\n".join(dict.fromkeys(told)), f"See `netwright{verb} --help`."


def _in_words(error: CycloptsError) -> str:
    if isinstance(error, UnknownOptionError):
        wrong = (error.token.keyword or error.token.value).split("=")[0]
        known = [name for argument in error.argument_collection for name in argument.names if argument.parse]
        return f'unknown option "{wrong}"{nearest(wrong, known)}.'
    error.verbose = False
    return str(error).strip()
