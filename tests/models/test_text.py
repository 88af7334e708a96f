"""The layer text: what it means, and where a wrong one is wrong."""

from __future__ import annotations

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from netwright.errors import SpecError
from netwright.models.text import Branches, Repeat, Step, parse, steps, with_dropout


def options(text: str) -> dict[str, object]:
    (step,) = parse(text)
    assert isinstance(step, Step)
    return dict(step.options)


def refusal(text: str) -> str:
    with pytest.raises(SpecError, match=r"model\.layers column") as caught:
        parse(text)
    return str(caught.value)


@pytest.mark.parametrize(
    ("text", "expected"),
    [
        ("dense 64", {"units": 64}),
        ("conv 16x5", {"filters": 16, "height": 5}),
        ("conv 16x5x3 pad 2 stride 2", {"filters": 16, "height": 5, "width": 3, "pad": 2, "stride": 2}),
        ("conv 16 5 stride 2", {"filters": 16, "height": 5, "stride": 2}),
        ("conv filters 16 height 5", {"filters": 16, "height": 5}),
        ("pool 2", {"size": 2}),
        ("pool avg 3 stride 2", {"size": 3, "how": "avg", "stride": 2}),
        ("pool 3 max pad 1", {"size": 3, "how": "max", "pad": 1}),
        ("flatten", {}),
        ("  relu\n", {}),
    ],
)
def test_words_fill_the_options_of_the_signature(text: str, expected: dict[str, object]) -> None:
    assert options(text) == expected


def test_an_empty_text_is_a_linear_model() -> None:
    assert parse("") == () == parse("  \n ")


def test_a_step_keeps_its_words_and_its_column() -> None:
    first, second = parse("conv  16x5   pad 2,relu")
    assert (first.text, first.column, second.text, second.column) == ("conv 16x5 pad 2", 0, "relu", 19)
    assert (first.room, second.room) == ("layer", "activation")


def test_branches_and_repeats_nest() -> None:
    (repeat,) = parse("x3 {{dense 32, relu | same} add, relu}")
    assert isinstance(repeat, Repeat)
    assert repeat.times == 3
    branches, after = repeat.body
    assert isinstance(branches, Branches)
    assert (branches.merge, [len(path) for path in branches.paths]) == ("add", [2, 0])
    assert [step.text for step in steps((repeat,))] == ["dense 32", "relu", "relu"]
    assert after.part == "relu"


def test_a_merged_block_can_be_repeated_directly() -> None:
    (repeat,) = parse("x2 {relu, dense 8 | same} concat")
    (branches,) = repeat.body
    assert (branches.merge, len(branches.paths)) == ("concat", 2)


def test_a_block_may_end_in_auxiliary_outputs_with_a_share() -> None:
    first, second = parse("{dense 4} auxiliary, x2 {{relu} auxiliary 0.5}")
    assert isinstance(first, Branches)
    assert (first.merge, first.share) == ("auxiliary", 0.3)
    assert isinstance(second, Repeat)
    (inner,) = second.body
    assert isinstance(inner, Branches)
    assert inner.share == 0.5


@pytest.mark.parametrize(
    ("text", "column", "said"),
    [
        ("conv 16x5, rulu", 12, 'unknown layer "rulu" (did you mean "relu"?)'),
        ("dense64", 1, 'did you mean "dense 64"?'),
        ("dense(64)", 1, 'did you mean "dense 64"?'),
        ("conv 16x5 padd 2", 11, '"conv" has no option "padd" (did you mean "pad"?)'),
        ("conv 16x5 pad=2", 11, 'did you mean "pad 2"?'),
        ("conv 16x5 pad", 11, '"pad" needs a value'),
        ("conv 16x5 pad 2 pad 3", 17, '"pad" is given twice'),
        ("conv 16", 1, '"conv" needs height'),
        ("dense", 1, '"dense" needs units'),
        ("dense 64.5", 7, '"units" is a whole number'),
        ("dense 99999999999", 7, '"units" is a whole number up to 10,000,000'),
        ("pool 2 3", 8, '"pool" takes no further number 3. Numbers with a name: stride, pad'),
        ("pool how mean 2", 10, '"how" is one of max, avg, sum, not "mean"'),
        ("relu 3", 6, '"relu" takes no further number 3'),
        ("dense 64 relu", 10, 'a comma is missing before "relu"'),
        ("dense 64 {relu} add", 10, 'a comma is missing before "{"'),
        ("relu,", 6, "a layer is missing here"),
        ("relu, , relu", 7, "a layer is missing here"),
        ("relu}", 5, '"}" without an opening {'),
        ("dense 4, {dense 4 | same add", 10, "this { is never closed"),
        ("{dense 4 | same}", 17, "add or concat is expected here"),
        ("{dense 4 | same} sum", 18, 'add or concat is expected here, not "sum"'),
        ("x3 {relu | same}", 17, "add or concat is expected here"),
        ("relu, {dense 4 | relu} auxiliary", 7, "2 ways into auxiliary outputs; one is possible"),
        ("{dense 4} auxiliary 1.5", 21, '"auxiliary" takes a share above 0, at most 1, not "1.5"'),
        ("{dense 4} auxiliary half", 21, 'not "half"'),
        ("{dense 4} auxiliary 0.5 2", 25, 'a comma is missing before "2"'),
        ("{dense 4 | } add", 12, "this branch is empty"),
        ("x3 relu", 4, '"x3" must be followed by a block'),
        ("x0 {relu}", 1, "0 repeats; 1 to 1000"),
        ("dense 4, same", 10, '"same" stands alone in a branch'),
        ("dense 10, softmax", 11, '"softmax" is no hidden layer'),
        ("{" * 30 + "relu" + "} add" * 30, 21, "more than 20 blocks inside each other"),
    ],
)
def test_a_mistake_is_named_with_its_column_and_a_caret(text: str, column: int, said: str) -> None:
    message = refusal(text)
    assert f"model.layers column {column}: " in message
    assert said in message
    shown, caret = message.splitlines()[1:3]
    assert caret.index("^") == 1 + column
    assert shown.strip() == text.strip() or shown.endswith("...")


def test_every_mistake_of_the_words_is_reported_at_once() -> None:
    message = refusal("conv 16x5 padd 2, rulu, pool 2 3")
    assert [line[:22] for line in message.splitlines() if line.startswith("model")] == [
        "model.layers column 11",
        "model.layers column 19",
        "model.layers column 32",
    ]


def test_a_long_text_is_cut_around_the_caret() -> None:
    lines = refusal(", ".join(["relu"] * 40) + ", rulu, " + ", ".join(["relu"] * 40)).splitlines()
    assert lines[1].startswith("  ...")
    assert lines[1].endswith("...")
    assert lines[1][lines[2].index("^") :].startswith("rulu")


@pytest.mark.parametrize(
    ("text", "expected"),
    [
        ("lstm 8", "lstm 8, D"),
        ("lstm 8, gru 4 both yes", "lstm 8, D, gru 4 both yes, D"),
        ("x2 {lstm 8}, global_pool max", "x2 {lstm 8, D}, global_pool max"),
        ("lstm 8, last, dense 5, relu", "lstm 8, last, D, dense 5, relu, D"),
        ("rnn 8, tanh, global_pool max", "rnn 8, tanh, global_pool max, D"),
        ("lstm 8, {lstm 8 | same} add, last", "lstm 8, D, {lstm 8, D | same} add, last"),
        ("{lstm 8 | dense 8, relu} concat", "{lstm 8, D | dense 8, relu, D} concat"),
        ("dense 5", "dense 5"),
        ("conv1d 8x3, relu", "conv1d 8x3, relu"),
        ("lstm 8, dropout 0.1, lstm 8", "lstm 8, dropout 0.1, lstm 8"),
    ],
)
def test_dropout_stands_behind_recurrent_layers_and_activated_dense_ones(text: str, expected: str) -> None:
    assert with_dropout(text, 0.3) == expected.replace("D", "dropout 0.3")


@settings(max_examples=300, deadline=None)
@given(st.text(alphabet="{}|,x32 densconvadrelupt.-\n", max_size=40))
def test_any_text_is_parsed_or_refused_with_a_column(text: str) -> None:
    try:
        parse(text)
    except SpecError as exc:
        assert "model.layers column" in exc.message  # noqa: PT017  (most texts raise, some do not)
