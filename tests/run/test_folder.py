"""The folder of a run: made whole, locked, countable, found again, cleared."""

import json
from pathlib import Path

import pytest

from netwright import files, spec
from netwright.errors import DataError, NetwrightError, SpecError
from netwright.run import folder as folders
from netwright.run.folder import RunFolder

WANTED = spec.load("{data: {path: /data/cats.csv}, outputs: [y]}")


def test_a_new_run_has_its_spec_and_its_state(tmp_path: Path) -> None:
    made = folders.create(tmp_path / "a" / "run", WANTED, {"headline": ""})
    facts = made.read()
    assert (facts["state"], facts["data_path"], facts["headline"]) == ("preparing", "/data/cats.csv", "")
    assert spec.load(made.spec) == WANTED
    assert sorted(path.name for path in made.path.iterdir()) == ["run.json", "spec.yaml"]
    assert [path.name for path in made.path.parent.iterdir()] == ["run"]


def test_runs_are_numbered_by_the_name_of_their_data(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.chdir(tmp_path)
    names = [str(folders.create(None, WANTED, {}).path) for _ in range(3)]
    assert names == ["runs/cats-1", "runs/cats-2", "runs/cats-3"]


def test_a_folder_with_content_is_never_written_into(tmp_path: Path) -> None:
    (tmp_path / "note").write_text("mine")
    with pytest.raises(NetwrightError, match=f"{tmp_path} is not empty. Name another folder, or go on"):
        folders.create(tmp_path, WANTED, {})
    assert (tmp_path / "note").read_text() == "mine"


@pytest.mark.parametrize("content", [None, "{", '{"version": 9, "netwright": "7.0"}'])
def test_what_is_no_run_is_said(tmp_path: Path, content: str | None) -> None:
    if content is not None:
        (tmp_path / "run.json").write_text(content)
    says = (
        "run format 9, this netwright reads 1. Use netwright 7.0"
        if content and "9" in content
        else "is not the folder of a run"
    )
    with pytest.raises(SpecError, match=says):
        RunFolder(tmp_path).read()


def test_readings_of_the_test_part_are_counted(tmp_path: Path) -> None:
    made = folders.create(tmp_path / "run", WANTED, {})
    assert made.reads() == {}
    assert [made.count_read("test") for _ in range(3)] == [1, 2, 3]
    assert made.reads() == {"test": 3}


def test_data_is_found_at_its_place_beside_the_run_or_below_the_data_folder(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    data = tmp_path / "old" / "cats.csv"
    data.parent.mkdir()
    data.write_text("a\n1\n")
    monkeypatch.setenv("NETWRIGHT_DATA", str(tmp_path / "old"))
    wanted = spec.load(f"{{data: {{path: {data}}}, outputs: [y]}}")
    made = folders.create(tmp_path / "old" / "run", wanted, {})
    assert folders.find_data(made) == str(data)
    moved = RunFolder(tmp_path / "new" / "run")
    (tmp_path / "old").rename(tmp_path / "new")
    assert folders.find_data(moved) == str(tmp_path / "new" / "cats.csv")
    (tmp_path / "elsewhere").mkdir()
    (tmp_path / "new" / "cats.csv").rename(tmp_path / "elsewhere" / "cats.csv")
    with pytest.raises(DataError, match=r"the data of .*run is not at .*cats\.csv any more.*--data PATH"):
        folders.find_data(moved)
    monkeypatch.setenv("NETWRIGHT_DATA", str(tmp_path / "elsewhere"))
    assert folders.find_data(moved) == str(tmp_path / "elsewhere" / "cats.csv")


def test_data_in_memory_and_by_name_have_no_place(tmp_path: Path) -> None:
    memory = folders.create(tmp_path / "a", spec.load("outputs: [y]"), {})
    with pytest.raises(DataError, match="was trained on data in memory, which is gone"):
        folders.find_data(memory)
    named = folders.create(tmp_path / "b", spec.load("{data: {path: 'sklearn:iris'}, outputs: [y]}"), {})
    assert folders.find_data(named) == "sklearn:iris"


def test_runs_are_listed_oldest_first_with_what_came_out(tmp_path: Path) -> None:
    for name, created in (("b", "2026-01-02T00:00:00Z"), ("a", "2026-01-03T00:00:00Z")):
        folders.create(tmp_path / name, WANTED, {"headline": f"of {name}", "created_utc": created})
    (tmp_path / "other").mkdir()
    (tmp_path / "broken").mkdir()
    (tmp_path / "broken" / "run.json").write_text("{")
    listed = folders.runs(tmp_path)
    assert [(one.name, one.state) for one in listed] == [
        ("broken", "unreadable"),
        ("b", "killed"),
        ("a", "killed"),
    ]
    assert folders.runs(tmp_path / "missing") == []


def test_a_run_that_begun_is_killed_when_no_process_is_at_it(tmp_path: Path) -> None:
    folder = folders.create(tmp_path / "a", WANTED, {})
    with folder.locked():
        assert folder.state() == "preparing"
    assert folder.state() == "killed"
    folder.update(state="scoring")
    assert folder.state() == "killed"
    folder.update(state="stopped")
    assert folder.state() == "stopped"


def test_cleaning_takes_checkpoints_of_finished_runs_and_leftovers_only(tmp_path: Path) -> None:
    made = {name: folders.create(tmp_path / name, WANTED, {}) for name in ("done", "stopped")}
    made["done"].update(state="done")
    for one in made.values():
        (one.checkpoints / "step-000000000003").mkdir(parents=True)
        (one.checkpoints / "step-000000000003" / "facts.json").write_text("x" * 1000)
    (made["stopped"].path / ".tmp-00000000-1-00000000").write_text("left")
    listed = folders.clean(tmp_path, remove=False)
    assert {(one.path.parent.name, one.path.name) for one in listed} == {
        ("done", "checkpoints"), ("stopped", ".tmp-00000000-1-00000000"),
    }  # fmt: skip
    assert max(one.size_mb for one in listed) == pytest.approx(0.001)
    assert made["done"].checkpoints.exists()
    folders.clean(tmp_path, remove=True)
    assert not made["done"].checkpoints.exists()
    assert (made["stopped"].checkpoints / "step-000000000003" / "facts.json").exists()
    assert folders.clean(made["done"].path, remove=True) == []


def test_cleaning_passes_over_a_run_that_is_in_use(tmp_path: Path) -> None:
    made = folders.create(tmp_path / "run", WANTED, {})
    (made.path / ".tmp-00000000-1-00000000").write_text("being written")
    with files.lock(made.path / "lock", "the run"):
        assert folders.clean(tmp_path, remove=True) == []
    assert len(folders.clean(tmp_path, remove=False)) == 1


def test_the_state_changes_atomically(tmp_path: Path) -> None:
    made = folders.create(tmp_path / "run", WANTED, {})
    made.update(state="training", best_epoch=3)
    facts = json.loads((made.path / "run.json").read_text())
    assert (facts["state"], facts["best_epoch"], facts["version"]) == ("training", 3, 1)
    assert made.size_mb() > 0
