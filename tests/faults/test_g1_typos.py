"""G1: a typo in an option or setting gets "did you mean", exit code 2, and all of them at once."""

import subprocess
from collections.abc import Callable
from pathlib import Path

Run = Callable[..., subprocess.CompletedProcess[str]]


def test_g1_all_mistyped_options_come_at_once_with_the_nearest_name(netwright: Run) -> None:
    done = netwright("train", "digits", "--batchsize", "3", "--epoch=5", "--seed", "x")
    assert done.returncode == 2
    assert done.stdout == ""
    assert 'unknown option "--batchsize" (did you mean "--batch-size"?)' in done.stderr
    assert 'unknown option "--epoch" (did you mean "--epochs"?)' in done.stderr
    assert "--seed" in done.stderr
    assert "try: See `netwright train --help`." in done.stderr


def test_g1_mistyped_verb(netwright: Run) -> None:
    done = netwright("trian", "digits")
    assert done.returncode == 2
    assert 'Did you mean "train"?' in done.stderr


def test_g1_mistyped_recipe(netwright: Run) -> None:
    done = netwright("plan", "dgits")
    assert done.returncode == 2
    assert 'error: no file, folder or recipe is called "dgits" (did you mean "digits"?).' in done.stderr


def test_g1_mistyped_settings_of_a_spec_come_at_once_with_their_lines(netwright: Run, tmp_path: Path) -> None:
    (tmp_path / "own.yaml").write_text(
        "data: {path: x.csv}\noutputs: [price]\ntraining:\n  batchsize: 3\n  sed: 4\nmodle: {}\n", encoding="utf-8"
    )
    done = netwright("plan", "own.yaml")
    assert done.returncode == 2
    for said in ("line 4", 'did you mean "batch_size"', "line 5", 'did you mean "seed"', 'did you mean "model"'):
        assert said in done.stderr


def test_g1_missing_argument_names_it(netwright: Run) -> None:
    done = netwright("resume")
    assert done.returncode == 2
    assert "run-folder" in done.stderr.lower().replace("_", "-")


def test_g1_traceback_only_when_asked(netwright: Run) -> None:
    assert "Traceback" not in netwright("plan", "dgits").stderr
    assert "Traceback" in netwright("plan", "dgits", "--traceback").stderr
