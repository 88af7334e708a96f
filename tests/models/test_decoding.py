from itertools import islice

import numpy as np
import pytest
import torch

from netwright.errors import SpecError
from netwright.field import STEPS
from netwright.models import decoding
from netwright.models.build import build
from netwright.models.chain import chain
from netwright.models.decoding import Sampling, written
from netwright.models.network import Network
from netwright.models.recurrent import Carried
from netwright.spec import ModelSpec

SCORES = np.log(np.array([0.5, 0.3, 0.15, 0.05]))


def made(layers: str) -> Network:
    return build(ModelSpec(layers=layers), {"text": (STEPS, 6)}, {"next": 6}, 0, {"text": 3}, ["next"]).eval()


def shares(sampling: Sampling) -> list[float]:
    drawn = [sampling.drawn(SCORES, chance) for chance in np.linspace(0, 1, 1000, endpoint=False)]
    return (np.bincount(drawn, minlength=4) / 1000).tolist()


def test_tokens_come_as_often_as_the_network_expects() -> None:
    assert shares(Sampling()) == pytest.approx([0.5, 0.3, 0.15, 0.05], abs=0.002)


def test_cold_is_surer_and_zero_takes_the_likeliest() -> None:
    squares = np.exp(2 * SCORES) / np.exp(2 * SCORES).sum()
    assert shares(Sampling(temperature=0.5)) == pytest.approx(squares.tolist(), abs=0.002)
    for cold in (0.0, 1e-50, 5e-324):
        assert [Sampling(temperature=cold).drawn(SCORES.astype(np.float32), chance) for chance in (0.0, 0.99)] == [0, 0]


def test_only_the_likeliest_are_drawn_from() -> None:
    assert shares(Sampling(top_k=2)) == pytest.approx([0.625, 0.375, 0, 0], abs=0.002)
    assert shares(Sampling(top_p=0.75)) == pytest.approx([0.625, 0.375, 0, 0], abs=0.002)
    assert shares(Sampling(top_p=0.01)) == [1, 0, 0, 0]


@pytest.mark.parametrize("layers", ["lstm 8", "gru 8, lstm 5", "rnn 8 form before"])
def test_what_is_written_is_what_reading_all_again_would_give(layers: str) -> None:
    network, prompt = made(layers), np.array([1, 2, 3])
    found = list(islice(written(network, "text", "next", prompt, Sampling(temperature=0.0), 0), 12))
    text = prompt.tolist()
    for token in found:
        again = int(network({"text": torch.tensor([text])})["next"][0, -1].argmax())
        assert token == again
        text.append(token)


@pytest.mark.parametrize("layers", ["lstm 8, lstm 8", "gru 8, lstm 5", "rnn 8", "conv1d 6x5 causal yes, lstm 5"])
def test_a_long_text_goes_on_as_it_began(layers: str, monkeypatch: pytest.MonkeyPatch) -> None:
    network, prompt = made(layers), np.array([1, 2, 3])
    asked: list[bool] = []
    step = decoding._Ahead.step

    def seen(ahead: decoding._Ahead, token: int) -> np.ndarray:
        scores = step(ahead, token)
        asked.append(ahead._written is not None or ahead._chain is not None)
        return scores

    monkeypatch.setattr(decoding._Ahead, "step", seen)
    found = list(islice(written(network, "text", "next", prompt, Sampling(), 5), 3 * decoding._PLAIN))
    assert sum(asked) == (0 if "conv1d" in layers else 2 * decoding._PLAIN)
    monkeypatch.setattr(decoding, "_PLAIN", -1)  # its operations are never written down
    assert list(islice(written(network, "text", "next", prompt, Sampling(), 5), len(found))) == found


def test_writing_down_what_gives_other_scores_is_left(monkeypatch: pytest.MonkeyPatch) -> None:
    network, prompt = made("rnn 8"), np.array([1, 2, 3])
    plain = list(islice(written(network, "text", "next", prompt, Sampling(), 5), 20))
    monkeypatch.setattr(torch.jit, "optimize_for_inference", lambda _: lambda token, *state: (token.float(), *state))
    monkeypatch.setattr(decoding, "_PLAIN", 5)
    assert list(islice(written(network, "text", "next", prompt, Sampling(), 5), 20)) == plain


@pytest.mark.parametrize("layers", ["lstm 8", "lstm 8, dropout 0.3, lstm 5, dropout 0.2", "gru 8, lstm 5, gru 4", ""])
@pytest.mark.parametrize("embed", [3, 0])
def test_a_chain_in_numpy_gives_the_scores_of_its_network(layers: str, embed: int) -> None:
    network = build(ModelSpec(layers=layers), {"text": (STEPS, 6)}, {"next": 6}, 0, {"text": embed}, ["next"]).eval()
    with torch.no_grad():
        for weight in network.parameters():
            weight.add_(0.3 * torch.randn(weight.shape, generator=torch.Generator().manual_seed(0)))
    carried: Carried = {}
    with torch.inference_mode():
        network({"text": torch.tensor([[1, 2, 3]])}, carried)
        step = chain(network, "next", carried)
        assert step is not None
        for token in (4, 0, 5, 5, 1):
            wanted = network({"text": torch.tensor([[token]])}, carried)["next"][0, -1].numpy()
            np.testing.assert_allclose(step(token), wanted, rtol=1e-5, atol=1e-5)


@pytest.mark.parametrize("layers", ["rnn 8", "lstm 8, dense 5, relu", "{lstm 8 | gru 8} concat", "lstm 8, layer_norm"])
def test_what_is_more_than_a_chain_is_none(layers: str) -> None:
    network, carried = made(layers), {}
    network({"text": torch.tensor([[1, 2, 3]])}, carried)
    assert chain(network, "next", carried) is None


def test_a_chain_that_gives_other_scores_is_left(monkeypatch: pytest.MonkeyPatch) -> None:
    network, prompt = made("lstm 8"), np.array([1, 2, 3])
    plain = list(islice(written(network, "text", "next", prompt, Sampling(), 5), 20))
    monkeypatch.setattr(decoding, "chain", lambda *_: lambda token: np.zeros(6, np.float32))
    monkeypatch.setattr(decoding, "_PLAIN", 5)
    assert list(islice(written(network, "text", "next", prompt, Sampling(), 5), 20)) == plain


def test_a_seed_gives_one_text_and_what_is_forbidden_never_comes() -> None:
    network = made("lstm 8")
    one, same, other = (
        list(islice(written(network, "text", "next", np.array([1]), Sampling(), seed, never=(0, 2)), 60))
        for seed in (3, 3, 4)
    )
    assert one == same != other
    assert not {0, 2} & set(one)


def test_a_network_gone_astray_writes_nothing() -> None:
    for wrong in (float("nan"), float("inf")):
        network = made("lstm 8")
        with torch.no_grad():
            next(network.module("next").parameters()).fill_(wrong)
        assert list(islice(written(network, "text", "next", np.array([1]), Sampling(), 0), 5)) == []


def test_settings_out_of_range_are_told_together() -> None:
    with pytest.raises(SpecError, match=r"temperature is -1, expected 0 or more; top_k is -2.*; top_p is 0"):
        Sampling(-1.0, -2, 0.0)
