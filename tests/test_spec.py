"""The spec: short forms, all mistakes at once with their lines, and nothing lost on the way out and in again."""

import json
from pathlib import Path

import pytest
from hypothesis import given
from hypothesis import strategies as st

from netwright import recipes, spec
from netwright.errors import SpecError
from netwright.field import Field, Reason
from netwright.resolved import Hardware, Resolved, load_resolved
from netwright.spec import PartSpec, Spec


def test_short_forms_say_the_same_as_long_ones() -> None:
    short = spec.load("{inputs: [a, b], outputs: {y: number}, training: {optimizer: sgd}}")
    long = spec.load("{inputs: {a: {}, b: {}}, outputs: {y: {kind: number}}, training: {optimizer: {name: sgd}}}")
    assert short == long


def test_options_without_a_name_belong_to_the_default_part() -> None:
    chosen = spec.load("training: {optimizer: {lr: 1e-3}, schedule: {floor: 0.1}}").training
    assert chosen.optimizer == PartSpec(name="adam", options={"lr": 0.001})
    assert chosen.schedule == PartSpec(name="cosine", options={"floor": 0.1})


def test_all_mistakes_come_at_once_with_their_lines_and_nearest_names() -> None:
    text = "data:\n  pth: x\ntraining:\n  batch_size: 0\n  stop:\n    epoch: 3\n  seed: -1\n"
    text += "model: {depth: 2, layers: dense 3}\n"
    with pytest.raises(SpecError, match="5 problems found") as caught:
        spec.load(text, "drive.yaml")
    told = caught.value.message
    assert 'line 2: data.pth: unknown setting (did you mean "path"?)' in told
    assert "line 4: training.batch_size" in told
    assert 'line 6: training.stop.epoch: unknown setting (did you mean "epochs"?)' in told
    assert "line 7: training.seed: Input should be greater than or equal to 0, not -1" in told
    assert "layers and depth say the same thing twice" in told


@pytest.mark.parametrize(
    ("text", "says"),
    [
        ("{inputs: {a: {}}, outputs: {a: {}}}", "a cannot be input and output at once"),
        ("data: {split: {parts: [0.5, 0.2, 0.2]}}", "must be shares that sum to 1"),
        ("data: {split: {parts: [0, 0.5, 0.5]}}", "some for training"),
        ("data: {split: {by: group}}", "split by group needs the name of its column"),
        ("version: 2", "spec version 2 is not known; this netwright reads version 1"),
        ("inputs: {x: {form: a}}", r'inputs.x.form: unknown setting \(did you mean "from"\?\)'),
        ("outputs: {y: {weight: 0}}", "outputs.y.weight: Input should be greater than 0, not 0"),
        ("- a\n- b", "a spec is a mapping"),
        ("", "a spec is a mapping"),
        ("inputs: {image: {augment: [{rotate: 4}]}}", "write {name: rotate, ...}"),
    ],
)
def test_a_mistake_says_what_is_expected(text: str, says: str) -> None:
    with pytest.raises(SpecError, match=says):
        spec.load(text)


def test_a_file_that_is_no_text_is_said(tmp_path: Path) -> None:
    (tmp_path / "a.yaml").write_bytes(b"\xff\xfe\x00")
    with pytest.raises(SpecError, match=r"a\.yaml: cannot be read as a spec"):
        spec.load(tmp_path / "a.yaml")
    with pytest.raises(SpecError, match="cannot be read as a spec"):
        spec.load(tmp_path / "missing.yaml")


NAMES = st.text(min_size=1, max_size=8)
SPECS = st.builds(
    lambda path, ins, out, lr, size, weight: spec.validate(
        {
            "data": {"path": path, "split": {"by": "column", "column": out}},
            "inputs": {name: {"from": [name, path]} for name in ins - {out}},
            "outputs": {out: {"weight": weight}},
            "training": {"optimizer": {"name": "adam", "lr": lr}, "batch_size": size},
        }
    ),
    NAMES, st.sets(NAMES, max_size=3), NAMES, st.floats(1e-9, 1e9), st.integers(1, 10**9) | st.just("all"),
    st.floats(0.1, 9),
)  # fmt: skip


@given(SPECS)
def test_a_dumped_spec_loads_equal(wanted: Spec) -> None:
    assert spec.load(spec.dump(wanted)) == wanted


@pytest.mark.parametrize("name", recipes.names())
def test_recipes_survive_the_round_trip(name: str) -> None:
    assert spec.load(spec.dump(recipes.load(name))) == recipes.load(name)


def test_a_resolved_spec_survives_the_round_trip(tmp_path: Path) -> None:
    facts = Field(
        name="y", kind="category", source="=y", dtype="int32", vocabulary=("NA", "null", "007", "é", "a\udcff"),
        mean=(0.1 + 0.2, 1e-300), std=(1.0, 3.5e22), options={"fit": "true", "integer": True, "n": 3, "x": 1e-5},
    )  # fmt: skip
    decided = Resolved(
        netwright="0", torch="2", spec=recipes.load("digits"), inputs={"x": facts}, outputs={"y": facts},
        hardware=Hardware(device="cpu", threads=1, resident=True, why=(Reason(path="a", value="no", why="c: d"),)),
        fingerprint={"files": 3, "sampled": {"a": "00"}},
    )  # fmt: skip
    (tmp_path / "resolved.yaml").write_text(spec.dump(decided), encoding="utf-8")
    assert load_resolved(tmp_path / "resolved.yaml") == decided


def test_a_resolved_spec_of_another_version_or_kind_is_refused(tmp_path: Path) -> None:
    (tmp_path / "resolved.yaml").write_text("version: 9\n", encoding="utf-8")
    with pytest.raises(SpecError, match="format version 9, this netwright reads 1"):
        load_resolved(tmp_path / "resolved.yaml")
    (tmp_path / "resolved.yaml").write_text("version: 1\n", encoding="utf-8")
    with pytest.raises(SpecError, match="not a resolved spec"):
        load_resolved(tmp_path / "resolved.yaml")


def test_override_changes_what_it_names_and_nothing_else() -> None:
    start = spec.load("{data: {path: x.csv}, outputs: [y], model: {layers: dense 4}, training: {optimizer: adam}}")
    changed = spec.override(start, {"training.optimizer.lr": "1e-2", "model.depth": "3", "outputs.y.weight": "2"})
    assert changed.training.optimizer == PartSpec(name="adam", options={"lr": 0.01})
    assert (changed.model.layers, changed.model.depth) == (None, 3)
    assert changed.outputs["y"].weight == 2
    assert changed.data == start.data
    assert start.model.layers == "dense 4"


@pytest.mark.parametrize(
    ("path", "value", "says"),
    [
        ("training.bach_size", "3", r'did you mean "batch_size"'),
        ("data.path.deep", "3", "path holds 'x.csv' and has no settings below it"),
        ("training.seed", "[1", "--set training.seed"),
        ("training.stop.epochs", "many", "training.stop.epochs"),
    ],
)
def test_a_wrong_override_is_refused(path: str, value: object, says: str) -> None:
    with pytest.raises(SpecError, match=says):
        spec.override(spec.load("data: {path: x.csv}"), {path: value})


def test_parts_named_are_those_a_spec_chooses() -> None:
    text = "{outputs: {y: {loss: squared}}, model: {activation: tanh}, training: {optimizer: sgd, schedule: cosine}}"
    assert set(spec.parts_named(spec.load(text))) == {
        ("optimizer", "sgd"), ("schedule", "cosine"), ("activation", "tanh"), ("loss", "squared"),
    }  # fmt: skip


def test_the_schema_knows_the_words_people_write() -> None:
    properties = spec.schema()["$defs"]["InputSpec"]["properties"]
    assert {
        "kind",
        "from",
        "size_px",
        "channels",
        "missing",
        "embed",
        "rate_hz",
        "features",
        "tokens",
        "lower",
        "vocabulary",
        "longest",
        "day_first",
        "frame",
        "augment",
    } == set(properties)


def test_the_schema_in_the_docs_is_that_of_the_code(repository: Path) -> None:
    kept = json.loads((repository / "docs" / "spec.schema.json").read_text("utf-8"))
    assert kept == json.loads(json.dumps(spec.schema())), "renew it: netwright recipes schema > docs/spec.schema.json"


def test_a_network_with_a_name_may_stand_for_the_whole_model() -> None:
    for text in ("model: resnet18", "model: {net: resnet18}", "model: {net: {name: resnet18}}"):
        assert spec.load(text).model.net == PartSpec(name="resnet18")
    with pytest.raises(SpecError, match="net and layers, depth say the same thing twice"):
        spec.load('model: {net: lenet, layers: "dense 3", depth: 2}')


@pytest.mark.parametrize(
    ("text", "values", "left"),
    [
        ("model: {layers: 'dense 3'}", {"model.net.name": "lenet"}, {"net"}),
        ("model: {layers: 'dense 3'}", {"model.depth": "2"}, {"depth"}),
        ("model: {depth: 2, width: 3}", {"model.layers": "dense 4"}, {"layers"}),
        ("model: {depth: 2, width: 3}", {"model.width": "4"}, {"depth", "width"}),
        ("model: {net: {name: vgg, depth: 11}}", {"model.net.depth": "13"}, {"net"}),
        ("model: {net: lenet}", {"model.layers": "dense 4"}, {"layers"}),
        ("model: {net: lenet}", {"model.layers": "null"}, {"net"}),
    ],
)
def test_what_the_command_line_says_of_a_network_replaces_another_way_of_the_spec(
    text: str, values: dict[str, str], left: set[str]
) -> None:
    model = spec.override(spec.load(text), values).model
    assert {name for name, value in model.model_dump().items() if value is not None} == left


def test_two_ways_on_one_command_line_are_refused() -> None:
    with pytest.raises(SpecError, match="net and layers say the same thing twice"):
        spec.override(Spec(), {"model.net.name": "lenet", "model.layers": "dense 4"})
