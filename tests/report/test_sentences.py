import pytest

from netwright.report import sentences
from netwright.report.facts import Baseline, Facts, OutputFacts


def test_the_result_is_one_sentence_with_interval_and_baselines(facts: Facts) -> None:
    assert sentences.result(facts, facts.outputs[0]).replace("\xa0", " ") == (
        "90.0 % of 10 held-out pictures right (95 % interval 59.6–98.2); "
        'a linear model reaches 70.0 %, always "cat" 50.0 %.'
    )


def number_output(other: float) -> OutputFacts:
    return OutputFacts(
        name="price",
        kind="number",
        headline="r2",
        measure="euro",
        scores={"test": {"r2": 0.48, "rmse": 53.21}},
        intervals={"r2": (0.38, 0.58), "rmse": (48.1, 58.0)},
        baselines=[
            Baseline(name="mean", scores={"r2": 0.0, "rmse": 77.0}),
            Baseline(name="linear", scores={"r2": 0.5, "rmse": other}),
        ],
    )


def test_a_number_output_is_told_by_its_error_in_own_units(facts: Facts) -> None:
    assert sentences.result(facts, number_output(54.1)) == (
        "A typical error of 53.2 euro (RMSE, 95 % interval 48.1–58) on 10 held-out pictures, R² 0.48; "
        "a linear model reaches 54.1, always the mean 77."
    )


@pytest.mark.parametrize(
    ("other", "said"),
    [(60, "is better than a linear model"), (50, "cannot be told apart"), (47, "is worse than a linear model")],
)
def test_the_comparison_is_judged_by_the_interval_that_the_sentence_shows(other: float, said: str) -> None:
    assert said in sentences.against_baselines(number_output(other))


def test_less_is_better_for_errors() -> None:
    output = number_output(54.1).model_copy(update={"headline": "rmse"})
    assert "cannot be told apart from" not in sentences.against_baselines(output)
    assert [each.name for each in sentences.best_first(output.baselines, "rmse")] == ["linear", "mean"]
    better = output.model_copy(update={"baselines": [Baseline(name="linear", scores={"rmse": 20.0})]})
    assert "is worse than a linear model" in sentences.against_baselines(better)


def test_nothing_is_claimed_without_an_interval() -> None:
    assert sentences.against_baselines(number_output(54.1).model_copy(update={"intervals": {}})) == ""


def test_without_a_test_part_the_validation_score_is_said_and_named_so(facts: Facts) -> None:
    output = number_output(54.1)
    held = output.model_copy(update={"scores": {"train": {"rmse": 9.0}, "validation": output.scores["test"]}})
    assert held.shown == "validation"
    said = sentences.result(facts, held)
    assert said.startswith("A typical error of 53.2 euro (RMSE, 95 % interval 48.1–58) on ")
    assert "validation pictures (no test part was held out), R² 0.48" in said
    assert "held-out pictures" not in said
    assert "cannot be told apart" in sentences.against_baselines(held)
    bare = output.model_copy(update={"scores": {"train": output.scores["test"]}})
    assert "on its training pictures, which it may have learned by heart" in sentences.result(facts, bare)
    assert sentences.split_name(bare) == "training split"


def test_answers_at_every_step_are_counted_as_such(facts: Facts) -> None:
    stepped = facts.outputs[0].model_copy(update={"steps": 3151})
    assert "of 3,151 steps of 10 held-out pictures right" in sentences.result(facts, stepped).replace("\xa0", " ")


def test_reading_the_test_split_again_is_said_with_its_price(facts: Facts) -> None:
    assert "read 3 times" in sentences.test_reads(facts)
    assert "read once" in sentences.test_reads(facts.model_copy(update={"test_reads": 1}))


def test_the_end_of_training_names_both_epochs_and_the_reason(facts: Facts) -> None:
    assert sentences.training_end(facts) == "best epoch 1, stopped at 3 (no better for 2 epochs)"


@pytest.mark.parametrize(("score", "begins"), [("bleu", "BLEU 34.1 on 10"), ("ade", "Mean distance 34.1 on 10")])
def test_a_sentence_begins_large_and_leaves_abbreviations_as_they_are(facts: Facts, score: str, begins: str) -> None:
    output = OutputFacts(name="out", kind="text", headline=score, scores={"test": {score: 34.1}})
    assert sentences.result(facts, output).startswith(begins)
