"""Checks of data on cases made by thought: what must be told, and what must not."""

from __future__ import annotations

import re
from dataclasses import replace

import numpy as np
import pytest
import torch

from netwright import spec
from netwright.data.dataset import prepare
from netwright.doctor import plant
from netwright.doctor.backwards import with_relu
from netwright.doctor.border import Border
from netwright.doctor.check import judge_data
from netwright.doctor.checks.classes import TwinClasses, slips
from netwright.doctor.checks.columns import ConstantInputs, SameInputs
from netwright.doctor.checks.copies import Copies
from netwright.doctor.checks.first_loss import FirstLoss
from netwright.doctor.checks.labels import Labels
from netwright.doctor.checks.leaks import Leaks
from netwright.doctor.checks.mates import Mates
from netwright.doctor.checks.order import Order
from netwright.doctor.checks.scale import Outliers
from netwright.doctor.checks.signal import Symmetry, Vanishing
from netwright.doctor.finding import Finding
from netwright.doctor.start import _apart, _blank


def told(findings: list[Finding]) -> str:
    return "; ".join(finding.message for finding in findings if finding.state != "good")


def bundled(name: str, output: str) -> Border:
    return Border(prepare(spec.load(f"{{data: {{path: 'sklearn:{name}'}}, outputs: [{output}]}}")))


@pytest.mark.parametrize(
    ("name", "output", "alarms"),
    [
        ("iris", "category", {"copies"}),  # rows 102 and 143 are equal
        ("wine", "category", set()),
        ("breast_cancer", "category", set()),
        ("diabetes", "target", set()),
        ("digits", "category", {"near-twins"}),
    ],
)
def test_real_data_gives_no_false_alarm(name: str, output: str, alarms: set[str]) -> None:
    assert {f.name for f in judge_data(bundled(name, output)) if f.state != "good"} == alarms


# ---- gradients that vanish -------------------------------------------------------------------------------------------


def test_a_gradient_that_vanishes_is_told_with_what_relu_would_leave() -> None:
    (found,) = Vanishing().look(plant.start("x9 {dense 16, sigmoid}"))
    assert found.state == "note"
    assert re.match(
        r"the gradient vanishes: through 9 layers, dense1 gets \d\.\de-\d\d of what dense9 gets", found.message
    )
    assert re.match(r"Write relu: measured on the same examples, dense1 then gets 0\.\d+ of dense9's", found.cure)


@pytest.mark.parametrize("layers", ["x9 {dense 16, relu}", "x9 {dense 16, tanh}", "x9 {dense 16, sigmoid, batch_norm}"])
def test_chains_through_which_a_gradient_comes_are_good(layers: str) -> None:
    (found,) = Vanishing().look(plant.start(layers))
    assert found.state == "good"


def test_what_only_helps_training_is_not_the_last_layer() -> None:
    (found,) = Vanishing().look(plant.start("x4 {dense 16, relu}, {dense 8, relu} auxiliary, dense 16, relu"))
    assert "of dense5's gradient" in found.message


def test_few_layers_and_trained_ones_are_not_judged() -> None:
    assert Vanishing().look(plant.start("dense 16, sigmoid, dense 16, sigmoid")) == []
    assert Vanishing().look(replace(plant.start("x9 {dense 16, sigmoid}"), fresh=False)) == []


def test_relu_stands_where_an_activation_levels_off() -> None:
    wanted = with_relu(spec.ModelSpec(layers="dense 4, sigmoid, x2 {dense 4, tanh | same} add, elu, relu6"))
    assert wanted is not None
    assert wanted.layers == "dense 4, relu, x2 {dense 4, relu | same} add, elu, relu6"
    assert with_relu(spec.ModelSpec(layers="dense 4, relu")) is None
    assert with_relu(spec.ModelSpec(depth=4)) is None
    by_words = with_relu(spec.ModelSpec(depth=4, activation="sigmoid"))
    assert by_words is not None
    assert by_words.activation == "relu"


# ---- leaks -----------------------------------------------------------------------------------------------------------


def with_column(values: np.ndarray, output: str = "tree") -> str:
    return told(Leaks().look(plant.border({**plant.sound(), "extra": values}, output)))


def test_a_number_that_holds_the_class_is_a_leak() -> None:
    tree = plant.sound()["tree"]
    code = np.array([{"elm": 2.5, "fir": 1.0, "oak": 7.0}[each] for each in tree])
    noise = np.random.default_rng(0).normal(0, 0.1, 600)
    assert "extra (100.0 % of the answers) tells tree all by itself" in with_column(code + noise)


def test_two_classes_are_judged_by_the_area_under_the_curve() -> None:
    columns = plant.sound()
    columns["tree"] = np.where(columns["tree"] == "oak", "oak", "other")
    noise = np.random.default_rng(0).normal(0, 0.26, 600)  # some on the wrong side: neighbours alone would miss it
    columns["extra"] = (columns["tree"] == "oak") + noise
    assert "extra (an area of 0.99" in told(Leaks().look(plant.border(columns)))


def test_a_number_that_is_the_target_in_other_units_is_a_leak() -> None:
    price = plant.sound()["price"]
    assert "extra (100.0 % of the variance)" in with_column(np.round(price * 1.19, 1), "price")
    assert with_column(price + np.random.default_rng(0).normal(0, 10, 600), "price") == ""


def test_an_id_of_one_row_tells_nothing_however_many_there_are() -> None:
    names = np.array([f"file{i}" for i in range(600)])
    assert with_column(names) == ""
    assert with_column(np.random.default_rng(0).permutation(600)) == ""
    assert "extra" in with_column(np.array([f"{tree}-{i % 20}" for i, tree in enumerate(plant.sound()["tree"])]))


def test_a_rare_class_does_not_make_every_column_a_leak() -> None:
    columns = plant.sound()
    columns["tree"] = np.where(np.arange(600) % 150 == 7, "yew", "oak")
    assert told(Leaks().look(plant.border(columns))) == ""


def test_the_best_column_is_named_only_where_it_beats_the_commonest_class() -> None:
    columns = plant.sound()
    columns["tree"] = np.where(np.arange(600) % 40 == 7, "yew", "oak")
    (finding,) = Leaks().look(plant.border(columns))
    assert finding.message == "no column alone tells tree"
    (finding,) = Leaks().look(plant.border(plant.sound()))
    assert "; the best is " in finding.message
    assert "(always the commonest class: " in finding.message


def test_a_single_input_is_no_leak() -> None:
    x = np.linspace(0, 1, 200)
    assert told(Leaks().look(plant.border({"x": x, "y": np.sin(x)}, "y"))) == ""


# ---- the others ------------------------------------------------------------------------------------------------------


def test_one_column_and_one_hidden_layer_are_told_as_one() -> None:
    columns = plant.sound()
    (finding,) = ConstantInputs().look(plant.border({"height": columns["height"], "tree": columns["tree"]}))
    assert (finding.state, finding.message) == ("good", "height changes")
    start = plant.start()
    (finding,) = Symmetry().look(replace(start, nodes=tuple(n for n in start.nodes if n.name != "dense2")))
    assert finding.message == "the units of 1 hidden layer differ"


@pytest.mark.parametrize(
    ("loss", "said"),
    [(1.1, "near that"), (3.07, "3 times that; up to 6 times is the noise of fresh weights")],
)
def test_a_first_loss_is_called_near_only_where_it_is(loss: float, said: str) -> None:
    start = replace(plant.start(), losses={"tree": loss}, blind={"tree": 1.02}, classes={"tree": 3})
    (finding,) = FirstLoss().look(start)
    assert finding.state == "good"
    assert finding.message == f"tree: the first loss is {loss:.3g}, answering blindly costs 1.02: {said}"


def test_labels_that_depend_on_nothing_are_not_suspected() -> None:
    columns = plant.sound()
    columns["tree"] = np.random.default_rng(0).permutation(columns["tree"])
    (finding,) = Labels().look(plant.border(columns))
    assert finding.state == "good"
    assert "too few to suspect single labels" in finding.message


def test_names_that_are_short_or_differ_in_a_digit_are_no_slips() -> None:
    assert slips({"class1": 3, "class2": 500, "cat": 3, "car": 500, "A": 2, "a": 900}) == []
    assert slips({"tulip": 500, "tuilp": 3}) == [("tuilp", "tulip")]
    assert slips({"tulip": 500, "tulips": 400}) == []  # both are frequent


def test_letters_of_either_case_are_classes_and_spaces_are_twins() -> None:
    columns = plant.sound()
    columns["tree"] = np.array(["a", "A", "b"])[np.arange(600) % 3]
    assert told(TwinClasses().look(plant.border(columns))) == ""
    columns["tree"] = np.array(["a b", "a  b", "b"])[np.arange(600) % 3]
    assert '"a  b" and "a b" differ only in case or spaces' in told(TwinClasses().look(plant.border(columns)))


def test_classes_under_other_names_are_the_same_input() -> None:
    columns = plant.sound()
    columns["ground"] = np.array([{"clay": "x", "sand": "y", "peat": "z"}[soil] for soil in columns["soil"]])
    assert "soil and ground say the same thing twice" in told(SameInputs().look(plant.border(columns)))


def test_constant_places_inside_an_array_are_no_surprise() -> None:
    columns = {**plant.sound(), "pixels": np.zeros((600, 3))}
    assert told(ConstantInputs().look(plant.border(columns))) == ""


def test_a_column_that_is_mostly_zero_or_has_two_values_is_no_outlier() -> None:
    draw = np.random.default_rng(0)
    columns = plant.sound()
    columns["gain"] = np.where(draw.random(600) < 0.05, draw.exponential(8000, 600), 0.0)
    columns["yes"] = (draw.random(600) < 0.3).astype(float)
    assert told(Outliers().look(plant.border(columns))) == ""


def test_a_sorted_source_is_told_without_alarm_when_training_shuffles() -> None:
    (finding,) = Order().look(bundled("iris", "category"))
    assert finding.state == "good"
    assert "the source is sorted by category; training draws its batches by chance" in finding.message


def test_blind_answers_have_no_more_steps_than_real_ones() -> None:
    blank = _blank(torch.tensor([[[2.0, -1.0], [torch.nan, torch.nan]]]))
    assert blank[0, 0].tolist() == [0, 0]
    assert blank[0, 1].isnan().all()


def test_sequences_alone_and_together_are_printed_and_only_where_there_are_any() -> None:
    (found,) = Mates().look(plant.walk())
    assert found.state == "good"
    assert found.message.startswith("8 sequences of 10 to 20 steps are answered alone as they are together, to within ")
    (mixed,) = Mates().look(Mates().planted())
    assert mixed.state == "bad"
    assert Mates().look(plant.start()) == []


def test_a_number_that_padding_makes_none_is_a_difference() -> None:
    nothing = float("nan")
    one, other = torch.tensor([1.0, nothing]), torch.tensor([1.25, nothing])
    assert _apart(one, other) == 0.25
    assert _apart(one, torch.tensor([1.0, 2.0])) == float("inf")


# ---- copies ----------------------------------------------------------------------------------------------------------


def described(parts: list[str], texts: int = 40) -> Finding:
    """What is told of twenty pairs of numbers, each with two texts, in given parts."""
    draw = np.random.default_rng(0)
    columns: dict[str, np.ndarray] = {
        "height": np.repeat(draw.normal(size=20).round(3), 2),
        "width": np.repeat(draw.normal(size=20).round(3), 2),
        "said": np.array([f"number {word % texts}" for word in range(40)]),
    }
    columns["split"] = np.array(parts)
    wanted = (
        "{data: {duplicates: accept, split: {by: column, column: split}}, "
        "outputs: {said: {kind: text, tokens: characters}}}"
    )
    return Copies().look(Border(prepare(spec.load(wanted), data=columns)))[0]


def test_several_texts_of_one_input_are_welcome_where_they_stand_in_one_part() -> None:
    parts = np.repeat(["train", "validation", "test"], [24, 8, 8]).tolist()
    found = described(parts)
    assert (found.state, found.cure) == ("good", "")
    assert "40 examples in 20 groups have the same inputs" in found.message
    assert found.message.endswith("each has another said, and stands in one part with the others")


def test_texts_of_one_input_in_several_parts_are_told_with_what_keeps_them_together() -> None:
    parts = np.repeat(["train", "validation", "test"], [23, 9, 8]).tolist()
    found = described(parts)
    assert found.state == "note"
    assert found.message.endswith("; 1 group in several parts")
    assert "data.split.by=group" in found.cure


def test_an_input_with_the_same_text_again_is_a_copy() -> None:
    parts = np.repeat(["train", "validation", "test"], [24, 8, 8]).tolist()
    assert described(parts, 39).state == "good"  # the last text is that of the first input
    found = described(parts, 1)
    assert (found.state, found.cure) == ("note", "Keep one of each, unless they really were met separately.")
