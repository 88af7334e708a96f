"""B4: a last batch of one example trains like any other."""

from __future__ import annotations

from pathlib import Path

import pytest

from netwright import registry, run, spec
from netwright.run.folder import RunFolder
from netwright.training import history

LAYERS = "dense 6, batch_norm, layer_norm, relu, dropout 0.2, maxout 4, rbf 5"


@pytest.mark.parametrize("smoothing", [0.0, 0.1])
def test_b4_a_last_batch_of_one_is_used_and_counted(tmp_path: Path, smoothing: float) -> None:
    """Seventeen training examples in batches of sixteen: the second batch of each epoch has one."""
    parts = ["train"] * 17 + ["validation"] * 4 + ["test"] * 3
    rows = [f"{k % 7},{k % 5},{'ab'[k % 2]},{part}" for k, part in enumerate(parts)]
    (tmp_path / "t.csv").write_text("x,y,class,part\n" + "\n".join(rows) + "\n", encoding="utf-8")
    text = (
        f"{{data: {{path: {tmp_path / 't.csv'}, split: {{by: column, column: part}}, duplicates: accept}}, "
        f"outputs: [class], model: {{layers: '{LAYERS}'}}, training: {{batch_size: 16, clip: 1.0, average: 0.9, "
        f"regularize: {{l1: 0.001, noise: 0.1, label_smoothing: {smoothing}}}, stop: {{epochs: 3}}}}}}"
    )
    outcome = run.train(spec.load(text), out=tmp_path / "run")
    epochs = [row for row in history.read(RunFolder(outcome.run).history) if row["kind"] == "epoch"]
    assert [row["step"] for row in epochs] == [2, 4, 6]
    assert all(isinstance(row["train/loss"], float) for row in epochs)


def test_b4_no_layer_is_left_out_here() -> None:
    """A new layer must be added to the net of this test, or be one that only reads pictures or sequences."""
    layers = {name: registry.resolve("layer", name).takes for name in registry.parts("layer")}
    vectors = {name for name, takes in layers.items() if takes in {"vector", "any"}}
    assert vectors - {"flatten"} <= {word.split()[0] for word in LAYERS.split(", ")}
