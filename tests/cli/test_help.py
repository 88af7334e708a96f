"""Help texts against golden files; NETWRIGHT_UPDATE_GOLDEN=1 writes them anew."""

import ast
import os
import resource
import subprocess
import sys
from collections.abc import Callable
from pathlib import Path

import pytest

from netwright.cli.app import VERBS, make_app

Run = Callable[..., subprocess.CompletedProcess[str]]
PAGES = [
    [],
    *([verb] for verb in VERBS),
    ["data", "show"],
    ["data", "check"],
    ["data", "get"],
    ["data", "cache"],
    ["runs", "list"],
    ["runs", "clean"],
    ["look", "step"],
    ["look", "shifts"],
    ["look", "probes"],
    ["look", "sharing"],
    ["look", "map"],
    ["look", "maps"],
    ["look", "steps"],
    ["look", "memory"],
    ["look", "bptt"],
    ["look", "words"],
    ["recipes", "show"],
]
HEAVY = ("torch", "numpy", "pyarrow", "sklearn", "PIL", "pydantic", "jinja2", "yaml")


@pytest.mark.parametrize("words", PAGES, ids=lambda words: " ".join(words) or "netwright")
def test_help_is_golden(
    words: list[str], repository: Path, capsys: pytest.CaptureFixture[str], monkeypatch: pytest.MonkeyPatch
) -> None:
    from netwright.cli import main

    monkeypatch.setenv("COLUMNS", "80")
    assert main([*words, "--help"]) == 0
    shown = "\n".join(line.rstrip() for line in capsys.readouterr().out.splitlines()) + "\n"
    golden = repository / "tests" / "golden" / "help" / f"{'_'.join(words).replace('--', '') or 'netwright'}.txt"
    if os.environ.get("NETWRIGHT_UPDATE_GOLDEN") == "1":
        golden.write_text(shown, encoding="utf-8")
    assert shown == golden.read_text(encoding="utf-8"), "NETWRIGHT_UPDATE_GOLDEN=1 pytest tests/cli writes it anew"


def test_what_a_page_says_of_a_parameter_is_one_line_of_its_source(repository: Path) -> None:
    """Whatever is written on two lines breaks twice: where the source does, and where the screen ends."""
    for path in (repository / "src" / "netwright" / "cli").glob("*.py"):
        for node in ast.walk(ast.parse(path.read_text(encoding="utf-8"))):
            if not isinstance(node, ast.FunctionDef | ast.ClassDef):
                continue
            _, _, args = (ast.get_docstring(node) or "").partition("Args:\n")
            assert not [line for line in args.splitlines() if line.startswith(" " * 8)], f"{path.name}: {node.name}"


def test_list_of_verbs_says_what_each_verb_says_of_itself() -> None:
    app = make_app(listing=False)
    for name, (_, _, summary) in VERBS.items():
        assert app[name].help.splitlines()[0] == summary


def test_help_imports_nothing_heavy_and_is_quick() -> None:
    code = (
        "import sys; from netwright.cli import main; code = main(['--help']);"
        f"print([name for name in {HEAVY!r} if name in sys.modules], file=sys.stderr); sys.exit(code)"
    )
    seconds = []
    for _ in range(5):
        before = resource.getrusage(resource.RUSAGE_CHILDREN)
        done = subprocess.run([sys.executable, "-c", code], capture_output=True, text=True, check=True)
        after = resource.getrusage(resource.RUSAGE_CHILDREN)
        seconds.append(after.ru_utime + after.ru_stime - before.ru_utime - before.ru_stime)
        assert done.stderr.strip() == "[]"
    # Processor time, since other tests run beside this one; benchmarks/help_time.py keeps 0.3 s by the clock.
    assert min(seconds) < 0.5


def test_each_verb_has_a_file_of_its_own_and_its_help_imports_nothing_heavy(repository: Path) -> None:
    for where, *_ in VERBS.values():
        module = where.partition(":")[0].rpartition(".")[2]
        tree = ast.parse((repository / "src" / "netwright" / "cli" / f"{module}.py").read_text(encoding="utf-8"))
        tops = {
            name
            for node in tree.body
            if isinstance(node, ast.Import | ast.ImportFrom)
            for name in ([alias.name for alias in node.names] if isinstance(node, ast.Import) else [node.module or ""])
        }
        assert not {name for name in tops if name.partition(".")[0] in HEAVY}


def test_version(netwright: Run) -> None:
    done = netwright("--version")
    assert done.returncode == 0
    assert done.stdout.count(".") == 2
