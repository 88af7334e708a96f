"""Identities in a run: precision@1 told per epoch, the report, known ones and strangers from the model file."""

from __future__ import annotations

import shutil
from dataclasses import replace
from pathlib import Path

import numpy as np
import pyarrow.parquet as pq
import pytest
import torch
from PIL import Image

from netwright import model_file, run, spec
from netwright.data.dataset import prepare
from netwright.errors import DataError, ModelFileError, SpecError
from netwright.model_file import assemble
from netwright.report.facts import Facts
from netwright.run import answering
from netwright.run.continued import start_from
from netwright.run.resolve import settle
from netwright.training import history

FACES = """
data: {path: %s}
inputs: [image]
outputs: {category: {kind: identity, dim: 8}}
model: {layers: "dense 16, relu"}
training: {optimizer: {lr: 0.01}, stop: {epochs: 6}}
"""
SCORES = {"precision_at_1", "mean_average_precision", "auc", "loss"}


def faces(folder: Path, names: str, each: int = 24, seed: int = 0) -> Path:
    """Pictures of 8 x 8: whom they show is a fixed pattern, over which noise lies."""
    draw = np.random.default_rng(seed)
    for name in names:
        pattern = np.random.default_rng(ord(name)).normal(128, 40, (8, 8))
        (folder / name).mkdir(parents=True)
        for number in range(each):
            pixels = np.clip(pattern + draw.normal(0, 30, (8, 8)), 0, 255).astype(np.uint8)
            Image.fromarray(pixels).save(folder / name / f"{number}.png")
    return folder


@pytest.fixture(scope="module")
def people(tmp_path_factory: pytest.TempPathFactory) -> Path:
    return faces(tmp_path_factory.mktemp("people") / "people", "abcdef")


@pytest.fixture(scope="module")
def known(people: Path, session_cache: Path) -> Path:
    return run.train(spec.load(FACES % people), out=people.parent / "run").run


def test_it_trains_scores_and_shows_who_lies_near_whom(known: Path) -> None:
    facts = Facts.read(known / "facts.json")
    (output,) = facts.outputs
    assert set(output.scores["test"]) == SCORES
    assert output.scores["test"]["precision_at_1"] == pytest.approx(1, abs=0.1)
    assert [baseline.name for baseline in output.baselines] == ["chance", "inputs"]
    told = [row["validation/precision_at_1"] for row in history.read(known / "history.jsonl") if row["kind"] == "epoch"]
    assert len(told) == 6
    assert output.apart is not None
    assert sum(output.apart.same) == 6 * 4 * 3 / 2  # four test pictures of each of six
    assert len(output.near) >= 8
    assert len(output.near[0].nearest) == 6
    assert all(each.right == (each.truth == output.near[0].shown.truth) for each in output.near[0].nearest)
    page = (known / "report.html").read_text(encoding="utf-8")
    for words in ("Same and different", "Nearest to each other", "Precision@1", "lie nearest to one of the same"):
        assert words in page
    text = run.resume(known).text
    assert "lie nearest to one of the same identity" in text[0]
    assert any(line.startswith("beyond a distance of") for line in text)


def test_predictions_name_the_nearest_and_know_strangers(known: Path, people: Path, tmp_path: Path) -> None:
    rows = pq.read_table(known / "predictions.parquet").to_pylist()
    assert set(rows[0]) == {
        *("id", "part", "category", "category_distance", "category_truth"),
        *(f"category:{at}" for at in range(1, 9)),
    }
    right = [row["category"] == row["category_truth"] for row in rows]
    assert sum(right) / len(right) > 0.8
    stranger = Image.fromarray(np.tile(np.array([0, 255], np.uint8), (8, 4)))
    stranger.save(tmp_path / "stranger.png")
    shutil.copy(people / "a" / "0.png", tmp_path / "mine.png")
    found = {Path(row["id"]).stem: row for row in run.predict(known, [tmp_path]).to_pylist()}
    model = model_file.load(known / "model.netwright")
    (threshold,) = model.outputs["category"].thresholds
    for row in found.values():
        assert (row["category"] is None) == (row["category_distance"] > threshold)
    assert found["mine"]["category"] == "a"
    assert sum(found["mine"][f"category:{at}"] ** 2 for at in range(1, 9)) == pytest.approx(1, abs=1e-5)


def test_the_model_file_keeps_the_centres_in_a_tensor_and_checks_them(known: Path, tmp_path: Path) -> None:
    path = known / "model.netwright"
    assert model_file.inspect(path).header.outputs[0].centres == ()
    model = model_file.load(path)
    assert [len(row) for row in model.outputs["category"].centres] == [8] * 6
    assert model.replayed is not None
    assert model.replayed.matches == model.replayed.total
    gone = model.outputs["category"].model_copy(update={"centres": (*model.outputs["category"].centres[:5], ())})
    model_file.write(tmp_path / "gone.netwright", replace(model, outputs={"category": gone}))
    assert model_file.load(tmp_path / "gone.netwright").outputs["category"].centres[5] == ()
    few = gone.model_copy(update={"centres": gone.centres[:3]})
    model_file.write(tmp_path / "few.netwright", replace(model, outputs={"category": few}))
    with pytest.raises(ModelFileError, match='"category" has no centre for each of its 6 identities'):
        model_file.load(tmp_path / "few.netwright")
    far = gone.model_copy(update={"thresholds": (2.5,)})
    model_file.write(tmp_path / "far.netwright", replace(model, outputs={"category": far}))
    with pytest.raises(ModelFileError, match="1 threshold for 1 class, each to be 0 to 2"):
        model_file.load(tmp_path / "far.netwright")


def test_it_is_scored_on_identities_never_seen(known: Path, tmp_path: Path) -> None:
    new = faces(tmp_path / "new", "xyz", seed=1)
    found = run.evaluate(known, data=new)
    assert found.examples == 72
    assert found.scores["category"]["precision_at_1"] > 0.7  # by chance a third
    assert found.scores["category"]["auc"] > 0.7
    assert any("of 72 examples of other identities" in line for line in found.text)
    assert not any("of known identities" in line for line in found.text)


def test_a_split_by_identity_tests_on_others_than_it_learned(people: Path, tmp_path: Path) -> None:
    wanted = spec.load(FACES % f"{people}, split: {{by: group, column: category}}")
    outcome = run.train(wanted, out=tmp_path / "run")
    facts = Facts.read(outcome.run / "facts.json")
    assert any("1 of 1 identity of the test part were never learned" in note for note in facts.notes)
    centres = model_file.load(outcome.model).outputs["category"].centres
    assert sorted(map(len, centres)) == [0, 0, 8, 8, 8, 8]


def test_going_on_keeps_the_embedding_for_other_identities(known: Path, tmp_path: Path) -> None:
    wanted = spec.load(FACES % faces(tmp_path / "new", "xyz", seed=1))
    base = start_from(known)
    classes = {"category": base.model.outputs["category"].vocabulary}
    data = prepare(wanted, vocabulary=classes, fields=base.fields(wanted))
    assert data.outputs["category"].vocabulary == tuple("abcdefxyz")
    told = base.give_weights(assemble(settle(wanted, data)[0], data.inputs, data.outputs, 0))
    assert len(told) == 1
    assert told[0].startswith("4 of 4 weights taken")


def test_a_batch_is_large_enough_for_comparisons(people: Path) -> None:
    wanted = spec.load(FACES % people)
    settled, reasons = settle(wanted, prepare(wanted))
    assert settled.training.batch_size == 64
    assert "compared with all others" in next(each.why for each in reasons if each.path == "training.batch_size")


def test_the_loss_of_a_part_does_not_follow_the_order_of_the_data(people: Path) -> None:
    wanted = spec.load((FACES % people).replace("{optimizer", "{batch_size: 16, optimizer"))
    data = prepare(wanted)
    settled, _ = settle(wanted, data)
    model = assemble(settled, data.inputs, data.outputs, 0)
    sorted_ = answering.answer(model, data, "train", resident=True)
    mixed = np.random.default_rng(0).permutation(data.parts["train"])
    other = answering.answer(model, replace(data, parts={**data.parts, "train": mixed}), "train", resident=True)
    task, codes = model.tasks["category"], sorted_.targets["category"]
    alone = codes == codes[0]  # as the first rows of a sorted folder stand
    assert float(task.terms(sorted_.answers["category"][alone], codes[alone]).sum()) == 0
    assert sorted_.losses["category"] > 0.05
    assert sorted_.losses["category"] == pytest.approx(other.losses["category"], abs=0.05)


@pytest.mark.parametrize(
    ("said", "message"),
    [
        ("regularize: {mixup: 0.2}", "a blend of two examples of who is neither identity"),
        ("batch_size: 5000", "who compares each of 5,000 examples of a batch with all others"),
        ("batch_size: all", "who compares each of 6,000 examples of a batch with all others"),
    ],
)
def test_what_cannot_be_compared_is_refused(said: str, message: str) -> None:
    wanted = spec.load(
        f"{{outputs: {{who: {{kind: identity}}}}, training: {{{said}}}, data: {{split: {{parts: [1, 0, 0]}}}}}}"
    )
    rows = {"x": np.random.default_rng(0).normal(size=6000), "who": np.array(["a", "b", "c"] * 2000)}
    with pytest.raises(SpecError, match=message):
        settle(wanted, prepare(wanted, data=rows))


def test_single_examples_and_inputs_are_refused() -> None:
    rows = {"x": np.arange(9.0), "who": np.array(list("abcdefghi"))}
    with pytest.raises(DataError, match="each of 9 identities has a single example"):
        prepare(spec.load("{outputs: {who: {kind: identity}}}"), data=rows)
    with pytest.raises(SpecError, match=r"inputs\.who: an identity comes out and does not go in"):
        prepare(spec.load("{inputs: {who: {kind: identity}}, outputs: [x]}"), data=rows)


def test_a_loss_of_ones_own_is_given_outputs_and_codes(people: Path) -> None:
    from netwright import registry

    def pull(outputs: torch.Tensor, targets: torch.Tensor) -> torch.Tensor:
        return (outputs.square().sum(dim=1) - targets).square()

    with pytest.MonkeyPatch.context() as patch:
        patch.setitem(registry._own, ("loss", "pull"), (registry.Part("loss", "pull", "", ""), pull))
        wanted = spec.load((FACES % people).replace("dim: 8", "dim: 8, loss: pull"))
        data = prepare(wanted)
        task = assemble(settle(wanted, data)[0], data.inputs, data.outputs, 0).tasks["category"]
        assert task.terms(torch.ones(1, 8), torch.tensor([5])).tolist() == [9.0]
        assert task.chance(torch.tensor([2, 2])) == 4
