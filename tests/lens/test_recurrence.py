"""Layers computed again step by step: the same states, and gates whose weights are known."""

from __future__ import annotations

import pytest
import torch

from netwright.errors import SpecError
from netwright.field import STEPS
from netwright.lens.recurrence import one_layer, recurrent_layers, traced
from netwright.models.build import build
from netwright.models.network import Network
from netwright.models.recurrent import Gru, Lstm, Recurrent, Rnn
from netwright.spec import ModelSpec

KINDS = [
    "rnn 5",
    "rnn 5 activation relu",
    "rnn 5 activation sigmoid form before",
    "rnn 5 both yes",
    "lstm 5",
    "lstm 5 both yes",
    "gru 5",
    "gru 5 both yes",
]


def net(layers: str, heads: tuple[str, ...] = ()) -> Network:
    return build(ModelSpec(layers=layers), {"ink": (STEPS, 3)}, {"category": 2}, 0, each_step=heads)


@pytest.mark.parametrize("text", KINDS)
def test_states_rebuilt_step_by_step_are_those_of_the_layer(text: str) -> None:
    _, layer = one_layer(net(f"{text}, last"))
    x = torch.randn(3, 7, 3, generator=torch.Generator().manual_seed(1))
    whole = traced(layer, x)
    assert whole.apart <= 1e-6
    assert torch.allclose(whole.out, layer(x), atol=1e-6)
    steps = torch.tensor([7, 4, 1])
    cut = traced(layer, x, steps)
    assert cut.apart <= 1e-6
    for gate in cut.gates.values():
        assert gate.shape == (3, 7, 10 if layer.both else 5)
        assert bool(((gate > 0) & (gate < 1)).all())
    assert sorted(whole.gates) == {"l": ["forget", "input", "output"], "g": ["reset", "update"], "r": []}[text[0]]


def test_a_wrong_formula_would_be_seen() -> None:
    layer = Lstm((STEPS, 3), 4)
    torch.nn.init.normal_(layer.ahead.weight_hh_l0, generator=torch.Generator().manual_seed(0))  # type: ignore[arg-type]
    x = torch.randn(1, 5, 3)

    class Wrong(Lstm):
        def forward(self, x: torch.Tensor, steps=None, carried=None) -> torch.Tensor:  # noqa: ANN001
            return super().forward(x, steps, carried) + 0.01

    wrong = Wrong((STEPS, 3), 4)
    wrong.load_state_dict(layer.state_dict())
    assert traced(layer, x).apart <= 1e-6
    assert traced(wrong, x).apart == pytest.approx(0.01, abs=1e-4)


@torch.no_grad()
def test_a_gate_whose_weights_are_known() -> None:
    lstm = Lstm((STEPS, 1), 1)
    for weight in lstm.ahead.parameters():
        weight.zero_()
    lstm.ahead.weight_ih_l0[1] = 100.0  # the forget gate opens where 1 comes and closes where -1 does
    lstm.ahead.bias_ih_l0[2] = 100.0  # what is new is always 1, of which half is let in
    found = traced(lstm, torch.tensor([[[1.0], [1.0], [-1.0]]]))
    assert found.gates["forget"][0, :, 0].tolist() == pytest.approx([1.0, 1.0, 0.0], abs=1e-6)
    assert found.gates["input"][0, :, 0].tolist() == [0.5, 0.5, 0.5]
    assert found.kept["c"][0, :, 0].tolist() == pytest.approx([0.5, 1.0, 0.5], abs=1e-6)
    gru = Gru((STEPS, 1), 1)
    for weight in gru.ahead.parameters():
        weight.zero_()
    gru.ahead.weight_ih_l0[1] = 100.0
    assert traced(gru, torch.tensor([[[1.0], [-1.0]]])).gates["update"][0, :, 0].tolist() == pytest.approx([1.0, 0.0])


def test_layers_are_named_and_what_keeps_no_state_is_refused() -> None:
    network = net("lstm 4, dropout 0.5, gru 3, last")
    assert [node.name for node in recurrent_layers(network)] == ["lstm1", "gru1"]
    assert one_layer(network)[0].name == "gru1"
    with pytest.raises(SpecError, match=r'"lstm2" is no layer that keeps a state \(did you mean "lstm1"\?\)'):
        one_layer(network, "lstm2")
    with pytest.raises(SpecError, match="reads sequences, but keeps no state"):
        recurrent_layers(net("conv1d 4x3, last"))
    with pytest.raises(SpecError, match="this network reads no sequences"):
        recurrent_layers(build(ModelSpec(layers="dense 4"), {"table": (2,)}, {"price": 1}, 0))


def test_a_part_of_ones_own_is_refused() -> None:
    class Own(Recurrent):
        def __init__(self) -> None:
            super().__init__((STEPS, 1), 1, 1, both=False)

    with pytest.raises(SpecError, match="how Own steps is not known here"):
        traced(Own(), torch.zeros(1, 2, 1))
    assert traced(Rnn((STEPS, 1), 1), torch.zeros(1, 2, 1)).gates == {}
