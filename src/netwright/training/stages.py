"""How a language model comes to write: a text at a few moments of its training, and how surprised it then is.

Source: Karpathy 2015, The Unreasonable Effectiveness of Recurrent Neural Networks, whose samples of ever later
iterations are the model of it.
"""

from __future__ import annotations

import copy
import json
import math
from collections.abc import Callable, Iterable, Iterator
from dataclasses import dataclass
from itertools import islice
from pathlib import Path

import numpy as np
import torch
from jaxtyping import Float, Int
from torch import Tensor
from torch.nn import functional

from netwright import files
from netwright.errors import NetwrightError
from netwright.models.decoding import Sampling, written
from netwright.models.network import Network
from netwright.training.loop import Training
from netwright.training.observers import Observer

MOMENTS = (0.01, 0.05, 0.25)  # shares of a training's steps or minutes, whichever are first there; besides its end
LENGTH = 400  # tokens of a text
_TEMPERATURE = 0.8
_ROWS = 8  # of held-out text that are read at once: of each step there is a score for every token


@dataclass(frozen=True)
class Language:
    """What is needed to let a network write.

    Args:
        group: The input of tokens.
        head: The output of what comes next.
        spelled: Makes a text of codes, piece by piece.
        prompt: Code of the token that stands before every text.
        pieces: Held-out text that goes in, `(piece, time)`.
        follow: What follows each of its tokens.
        letters: Characters that each token stands for, by its code.
        length: Tokens that it is to write.
    """

    group: str
    head: str
    spelled: Callable[[Iterable[int]], Iterator[str]]
    prompt: int
    pieces: Int[Tensor, "piece time"]
    follow: Int[Tensor, "piece time"]
    letters: Float[Tensor, " token"]
    length: int = LENGTH


class Stages(Observer):
    """Writes a line at each of these moments: step, epoch, nats on held-out text, and a text.

    A moment is the first step behind it; those that are in the file do not come again when a training goes on.

    Args:
        path: The file, e.g. `runs/plays-1/stages.jsonl`.
        language: What is written, and about what the network is surprised; nothing is done without.
    """

    def __init__(self, path: Path, language: Language | None = None) -> None:
        self._path, self._language = path, language
        self._quiet = language is None
        self._told = max((stage.get("share", 0.0) for stage in read(path)), default=0.0)

    def step(self, training: Training) -> None:
        """A text, when it is time for one."""
        if self._quiet:
            return
        share = max((share for share in MOMENTS if _reached(training, share)), default=0.0)
        if share > self._told:
            self._write(training, share)

    def finish(self, training: Training) -> None:
        """The text of the network as it is kept."""
        if not self._quiet:
            self._write(training, 1.0)

    def _write(self, training: Training, share: float) -> None:
        self._told = share
        language, network = self._language, training.plan.nets["net"]
        if language is None or not isinstance(network, Network):
            return
        copied = copy.deepcopy(network).cpu().eval()
        tokens = written(
            copied, language.group, language.head, _codes(language.prompt), Sampling(_TEMPERATURE), 0, never=(0,)
        )
        facts = {
            "share": share,
            "step": training.step,
            "epoch": training.epoch,
            "nats": _nats(copied, language),
            "text": "".join(language.spelled(islice(tokens, language.length))),
        }
        try:
            files.append(self._path, json.dumps(facts) + "\n", durable=False)
        except NetwrightError as exc:  # a log is never worth a training
            training.note(f"{exc.message} What the network writes on the way is not kept any more.")
            self._quiet = True


def _reached(training: Training, share: float) -> bool:
    """Whether so much of its steps or of its minutes is over."""
    minutes = training.plan.budget.minutes
    by_clock = minutes > 0 and training.elapsed() >= share * minutes * 60
    return by_clock or training.step >= max(1, round(share * training.total))


def read(path: Path) -> list[dict]:
    """The stages of a run, oldest first; nothing where there are none."""
    found: dict[int, dict] = {}
    for line in path.read_text(encoding="utf-8").splitlines() if path.exists() else ():
        try:
            stage = json.loads(line)
        except ValueError:
            continue  # a line half written by a killed process
        found[stage["step"]] = stage
    return [found[step] for step in sorted(found)]


@torch.inference_mode()
def _nats(network: Network, language: Language) -> float | None:
    """How surprised it is by a character of the second half of each piece, when it has read the first."""
    half, surprise, letters = language.follow.shape[1] // 2, 0.0, 0.0
    for pieces, follow in zip(language.pieces.split(_ROWS), language.follow.split(_ROWS), strict=True):
        outputs, asked = network({language.group: pieces})[language.head], follow[:, half:].flatten()
        each = functional.cross_entropy(outputs[:, half:].flatten(0, 1), asked, ignore_index=-1, reduction="sum")
        surprise, letters = surprise + float(each), letters + float(language.letters[asked[asked >= 0]].sum())
    return surprise / letters if letters and math.isfinite(surprise) else None


def _codes(prompt: int) -> np.ndarray:
    return np.array([prompt])
