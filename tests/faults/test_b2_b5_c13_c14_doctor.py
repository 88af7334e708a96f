"""Found before the first update: B2 NaN, B5 labels out of range, C13 wrong labels, C14 targets among the inputs."""

from __future__ import annotations

from pathlib import Path
from typing import TYPE_CHECKING

import numpy as np
import pyarrow.parquet as pq
import pytest
import torch

from netwright import run, spec
from netwright.data.dataset import prepare
from netwright.doctor import plant
from netwright.doctor.border import Border
from netwright.doctor.checks.examples import Examples
from netwright.doctor.checks.labels import Labels, doubtful, principal
from netwright.doctor.checks.targets import Targets
from netwright.errors import DataError
from netwright.model_file import assemble
from netwright.progress import Silent
from netwright.resolved import Resolved
from netwright.run import looking
from netwright.run.folder import RunFolder
from netwright.training import hardware

if TYPE_CHECKING:
    from tests.faults.conftest import Start


def test_b2_cells_without_a_number_are_named_by_row_and_column() -> None:
    said = "; ".join(finding.message for finding in Examples().look(Examples().planted()))
    assert 'height: "inf" is not a finite number (row 41)' in said
    assert "inputs.height: 1 of 599 cells are empty, filled with the training mean" in said
    columns = {**plant.sound(), "girth": np.where(np.arange(600) == 16, np.nan, plant.sound()["girth"])}
    said = "; ".join(finding.message for finding in Examples().look(plant.border(columns, "girth")))
    assert 'girth: the cell says "nan" (no value), expected a number (row 17)' in said


def test_b5_a_label_out_of_range_ends_the_run_before_training(tmp_path: Path) -> None:
    wanted = spec.load("{outputs: [tree], model: {layers: ''}}")
    dataset = Targets().planted().dataset
    model = assemble(wanted, dataset.inputs, dataset.outputs, 0)
    decided = Resolved(
        netwright="0", torch="0", spec=wanted, inputs={}, outputs={}, hardware=hardware.decide(1, True, "little", 1)
    )
    with pytest.raises(DataError, match=r"tree: class codes outside 0 to 2 in 1 example: row 5 has 99"):
        looking.look(RunFolder(tmp_path), decided, dataset, model, torch.device("cpu"), Silent(), fresh=True)
    assert list(tmp_path.iterdir()) == []


def flipped(codes: np.ndarray, share: float, seed: int) -> tuple[np.ndarray, np.ndarray]:
    """Codes with a share of them exchanged for another class, and which."""
    draw, classes = np.random.default_rng(seed), int(codes.max()) + 1
    which = np.sort(draw.permutation(len(codes))[: int(share * len(codes))])
    wrong = codes.copy()
    wrong[which] = (wrong[which] + draw.integers(1, classes, len(which))) % classes
    return wrong, which


def test_c13_planted_flips_are_found_with_measured_precision_and_recall(capsys: pytest.CaptureFixture[str]) -> None:
    border = Border(prepare(spec.load("{data: {path: 'sklearn:digits'}, outputs: [category]}")))
    rows, values = border.matrix(4000, 10**8)
    points, codes = principal(values, 0), border.targets("category", rows).astype(np.int64)
    clean = doubtful(points, codes, 10, 0)
    assert len(clean.places) < 0.01 * len(codes)
    assert clean.among_surest < 0.01
    measured = []
    for seed in range(3):
        wrong, which = flipped(codes, 0.05, seed)
        found = doubtful(points, wrong, 10, 0)
        hits = np.isin(found.places, which)
        measured.append((float(hits.mean()), float(hits.sum() / len(which))))
        assert (found.likelier[hits] == codes[found.places[hits]]).mean() > 0.95
        assert found.among_surest > 0.03
    precision, recall = np.mean(measured, axis=0)
    with capsys.disabled():
        print(f"\n5 % flips on digits: precision {precision:.2f}, recall {recall:.2f}")  # noqa: T201
    assert precision > 0.85
    assert recall > 0.75


def test_c13_every_doubtful_label_stands_in_the_ledger(tmp_path: Path) -> None:
    planted = Labels().planted()
    columns = {name: planted.dataset.arrays[name] for name in ("height", "girth")}
    trees = [planted.outputs["tree"].vocabulary[code] for code in planted.dataset.arrays["tree"]]
    wanted = spec.load("{outputs: [tree], model: {layers: ''}, training: {stop: {epochs: 1}}}")
    run.train(wanted, data={**columns, "tree": trees}, out=tmp_path / "run")
    table = pq.read_table(tmp_path / "run" / "ledger.parquet")
    doubted = [row for row in table.to_pylist() if row["doubt"]]
    (finding,) = [each for each in looking.kept(RunFolder(tmp_path / "run")) if each.name == "labels"]
    assert f"{len(doubted)} of" in finding.message
    assert len(doubted) > 15
    assert all(row["state"] == "used" and row["split"] == "train" for row in doubted)
    assert all(row["doubt"] != f"tree looks like {trees[int(row['id'].split()[1]) - 1]}" for row in doubted)


def test_c14_a_target_among_the_inputs_is_told_and_a_name_per_row_is_not(tmp_path: Path) -> None:
    columns = plant.sound()
    columns["file"] = np.array([f"{tree}/{row}.png" for row, tree in enumerate(columns["tree"])])
    columns["code"] = np.array([{"elm": 11, "fir": 7, "oak": 30}[tree] for tree in columns["tree"]])
    rows = [",".join(columns), *(",".join(map(str, row)) for row in zip(*columns.values(), strict=True))]
    (tmp_path / "trees.csv").write_text("\n".join(rows) + "\n", encoding="utf-8")
    wanted = "{data: {path: '%s'}, inputs: {height: number, file: category, code: number}, outputs: [tree]}"
    found = run.data_check(spec.load(wanted % (tmp_path / "trees.csv")))
    (leak,) = [finding for finding in found if finding.name == "leaks"]
    assert leak.state == "note"
    assert leak.message.startswith("code (100.0 % of the answers) tells tree all by itself")


def test_c14_a_run_goes_on_and_tells_it(start: Start, tmp_path: Path) -> None:
    rows = ["x,paid,late", *(f"{i * 7 % 31},{i % 2 * 40},{'no' if i % 2 else 'yes'}" for i in range(200))]
    (tmp_path / "bills.csv").write_text("\n".join(rows) + "\n", encoding="utf-8")
    process = start("train", "bills.csv", "--out", "late", "--layers", "", "--epochs", "2", "--to", "run")
    assert process.ends() == 0, process.says()
    assert "leaks: paid (100.0 % of the answers) tells late all by itself" in " ".join(process.says().split())
