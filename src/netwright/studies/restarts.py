"""Random restarts: the same training from several first weights; the one with the lowest training loss is kept.

Split and data stay the same, so that only the luck of the start differs. Each finished start is kept; an interrupted
study goes on with the next.

Source: Bishop, Pattern Recognition and Machine Learning, section 5.2.1, on local minima and several starts.
"""

from __future__ import annotations

import json
import math
import shutil
import statistics
from collections.abc import Callable
from dataclasses import asdict, dataclass
from functools import partial
from pathlib import Path

from netwright import files, run, spec
from netwright.errors import DivergedError, NetwrightError
from netwright.progress import Display, Once, Silent
from netwright.report.facts import Facts
from netwright.report.sentences import duration, score_name, score_text
from netwright.run import gather
from netwright.run.folder import RunFolder, data_name
from netwright.spec import Spec


@dataclass(frozen=True)
class Start:
    """One training.

    Args:
        seed: Of its first weights and its order of examples.
        run: Its folder.
        train_loss: Of the weights it kept; NaN when it diverged.
        score: Held-out score; NaN likewise.
        seconds: Of training.
    """

    seed: int
    run: str
    train_loss: float
    score: float
    seconds: float


@dataclass(frozen=True)
class Restarts:
    """What came out.

    Args:
        folder: Where the runs lie, and the best one's model as `model.netwright`.
        best: Folder of the run with the lowest training loss.
        score: Name of the held-out score.
        starts: Every start, in the order of the seeds.
        text: All of it in words, line by line.
    """

    folder: Path
    best: Path
    score: str
    starts: list[Start]
    text: list[str]


def restarts(
    wanted: Spec,
    *,
    out: Path | None = None,
    data: object = None,
    strict: bool = False,
    accept: bool = False,
    examples: bool = True,
    show: Display | None = None,
) -> Restarts:
    """Trains `wanted.training.restarts` times with the seeds that follow `wanted.training.seed`.

    Args:
        wanted: What goes in and out; the split is drawn with its own seed for all.
        out: Folder of the study; an existing one is gone on with. `runs/<name>-restarts` when left out.
        data: Examples in memory instead of the spec's data path.
        strict: As for `run.train`.
        accept: As for `run.train`.
        examples: As for `run.train`.
        show: Where progress is told.

    Raises:
        DivergedError: Not one start ended with a number.
        NetwrightError: The folder holds another study.
    """
    show, count = Once(show or Silent()), wanted.training.restarts or 1
    train = partial(run.train, data=data, strict=strict, accept=accept, examples=examples, show=show)
    folder = out or Path("runs") / f"{data_name(wanted)}-restarts"
    _remember(folder, wanted)
    found, score = [], ""
    for number in range(count):
        seed = wanted.training.seed + number
        show.note(f"start {number + 1} of {count}, seed {seed}")
        place = folder / f"seed-{seed}"
        start, named = _one(_started(wanted, seed), place, train, data, show)
        score = named or score
        found.append(start)
    whole = [start for start in found if math.isfinite(start.train_loss)]
    if not whole:
        raise DivergedError(f"none of {count} starts ended with a number.", "Lower the learning rate.")
    best = min(whole, key=lambda start: start.train_loss)
    shutil.copyfile(RunFolder(Path(best.run)).model, folder / "model.netwright")
    text = _told(found, best, score, folder)
    files.write_text(
        folder / "restarts.json", json.dumps({"score": score, "best": best.seed, "starts": _plain(found)}, indent=1)
    )
    return Restarts(folder, Path(best.run), score, found, text)


def _started(wanted: Spec, seed: int) -> Spec:
    """The spec of one start: its own seed, and the split of the first."""
    split = wanted.data.split.model_copy(update={"seed": wanted.split_seed})
    training = wanted.training.model_copy(update={"restarts": None, "seed": seed})
    return wanted.model_copy(update={"training": training, "data": wanted.data.model_copy(update={"split": split})})


def _one(wanted: Spec, place: Path, train: Callable[..., object], data: object, show: Display) -> tuple[Start, str]:
    """Trains, resumes or reads one start; and the name of its score."""
    seed = wanted.training.seed
    try:
        if (place / "run.json").exists():
            run.resume(place, data=data, show=show)
        else:
            train(wanted, out=place)
    except DivergedError as exc:
        show.note(exc.message)
        return Start(seed, str(place), math.nan, math.nan, math.nan), ""
    facts = Facts.read(RunFolder(place).facts)
    output = facts.outputs[0]
    held_out = "validation" if "validation" in output.scores else "test"
    losses = [each.scores["train"].get("loss") for each in facts.outputs]
    loss = sum(math.nan if value is None else value for value in losses)
    value = output.scores.get(held_out, {}).get(output.headline)
    return Start(seed, str(place), loss, math.nan if value is None else value, facts.seconds or 0.0), output.headline


def _remember(folder: Path, wanted: Spec) -> None:
    asked = spec.dump(wanted.model_copy(update={"training": wanted.training.model_copy(update={"restarts": None})}))
    note = folder / "spec.yaml"
    if note.exists() and note.read_text(encoding="utf-8") != asked:
        raise NetwrightError(f"{files.printable(folder)} holds the starts of another spec.", "Name another: --to DIR")
    files.write_text(note, asked)


def _plain(starts: list[Start]) -> list[dict[str, object]]:
    return [
        {k: None if isinstance(v, float) and not math.isfinite(v) else v for k, v in asdict(start).items()}
        for start in starts
    ]


def _told(starts: list[Start], best: Start, score: str, folder: Path) -> list[str]:
    cells = [("seed", "training loss", f"held-out {score_name(score)}", "time", "")]
    for start in starts:
        loss = f"{start.train_loss:.4g}" if math.isfinite(start.train_loss) else "diverged"
        held_out = score_text(score, start.score) if math.isfinite(start.score) else "–"
        cells.append((str(start.seed), loss, held_out, duration(start.seconds), "kept" if start is best else ""))
    widths = [max(len(line[i]) for line in cells) for i in range(5)]
    lines = ["  ".join(cell.ljust(width) for cell, width in zip(line, widths, strict=True)).rstrip() for line in cells]
    scores = [start.score for start in starts if math.isfinite(start.score)]
    spread = f", standard deviation {score_text(score, statistics.stdev(scores))}" if len(scores) > 1 else ""
    kept = RunFolder(Path(best.run))
    reach = f"{score_text(score, min(scores))} to {score_text(score, max(scores))}{spread}"
    return [
        *lines,
        f"kept: seed {best.seed}, the lowest training loss of {len(starts)} starts",
        f"held-out {score_name(score)} over the starts: {reach}",
        *gather.warnings(Facts.read(kept.facts), kept),
        f"report: {files.printable(kept.report)}",
        f"model:  {files.printable(folder / 'model.netwright')}",
    ]
