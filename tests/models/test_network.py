"""Networks: shapes, counts and values known by thought; what is drawn is what runs."""

from __future__ import annotations

import copy
import pickle

import pytest
import torch
from torch import nn

from netwright.errors import ResourceError, SpecError
from netwright.field import STEPS
from netwright.models.build import build, outline, table
from netwright.models.defaults import default_layers
from netwright.models.network import MOST_NUMBERS, MOST_ROWS, Network
from netwright.spec import DecoderSpec, ModelSpec

CONVNETJS = "conv 16x5 pad 2, relu, pool 2, conv 20x5 pad 2, relu, pool 2, conv 20x5 pad 2, relu, pool 2"
CIFAR = {"image": (3, 32, 32)}


def made(layers: str, groups: dict[str, tuple[int, ...]] | None = None, units: int = 2, seed: int = 0) -> Network:
    return build(ModelSpec(layers=layers), groups or {"table": (4,)}, {"out": units}, seed)


def names(network: Network) -> list[str]:
    return [node.name for node in network.nodes]


def same_weights(a: Network, b: Network) -> bool:
    return all(torch.equal(x, y) for x, y in zip(a.state_dict().values(), b.state_dict().values(), strict=True))


def test_the_convnetjs_net_has_the_counts_of_the_lecture() -> None:
    network = made(CONVNETJS, CIFAR, units=10)
    weights = [node.parameters for node in network.nodes if node.parameters]
    assert weights == [1216, 8020, 10020, 3210]
    assert sum(weights) == 22466 == sum(p.numel() for p in network.parameters())
    shapes = {node.name: node.shape for node in network.nodes}
    assert shapes["conv1"] == (16, 32, 32)
    assert shapes["pool3"] == (20, 4, 4)
    fields = {node.name: node.receptive_field for node in network.nodes}
    assert [fields[name] for name in ("conv1", "pool1", "conv2", "pool2", "out")] == [
        (5, 5),
        (6, 6),
        (14, 14),
        (16, 16),
        (32, 32),
    ]
    assert [node.multiply_adds for node in network.nodes if node.parameters] == [1228800, 2048000, 640000, 3200]


def test_without_padding_a_5x5_filter_leaves_28_of_32_pixels() -> None:
    assert made("conv 6x5", CIFAR).nodes[1].shape == (6, 28, 28)


def test_the_two_layer_digit_net_has_79510_weights() -> None:
    network = made("dense 100, relu", {"image": (1, 28, 28)}, units=10)
    assert sum(node.parameters for node in network.nodes) == 79510
    assert names(network) == ["input:image", "flatten1", "dense1", "relu1", "out"]


def test_a_linear_model_is_wx_plus_b() -> None:
    network = made("", {"image": (1, 2, 2)}, units=3)
    assert names(network) == ["input:image", "flatten1", "out"]
    with torch.no_grad():
        network.module("out").weight.copy_(torch.arange(12.0).reshape(3, 4))
        network.module("out").bias.copy_(torch.tensor([0.0, 1.0, 2.0]))
    outputs = network({"image": torch.ones(1, 1, 2, 2)})["out"]
    assert outputs.tolist() == [[6.0, 23.0, 40.0]]


def test_an_average_pool_leaves_out_what_padding_added() -> None:
    pool = made("pool avg 2 pad 1", {"image": (1, 2, 2)}).module("pool1")
    assert pool(torch.tensor([[[[1.0, 2.0], [3.0, 4.0]]]])).tolist() == [[[[1.0, 2.0], [3.0, 4.0]]]]


def test_a_convolution_is_the_sum_of_products_with_the_patch() -> None:
    conv = made("conv 1x2", {"image": (1, 2, 3)}).module("conv1")
    with torch.no_grad():
        conv.weight.copy_(torch.tensor([[[[1.0, 10.0], [100.0, 1000.0]]]]))
        conv.bias.fill_(0.5)
    picture = torch.tensor([[[[1.0, 2.0, 3.0], [4.0, 5.0, 6.0]]]])
    assert conv(picture).tolist() == [[[[5421.5, 6532.5]]]]


def test_branches_run_as_they_are_drawn() -> None:
    network = made("dense 3, {dense 3, relu | same} add, {dense 2 | tanh} concat")
    edges = {node.name: node.inputs for node in network.nodes}
    assert edges["add1"] == ("relu1", "dense1")
    assert edges["concat1"] == ("dense3", "tanh1")
    inputs = {"table": torch.randn(5, 4)}
    # Executed again by hand, from the drawn graph alone.
    values = {"input:table": inputs["table"]}
    for node in network.nodes[1:]:
        values[node.name] = network.module(node.name)(*[values[name] for name in node.inputs])
        assert values[node.name].shape[1:] == node.shape
    assert torch.equal(values["out"], network(inputs)["out"])


def test_every_drawn_node_is_executed_once_and_nothing_else() -> None:
    network = made("x3 {dense 4, relu | same} add, {tanh | sigmoid | same} concat")
    seen = []
    for node in network.nodes[1:]:
        network.module(node.name).register_forward_hook(lambda *_, name=node.name: seen.append(name))
    network({"table": torch.zeros(2, 4)})
    assert seen == names(network)[1:]


def test_repeated_layers_have_weights_of_their_own() -> None:
    network = made("x2 {dense 4}")
    assert not torch.equal(network.module("dense1").weight, network.module("dense2").weight)


def test_several_groups_are_joined_end_to_end() -> None:
    network = made("dense 5", {"photo": (1, 2, 2), "table": (3,)})
    assert names(network) == ["input:photo", "input:table", "flatten1", "concat1", "dense1", "out"]
    assert network.module("dense1").weight.shape == (5, 7)


def test_a_table_joins_where_the_picture_is_flattened() -> None:
    network = made("conv 2x3, relu, dense 5", {"photo": (1, 4, 4), "table": (3,), "other": (1, 4, 4)})
    edges = {node.name: node.inputs for node in network.nodes}
    assert edges["concat1"] == ("input:photo", "input:other")
    assert edges["concat2"] == ("flatten1", "input:table")
    assert edges["dense1"] == ("concat2",)
    outputs = network({"photo": torch.zeros(2, 1, 4, 4), "table": torch.zeros(2, 3), "other": torch.zeros(2, 1, 4, 4)})
    assert outputs["out"].shape == (2, 2)


def test_several_outputs_share_the_layers_and_may_have_any_name() -> None:
    network = build(ModelSpec(layers="dense 3"), {"table": (4,)}, {"type": 2, "a.b": 1, "dense1": 3}, 0)
    assert names(network) == ["input:table", "dense2", "type", "a.b", "dense1"]
    outputs = network({"table": torch.zeros(1, 4)})
    assert {name: value.shape[1] for name, value in outputs.items()} == {"type": 2, "a.b": 1, "dense1": 3}
    assert "parts.head:a%2Eb.weight" in network.state_dict()


def test_the_same_seed_gives_the_same_bits_and_leaves_the_global_state_alone() -> None:
    torch.manual_seed(1)
    before = torch.random.get_rng_state()
    first = made(CONVNETJS, CIFAR)
    assert torch.equal(torch.random.get_rng_state(), before)
    torch.manual_seed(2)
    assert same_weights(first, made(CONVNETJS, CIFAR))
    assert not same_weights(first, made(CONVNETJS, CIFAR, seed=1))


def test_weights_are_drawn_for_the_activation_behind_them() -> None:
    network = made("dense 300, {dense 300 | same} concat, relu, dense 300, tanh", {"table": (300,)}, units=300)
    bounds = {
        name: float(network.module(name).weight.detach().abs().max()) for name in ("dense1", "dense2", "dense3", "out")
    }
    he, glorot = (6 / 300) ** 0.5, (6 / 600) ** 0.5
    assert bounds["dense1"] == pytest.approx(he, rel=1e-2)  # through concat to relu
    assert bounds["dense2"] == pytest.approx(he, rel=1e-2)
    assert bounds["dense3"] == pytest.approx((6 / 900) ** 0.5, rel=1e-2)
    assert bounds["out"] == pytest.approx(glorot, rel=1e-2)
    assert all(float(network.module(name).bias.detach().abs().max()) == 0 for name in bounds)


@pytest.mark.parametrize("connect", ["chain", "residual", "dense"])
def test_signals_keep_their_size_through_fifty_layers(connect: str) -> None:
    spec = ModelSpec(depth=50, width=64, connect=connect)
    network = build(spec, {"table": (20,)}, {"out": 4}, 0)
    assert sum(node.part == "dense" for node in network.nodes) == 50 + 1
    spread = float(network({"table": torch.randn(200, 20)})["out"].detach().std())
    assert 0.1 < spread < 10


@pytest.mark.parametrize(
    ("spec", "text"),
    [
        ({}, "dense 100, relu"),
        ({"depth": 0}, ""),
        ({"depth": 3, "width": 8, "activation": "tanh"}, "x3 {dense 8, tanh}"),
        ({"depth": 1, "connect": "residual"}, "dense 100, relu"),
        ({"depth": 2, "connect": "residual"}, "dense 100, {relu, dense 100 | same} add, relu"),
        ({"depth": 2, "connect": "dense"}, "flatten, x2 {dense 100, relu | same} concat"),
        ({"layers": "dense 7"}, "dense 7"),
    ],
)
def test_four_settings_stand_for_a_text(spec: dict[str, object], text: str) -> None:
    assert default_layers(ModelSpec(**spec), {"image": (1, 8, 8)})[0] == text


@pytest.mark.parametrize(
    ("spec", "text"),
    [
        ({"depth": 3, "width": 8}, "x3 {lstm 8 both yes}, global_pool max"),
        ({"depth": 1, "width": 8, "connect": "residual"}, "lstm 8 both yes, global_pool max"),
        ({"depth": 3, "width": 8, "connect": "residual"}, "%s, x2 {%s | same} add, global_pool max"),
        ({"depth": 2, "width": 8, "connect": "dense"}, "x2 {%s | same} concat, global_pool max"),
        ({"depth": 0, "connect": "residual"}, "global_pool max"),
    ],
)
def test_a_sequence_keeps_its_recurrent_layers_however_they_are_connected(spec: dict[str, object], text: str) -> None:
    model, groups = ModelSpec(**spec), {"ink": (STEPS, 3)}
    assert default_layers(model, groups)[0] == text.replace("%s", "lstm 8 both yes")
    ahead = text.replace("%s", "lstm 8").replace(" both yes", "").replace("global_pool max", "").removesuffix(", ")
    assert default_layers(model, groups, onwards=True)[0] == ahead
    assert build(model, groups, {"out": 2}, 0)({"ink": torch.zeros(4, 5, 3)})["out"].shape == (4, 2)


@pytest.mark.parametrize(("name", "said"), [("relu", "a sequence is read by lstm"), ("rulu", 'did you mean "relu"')])
def test_an_activation_of_layers_that_have_their_own_is_refused(name: str, said: str) -> None:
    with pytest.raises(SpecError, match=said):
        default_layers(ModelSpec(activation=name), {"ink": (STEPS, 3)})


def test_what_is_left_open_comes_with_a_reason() -> None:
    _, reasons = default_layers(ModelSpec(width=30), {"image": (3, 128, 128)})
    assert [reason.path for reason in reasons] == ["model.depth", "model.connect", "model.activation"]
    assert "conv 16x5 pad 2" in reasons[0].why
    assert default_layers(ModelSpec(layers="relu"), {"table": (3,)})[1] == []


@pytest.mark.parametrize(
    ("shape", "convolutions"),
    [((1, 15, 40), 0), ((1, 28, 28), 2), ((3, 32, 32), 3), ((3, 64, 48), 3), ((3, 224, 224), 4)],
)
def test_pictures_with_nothing_said_get_convolutions(shape: tuple[int, ...], convolutions: int) -> None:
    text, reasons = default_layers(ModelSpec(), {"photo": shape})
    assert text.count("conv ") == convolutions
    assert (reasons[0].path == "model.layers") == bool(convolutions)
    assert "conv" not in default_layers(ModelSpec(depth=1), {"photo": shape})[0]


def test_an_unknown_activation_is_refused_with_the_nearest() -> None:
    with pytest.raises(SpecError, match=r'unknown activation "rulu" \(did you mean "relu"\?\)'):
        default_layers(ModelSpec(activation="rulu"), {"table": (3,)})


@pytest.mark.parametrize(
    ("layers", "said"),
    [
        ("conv 4x3, conv 4x40", "column 11: .*40x40 does not fit into the 30x30 picture"),
        ("conv 4x33 pad 0", "33x33 does not fit"),
        ("dense 4, conv 4x3", '"conv 4x3" takes a picture, but a vector of 4 comes in'),
        ("{conv 4x3 | same} add", "add needs branches of one shape, these give 4x30x30 and 3x32x32"),
        ("{conv 4x3 | dense 4} concat", "concat needs vectors, or pictures of one height and width"),
        ("dense 0", "units is 0; the least is 1"),
        ("conv 4x3 stride 0 pad -1", "stride is 0; the least is 1"),
        ("pool 2 pad 2", "pad 2 is more than half the pool's size"),
        ("x1000 {x1000 {relu}}", "1,000,000 layers; 10,000 are possible"),
    ],
)
def test_layers_that_do_not_fit_are_refused_where_they_stand(layers: str, said: str) -> None:
    with pytest.raises(SpecError, match=said):
        made(layers, CIFAR)


def test_a_network_larger_than_memory_is_refused_before_it_is_built() -> None:
    with pytest.raises(ResourceError, match=r"weights .* more than memory holds"):
        made("dense 9999999, dense 9999999")


def test_an_outline_has_the_same_nodes_and_no_memory() -> None:
    spec, units = ModelSpec(layers="dense 9999999, dense 9999999"), {"out": 2}
    sketch = outline(spec, {"table": (4,)}, units)
    assert sum(node.parameters for node in sketch.nodes) > 10**13
    assert all(weight.is_meta for weight in sketch.parameters())
    small = ModelSpec(layers="dense 3, {relu | same} add")
    assert outline(small, {"table": (4,)}, units).nodes == build(small, {"table": (4,)}, units, 0).nodes


def test_an_output_cannot_take_the_name_of_an_input() -> None:
    with pytest.raises(SpecError, match=r"outputs\.input:table: the network already has"):
        build(ModelSpec(layers=""), {"table": (4,)}, {"input:table": 1}, 0)


def test_copies_and_saved_weights_compute_the_same() -> None:
    network = made("dense 4, {tanh, dense 4 | same} add")
    inputs = {"table": torch.randn(3, 4)}
    expected = network(inputs)["out"]
    copied = copy.deepcopy(network)
    fresh = made("dense 4, {tanh, dense 4 | same} add", seed=9)
    fresh.load_state_dict(network.state_dict())
    with torch.no_grad():
        network.module("dense1").weight.zero_()
    assert torch.equal(copied(inputs)["out"], expected)
    assert torch.equal(fresh(inputs)["out"], expected)
    assert torch.equal(pickle.loads(pickle.dumps(copied))(inputs)["out"], expected)


def test_a_chain_equals_torch_sequential() -> None:
    network = made("conv 3x3 pad 1, relu, pool 2, dense 5, tanh", {"image": (1, 6, 6)})
    parts = {name: network.module(name) for name in names(network)[1:]}
    conv, dense, head = nn.Conv2d(1, 3, 3, padding=1), nn.Linear(27, 5), nn.Linear(5, 2)
    for ours, theirs in (("conv1", conv), ("dense1", dense), ("out", head)):
        theirs.load_state_dict(parts[ours].state_dict())
    reference = nn.Sequential(conv, nn.ReLU(), nn.MaxPool2d(2), nn.Flatten(), dense, nn.Tanh(), head)
    x = torch.randn(4, 1, 6, 6)
    assert torch.equal(network({"image": x})["out"], reference(x))


def test_the_table_counts_memory_for_a_batch() -> None:
    rows = {row.layer: row for row in table(made("dense 100, relu", {"image": (1, 28, 28)}, units=10), batch_size=128)}
    assert rows["input:image"].memory_mb == pytest.approx(128 * 784 * 4 / 1e6, abs=1e-3)
    assert rows["flatten1"].memory_mb == 0
    assert rows["dense1"].memory_mb == pytest.approx((2 * 78500 + 2 * 128 * 100) * 4 / 1e6, abs=1e-3)
    assert (rows["out"].text, rows["out"].shape, rows["out"].multiply_adds) == ("dense 10", (10,), 1000)


@pytest.mark.parametrize("layers", ["conv 4x3 pad 1, {}, pool 2", "conv 4x3, batch_norm, {}, pool 3 stride 2 pad 1"])
@pytest.mark.parametrize("activation", ["relu", "relu6"])
def test_pooling_before_a_relu_gives_the_same_bits_and_gradients(layers: str, activation: str) -> None:
    net = build(ModelSpec(layers=layers.format(activation)), {"image": (3, 9, 9)}, {"category": 5}, seed=0)
    pictures = (4 * torch.randn(6, 3, 9, 9, generator=torch.Generator().manual_seed(1))).round()  # many ties
    seen: list[torch.Size] = []

    def answered() -> list[torch.Tensor]:
        net.zero_grad()
        out = net({"image": pictures})["category"]
        out.square().sum().backward()
        return [out.detach(), *(weights.grad.clone() for weights in net.parameters() if weights.grad is not None)]

    sooner = answered()
    hook = net.module(f"{activation}1").register_forward_hook(lambda _, __, value: seen.append(value.shape))
    drawn = answered()
    hook.remove()
    answered()
    assert seen == [torch.Size([6, *next(node.shape for node in net.nodes if node.name == f"{activation}1")])]
    assert all(torch.equal(a, b) for a, b in zip(sooner, drawn, strict=True))


def test_only_a_relu_that_nothing_else_reads_waits_for_its_pool() -> None:
    texts = {"conv 4x3, relu, pool 2": 2, "conv 4x3, relu, pool avg 2": 0, "conv 4x3, tanh, pool 2": 0}
    for text, moved in {**texts, "conv 4x3 pad 1, relu, {pool 2 | pool 2} concat": 0}.items():
        net = build(ModelSpec(layers=text), {"image": (3, 8, 8)}, {"category": 5}, seed=0)
        assert len(net._moved) == moved, text


# ---- auxiliary heads -------------------------------------------------------------------------------------------------

AIDED = "dense 6, tanh, {dense 5, relu} auxiliary, dense 4, tanh, {same} auxiliary 0.5"


def test_auxiliary_heads_answer_while_the_network_learns_and_cost_nothing_afterwards(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    network, plain = made(AIDED, units=3), made("dense 6, tanh, dense 4, tanh", units=3)
    assert [(each.node, each.output, each.share) for each in network.auxiliary] == [
        ("auxiliary1", "out", 0.3),
        ("auxiliary2", "out", 0.5),
    ]
    assert network.aside == {"aside_dense1", "aside_relu1", "auxiliary1", "auxiliary2"}
    x = torch.randn(7, 4, generator=torch.Generator().manual_seed(0))
    found = network({"table": x})
    assert {name: tuple(value.shape) for name, value in found.items()} == dict.fromkeys(
        ("out", "auxiliary1", "auxiliary2"), (7, 3)
    )
    network.eval()
    for name in network.aside:
        monkeypatch.setattr(network.module(name), "forward", None)  # whoever computes it fails
    after = network({"table": x})
    monkeypatch.undo()
    seen: list[str] = []
    hooks = [
        network.module(name).register_forward_hook(lambda *_, name=name: seen.append(name)) for name in network.aside
    ]
    assert list(network({"table": x})) == list(after) == ["out"]
    assert set(seen) == network.aside  # what is looked at is computed
    for hook in hooks:
        hook.remove()
    assert torch.equal(after["out"], found["out"])
    for theirs, mine in (("dense1", "dense1"), ("dense2", "dense2"), ("out", "out")):
        plain.module(theirs).load_state_dict(network.module(mine).state_dict())
    assert torch.equal(plain({"table": x})["out"], after["out"])


def test_what_lenses_ask_for_is_the_same_with_auxiliary_heads() -> None:
    network, x = made(AIDED, units=3).eval(), torch.ones(2, 4)
    found = network.values({"table": x}, ["auxiliary1", "dense2", "out"])
    torch.testing.assert_close(found["out"], network({"table": x})["out"])
    inside = network.values({"table": x}, ["dense1"])["dense1"].tanh()
    hidden = torch.relu(network.module("aside_dense1")(inside))
    torch.testing.assert_close(found["auxiliary1"], network.module("auxiliary1")(hidden))


def test_a_pool_behind_a_relu_that_an_auxiliary_head_reads_stays_where_it_is() -> None:
    network = made("conv 3x3, relu, {same} auxiliary, pool 2", {"image": (1, 6, 6)})
    x = torch.randn(2, 1, 6, 6, generator=torch.Generator().manual_seed(0))
    learned, seen = network({"image": x})["auxiliary1"], network.values({"image": x}, ["relu1"])["relu1"]
    torch.testing.assert_close(learned, network.module("auxiliary1")(seen.flatten(1)))
    torch.testing.assert_close(network.eval()({"image": x})["out"], network.train()({"image": x})["out"])


def test_every_output_gets_an_auxiliary_head_and_joined_numbers_wait_for_the_last_one() -> None:
    model = ModelSpec(layers="conv 2x3, {pool 2} auxiliary, relu, flatten")
    network = build(model, {"image": (1, 6, 6), "table": (3,)}, {"a": 2, "b": 1}, 0)
    assert [(each.node, each.output) for each in network.auxiliary] == [("auxiliary1", "a"), ("auxiliary2", "b")]
    shapes = {node.name: node.shape for node in network.nodes}
    assert (shapes["auxiliary1"], shapes["auxiliary2"], shapes["concat1"]) == ((2,), (1,), (2 * 4 * 4 + 3,))


def test_a_sequence_has_no_auxiliary_heads() -> None:
    with pytest.raises(SpecError, match=r"column 8: auxiliary outputs are not possible where a sequence goes in"):
        made("gru 4, {last} auxiliary, last", {"text": (-1, 5)})


def test_what_is_aside_is_frozen_by_nothing_and_hides_nothing() -> None:
    network = made("dense 6, {relu, dense 4} auxiliary, tanh, dense 5, tanh")
    assert [node.name for node in network.behind("dense1")] == ["tanh1"]
    assert [node.name for node in network.behind("aside_relu1")] == ["aside_dense1"]
    assert network.freeze("all") == ["dense1", "dense2"]
    assert all(weight.requires_grad for name in network.aside for weight in network.module(name).parameters())


def test_first_weights_are_those_without_auxiliary_heads() -> None:
    plain, aided = made("dense 6, tanh, dense 5, tanh"), made("dense 6, {relu, dense 4} auxiliary, tanh, dense 5, tanh")
    assert torch.equal(plain.module("dense1").weight, aided.module("dense1").weight)


def test_fewer_examples_are_computed_at_once_where_a_layer_gives_much() -> None:
    small = build(ModelSpec(layers="dense 4"), {"table": (3,)}, {"out": 1}, 0)
    assert small.rows(1) == MOST_ROWS
    large = build(ModelSpec(layers="conv 64x3 pad 1, global_pool"), {"image": (3, 224, 224)}, {"out": 1}, 0)
    assert large.rows(1) == MOST_NUMBERS // (64 * 224 * 224)
    model = ModelSpec(layers="lstm 8", decoder=DecoderSpec(dim=8, embed=4))
    writes = build(model, {"text": (STEPS, 50)}, {"out": 9_000}, 0, {"text": 4}, (), {"out": 30})
    assert writes.rows(5) == MOST_NUMBERS // (30 * 9_000)
    heard = build(ModelSpec(layers="lstm 64, last"), {"sound": (STEPS, 40)}, {"out": 2}, 0)
    words = build(ModelSpec(layers="lstm 8, last"), {"text": (STEPS, 20_000)}, {"out": 2}, 0, {"text": 16})
    assert words.rows(230) == MOST_ROWS  # a word is one code, however many are known
    assert (heard.rows(10), heard.rows(5_000)) == (MOST_ROWS, MOST_NUMBERS // (5_000 * 64))


def test_long_sequences_are_answered_for_fewer_at_once_with_the_same_answers(monkeypatch: pytest.MonkeyPatch) -> None:
    net = build(ModelSpec(layers="lstm 4, last"), {"sound": (STEPS, 3)}, {"out": 2}, 0).eval()
    long, short = torch.randn(10, 30, 3), torch.randn(10, 6, 3)
    monkeypatch.setattr("netwright.models.network.MOST_NUMBERS", 4 * 30 * 4)
    chunks = [{"sound": sound} for sound in (long, short)]
    parts = [piece for chunk in chunks for piece in net.pieces(chunk)]
    assert [len(part["sound"]) for part in parts] == [4, 4, 2, 10]
    with torch.no_grad():
        apart = torch.cat([net(part)["out"] for part in parts])
        torch.testing.assert_close(apart, torch.cat([net(chunk)["out"] for chunk in chunks]))


def test_a_batch_comes_in_pieces_that_are_computed_at_once(monkeypatch: pytest.MonkeyPatch) -> None:
    network = build(ModelSpec(layers="conv 4x3 pad 1, global_pool"), {"image": (3, 8, 8)}, {"out": 1}, 0)
    monkeypatch.setattr("netwright.models.network.MOST_NUMBERS", 3 * 4 * 8 * 8)
    pictures = torch.rand(7, 3, 8, 8)
    assert [len(piece["image"]) for piece in network.pieces({"image": pictures})] == [3, 3, 1]
    assert [len(piece["image"]) for piece in network.pieces({"image": pictures}, 2)] == [2, 2, 2, 1]
    assert torch.equal(torch.cat([piece["image"] for piece in network.pieces({"image": pictures})]), pictures)


def test_more_layers_than_there_are_cannot_be_frozen() -> None:
    network = made("dense 6, tanh, dense 5, tanh")
    assert network.freeze(2) == ["dense1", "dense2"]
    with pytest.raises(SpecError, match=r"training\.freeze is 3, and 2 layers with weights can be frozen"):
        network.freeze(3)
