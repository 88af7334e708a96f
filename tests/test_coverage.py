"""The tables in docs/ say what the proofs and the fault tests say, and every command in them can still be typed."""

import importlib.util
import shlex
import sys
from pathlib import Path
from types import ModuleType

import pytest

from netwright.cli.app import make_app

REPOSITORY = Path(__file__).resolve().parents[1]


def script(name: str) -> ModuleType:
    spec = importlib.util.spec_from_file_location(f"scripts_{name}", REPOSITORY / "scripts" / f"{name}.py")
    assert spec is not None
    assert spec.loader is not None
    module = importlib.util.module_from_spec(spec)
    sys.modules[spec.name] = module
    spec.loader.exec_module(module)
    return module


coverage, promises, benchmarks = script("coverage"), script("promises"), script("benchmarks")
checks = script("checks")
LINES = coverage.lines()


def test_coverage_table_is_what_the_proofs_measured() -> None:
    written = (REPOSITORY / "docs" / "coverage.md").read_text(encoding="utf-8")
    assert written == coverage.page(LINES, coverage.others()), "docs/coverage.md is stale: run scripts/coverage.py"


@pytest.mark.parametrize("line", LINES, ids=lambda line: line.id)
def test_command_of_a_row_can_be_typed(line: object) -> None:
    program, *words = shlex.split(line.command)  # type: ignore[attr-defined]
    if program == "python":
        assert (REPOSITORY / words[0]).is_file()
        return
    assert program == "netwright"
    _, bound, _ = make_app(listing=False).parse_args(words, exit_on_error=False, print_error=False)
    settings = bound.arguments.get("settings")
    if settings is not None:
        settings.values()


def test_a_mistyped_command_is_noticed() -> None:
    with pytest.raises(Exception, match="epoch"):
        make_app(listing=False).parse_args(["train", "digits", "--epoch", "3"], exit_on_error=False, print_error=False)


def test_one_row_has_one_proof(tmp_path: Path) -> None:
    row = '{"id": "A05", "name": "n", "command": "c", "measured": "m", "kept": true}'
    for name in ("one", "two"):
        (tmp_path / f"{name}.json").write_text(f'{{"date": "2026-01-01", "rows": [{row}]}}', encoding="utf-8")
    with pytest.raises(ValueError, match="row A05 stands in one and in two"):
        coverage.lines(tmp_path)


def test_promises_table_names_every_fault_test() -> None:
    written = promises.listed((REPOSITORY / "docs" / "promises.md").read_text(encoding="utf-8"))
    wanted = {(", ".join(promise.ids), promise.node) for promise in promises.promises()}
    assert written == wanted, "docs/promises.md is stale: run scripts/promises.py"


def test_benchmarks_page_is_what_was_measured() -> None:
    written = (REPOSITORY / "docs" / "benchmarks.md").read_text(encoding="utf-8")
    assert written == benchmarks.page(), "docs/benchmarks.md is stale: run scripts/benchmarks.py"


def test_doctor_page_is_what_every_check_says_about_its_fault() -> None:
    written = (REPOSITORY / "docs" / "doctor.md").read_text(encoding="utf-8")
    assert written == checks.page(), "docs/doctor.md is stale: run scripts/checks.py"


def test_a_test_ends_as_its_worst_case_does(tmp_path: Path) -> None:
    cases = "".join(
        f'<testcase classname="tests.faults.test_x" name="{name}">{inner}</testcase>'
        for name, inner in (
            ("test_c1_a[1]", ""),
            ("test_c1_a[2]", '<skipped message="needs root"/>'),
            ("test_c2_b", "<failure/>"),
        )
    )
    (tmp_path / "junit.xml").write_text(f"<testsuites><testsuite>{cases}</testsuite></testsuites>", encoding="utf-8")
    assert promises.results(tmp_path / "junit.xml") == {
        "tests/faults/test_x.py::test_c1_a": "skipped: needs root, 2 cases",
        "tests/faults/test_x.py::test_c2_b": "failed",
    }
