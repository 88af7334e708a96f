"""The verbs on a real run: what people see, what machines get, and what the next command is."""

import json
import math
import os
import subprocess
import sys
import time
from collections.abc import Callable
from datetime import datetime, timedelta
from pathlib import Path

import pyarrow as pa
import pyarrow.parquet as pq
import pytest

from netwright.cli import main

Shown = Callable[..., tuple[int, str, str]]


@pytest.fixture(scope="module")
def table(tmp_path_factory: pytest.TempPathFactory) -> Path:
    path = tmp_path_factory.mktemp("verbs") / "flowers.csv"
    rows = [f"{0.1 * i:.1f},{'red' if i % 2 else 'blue'},{'tall' if i > 30 else 'small'}" for i in range(60)]
    path.write_text("\n".join(["size,colour,class", *rows]) + "\n", encoding="utf-8")
    return path


@pytest.fixture(scope="module")
def run_folder(table: Path, session_cache: Path) -> Path:
    """The table, trained for a few epochs by the command line."""
    folder = table.parent / "run"
    assert main(["train", str(table), "--out", "class", "--to", str(folder), "--epochs", "5", "--quiet"]) == 0
    return folder


@pytest.fixture
def shown(capsys: pytest.CaptureFixture[str], monkeypatch: pytest.MonkeyPatch, session_cache: Path) -> Shown:
    monkeypatch.setenv("NETWRIGHT_CACHE", str(session_cache))

    def run(*words: str) -> tuple[int, str, str]:
        capsys.readouterr()
        code = main(words)
        told = capsys.readouterr()
        return code, told.out, told.err

    return run


def test_train_shows_score_baselines_answers_and_the_next_command(
    netwright: Callable[..., subprocess.CompletedProcess[str]], table: Path
) -> None:
    done = netwright("train", str(table), "--out", "class", "--epochs", "5", "--to", "run")
    assert done.returncode == 0, done.stderr
    assert "held-out examples right (95 % interval" in done.stdout.splitlines()[0]
    for said in ("report: run/report.html", "model:  run/model.netwright", "next:   netwright predict run", "%"):
        assert said in done.stdout
    assert "data.split" in done.stderr
    assert "epoch" in done.stderr
    assert "\x1b" not in done.stdout + done.stderr


def test_json_of_train_is_one_document(shown: Shown, table: Path, tmp_path: Path) -> None:
    words = ["--out", "class", "--epochs", "2", "--json", "--quiet", "--to", str(tmp_path / "run")]
    code, out, err = shown("train", str(table), *words)
    assert code == 0
    assert err == ""
    document = json.loads(out)
    assert 0 <= document["scores"]["class"]["test"]["accuracy"] <= 1
    assert document["report"].endswith("report.html")


def test_plan_trains_nothing(shown: Shown, table: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.chdir(tmp_path)
    code, out, _ = shown("plan", str(table), "--out", "class", "--layers", "dense 8, tanh")
    assert code == 0
    assert "dense 8" in out
    assert list(tmp_path.iterdir()) == []


def test_predict_answers_for_a_table(shown: Shown, run_folder: Path, tmp_path: Path) -> None:
    (tmp_path / "new.csv").write_text("size,colour\n0.1,blue\n5.9,red\n", encoding="utf-8")
    code, out, _ = shown("predict", str(run_folder), str(tmp_path / "new.csv"), "--save", str(tmp_path / "all.csv"))
    assert code == 0
    assert "%" in out
    assert len((tmp_path / "all.csv").read_text(encoding="utf-8").splitlines()) == 3
    code, out, _ = shown("predict", str(run_folder), str(tmp_path / "new.csv"), "--json")
    assert [set(row) >= {"id", "class"} for row in json.loads(out)] == [True, True]


def test_evaluate_counts_its_reading(shown: Shown, run_folder: Path) -> None:
    code, out, _ = shown("evaluate", str(run_folder), "--json")
    assert code == 0
    assert json.loads(out)["reads"] >= 2


def test_evaluate_tells_what_is_mistaken_for_what(shown: Shown, run_folder: Path, tmp_path: Path) -> None:
    rows = [f"{0.01 * place},blue,tall\n{5.9 - 0.01 * place},red,small" for place in range(4)]
    (tmp_path / "wrong.csv").write_text("\n".join(["size,colour,class", *rows]), encoding="utf-8")
    code, out, _ = shown("evaluate", str(run_folder), "--data", str(tmp_path / "wrong.csv"), "--json")
    assert code == 0
    found = json.loads(out)["mistakes"]["class"]
    pairs = {(true, said): count for true, said, count, _ in found["confused"]}
    assert sum(pairs.values()) == len(found["surest"]) > 0
    assert (
        {(true, said) for _, true, said, _ in found["surest"]} == pairs.keys() <= {("tall", "small"), ("small", "tall")}
    )
    shares = [share for *_, share in found["surest"]]
    assert shares == sorted(shares, reverse=True)
    _, out, _ = shown("evaluate", str(run_folder), "--data", str(tmp_path / "wrong.csv"))
    assert "class: most often taken for another: " in out
    assert "class: surest mistakes: row " in out


def test_evaluate_prints_a_table_of_crops_and_models(shown: Shown, run_folder: Path) -> None:
    code, out, _ = shown("evaluate", "--crops", "1", "--ensemble", f"{run_folder},{run_folder}", str(run_folder))
    assert code == 0
    lines = out.splitlines()
    assert lines[1].split("  ")[0] == "model"
    assert [line.split()[0] for line in lines[2:6]] == ["run", "run", "run", "ensemble"]
    assert max(map(len, lines[:6])) <= 80
    code, out, _ = shown("evaluate", "--ensemble", str(run_folder), str(run_folder), "--json")
    rows = json.loads(out)["rows"]
    assert [row["models"] for row in rows] == [1, 1, 2]
    assert shown("evaluate", "--crops", "1,x", str(run_folder))[0] == 2
    assert 'error: --crops: "x" is no number of crops' in shown("evaluate", "--crops", "1,x", str(run_folder))[2]


def test_runs_lists_and_clears(shown: Shown, run_folder: Path) -> None:
    code, out, _ = shown("runs", str(run_folder.parent))
    assert code == 0
    assert "run" in out
    assert "done" in out
    assert max(map(len, out.splitlines())) <= 80
    code, out, _ = shown("runs", "clean", str(run_folder.parent))
    assert code == 0
    assert "could go" in out


def test_report_is_written_where_asked(shown: Shown, run_folder: Path, tmp_path: Path) -> None:
    code, out, _ = shown("report", str(run_folder), "--html", str(tmp_path / "page.html"))
    assert code == 0
    assert out == f"report: {tmp_path / 'page.html'}\n"
    assert (tmp_path / "page.html").read_text(encoding="utf-8").startswith("<!")


def test_doctor_of_a_run_and_of_the_installation(shown: Shown, run_folder: Path) -> None:
    assert shown("doctor", str(run_folder))[0] == 0
    code, out, _ = shown("doctor", "--json")
    assert code == 0
    assert {"name", "state", "message", "cure"} == set(json.loads(out)[0])


def test_look_step_shows_loss_before_and_after(shown: Shown, run_folder: Path) -> None:
    code, out, _ = shown("look", "step", str(run_folder))
    assert code == 0
    assert "before" in out
    assert "after" in out


def test_data_show_check_and_cache(shown: Shown, table: Path) -> None:
    code, out, _ = shown("data", "show", str(table), "--out", "class")
    assert code == 0
    assert "small" in out
    assert shown("data", "check", str(table), "--out", "class")[0] == 0
    code, out, _ = shown("data", "cache")
    assert code == 0
    assert "flowers.csv" in out


def test_recipes_show_is_yaml_that_trains(shown: Shown) -> None:
    from netwright import recipes
    from netwright.spec import load

    code, out, _ = shown("recipes", "show", "digits")
    assert code == 0
    assert load(out) == recipes.load("digits")


def test_a_missing_output_names_the_columns(shown: Shown, table: Path) -> None:
    code, _, err = shown("train", str(table))
    assert code == 2
    assert "try: Add --out NAME. The data has: size, colour, class." in err


@pytest.mark.parametrize(
    ("others", "said", "wanted"),
    [
        (9.0, None, "1000"),
        (9.0, "7", "7"),
        (0.0, None, None),
        (0.0, "7", "7"),
        (math.nan, None, "1000"),
        (-9.0, None, "1000"),
    ],
)
def test_waiting_threads_sleep_beside_busy_programs_unless_the_environment_says_otherwise(
    others: float, said: str | None, wanted: str | None, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("GOMP_SPINCOUNT", said or "")
    if said is None:
        del os.environ["GOMP_SPINCOUNT"]
    looks = iter((0.0, others))
    monkeypatch.setattr("netwright.cli._used", lambda: next(looks) + time.process_time())
    assert main(["--version"]) == 0
    assert os.environ.get("GOMP_SPINCOUNT") == wanted


@pytest.mark.skipif(not Path("/proc/stat").exists(), reason="only Linux tells what all programs use")
def test_a_busy_program_is_noticed() -> None:
    busy = [subprocess.Popen([sys.executable, "-c", "while True: pass"]) for _ in range(os.cpu_count() or 1)]
    try:
        code = "import os; from netwright.cli import main; main(['--version']); print(os.environ['GOMP_SPINCOUNT'])"
        own = {name: value for name, value in os.environ.items() if name != "GOMP_SPINCOUNT"}
        found = subprocess.run([sys.executable, "-c", code], capture_output=True, text=True, check=True, env=own)
    finally:
        for each in busy:
            each.kill()
            each.wait()
    assert found.stdout.splitlines()[-1] == "1000"


def test_large_tensors_come_in_large_pages_unless_the_environment_says_otherwise() -> None:
    switch = Path("/sys/kernel/mm/transparent_hugepage/enabled")
    if not switch.exists() or "[madvise]" not in switch.read_text(encoding="utf-8"):
        pytest.skip("the system gives no large pages to who asks for them")
    code = (
        "import resource; from netwright.cli import main; main(['--version']); import torch; torch.empty(9)\n"
        "before = resource.getrusage(resource.RUSAGE_SELF).ru_minflt\n"
        "torch.empty(16_000_000).fill_(1.0)\n"
        "print(resource.getrusage(resource.RUSAGE_SELF).ru_minflt - before)"
    )
    bare = {name: value for name, value in os.environ.items() if name != "THP_MEM_ALLOC_ENABLE"}
    found = {}
    for said in ("", "0"):
        env = bare | ({"THP_MEM_ALLOC_ENABLE": said} if said else {})
        ran = subprocess.run([sys.executable, "-c", code], env=env, capture_output=True, text=True, check=True)
        found[said] = int(ran.stdout.split()[-1])
    assert found["0"] > 10_000  # 64 MB by 4 KB
    assert found[""] < found["0"] / 4


def test_an_error_is_one_json_document_too(shown: Shown) -> None:
    code, out, err = shown("plan", "nothing-here", "--json")
    assert json.loads(out)["exit_code"] == code == 2
    assert json.loads(out)["error"] in err


def test_predict_with_no_answer_at_all_ends_with_3_and_keeps_ids(
    shown: Shown, run_folder: Path, tmp_path: Path
) -> None:
    new = tmp_path / "new.csv"
    new.write_text("id,size,colour\nK1,0.5,green\nK2,x,red\n", encoding="utf-8")
    code, out, err = shown("predict", str(run_folder), str(new))
    assert code == 3
    assert "none of 2 examples could be answered" in err
    assert "K1" in out
    code, out, _ = shown("predict", str(run_folder), str(new), "--json")
    assert code == json.loads(out)["exit_code"] == 3


def test_a_base_of_which_nothing_fits_is_refused(shown: Shown, run_folder: Path, tmp_path: Path) -> None:
    code, _, err = shown("train", "digits", "--from", str(run_folder), "--to", str(tmp_path / "run"), "--quiet")
    assert code == 2
    assert "would start afresh" in err


def test_a_column_that_numbers_the_rows_is_left_out(shown: Shown, tmp_path: Path) -> None:
    rows = [f"{n},{n * n % 83},{n % 7 + 0.5}" for n in range(40)]
    (tmp_path / "t.csv").write_text("\n".join(["id,a,y", *rows]), encoding="utf-8")
    code, out, _ = shown("plan", str(tmp_path / "t.csv"), "--out", "y")
    assert code == 0
    assert "inputs.id.kind: left out (numbers the rows: an identifier)" in out


def test_a_column_that_is_left_out_is_not_listed_among_the_inputs(shown: Shown, tmp_path: Path) -> None:
    rows = [f"{1000 + n},{n * 0.3:.1f},{n % 7},{'a' if n % 3 else 'b'}" for n in range(60)]
    (tmp_path / "t.csv").write_text("\n".join(["customer_id,x,z,y", *rows]) + "\n", encoding="utf-8")
    code, out, _ = shown("plan", str(tmp_path / "t.csv"), "--out", "y")
    assert code == 0
    assert "inputs: x, z (every column" in out


def test_scoring_on_what_was_learned_from_is_told(shown: Shown, run_folder: Path, table: Path) -> None:
    code, out, _ = shown("evaluate", str(run_folder), "--data", str(table), "--quiet")
    assert code == 0
    assert "of 60 examples were learned from: their score says nothing about new ones" in out


def test_varying_an_unknown_setting_names_the_nearest(shown: Shown, table: Path) -> None:
    code, _, err = shown("compare", str(table), "--out", "class", "--vary", "dpth=1,2")
    assert code == 2
    assert 'unknown setting "dpth" (did you mean "depth"?)' in err


@pytest.mark.parametrize(
    "words", [("plan", "--layers", "", "--activation", "elu"), ("compare", "--layers", "", "--vary", "depth=1,2")]
)
def test_layers_and_a_shape_at_once_are_refused(shown: Shown, words: tuple[str, ...]) -> None:
    code, _, err = shown(words[0], "digits", *words[1:])
    assert code == 2
    assert "say the same thing twice" in err


def test_dates_go_in_and_are_refused_as_numbers_and_as_outputs(shown: Shown, tmp_path: Path) -> None:
    days = [datetime(2026, 1, 1) + timedelta(days=n * n % 83) for n in range(40)]
    table = pa.table({"day": days, "x": [n * 0.7 for n in range(40)], "y": [n % 7 + 0.5 for n in range(40)]})
    pq.write_table(table, tmp_path / "t.parquet")
    code, out, _ = shown("plan", str(tmp_path / "t.parquet"), "--out", "y")
    assert code == 0
    assert "inputs.day.kind: date (cells of type timestamp" in out
    assert "inputs.day.parts: days, place in the year, weekday (" in out
    code, _, err = shown("plan", str(tmp_path / "t.parquet"), "--in", "day:number", "--out", "y")
    assert code == 2
    assert "holds dates or times, not numbers" in err
    code, _, err = shown("plan", str(tmp_path / "t.parquet"), "--out", "day")
    assert code == 2
    assert "outputs.day: a date cannot be an output" in err
