"""Categories of many classes: a few learned numbers for each, from the table to the model file."""

from __future__ import annotations

from pathlib import Path

import numpy as np
import pytest
import torch

from netwright import model_file, run, spec
from netwright.data.dataset import prepare
from netwright.errors import SpecError
from netwright.model_file import assemble
from netwright.models.layers import Embed
from netwright.resolved import load_resolved
from netwright.run.folder import RunFolder
from netwright.run.resolve import settle

CITIES = [f"city {k:02d}" for k in range(30)]


@pytest.fixture(scope="module")
def rents(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """A rent that depends on the city and a little on the size."""
    draw, path = np.random.default_rng(0), tmp_path_factory.mktemp("rents") / "rents.csv"
    level = draw.normal(size=30) * 10
    rows = []
    for _ in range(1500):
        city, size = int(draw.integers(30)), draw.normal()
        rows.append(f"{CITIES[city]},{size:.4f},{level[city] + 2 * size + draw.normal():.4f}")
    path.write_text("city,size,rent\n" + "\n".join(rows) + "\n", encoding="utf-8")
    return path


def test_a_class_is_its_row_of_a_learned_table() -> None:
    layer = Embed((4,), 2)
    with torch.no_grad():
        layer.weight.copy_(torch.arange(8.0).reshape(2, 4))
    assert layer(torch.eye(4)).tolist() == [[0, 4], [1, 5], [2, 6], [3, 7]]


def test_many_classes_are_embedded_few_get_a_column_each_and_both_can_be_asked_for(rents: Path) -> None:
    dims = {}
    for said in ("", "embed: 0", "embed: 5"):
        text = f"{{data: {{path: {rents}}}, inputs: {{city: {{{said}}}, size: {{}}}}, outputs: [rent]}}"
        data = prepare(spec.load(text))
        settled, _ = settle(spec.load(text), data)
        network = assemble(settled, data.inputs, data.outputs, 0).network
        dims[said] = {node.name: node.shape for node in network.nodes if node.part in {"embed", "input", "concat"}}
    assert dims[""]["embed1"] == (11,)
    assert dims[""]["concat1"] == (12,)
    assert dims["embed: 5"]["embed1"] == (5,)
    assert dims["embed: 0"] == {"input:table": (31,)}


def test_it_trains_explains_itself_and_is_read_back(rents: Path, tmp_path: Path) -> None:
    text = f"{{data: {{path: {rents}}}, outputs: [rent], training: {{optimizer: {{lr: 0.01}}, stop: {{epochs: 12}}}}}}"
    outcome = run.train(spec.load(text), out=tmp_path / "run")
    assert outcome.scores["rent"]["test"]["r2"] > 0.95
    model = model_file.load(outcome.model)
    assert model.replayed is not None
    assert model.replayed.matches == model.replayed.total > 0
    reasons = load_resolved(RunFolder(outcome.run).resolved).reasons
    assert next(r.why for r in reasons if r.path == "inputs.city.embed").startswith("30 classes; more than 20 columns")
    answers = run.predict(outcome.run, {"city": ["city 03"], "size": [0.5]})
    assert np.isfinite(answers["rent"][0].as_py())


def test_an_embedding_of_a_number_is_refused_instead_of_ignored(rents: Path) -> None:
    text = f"{{data: {{path: {rents}}}, inputs: {{size: {{embed: 3}}}}, outputs: [rent]}}"
    with pytest.raises(SpecError, match="an input of kind number has no embed; category, text have"):
        prepare(spec.load(text))
