import pytest
import torch

from netwright.errors import SpecError
from netwright.field import STEPS
from netwright.models.build import build, table
from netwright.models.convolution import Columns
from netwright.models.network import Network
from netwright.models.recurrent import Conv1d, EmbedTokens, Gru, Last, Lstm, Rnn
from netwright.spec import ModelSpec

TEXTS = [
    "lstm 8, last",
    "x2 {gru 8 both yes}, global_pool max",
    "rnn 8 activation relu, global_pool",
    "rnn 8 form before both yes, last",
    "conv1d 8x5 stride 2, relu, dense 6, lstm 5",
    "{lstm 8 | conv1d 8x3} concat, layer_norm, {dense 16 | same} add, last",
]
LENGTHS = (9, 6, 1, 3)


def made(text: str) -> Network:
    return build(ModelSpec(layers=text), {"text": (STEPS, 20)}, {"out": 3}, 0, {"text": 5}).eval()


def tokens() -> torch.Tensor:
    x = torch.randint(0, 20, (len(LENGTHS), max(LENGTHS)), generator=torch.Generator().manual_seed(0))
    for row, length in zip(x, LENGTHS, strict=True):
        row[length:] = -1
    return x


@pytest.mark.parametrize("text", TEXTS)
def test_an_answer_depends_neither_on_padding_nor_on_mates(text: str) -> None:
    network, x = made(text), tokens()
    alone = torch.cat([network({"text": row[row >= 0][None]})["out"] for row in x])
    torch.testing.assert_close(network({"text": x})["out"], alone, rtol=1e-5, atol=1e-6)


@pytest.mark.parametrize("text", ["x2 {lstm 8}, last", "x2 {gru 8}, last", "rnn 8, last", "rnn 8 form before, last"])
def test_a_sequence_in_pieces_gives_what_it_gives_whole(text: str) -> None:
    network, x, carried = made(text), torch.arange(8)[None].expand(2, -1), {}
    whole = network({"text": x})["out"]
    network({"text": x[:, :3]}, carried)
    torch.testing.assert_close(network({"text": x[:, 3:]}, carried)["out"], whole, rtol=1e-5, atol=1e-6)


def test_a_state_is_that_of_each_sequence_s_own_end() -> None:
    for text in ("lstm 8, last", "rnn 8, last"):
        network, x, carried = made(text), tokens(), {}
        network({"text": x}, carried)
        later = network({"text": torch.ones(4, 2, dtype=torch.int64)}, carried)["out"]
        for row, found in zip(x, later, strict=True):
            longer = torch.cat([row[row >= 0], torch.ones(2, dtype=torch.int64)])
            torch.testing.assert_close(network({"text": longer[None]})["out"][0], found, rtol=1e-5, atol=1e-6)


def test_who_reads_both_ways_cannot_go_on() -> None:
    for text in ("lstm 8 both yes, last", "rnn 8 both yes, last"):
        with pytest.raises(SpecError, match="reads both ways cannot go on"):
            made(text)({"text": tokens()}, {})


def test_the_vanilla_cell_by_hand() -> None:
    layer = Rnn((STEPS, 1), 1, activation="tanh")
    with torch.no_grad():
        for weight, value in ((layer.weight, 2.0), (layer.recurrent, 0.5), (layer.bias, 0.1)):
            weight.fill_(value)
    x = torch.tensor([[[0.3], [-0.2]]])
    first = torch.tanh(torch.tensor(2 * 0.3 + 0.1))
    second = torch.tanh(2 * -0.2 + 0.1 + 0.5 * first)
    torch.testing.assert_close(layer(x)[0, :, 0], torch.stack([first, second]))


def test_the_form_with_the_function_before_the_sum_by_hand() -> None:
    layer = Rnn((STEPS, 1), 1, activation="sigmoid", form="before")
    with torch.no_grad():
        for weight, value in ((layer.weight, 2.0), (layer.recurrent, 0.5), (layer.bias, 0.0)):
            weight.fill_(value)
    first = 0.5 * torch.sigmoid(torch.tensor(0.0)) + 2 * 0.3  # h_0 is 0, and f(0) of a sigmoid is a half
    second = 0.5 * torch.sigmoid(first) + 2 * -0.2
    found = layer(torch.tensor([[[0.3], [-0.2]]]))[0, :, 0]
    torch.testing.assert_close(found, torch.sigmoid(torch.stack([first, second])))


@pytest.mark.parametrize(("layer", "gates"), [(Lstm, 4), (Gru, 3), (Rnn, 1)])
def test_parameters_do_not_grow_with_the_length(layer: type, gates: int) -> None:
    made_layer = layer((STEPS, 10), 20)
    assert made_layer.multiply_adds == gates * 20 * (10 + 20)  # for one step
    biases = 1 if layer is Rnn else 2  # torch's cells have one for what comes in and one for the state
    assert sum(weight.numel() for weight in made_layer.parameters()) == gates * 20 * (10 + 20 + biases)


def test_a_relu_layer_keeps_its_state_at_first_and_an_lstm_remembers() -> None:
    network = made("rnn 8 activation relu, last")
    assert torch.equal(network.module("rnn1").recurrent, torch.eye(8))
    lstm = made("lstm 8, last").module("lstm1")
    assert lstm.ahead.bias_ih_l0.chunk(4)[1].tolist() == [1.0] * 8


def test_a_convolution_that_is_causal_does_not_see_the_future() -> None:
    torch.manual_seed(0)
    layer = Conv1d((STEPS, 2), 3, 4, causal=True)
    with torch.no_grad():
        for weight in layer.parameters():
            weight.normal_()
    x = torch.randn(1, 6, 2)
    other = x.clone()
    other[:, 4:] += 1
    before, after = layer(x), layer(other)
    assert torch.equal(before[:, :4], after[:, :4])
    assert not torch.equal(before[:, 4:], after[:, 4:])


def test_last_is_the_last_that_is_there() -> None:
    x = torch.arange(6.0).reshape(1, 3, 2).expand(2, -1, -1)
    assert Last((STEPS, 2))(x, torch.tensor([3, 1])).tolist() == [[4.0, 5.0], [0.0, 1.0]]


def test_a_table_beside_a_text_joins_where_the_text_becomes_a_vector() -> None:
    groups = {"text": (STEPS, 20), "table": (3,)}
    network = build(ModelSpec(layers="lstm 8, last, dense 5, relu"), groups, {"out": 1}, 0, {"text": 4})
    assert [(node.name, node.shape) for node in network.nodes][-5:] == [
        ("last1", (8,)),
        ("concat1", (11,)),
        ("dense1", (5,)),
        ("relu1", (5,)),
        ("out", (1,)),
    ]
    assert network({"text": tokens(), "table": torch.zeros(4, 3)})["out"].shape == (4, 1)


def test_the_table_counts_the_steps_of_a_sequence() -> None:
    network = made("lstm 8, last, dense 4")
    costs = {row.layer: row.multiply_adds for row in table(network, 16, steps=10)}
    assert (costs["lstm1"], costs["dense1"]) == (10 * 4 * 8 * (5 + 8), 8 * 4)


@pytest.mark.parametrize(
    ("text", "message"),
    [
        ("lstm 8, batch_norm", '"batch_norm" cannot follow a sequence'),
        ("conv 8x3", '"conv 8x3" cannot follow a sequence'),
        ("last, lstm 8", '"lstm 8" reads a sequence step by step, but a vector of 5 comes in'),
        ("lstm 0", "units is 0; the least is 1"),
    ],
)
def test_layers_that_do_not_fit_say_so(text: str, message: str) -> None:
    with pytest.raises(SpecError, match=message):
        made(text)


def test_two_sequences_are_refused() -> None:
    groups = {"a": (STEPS, 2), "b": (STEPS, 3)}
    with pytest.raises(SpecError, match="2 sequences go in"):
        build(ModelSpec(layers="lstm 4"), groups, {"out": 1}, 0)


def test_what_lies_behind_the_end_is_no_answer() -> None:
    network = build(ModelSpec(layers="lstm 8"), {"text": (STEPS, 20)}, {"out": 3}, 0, {"text": 5}, ["out"]).eval()
    x = tokens()
    given = network({"text": x})["out"]
    assert (given.isnan().all(dim=2) == (x < 0)).all()
    assert not given[x >= 0].isnan().any()
    given.nan_to_num().sum().backward()
    assert all(weight.grad is not None and weight.grad.isfinite().all() for weight in network.parameters())


def test_the_steps_left_behind_each_layer_are_those_that_come_out() -> None:
    text = "conv1d 8x5 stride 2, {lstm 4 both yes | dense 8} add, conv1d 8x3 stride 3, relu"
    network = build(ModelSpec(layers=text), {"text": (STEPS, 20)}, {"out": 3}, 0, {"text": 5}, ["out"]).eval()
    assert network.steps_left({"text": torch.tensor(LENGTHS)}, "out").tolist() == [2, 1, 1, 1]
    assert network.steps_left({"text": torch.tensor([19, 12, 13])}, "add1").tolist() == [10, 6, 7]
    out = network({"text": tokens()})["out"]
    assert (~out[..., 0].isnan()).sum(dim=1).tolist() == [2, 1, 1, 1]
    drawn = build(ModelSpec(layers="columns, conv1d 4x3 stride 2"), {"line": (1, 8, 21)}, {"out": 3}, 0, None, ["out"])
    assert drawn.steps_left({}, "out").tolist() == [11]


def test_columns_are_read_from_left_to_right() -> None:
    layer = Columns((2, 3, 4))
    picture = torch.arange(24.0).reshape(1, 2, 3, 4)
    found = layer(picture)
    assert found.shape == (1, 4, 6)
    assert found[0, 1].tolist() == [1, 5, 9, 13, 17, 21]  # the second column, channel after channel
    net = build(ModelSpec(layers="conv 4x3 pad 1, columns, lstm 5, last"), {"image": (1, 6, 8)}, {"a": 2}, seed=0)
    rows = {row.layer: row for row in table(net, 1)}
    assert rows["columns1"].shape == (STEPS, 24)
    assert rows["lstm1"].multiply_adds == 8 * 4 * 5 * (24 + 5)
    assert net({"image": torch.rand(3, 1, 6, 8)})["a"].shape == (3, 2)


@pytest.mark.parametrize("kind", ["one answer", "an answer at every step", "a text that is written"])
def test_tokens_begin_spread_by_one_or_where_a_whole_text_is_answered_near_0(kind: str) -> None:
    model = ModelSpec(layers="gru 4, last" if kind == "one answer" else "gru 4")
    steps = ["out"] if kind == "an answer at every step" else []
    writers = {"out": 5} if kind == "a text that is written" else {}
    network = build(model, {"text": (STEPS, 400)}, {"out": 9}, 0, {"text": 64}, steps, writers)
    embed = next(module for module in network.modules() if isinstance(module, EmbedTokens))
    said = embed(torch.arange(400)[None]).detach()
    wanted = 0.1 / 3**0.5 if kind == "one answer" else 1.0
    assert float(said.std()) == pytest.approx(wanted, rel=0.02)
    assert (float(said.abs().max()) <= 0.1) == (kind == "one answer")
