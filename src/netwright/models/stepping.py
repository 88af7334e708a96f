"""A trained network asked step by step: what is known of the steps before is carried, nothing is read twice.

What comes out at a step is what the network gives for the whole sequence at that step, and the memory is that of one
step and of the carried states, however long the sequence.
"""

from __future__ import annotations

import torch
from torch import Tensor

from netwright.errors import SpecError
from netwright.models.network import Network
from netwright.models.recurrent import Carried

_CURE = "Train it with model.causal: true, which binds every layer to what has been."


class Stepping:
    """A network at one place of a sequence.

    Args:
        network: With one sequence going in.
        group: The name of that input.

    Raises:
        SpecError: A layer looks ahead, or leaves steps out.
    """

    def __init__(self, network: Network, group: str) -> None:
        for text, (why, _) in network.foresees.items():
            raise SpecError(f"no answer can be given step by step: {text} {why}.", _CURE)
        if network.shortens:
            text = network.shortens
            raise SpecError(f"no answer can be given step by step: {text} leaves steps out.", "Train without a stride.")
        self._network, self._group = network.eval(), group
        self._carried: Carried = {}

    def begin(self) -> None:
        """A new sequence: nothing has been."""
        self._carried = {}

    def step(self, coded: Tensor) -> dict[str, Tensor]:
        """What the heads give at the next step; the last state's answer so far, for one that answers at the end.

        Args:
            coded: The step as the network takes it, `(dim,)` numbers or a token.
        """
        with torch.inference_mode():
            found = self._network({self._group: coded[None, None]}, self._carried)
        return {head: values[:, 0] if values.ndim == 3 else values for head, values in found.items()}
