"""The counter starts a stage whenever the name changes."""

from netwright.progress import Counter, Silent


class Remembered(Silent):
    def __init__(self) -> None:
        self.calls: list[tuple[str, int] | int] = []

    def stage(self, name: str, total: int) -> None:
        self.calls.append((name, total))

    def advance(self, done: int) -> None:
        self.calls.append(done)


def test_a_new_name_is_a_new_stage() -> None:
    display = Remembered()
    progress = Counter(display)
    progress("reading", 1, 9)
    progress("reading", 2, 9)
    progress("fitting", 0, 3)
    assert display.calls == [("reading", 9), 1, 2, ("fitting", 3), 0]
