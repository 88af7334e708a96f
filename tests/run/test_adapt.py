"""Going on from a model: its own score on the same held-out examples stands beside the new one."""

from __future__ import annotations

import subprocess
import sys
from pathlib import Path

import numpy as np
import pyarrow.parquet as pq
import pytest

import netwright
from netwright import run, spec
from netwright.cli.train import _in_a_minute
from netwright.errors import DataError
from netwright.report.facts import Facts
from netwright.resolved import load_resolved
from netwright.run.folder import RunFolder

ASKED = "{data: {path: %s}, outputs: [category], model: {layers: ''}, training: {stop: {epochs: 2}, seed: %d}}"


def test_the_base_is_scored_on_what_the_new_run_holds_out(pictures: Path, tmp_path: Path) -> None:
    base = run.train(spec.load(ASKED % (pictures, 0)), out=tmp_path / "base")
    after = run.train(spec.load(ASKED % (pictures, 5)), base=base.run, out=tmp_path / "after")
    folder = RunFolder(after.run)
    (output,) = Facts.read(folder.facts).outputs
    (before,) = (each for each in output.baselines if each.name == "before")
    ledger = pq.read_table(folder.ledger).to_pylist()
    held = {row["id"] for row in ledger if row["split"] == "test"}
    answers = {row["id"]: row["category"] for row in run.predict(base.run, pictures).to_pylist()}
    right = [answers[name] == Path(name).parent.name for name in held]
    assert before.scores["accuracy"] == pytest.approx(sum(right) / len(right))
    assert "the model it started from" in after.report.read_text(encoding="utf-8")


def test_other_classes_are_not_compared(pictures: Path, tmp_path: Path) -> None:
    base = run.train(spec.load(ASKED % (pictures, 0)), out=tmp_path / "base")
    (tmp_path / "others").mkdir()
    for old, new in (("dark", "dark"), ("bright", "elk")):
        (tmp_path / "others" / new).symlink_to(pictures / old)
    after = run.train(spec.load(ASKED % (tmp_path / "others", 0)), base=base.run, out=tmp_path / "after")
    (output,) = Facts.read(RunFolder(after.run).facts).outputs
    assert "before" not in {each.name for each in output.baselines}


def test_adapting_starts_from_a_model_and_tells_what_it_was(pictures: Path, tmp_path: Path) -> None:
    base = run.train(spec.load(ASKED % (pictures, 0)), out=tmp_path / "base")
    words = [sys.executable, "-m", "netwright", "train", str(pictures), "--in", "image", "--out", "category"]
    words += ["--adapt", str(base.run), "--to", str(tmp_path / "mine")]
    done = subprocess.run([*words, "--epochs", "2"], capture_output=True, text=True, check=False)
    assert done.returncode == 0, done.stderr
    assert "the model it started from" in done.stdout
    both = subprocess.run([*words, "--from", str(base.run)], capture_output=True, text=True, check=False)
    assert both.returncode == 2
    assert "--adapt and --from" in both.stderr


@pytest.mark.parametrize(("stop", "minutes"), [("{}", 1), ("{epochs: 3}", None), ("{minutes: 4}", 4)])
def test_a_minute_is_the_end_where_there_is_no_other(stop: str, minutes: float | None) -> None:
    found = _in_a_minute(spec.load(f"{{outputs: [category], training: {{stop: {stop}}}}}"))
    assert isinstance(found, spec.Spec)
    assert found.training.stop.minutes == minutes


def test_texts_keep_the_tokens_of_the_model_and_tell_of_others(tmp_path: Path) -> None:
    draw = np.random.default_rng(0)

    def words(letters: str, count: int) -> dict[str, np.ndarray]:
        said = ["".join(draw.choice(list(letters), 4)) for _ in range(count)]
        height = draw.normal(size=12 * count).round(2)
        return {"word": np.repeat(np.arange(count), 12), "height": height, "text": np.repeat(np.array(said), 12)}

    wanted = spec.load(
        "{data: {group: word, duplicates: accept}, inputs: {way: {kind: signal, from: [height]}}, "
        "outputs: {text: {kind: text, align: ctc}}, model: {layers: 'lstm 8'}, training: {stop: {epochs: 1}}}"
    )
    base = run.train(wanted, data=words("aeinst", 60), out=tmp_path / "base")
    after = run.train(wanted, data=words("aex", 60), base=base.run, out=tmp_path / "after")
    before, now = (netwright.load(outcome.model).outputs["text"].vocabulary for outcome in (base, after))
    assert now == before
    assert set(before[1:]) == set("aeinst")
    (output,) = Facts.read(RunFolder(after.run).facts).outputs
    assert "before" in {each.name for each in output.baselines}
    reasons = {each.path: each.why for each in load_resolved(RunFolder(after.run).resolved).reasons}
    assert reasons["outputs.text.vocabulary"].startswith("those of the model to start from; ")
    assert reasons["outputs.text.vocabulary"].endswith("count as one unknown: x")
    anew = wanted.model_copy(update={"outputs": {"text": wanted.outputs["text"].model_copy(update={"vocabulary": 50})}})
    other = run.train(anew, data=words("aex", 60), base=base.run, out=tmp_path / "anew")
    assert set(netwright.load(other.model).outputs["text"].vocabulary[1:]) == set("aex")
    with pytest.raises(DataError, match="the model to start from knows few tokens") as refused:
        run.train(wanted, data=words("xyz", 12), base=base.run, out=tmp_path / "foreign")
    assert refused.value.cure.startswith("Train without --from")
