import numpy as np
import pytest
import torch
from torch.nn import functional

from netwright.errors import SpecError
from netwright.field import END_CODE, STEPS
from netwright.models.build import build
from netwright.models.decoders import Decoder, choosing, likeliest, on_its_own
from netwright.models.decoding import Sampling
from netwright.models.network import Network
from netwright.readers import padding
from netwright.spec import DecoderSpec, ModelSpec

WAYS = [
    "luong",
    "bahdanau",
    "none",
    "luong untied",
    "bahdanau untied",
    "none untied",
    "luong 3",
    "bahdanau 2",
    "none 2",
]
LENGTHS = (6, 2, 4)


def made(attention: str, beam: int = 1, layers: str = "lstm 7 both yes", **wish: float) -> Network:
    asks, _, form = attention.partition(" ")
    facts = {"dim": 8, "embed": 9, "attention": asks, "beam": beam, "dropout": 0.0, "tied": form != "untied"}
    facts["layers"] = int(form) if form.isdecimal() else 1
    decoder = DecoderSpec.model_validate(facts | wish)
    model = ModelSpec(layers=layers, decoder=decoder)
    return build(model, {"text": (STEPS, 12)}, {"out": 9}, 0, {"text": 4}, (), {"out": 6}).eval()


def tokens() -> torch.Tensor:
    x = torch.randint(0, 12, (len(LENGTHS), max(LENGTHS)), generator=torch.Generator().manual_seed(0))
    for row, length in zip(x, LENGTHS, strict=True):
        row[length:] = -1
    return x


TARGETS = torch.tensor([[3, 4, 5, END_CODE], [2, END_CODE, -1, -1], [8, 3, END_CODE, -1]])


@pytest.mark.parametrize("attention", WAYS)
def test_scores_depend_neither_on_padding_nor_on_mates(attention: str) -> None:
    network, x = made(attention), tokens()
    together = network({"text": x}, None, {"out": TARGETS})["out"]
    assert together.shape == (3, 4, 9)
    for row, target, scores in zip(x, TARGETS, together, strict=True):
        there = target[target >= 0]
        alone = network({"text": row[row >= 0][None]}, None, {"out": there[None]})["out"][0]
        torch.testing.assert_close(scores[: len(there)], alone, rtol=1e-5, atol=1e-6)


@pytest.mark.parametrize("attention", WAYS)
def test_a_token_is_scored_before_it_is_seen(attention: str) -> None:
    network, other = made(attention), TARGETS.clone()
    other[0, 2:] = 7
    one, two = (network({"text": tokens()}, None, {"out": of})["out"][0] for of in (TARGETS, other))
    assert torch.equal(one[:3], two[:3])  # the third token is asked for with the same two before it
    assert not torch.equal(one[3], two[3])


@pytest.mark.parametrize("attention", WAYS)
def test_what_is_written_greedily_is_what_is_likeliest_token_by_token(attention: str) -> None:
    network, x = made(attention), tokens()
    for row, text in zip(x, network({"text": x})["out"], strict=True):
        found = text[text >= 0]
        alone, before = row[row >= 0][None], torch.tensor([[*found.tolist(), END_CODE]])
        scores = network({"text": alone}, None, {"out": before})["out"][0].clone()
        scores[:, 0] = -torch.inf  # the unknown token is never written
        assert scores.argmax(dim=1)[: len(found)].tolist() == found.tolist()


@pytest.mark.parametrize("attention", WAYS)
def test_on_its_own_a_decoder_is_fed_what_it_would_have_written(attention: str) -> None:
    network, x = made(attention), tokens()
    forced = network({"text": x}, None, {"out": TARGETS})["out"]
    with on_its_own(network):
        alone = network({"text": x}, None, {"out": TARGETS})["out"]
    torch.testing.assert_close(alone[:, 0], forced[:, 0])
    guesses = alone.argmax(dim=2)
    again = network({"text": x}, None, {"out": torch.cat([guesses[:, :-1], TARGETS[:, -1:]], dim=1)})["out"]
    torch.testing.assert_close(alone, again)
    assert not torch.equal(alone[:, 1:], forced[:, 1:])
    assert torch.equal(network({"text": x}, None, {"out": TARGETS})["out"], forced)


@pytest.mark.parametrize("attention", WAYS)
def test_training_feeds_back_guesses_where_it_is_told_to(attention: str) -> None:
    network, x = made(attention).train(), tokens()
    decoder = network.module("out")
    assert isinstance(decoder, Decoder)
    forced = network({"text": x}, None, {"out": TARGETS})["out"]
    own = torch.zeros(3, 7, dtype=torch.bool)
    own[0, 2] = True  # the first text's second token, which goes in before the third is asked for
    decoder.own = own
    mixed = network({"text": x}, None, {"out": TARGETS})["out"]
    assert int(forced[0, 1].argmax()) != int(TARGETS[0, 1])
    assert torch.equal(mixed[1:], forced[1:])
    torch.testing.assert_close(mixed[0, :2], forced[0, :2])
    changed = TARGETS.clone()
    changed[0, 1] = forced[0, 1].argmax()
    torch.testing.assert_close(mixed[0], network.eval()({"text": x}, None, {"out": changed})["out"][0])


def test_more_beams_find_texts_that_are_no_less_likely() -> None:
    x = tokens()
    found = {}
    for beam in (1, 9):
        network = made("luong", beam)
        texts = network({"text": x})["out"]
        ends = functional.pad(texts, (0, 1), value=-1)
        ends[torch.arange(3), padding.lengths(texts)] = END_CODE
        scores = torch.log_softmax(network({"text": x}, None, {"out": ends})["out"], dim=2)
        each = scores.gather(2, ends.clamp(min=0)[..., None])[..., 0].masked_fill(ends < 0, 0).sum(dim=1)
        found[beam] = each / ((5 + padding.lengths(ends)) / 6) ** 0.6
    assert (found[9] >= found[1] - 1e-5).all()


def test_between_epochs_the_likeliest_token_is_taken_whatever_the_beam() -> None:
    narrow, wide = made("luong", 1), made("luong", 9)
    decoder = next(module for module in wide.modules() if isinstance(module, Decoder))
    with likeliest(wide):
        assert decoder.beam == 1
        assert torch.equal(wide({"text": tokens()})["out"], narrow({"text": tokens()})["out"])
    assert decoder.beam == 9


def test_what_is_drawn_follows_the_scores_and_is_as_it_was_afterwards() -> None:
    network, chance = made("luong"), np.random.default_rng(0)
    with torch.no_grad():
        searched = network({"text": tokens()})["out"]
        with choosing(network, lambda scores: Sampling(temperature=0.0).drawn(scores, 0.5)):
            assert torch.equal(network({"text": tokens()})["out"], searched)
        with choosing(network, lambda scores: Sampling().drawn(scores, chance.random())):
            drawn = [network({"text": tokens()})["out"] for _ in range(400)]
        assert torch.equal(network({"text": tokens()})["out"], searched)
        first = network({"text": tokens()}, None, {"out": torch.full((len(tokens()), 1), END_CODE)})["out"][0, 0]
    first[0] = -torch.inf
    counts = torch.bincount(torch.stack([text[0, 0] for text in drawn]).clamp(min=END_CODE), minlength=len(first))
    assert counts[0] == 0  # what is not known is never written
    torch.testing.assert_close(counts / 400, torch.softmax(first, dim=0), atol=0.09, rtol=0)


def test_the_penalty_decides_between_short_and_long_texts_and_the_limit_how_long_they_are() -> None:
    lengths = []
    for penalty in (0.0, 3.0):
        network = made("luong", 6, length_penalty=penalty)
        with torch.no_grad():
            lengths.append(padding.lengths(network({"text": tokens()})["out"]).float().mean())
    assert lengths[0] < lengths[1]
    with torch.no_grad():
        assert made("luong", 3, length_penalty=3.0, longest=2)({"text": tokens()})["out"].shape[1] <= 3


def test_a_text_ends_at_the_latest_with_its_limit() -> None:
    network = made("luong")
    head = network.module("out")
    assert isinstance(head, Decoder)
    with torch.no_grad():
        head.bias[END_CODE] = -100.0  # it never wants to end
    assert network({"text": tokens()})["out"].shape == (3, head.longest + 1)


@pytest.mark.parametrize("groups", [{"table": (5,)}, {"image": (3, 4, 6)}])
def test_vectors_and_pictures_are_written_about(groups: dict[str, tuple[int, ...]]) -> None:
    layers = "dense 6, tanh" if "table" in groups else "conv 4x3 pad 1, relu"
    network = build(ModelSpec(layers=layers), groups, {"out": 9}, 0, None, (), {"out": 3}).eval()
    inputs = {name: torch.randn(2, *shape) for name, shape in groups.items()}
    assert network(inputs, None, {"out": TARGETS[:2]})["out"].shape == (2, 4, 9)
    assert network(inputs)["out"].ndim == 2


@pytest.mark.parametrize("attention", WAYS)
def test_every_weight_learns_and_a_few_texts_are_learned_by_heart(attention: str) -> None:
    network = made(attention).train()
    optimizer = torch.optim.Adam(network.parameters(), 0.02)
    for step in range(150):
        optimizer.zero_grad()
        scores = network({"text": tokens()}, None, {"out": TARGETS})["out"]
        functional.cross_entropy(scores.flatten(0, 1), TARGETS.flatten(), ignore_index=-1).backward()
        if not step:
            assert all(float(weight.grad.abs().sum()) > 0 for weight in network.parameters())
        optimizer.step()
    written = network.eval()({"text": tokens()})["out"]
    assert written.tolist() == [[3, 4, 5, -1], [2, -1, -1, -1], [8, 3, -1, -1]]


def test_a_decoder_of_nothing_is_refused() -> None:
    with pytest.raises(SpecError, match="longest is 0"):
        Decoder((STEPS, 3), 5, 0)


@pytest.mark.parametrize("attention", ["luong 3", "bahdanau 2", "none 2"])
def test_every_layer_begins_with_open_forget_gates_and_tokens_spread_by_one(attention: str) -> None:
    spec = DecoderSpec(dim=8, embed=64, attention=attention.split()[0], layers=int(attention.split()[1]))
    network = build(
        ModelSpec(layers="lstm 7", decoder=spec), {"text": (STEPS, 12)}, {"out": 400}, 0, {"text": 4}, (), {"out": 6}
    )
    decoder = next(module for module in network.modules() if isinstance(module, Decoder))
    cells = [module for module in decoder.modules() if isinstance(module, torch.nn.LSTM)]
    assert len(cells) == spec.layers
    for cell in cells:
        assert cell.bias_ih_l0.chunk(4)[1].eq(1).all()
    seen: list[torch.Tensor] = []
    decoder.eval().dropout.register_forward_pre_hook(lambda _, given: seen.append(given[0]))
    network({"text": torch.zeros(1, 3, dtype=torch.int64)}, None, {"out": torch.arange(2, 400)[None]})
    assert float(seen[0].detach().std()) == pytest.approx(1, rel=0.03)
