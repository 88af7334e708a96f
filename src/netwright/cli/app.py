"""The verbs by name, and what becomes of an error: two lines, `error:` and `try:`, and an exit code."""

from __future__ import annotations

import errno
import os
import signal
import sys
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from types import FrameType, TracebackType

from cyclopts import App, Group, Parameter
from cyclopts.exceptions import CoercionError, CycloptsError, UnknownOptionError

from netwright.cli.screen import Output, console, say_error
from netwright.errors import NetwrightError, ResourceError
from netwright.registry import nearest

TRAINING = Group("Train", sort_key=1)
USING = Group("Use", sort_key=2)
LOOKING = Group("Look closer", sort_key=3)
SETTING_UP = Group("Set up", sort_key=4)

# Loaded by name when first needed, so that one verb costs the import of one file and the list of verbs none.
VERBS = {
    "train": ("netwright.cli.train:train", TRAINING, "Train a network on your examples and write its report."),
    "plan": ("netwright.cli.plan:plan", TRAINING, "Say what training would do, without doing it."),
    "resume": ("netwright.cli.resume:resume", TRAINING, "Go on with a run that was stopped or killed."),
    "compare": ("netwright.cli.compare:compare", TRAINING, "Train with several values of a setting and compare."),
    "transfer": (
        "netwright.cli.transfer:transfer",
        TRAINING,
        "Measure what a trained model is worth on your examples.",
    ),
    "predict": ("netwright.cli.predict:predict", USING, "Answer for new examples."),
    "sample": (
        "netwright.cli.sample:sample",
        USING,
        "Write on from a beginning, with a language model, or about what goes in.",
    ),
    "evaluate": ("netwright.cli.evaluate:evaluate", USING, "Score a trained model beside its baselines."),
    "serve": (
        "netwright.cli.serve:serve",
        USING,
        "Open a page where a trained model answers: write, drop a picture or a sound, type.",
    ),
    "features": ("netwright.cli.features:features", USING, "Write what a layer makes of examples, one row each."),
    "export": (
        "netwright.cli.export:export",
        USING,
        "Write a trained model as ONNX, or its weights alone, for other programs.",
    ),
    "report": ("netwright.cli.report:report", USING, "Write a run's report again, as a page or as PDF."),
    "runs": ("netwright.cli.runs:app", USING, "List runs, and clear away what is no longer needed."),
    "data": ("netwright.cli.data:app", LOOKING, "Look at examples, check them, fetch known data sets."),
    "doctor": ("netwright.cli.doctor:doctor", LOOKING, "Say what is wrong with a run, or with this installation."),
    "look": ("netwright.cli.look:app", LOOKING, "Look into a trained network."),
    "explain": ("netwright.cli.explain:explain", LOOKING, "Say what a part computes: formula, options, source."),
    "zoo": ("netwright.cli.zoo:app", SETTING_UP, "Keep trained models under names, to predict or start from."),
    "recipes": ("netwright.cli.recipes:app", SETTING_UP, "List the recipes: complete specs with a name."),
    "--install-completion": (
        "netwright.cli.completion:install",
        SETTING_UP,
        "Teach your shell to complete netwright's words with the tab key.",
    ),
}

PROLOGUE = """You say what goes in and what comes out; netwright trains the neural network and shows what it learned.

    netwright train digits                              a recipe with a name
    netwright train photos/ --in image --out category   a folder of class folders
    netwright train houses.csv --out price              a table: all else goes in
    netwright train drive.yaml                          a whole spec
    netwright predict runs/photos-1 new.jpg             three likeliest classes
"""


def _version() -> str:
    from importlib.metadata import version  # 25 ms that only this answer is worth

    return version("netwright")


def make_app(*, listing: bool) -> App:
    """The command line with all its verbs.

    Args:
        listing: Whether only the list of verbs will be shown; it then comes from `VERBS`, and no verb is imported.
    """
    app = App(
        name="netwright",
        help=PROLOGUE,
        help_format="plaintext",
        version=_version,
        default_parameter=Parameter(show_default=False, negative=()),
        console=console(),
        print_error=False,
        exit_on_error=False,
        suppress_keyboard_interrupt=False,
        result_action="return_value",
        group_commands=SETTING_UP,
    )
    for order, (name, (where, group, summary)) in enumerate(VERBS.items()):
        app.command(where, name=name, group=group, sort_key=order, help=summary if listing else None)
    app["--help"].group = app["--version"].group = SETTING_UP
    return app


def run(words: list[str]) -> int:
    """Runs one command line; see `netwright.cli.main`.

    Raises:
        KeyboardInterrupt: Ctrl-C before or after the library minds signals.
        BrokenPipeError: Nobody reads standard output any more.
    """
    app = make_app(listing=not words or words[0] in {"--help", "-h"})
    if "--traceback" in words:
        app(words)
        return 0
    sys.excepthook = _unexpected
    try:
        with _ctrl_c_counts():
            app(words)
    except CycloptsError as exc:
        return told(words, *_all_mistakes(app, words, exc), 2)
    except NetwrightError as exc:
        return told(words, exc.message, exc.cure, exc.exit_code)
    except BrokenPipeError:
        raise
    except (OSError, MemoryError) as exc:
        return told(words, *_refused(exc))
    return 0


def told(words: list[str], message: str, cure: str, code: int) -> int:
    """Says on standard error what went wrong, and to a machine that asked for JSON on standard output as well."""
    stopped = code in {0, 130, 143}
    say_error(message, cure, "stopped" if stopped else "error")
    if "--json" in words:
        Output(json=True).document({"stopped" if stopped else "error": message, "try": cure, "exit_code": code})
    return code


@contextmanager
def _ctrl_c_counts() -> Iterator[None]:
    """Ctrl-C ends the block with KeyboardInterrupt, and the process at once while it still loads modules.

    There the exception may get lost: numpy makes an ImportError of it, and importlib's own callbacks drop it.
    """

    def press(signum: int, frame: FrameType | None) -> None:
        while frame is not None:
            if frame.f_code.co_filename.startswith("<frozen importlib"):
                os._exit(130)
            frame = frame.f_back
        raise KeyboardInterrupt

    try:
        before = signal.signal(signal.SIGINT, press)
    except ValueError:  # not the main thread: whoever owns that one minds the signals
        yield
        return
    try:
        yield
    finally:
        signal.signal(signal.SIGINT, before)


def _refused(exc: OSError | MemoryError) -> tuple[str, str, int]:
    """The machine said no: which file, which limit; with what to do and the exit code."""
    if isinstance(exc, MemoryError):
        return "the memory of this machine is used up.", "Use a smaller --batch-size, or close other programs.", 5
    if exc.errno in {errno.ENOSPC, errno.EDQUOT, errno.EMFILE, errno.ENFILE}:
        from netwright import files  # which every other command line does without

        try:
            with files.explained(Path(str(exc.filename or "."))):
                raise exc
        except ResourceError as told:
            return told.message, told.cure, told.exit_code
    named = f"{exc.filename}: " if exc.filename else ""
    cure = "Check the path and its permissions, or add --traceback for details."
    return f"{named}{exc.strerror or exc}.", cure, 5 if exc.errno == errno.ENOMEM else 1


def _unexpected(kind: type[BaseException], exc: BaseException, _: TracebackType | None) -> None:
    """Stands in for the traceback of an error nobody foresaw; Python then exits with 1."""
    lines = str(exc).strip().splitlines()
    told = f"{kind.__name__}: {lines[0]}" if lines else kind.__name__
    say_error(
        f"netwright made a mistake of its own ({told}).", "Run it again with --traceback and report what it shows."
    )


def _all_mistakes(app: App, words: list[str], first: CycloptsError) -> tuple[str, str]:
    """Every mistyped option and impossible value of a command line at once, as (what is wrong, what to do)."""
    told = [_in_words(first)]
    rest, error = list(words), first
    while isinstance(error, UnknownOptionError | CoercionError) and len(told) < 10:
        if not _without(rest, error):
            break
        try:
            app.parse_args(rest)
            break
        except CycloptsError as exc:
            error = exc
        if isinstance(error, UnknownOptionError | CoercionError):
            told.append(_in_words(error))
    verb = next((f" {word}" for word in words if word in VERBS), "")
    return "\n".join(dict.fromkeys(told)), f"See `netwright{verb} --help`."


def _without(words: list[str], error: UnknownOptionError | CoercionError) -> bool:
    """Takes the wrong option and its value out of the words, to look for further mistakes in the rest."""
    token = error.token
    wrong = (token.keyword or token.value).split("=")[0] if token else ""
    place = next((i for i, word in enumerate(words) if word.split("=")[0] == wrong), None)
    if place is None:
        return False
    alone = "=" in words[place] or place + 1 == len(words) or words[place + 1].startswith("--")
    del words[place : place + (1 if alone else 2)]
    return True


def _in_words(error: CycloptsError) -> str:
    if isinstance(error, UnknownOptionError):
        wrong = (error.token.keyword or error.token.value).split("=")[0]
        known = [name for argument in error.argument_collection for name in argument.names if argument.parse]
        return f'unknown option "{wrong}"{nearest(wrong, known)}.'
    error.verbose = False
    text = str(error).strip()
    return text[:1].lower() + text[1:]
