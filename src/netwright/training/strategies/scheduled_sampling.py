"""Scheduled sampling: in training a decoder is fed more and more of its own guesses, as it will be when it writes.

Which tokens are replaced is drawn for each; a guess is the likeliest token behind the true ones, so that a step needs
one more pass and no loop over tokens.

Source: Bengio et al. 2015, Scheduled Sampling for Sequence Prediction with Recurrent Neural Networks,
arXiv:1506.03099, with the linear schedule; guesses of all steps at once as in Duckworth et al. 2019, Parallel Scheduled
Sampling, arXiv:1906.04331.
"""

from __future__ import annotations

from netwright.data.augment import Draw
from netwright.data.batches import Batch
from netwright.models.decoders import Decoder
from netwright.training.loop import Training
from netwright.training.strategies.strategy import Strategy


class ScheduledSampling(Strategy):
    """Replaces true tokens that are fed back by the decoder's guesses.

    Args:
        share: Of the tokens at the last step of the budget, in (0, 1]; from none at the first it rises in a straight
            line.
        seed: Of the run.
    """

    name = "scheduled_sampling"

    def __init__(self, share: float = 0.25, seed: int = 0) -> None:
        self._share, self._seed = share, seed

    def batch(self, training: Training, batch: Batch) -> Batch:
        """The batch as it is; decoders are told where to guess."""
        now = self._share * training.step / max(training.total, 1)
        for name, module in training.plan.nets["net"].named_modules():
            if isinstance(module, Decoder):
                draw = Draw(self._seed, f"{self.name}/{name}", training.epoch, batch.index)
                module.own = draw.uniform(module.longest + 1) < now
        return batch
