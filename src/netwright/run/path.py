"""The ways that different momenta take down a run's loss, from the run's own first weights and batches."""

from __future__ import annotations

import itertools
from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path

import torch
from torch import Tensor, nn

from netwright import files
from netwright.data.batches import Batch, Batches
from netwright.data.dataset import Dataset
from netwright.errors import SpecError
from netwright.figures.surface import Surface
from netwright.lens.path import PathView, path_view
from netwright.model_file import Model, assemble
from netwright.progress import Silent
from netwright.report.path import DrawnPath, path_page
from netwright.resolved import Resolved
from netwright.run.fit import weighted
from netwright.run.folder import RunFolder
from netwright.run.prediction import run_data
from netwright.training import hardware
from netwright.training.loop import Losses
from netwright.training.optimizers import sgd

_EXAMPLES, _MOST_WEIGHTS = 256, 2_000_000


@dataclass(frozen=True)
class Paths:
    """Ways with different momenta.

    Args:
        momenta: Of each way.
        view: The ways in numbers.
        losses: At the end of each.
        page: Where the picture lies.
        text: In words, line by line.
    """

    momenta: tuple[float, ...]
    view: PathView
    losses: tuple[float, ...]
    page: Path
    text: list[str]


def paths(run: Path, *, momenta: Sequence[float] = (0.0, 0.5, 0.9), steps: int = 60, lr: float = 0.05) -> Paths:
    """Trains a few steps with each momentum, from the first weights of a run, and draws the ways on their loss.

    The learning rate of each is `lr` times (1 - momentum), so that all go equally far where the slope is steady.

    Args:
        run: The run folder.
        momenta: In [0, 1), two to six of them.
        steps: Of each way, >= 3.
        lr: Learning rate without momentum.

    Raises:
        SpecError: Too many ways, or a net too large for its ways to be kept.
        DataError: The run's data is gone or changed.
    """
    if not 2 <= len(momenta) <= 6 or not all(0 <= momentum < 1 for momentum in momenta) or steps < 3:
        raise SpecError(
            "two to six momenta of at least 0 and less than 1, and 3 steps or more.", "E.g. --momenta 0 0.9"
        )
    folder = RunFolder(run)
    dataset, decided = run_data(folder, Silent())
    with hardware.applied(decided.hardware):
        trained = [_way(decided, dataset, momentum, lr, steps) for momentum in momenta]
        model, losses, probe = _fresh(decided, dataset)
        weights = list(model.network.parameters())

        @torch.no_grad()
        def loss(flat: Tensor) -> float:
            nn.utils.vector_to_parameters(flat, weights)
            return sum(float(term) for term in losses(probe).values())

        model.network.eval()
        view = path_view(trained, loss)
        ends = tuple(loss(way[-1]) for way in trained)
    drawn = [
        DrawnPath(f"momentum {momentum:g}", [tuple(point) for point in shadow.tolist()], turn, end)  # type: ignore[misc]
        for momentum, shadow, turn, end in zip(momenta, view.shadows, view.turns, ends, strict=True)
    ]
    note = f"Loss of {len(probe.index)} training examples of {files.printable(folder.path.name)}; {steps} steps each."
    page = folder.path / "paths.html"
    seen = Surface(tuple(view.first.tolist()), tuple(view.second.tolist()), tuple(map(tuple, view.surface.tolist())))
    files.write_text(page, path_page("Ways with different momenta", note, drawn, seen, view.share))
    text = [f"{steps} steps from the run's first weights, on {len(probe.index)} training examples:"]
    text += [f"  {p.label}: loss {p.loss:.4f}, cosine of a step with the next {p.turn:+.3f}" for p in drawn]
    text += [f"the plane holds {100 * view.share:.0f} % of how the ways spread", f"picture: {files.printable(page)}"]
    return Paths(tuple(momenta), view, ends, page, text)


def _fresh(decided: Resolved, dataset: Dataset) -> tuple[Model, Losses, Batch]:
    model = assemble(decided.spec, dataset.inputs, dataset.outputs, decided.spec.training.seed)
    if sum(weight.numel() for weight in model.network.parameters()) > _MOST_WEIGHTS:
        raise SpecError(
            f"the ways of a net of more than {_MOST_WEIGHTS:,} weights are not kept.", "Take a smaller run."
        )
    probe = next(
        iter(Batches(dataset, "train", _EXAMPLES, decided.spec.training.seed, shuffle=True, resident=False).epoch(1))
    )
    return model, weighted(model, dict.fromkeys(model.tasks, 1.0)), probe


def _way(decided: Resolved, dataset: Dataset, momentum: float, lr: float, steps: int) -> Tensor:
    """All weights before the first step and after each."""
    model, losses, _ = _fresh(decided, dataset)
    weights = list(model.network.parameters())
    optimizer = sgd(weights, lr=lr * (1 - momentum), momentum=momentum)
    size = decided.spec.training.batch_size
    count = len(dataset.parts["train"]) if size == "all" or size is None else int(size)
    source = Batches(dataset, "train", count, decided.spec.training.seed, shuffle=True, resident=False)
    found = [nn.utils.parameters_to_vector(weights).detach().clone()]
    with torch.random.fork_rng(devices=[]):
        torch.manual_seed(0)
        for batch in itertools.islice(itertools.chain.from_iterable(map(source.epoch, itertools.count())), steps):
            optimizer.zero_grad()
            sum(losses(batch).values()).backward()  # type: ignore[union-attr]
            optimizer.step()
            found.append(nn.utils.parameters_to_vector(weights).detach().clone())
    return torch.stack(found)
