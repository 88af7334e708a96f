"""Progress without a terminal is rare plain lines; on one it is a bar that leaves nothing behind."""

import io

from rich.console import Console

from netwright.cli.display import Screen
from netwright.cli.screen import console


class Clock:
    now = 0.0

    def __call__(self) -> float:
        return self.now


def screen(*, terminal: bool = False, width: int = 80) -> tuple[Screen, io.StringIO, Clock]:
    text, clock = io.StringIO(), Clock()
    out = Console(file=text, force_terminal=terminal, width=width, color_system=None, highlight=False, markup=False)
    return Screen(out, clock), text, clock


def test_without_a_terminal_a_line_comes_every_five_seconds() -> None:
    display, text, clock = screen()
    display.stage("reading images", 1000)
    for second in range(12):
        clock.now = float(second)
        display.advance(second * 50)
    display.close()
    assert text.getvalue().splitlines() == [
        "reading images: 250 of 1,000 (25%, 15 s left), 50/s",
        "reading images: 500 of 1,000 (50%, 10 s left), 50/s",
        "reading images: 550 of 1,000 (55%, 9 s left), 50/s",
    ]


def test_quick_stages_say_nothing_without_a_terminal() -> None:
    display, text, _ = screen()
    display.stage("checking", 10)
    display.advance(10)
    display.stage("training", 0)
    display.close()
    assert text.getvalue() == ""


def test_a_stage_of_unknown_length_shows_count_and_rate() -> None:
    display, text, clock = screen()
    display.stage("reading tar", 0)
    clock.now = 10.0
    display.advance(20)
    assert text.getvalue() == "reading tar: 20, 2/s\n"


def test_epochs_are_a_table_of_the_first_the_last_and_some_between() -> None:
    display, text, clock = screen()
    for epoch in range(1, 13):
        clock.now = float(epoch)
        display.epoch({"epoch": epoch, "validation_accuracy": 0.5})
    display.close()
    lines = text.getvalue().splitlines()
    assert lines[:2] == ["  epoch  val accuracy", "      1        0.5000"]
    assert [line.split()[0] for line in lines[1:]] == ["1", "6", "11", "12"]


def test_epochs_of_a_narrow_terminal_stay_on_one_line() -> None:
    display, text, _ = screen(terminal=True, width=30)
    display.epoch({"epoch": 1, "loss": 0.25, "validation_loss": 0.5, "validation_accuracy": 0.75})
    assert text.getvalue().splitlines() == ["  epoch     loss  val loss", "      1   0.2500    0.5000"]


def test_notes_are_not_markup() -> None:
    display, text, _ = screen()
    display.note("class [bold]x[/bold]")
    assert text.getvalue() == "class [bold]x[/bold]\n"


def test_a_bar_fits_a_narrow_terminal() -> None:
    for width in (20, 40, 80):
        display, text, _ = screen(terminal=True, width=width)
        display.stage("training", 100)
        display.advance(50)
        display.note("half way")
        display.close()
        assert "half way" in text.getvalue()


def test_a_closed_standard_error_ends_the_words_not_the_work() -> None:
    class Closed(io.StringIO):
        def write(self, _: str) -> int:
            raise BrokenPipeError

    out = console(stderr=True)
    out.file = Closed()
    display = Screen(out, Clock())
    display.note("nobody reads this")
    display.epoch({"epoch": 1})
