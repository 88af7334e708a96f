"""Train and resume: what a run leaves, what is asked twice, and what is refused."""

import json
import shutil
from pathlib import Path

import numpy as np
import pyarrow.parquet as pq
import pytest
import torch

import netwright
from netwright import model_file, run, spec
from netwright.data.batches import Batch
from netwright.errors import DataError, NetwrightError, SpecError, Stopped
from netwright.report.facts import Facts
from netwright.resolved import load_resolved
from netwright.run.folder import RunFolder
from netwright.training import checkpoint, history
from netwright.training.loop import Training


def _spec(text: str) -> spec.Spec:
    return spec.load(text)


def test_a_finished_run_has_everything_and_says_so(trained: Path) -> None:
    folder = RunFolder(trained)
    assert folder.read()["state"] == "done"
    for place in (
        "spec",
        "resolved",
        "ledger",
        "fingerprint",
        "history",
        "timing",
        "model",
        "facts",
        "report",
        "predictions",
    ):
        assert getattr(folder, place).stat().st_size > 0, place
    assert folder.reads() == {"test": 1}
    assert not list(trained.rglob(".tmp-*"))
    answers = pq.read_table(folder.predictions)
    assert {"id", "part", "class", "class_truth", "class:small", "class:tall"} == set(answers.column_names)
    assert set(answers["part"].to_pylist()) == {"validation", "test"}
    epochs = [row for row in history.read(folder.history) if row["kind"] == "epoch"]
    assert [row["epoch"] for row in epochs] == [1, 2, 3, 4, 5]
    assert {"train/loss", "validation/loss", "validation/accuracy", "lr"} < set(epochs[0])


def test_a_finished_run_only_says_again_what_came_out(done_run: Path) -> None:
    before = {
        path: path.stat().st_mtime_ns for path in done_run.iterdir() if path.is_file() and "lock" not in path.name
    }
    outcome = run.resume(done_run)
    assert outcome.headline == RunFolder(done_run).read()["headline"]
    assert "held-out" in outcome.headline
    assert {path: path.stat().st_mtime_ns for path in before} == before


def test_the_same_spec_gives_the_same_run_and_a_repetition_of_its_decisions_too(trained: Path, tmp_path: Path) -> None:
    again = run.train(spec.load(RunFolder(trained).spec), out=tmp_path / "again").run
    repeated = run.train(load_resolved(RunFolder(trained).resolved), out=tmp_path / "repeated").run
    for other in (again, repeated):
        one, two = (checkpoint.latest(RunFolder(path).checkpoints) for path in (trained, other))
        assert one is not None
        assert two is not None
        assert checkpoint.same(one, two) == []
        assert RunFolder(other).history.read_bytes() == RunFolder(trained).history.read_bytes()


def test_another_seed_gives_another_run(trained: Path, tmp_path: Path) -> None:
    wanted = spec.override(spec.load(RunFolder(trained).spec), {"training.seed": "2"})
    other = run.train(wanted, out=tmp_path / "other").run
    assert RunFolder(other).history.read_bytes() != RunFolder(trained).history.read_bytes()


def test_the_model_that_is_kept_is_that_of_the_best_epoch(trained: Path) -> None:
    folder = RunFolder(trained)
    best = int(str(folder.read()["best_epoch"]))
    losses = [row["validation/loss"] for row in history.read(folder.history) if row["kind"] == "epoch"]
    assert losses[best - 1] == min(losses)
    found = checkpoint.latest(folder.checkpoints)
    assert found is not None
    kept = {
        k.rpartition("net/")[2]: v for k, v in found.tensors.items() if k.startswith("strategy/early_stopping/weights")
    }
    state = netwright.load(folder.model).network.state_dict()
    assert state
    assert all(torch.equal(value, kept[name]) for name, value in state.items())


def test_data_in_memory_trains_answers_and_is_asked_for_again(tmp_path: Path) -> None:
    draw = np.random.default_rng(0)
    x = draw.normal(size=(80, 2))
    data = {"a": x[:, 0], "b": x[:, 1], "y": 3 * x[:, 0] - x[:, 1]}
    wanted = _spec(
        "{outputs: [y], model: {layers: ''}, training: {batch_size: 8, optimizer: {lr: 0.1}, stop: {epochs: 40}}}"
    )
    outcome = run.train(wanted, data=data, out=tmp_path / "run")
    assert outcome.scores["y"]["test"]["r2"] > 0.99
    answers = run.predict(outcome.run, {"a": [1.0, 0.0], "b": [0.0, 1.0]})
    assert [float(text) for text in answers["y"].to_pylist()] == pytest.approx([3, -1], abs=0.1)
    RunFolder(outcome.run).update(state="stopped")
    with pytest.raises(DataError, match=r"was trained on data in memory, which is gone.*data=\.\.\."):
        run.resume(outcome.run)
    assert run.resume(outcome.run, data=data).headline == outcome.headline


def test_without_a_validation_part_training_takes_all_its_epochs(flowers: Path, tmp_path: Path) -> None:
    text = (
        "{data: {path: %s, split: {parts: [0.8, 0, 0.2]}}, outputs: [class], "
        "model: {layers: ''}, training: {stop: {epochs: 7, patience: 2}}}"
    )
    outcome = run.train(_spec(text % flowers), out=tmp_path / "run")
    facts = RunFolder(outcome.run).read()
    assert (facts["stopped_epoch"], facts["stop_reason"]) == (7, "all 7 epochs done")
    assert "test" in outcome.scores["class"]


def test_several_outputs_are_weighted_and_one_is_watched(flowers: Path, tmp_path: Path) -> None:
    text = (
        "{data: {path: %s}, inputs: [size, colour], outputs: {class: {weight: 2.0}, age: {kind: number}}, "
        "model: {layers: 'dense 4, tanh'}, training: {stop: {epochs: 2, watch: age}}}"
    )
    outcome = run.train(_spec(text % flowers), out=tmp_path / "run")
    row = next(row for row in history.read(RunFolder(outcome.run).history) if row["kind"] == "epoch")
    assert row["validation/loss"] == pytest.approx(2 * row["validation/class/loss"] + row["validation/age/loss"])
    assert set(outcome.scores) == {"class", "age"}


@pytest.mark.parametrize(
    ("settings", "says"),
    [
        ({"training.optimizer": "adm"}, 'unknown optimizer "adm"'),
        ({"outputs.clas": "{}"}, "clas"),
        ({"model.layers": "dens 3"}, "dens"),
    ],
)
def test_what_is_wrong_is_refused_and_leaves_no_run_behind(
    flowers: Path, tmp_path: Path, settings: dict[str, str], says: str
) -> None:
    wanted = _spec(f"{{data: {{path: {flowers}}}, outputs: [class]}}")
    with pytest.raises(SpecError, match=says):
        run.train(spec.override(wanted, settings), out=tmp_path / "run")
    assert not (tmp_path / "run").exists()


def test_a_run_that_fails_once_all_is_decided_says_why(trained: Path, tmp_path: Path) -> None:
    wanted = spec.override(spec.load(RunFolder(trained).spec), {"training.stop.watch": "clas"})
    with pytest.raises(SpecError, match="Known here: loss, class"):
        run.train(wanted, out=tmp_path / "run")
    facts = RunFolder(tmp_path / "run").read()
    assert (facts["state"], facts["problem"]) == ("failed", 'training.stop.watch is "clas", which is no output.')


def test_nothing_to_train_on_is_said_before_anything_is_made(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.chdir(tmp_path)
    with pytest.raises(SpecError, match="nothing says where the examples are"):
        run.train(_spec("outputs: [y]"))
    assert list(tmp_path.iterdir()) == []


def test_copies_on_both_sides_of_a_split_stop_a_run_unless_accepted(tmp_path: Path) -> None:
    rows = [f"{i % 10},{'a' if i % 2 else 'b'},{('train', 'validation', 'test')[i // 20]}" for i in range(60)]
    (tmp_path / "twice.csv").write_text("\n".join(["x,y,part", *rows]) + "\n", encoding="utf-8")
    text = (
        "{data: {path: %s, split: {by: column, column: part}}, inputs: [x], outputs: [y], "
        "model: {layers: ''}, training: {stop: {epochs: 1}}}"
    )
    wanted = _spec(text % (tmp_path / "twice.csv"))
    with pytest.raises(DataError, match="row"):
        run.train(wanted, out=tmp_path / "refused")
    outcome = run.train(wanted, out=tmp_path / "accepted", accept=True)
    assert spec.load(RunFolder(outcome.run).spec).data.duplicates == "accept"


def test_data_that_changed_meanwhile_is_refused_by_name(done_run: Path, flowers: Path, tmp_path: Path) -> None:
    folder = RunFolder(done_run)
    changed = tmp_path / "flowers.csv"
    changed.write_text(flowers.read_text(encoding="utf-8").replace("red", "RED"), encoding="utf-8")
    folder.update(state="stopped")
    with pytest.raises(DataError, match=r"the data changed since the run .*run began: .*flowers\.csv"):
        run.resume(done_run, data=changed)
    assert folder.read()["state"] == "failed"
    assert run.resume(done_run, data=flowers).run == done_run


def test_a_run_that_is_held_is_refused(done_run: Path) -> None:
    with RunFolder(done_run).locked(), pytest.raises(NetwrightError, match="is in use by process"):
        run.resume(done_run)


def test_what_would_run_code_is_asked_for_with_use(done_run: Path) -> None:
    folder = RunFolder(done_run)
    folder.update(state="stopped")
    text = folder.resolved.read_text(encoding="utf-8")
    folder.resolved.write_text(text.replace("own_parts: {}", "own_parts: {activation/swoosh: ab}"), encoding="utf-8")
    with pytest.raises(SpecError, match=r"names activation swoosh \(an own part that is not loaded\).*--use"):
        run.resume(done_run)


def test_the_report_is_drawn_again_where_asked(done_run: Path, tmp_path: Path) -> None:
    before = RunFolder(done_run).report.read_text(encoding="utf-8")
    assert run.report(done_run, html=tmp_path / "a.html") == tmp_path / "a.html"
    assert (tmp_path / "a.html").read_text(encoding="utf-8") == before
    RunFolder(done_run).facts.unlink()
    with pytest.raises(SpecError, match=r"is not finished, so it has no report yet\. Finish it: netwright resume"):
        run.report(done_run)


def test_a_diagnosis_tells_curves_data_and_test_readings(done_run: Path) -> None:
    RunFolder(done_run).count_read("test")
    found = run.diagnose(done_run)
    assert {"curves", "test part", "copies"} <= {finding.name for finding in found}
    states = [finding.state for finding in found]
    assert states == sorted(states, key=("bad", "note", "good").index)
    assert states[-1] == "good"


def test_a_run_under_way_or_ended_too_soon_is_diagnosed_with_what_is_known(flowers: Path, tmp_path: Path) -> None:
    text = "{data: {path: %s}, outputs: [class], model: {layers: ''}, training: {stop: {epochs: 2}}}"
    folder = RunFolder(run.train(_spec(text % flowers), out=tmp_path / "run").run)
    folder.facts.unlink()
    folder.update(state="failed", problem="the loss is inf.")
    first, *others = run.diagnose(folder.path)
    assert (first.state, first.message) == ("bad", "it failed: 2 epochs done, nothing is scored yet. the loss is inf.")
    assert first.cure == f"Go on with it: netwright resume {folder.path}"
    assert "examples" in {each.name for each in others}
    folder.update(state="training", problem="")
    killed = next(each for each in run.diagnose(folder.path) if each.name == "training")
    assert (killed.state, killed.message) == ("note", "it was killed: 2 epochs done, nothing is scored yet")
    with folder.locked():
        here = next(each for each in run.diagnose(folder.path) if each.name == "training")
    assert (here.message, here.cure) == ("it trains: 2 epochs done, nothing is scored yet", "")


def test_options_are_kept_for_a_resume(flowers: Path, tmp_path: Path) -> None:
    text = "{data: {path: %s}, outputs: [class], model: {layers: ''}, training: {stop: {epochs: 1}}}"
    outcome = run.train(_spec(text % flowers), out=tmp_path / "run", examples=False, strict=True)
    facts = json.loads((outcome.run / "run.json").read_text())
    assert facts["options"] == {"strict": True, "accept": False, "examples": False, "base": ""}
    assert "none" in str(netwright.load(outcome.model).replayed).casefold()


def test_auto_is_measured_once_said_and_kept(flowers: Path, tmp_path: Path) -> None:
    text = (
        f"{{data: {{path: {flowers}}}, outputs: [class], training: {{optimizer: {{lr: auto}}, stop: {{epochs: 2}}}}}}"
    )
    outcome = run.train(spec.load(text), out=tmp_path / "run")
    folder = RunFolder(outcome.run)
    decided = load_resolved(folder.resolved)
    curve = json.loads(folder.range_test.read_text(encoding="utf-8"))
    assert decided.spec.training.optimizer is not None
    assert decided.spec.training.optimizer.options["lr"] == curve["chosen"]
    reason = next(reason for reason in decided.reasons if reason.path == "training.optimizer.lr")
    assert "the loss was lowest at" in reason.why
    again = run.train(decided, out=tmp_path / "again")
    assert again.scores == outcome.scores
    assert not RunFolder(again.run).range_test.exists()


def test_a_net_of_two_numbers_shows_its_answers_and_centres_on_their_plane(tmp_path: Path) -> None:
    """Rings: inside and outside, told by radial units; the centres come in the inputs' own units."""
    draw = np.random.default_rng(0)
    x = draw.normal(size=(300, 2)) * [10, 1] + [50, -3]
    inside = (((x - [50, -3]) / [10, 1]) ** 2).sum(axis=1) < 1.2
    rows = "\n".join(f"{a:.4f},{b:.4f},{'in' if c else 'out'}" for (a, b), c in zip(x, inside, strict=True))
    (tmp_path / "ring.csv").write_text(f"a,b,side\n{rows}\n", encoding="utf-8")
    text = (
        "{data: {path: %s}, outputs: [side], model: {layers: rbf 6}, "
        "training: {optimizer: {lr: 0.03}, stop: {epochs: 40}}}"
    )
    outcome = run.train(spec.load(text % (tmp_path / "ring.csv")), out=tmp_path / "run")
    found = Facts.read(RunFolder(outcome.run).facts).plane
    assert found is not None
    middle = found.answers[16][16]
    corner = found.answers[0][0]
    assert (found.classes[middle[0]], found.classes[corner[0]]) == ("in", "out")
    assert len(found.centres) == 6
    assert all(10 < x < 90 and -8 < y < 2 for x, y, _, _ in found.centres)
    assert "What it answers everywhere" in outcome.report.read_text(encoding="utf-8")


CONVOLVED = """
data: {path: %s}
inputs: {image: {augment: [mirror, {name: shift, px: 1}]}}
outputs: [category]
model: {layers: "conv 6x3 pad 1 bias no, batch_norm, relu, conv 5x3, relu, global_pool"}
training: {optimizer: {name: %s, lr: 0.01}, regularize: {mixup: 0.2}, average: 0.9, clip: 1.0, stop: {epochs: 6}}
"""


@pytest.mark.parametrize("optimizer", ["adam", "sgd, momentum: 0.9", "rmsprop", "adagrad"])
def test_a_convolutional_run_lies_channels_last_and_goes_on_bit_for_bit(
    pictures: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch, optimizer: str
) -> None:
    wanted = spec.load(CONVOLVED % (pictures, optimizer))
    whole = run.train(wanted, out=tmp_path / "whole")
    assert "layout: channels_last" in RunFolder(whole.run).resolved.read_text(encoding="utf-8")
    step = Training._step

    def leaving(self: Training, batch: Batch, hooks: object, sampled: bool) -> None:
        step(self, batch, hooks, sampled)  # type: ignore[arg-type]
        if self.step == 7:
            self.leave(0)

    with monkeypatch.context() as patch:
        patch.setattr(Training, "_step", leaving)
        with pytest.raises(Stopped, match="stopped at step 7"):
            run.train(wanted, out=tmp_path / "broken")
    again = run.resume(tmp_path / "broken")
    one, two = (model_file.load(outcome.model).network.state_dict() for outcome in (whole, again))
    assert all(torch.equal(one[name], two[name]) for name in one)
    assert RunFolder(again.run).history.read_bytes() == RunFolder(whole.run).history.read_bytes()


def test_a_layer_meets_training_pictures_once_and_a_resume_keeps_what_it_found(pictures: Path, tmp_path: Path) -> None:
    model = "model: {layers: 'whiten 2, relu, pool 2'}"
    text = "{data: {path: %s}, outputs: [category], " + model + ", training: {stop: {epochs: 2}}}"
    outcome = run.train(spec.load(text % pictures), out=tmp_path / "run")
    found = netwright.load(outcome.model)
    weight = found.network.module("whiten1").weight
    raw = found.read([{"image": path.read_bytes()} for path in sorted(pictures.rglob("*.png"))])
    patches = torch.nn.functional.unfold(found.code(raw)["image"], 2).transpose(1, 2).flatten(0, 1)
    numbers = weight.shape[0] // 2
    given = patches @ weight[:numbers].flatten(1).T
    assert (given.T @ given / len(given)).diagonal().numpy() == pytest.approx([1.0] * numbers, rel=0.5)
    folder, kept = RunFolder(outcome.run), outcome.model.read_bytes()
    shutil.rmtree(max(folder.checkpoints.glob("step-*")))
    folder.model.unlink()
    folder.report.unlink()
    folder.update(state="stopped")
    assert run.resume(outcome.run).model.read_bytes() == kept
