"""Products of Jacobians whose answers are known by thought, and by differentiating the layer itself."""

from __future__ import annotations

import pytest
import torch
from torch import Tensor
from torch.autograd.functional import jacobian

from netwright.field import STEPS
from netwright.lens import memory
from netwright.lens.memory import remembered, step_jacobians
from netwright.lens.recurrence import cell_of
from netwright.models.recurrent import Gru, Lstm, Recurrent, Rnn


def kept(factor: float) -> Rnn:
    """A state that is a sum of what came in, each step's share shrinking by a factor."""
    layer = Rnn((STEPS, 2), 2, activation="relu")
    with torch.no_grad():
        layer.weight.copy_(torch.eye(2))
        layer.recurrent.copy_(factor * torch.eye(2))
        layer.bias.zero_()
    return layer


def test_a_state_that_is_only_kept_is_remembered_for_ever_and_one_that_halves_for_eight_steps() -> None:
    x = torch.ones(3, 12, 2)
    for_ever = remembered(cell_of(kept(1.0)), x, 0)
    assert for_ever.by_lag == pytest.approx([1.0] * 12)
    assert (for_ever.steps, for_ever.width, for_ever.exact) == (None, 2, True)
    halved = remembered(cell_of(kept(0.5)), x, 0)
    assert halved.by_lag == pytest.approx([0.5**lag for lag in range(12)])
    assert halved.steps == 8  # 0.5^8 is 1/128 of 0.5^1
    assert float(halved.norms[4, 1]) == pytest.approx(0.125)
    assert bool(halved.norms.isnan().equal(torch.ones(12, 12).triu(1).bool()))


def drawn(layer: Recurrent) -> Recurrent:
    generator = torch.Generator().manual_seed(3)
    with torch.no_grad():
        for weight in layer.parameters():
            weight.normal_(0, 0.7, generator=generator)
    return layer


@pytest.mark.parametrize(
    "layer",
    [Rnn((STEPS, 3), 4), Rnn((STEPS, 3), 4, form="before"), Lstm((STEPS, 3), 4), Gru((STEPS, 3), 4)],
    ids=["rnn", "before", "lstm", "gru"],
)
def test_the_product_is_the_derivative_of_the_layer_itself(layer: Recurrent) -> None:
    drawn(layer)
    x = torch.randn(1, 6, 3, generator=torch.Generator().manual_seed(0))
    parts = 2 if isinstance(layer, Lstm) else 1
    states: list[Tensor] = []
    carried: dict = {}
    for step in x.split(1, dim=1):
        layer(step, None, carried)
        states.append(torch.cat(carried[layer], dim=1).detach()[0])

    def later(state: Tensor) -> Tensor:  # from the state after step 2 to that after step 5, by the layer's own code
        begun: dict = {layer: tuple(part[None] for part in state.chunk(parts))}
        layer(x[:, 2:5], torch.tensor([3]), begun)
        return torch.cat(begun[layer], dim=1)[0]

    expected = jacobian(later, states[1])
    found = step_jacobians(cell_of(layer), x[0])
    product = found[4] @ found[3] @ found[2]
    assert torch.allclose(product, expected, atol=1e-5)  # type: ignore[arg-type]
    norms = remembered(cell_of(layer), x, 0).norms
    assert float(norms[4, 1]) == pytest.approx(float(expected.norm()) / (4 * parts) ** 0.5, rel=1e-4)  # type: ignore[union-attr]


def test_of_a_wide_state_some_directions_are_followed_and_tell_about_the_same(monkeypatch: pytest.MonkeyPatch) -> None:
    layer = Gru((STEPS, 3), 40)
    with torch.no_grad():
        for weight in layer.parameters():
            weight.normal_(0, 0.2, generator=torch.Generator().manual_seed(5))
    x = torch.randn(2, 8, 3, generator=torch.Generator().manual_seed(0))
    exact = remembered(cell_of(layer), x, 0)
    monkeypatch.setattr(memory, "EXACT", 10)
    drawn_ones = remembered(cell_of(layer), x, 0)
    assert (exact.exact, drawn_ones.exact) == (True, False)
    assert drawn_ones.by_lag == pytest.approx(exact.by_lag, rel=0.15)
    assert drawn_ones.by_lag == remembered(cell_of(layer), x, 0).by_lag
