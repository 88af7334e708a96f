"""Does a trained model help here? Fresh training, its features, and fine-tuning it, on ever more of the same examples.

For each number of training examples and each seed the same examples are learned from in four ways and judged on the
same test part: the network with fresh weights; a logistic regression and a support vector machine on the features that
the trained network gives; and the trained network trained on. Smaller numbers of examples are parts of the larger ones.
A finished training is read again, so that an interrupted study goes on where it was.

Source: Yosinski, Clune, Bengio, Lipson 2014, How transferable are features in deep neural networks?, arXiv:1411.1792;
Razavian et al. 2014, CNN Features off-the-shelf, arXiv:1403.6382.
"""

from __future__ import annotations

import json
import math
import statistics
from collections.abc import Callable, Mapping, Sequence
from dataclasses import asdict, dataclass
from pathlib import Path

import numpy as np

from netwright import files, run, spec
from netwright.data.dataset import Dataset, prepare
from netwright.errors import DivergedError, SpecError
from netwright.progress import Counter, Display, Once, Silent
from netwright.report.facts import Facts
from netwright.report.sentences import interval_text, score_text
from netwright.report.transfer import TransferLine, transfer_page
from netwright.run.continued import Base, start_from
from netwright.run.features import computed, last_layer
from netwright.run.folder import RunFolder, data_name
from netwright.spec import ModelSpec, Spec
from netwright.studies.compare import mean_interval
from netwright.studies.place import remember, study_folder
from netwright.words import listed

SCRATCH, LOGISTIC, SVM, TUNED = "from scratch", "features + logistic regression", "features + SVM", "fine-tuned"
WAYS = (SCRATCH, LOGISTIC, SVM, TUNED)
SIZES = 5
_FOLDS = 5
_STRENGTHS = np.logspace(-4, 2, 7)  # of the inverse penalty, tried by cross-validation inside the training examples


@dataclass(frozen=True)
class Transfer:
    """What a transfer study found.

    Args:
        folder: Where its runs lie.
        page: The page with the figure.
        sizes: Numbers of training examples.
        accuracy: Test accuracy by way, size (as text) and seed (as text).
        crossed: By classifier, its accuracy on each fold of a cross-validation over all examples outside of the test.
        answer: What came out, in words.
        text: All of it in words, line by line.
    """

    folder: Path
    page: Path
    sizes: list[int]
    accuracy: dict[str, dict[str, dict[str, float]]]
    crossed: dict[str, list[float]]
    answer: str
    text: list[str]


def transfer(
    wanted: Spec,
    base: Path,
    *,
    sizes: Sequence[int] = (),
    seeds: int = 3,
    out: Path | None = None,
    show: Display | None = None,
) -> Transfer:
    """Measure what a trained model is worth on other examples.

    Args:
        wanted: The examples, with one output of classes; its training settings are those of both trainings, but
            that all layers of the one from scratch learn alike.
        base: A run, a model file or a name of the zoo.
        sizes: Numbers of training examples; five from a few to all when left out.
        seeds: How many times each is repeated, with other examples and first weights; the spec's seed comes first.
        out: Folder of the study; an existing one is gone on with.
        show: Where progress is told.

    Raises:
        SpecError: The output has no classes, or a size is not possible.
        DataError: The data cannot be used.
    """
    show = Once(show or Silent())
    if seeds < 1:
        raise SpecError("a study needs at least one seed.", "Say how many: --seeds 3")
    started = start_from(base)
    if wanted.model == ModelSpec():
        wanted = wanted.model_copy(update={"model": started.model.spec.model})
    wanted = _sized(wanted, started)
    question = {"spec": spec.dump(wanted), "base": str(base)}
    folder = out or study_folder("transfer", data_name(wanted), question)
    remember(folder, question, ("spec", "base"))
    dataset = _prepared(wanted, started, 0, show)
    output = next(iter(dataset.outputs.values()))
    if output.kind != "category":
        raise SpecError(f"outputs.{output.name} is a {output.kind}: transfer compares classifiers.", "Name a category.")
    chosen = _sizes(sizes, dataset, len(output.vocabulary))
    values = computed(started.model, dataset, "all", last_layer(started.model.network)).numpy()
    labels = np.asarray(dataset.arrays[output.name][:])
    known: dict[str, dict[str, dict[str, float]]] = {way: {str(n): {} for n in chosen} for way in WAYS}
    first = wanted.training.seed
    for seed in range(first, first + seeds):
        at_seed = spec.override(wanted, {"training.seed": str(seed)})
        dataset = _prepared(at_seed, started, seed, show)
        for size in chosen:
            show.note(f"{size:,} examples, seed {seed} ({seed - first + 1} of {seeds})")
            less = spec.override(at_seed, {"data.split.take": str(size)} if size < len(dataset.parts["train"]) else {})
            part = _prepared(less, started, seed, show).parts
            for way, score in _on_features(values, labels, part["train"], part["test"], seed).items():
                known[way][str(size)][str(seed)] = score
            for way, wish, start in ((SCRATCH, _afresh(less), None), (TUNED, less, base)):
                place = folder / files.safe_name(f"{way}-{size}-seed-{seed}")
                known[way][str(size)][str(seed)] = _trained(wish, place, start, show)
    outside = np.concatenate([dataset.parts["train"], dataset.parts["validation"]])
    return _told(folder, chosen, known, _crossed(values[outside], labels[outside]), seeds)


def _afresh(wanted: Spec) -> Spec:
    """Without what only a network that starts from a trained one can do: layers that stay, or learn more slowly."""
    training = wanted.training.model_copy(update={"freeze": None, "layer_rates": None})
    return wanted.model_copy(update={"training": training})


def _sized(wanted: Spec, base: Base) -> Spec:
    """The pictures at the size the base was trained with, for the fresh network too."""
    (facts, *others) = base.model.inputs.values()
    if others or facts.kind != "image" or len(wanted.inputs) > 1:
        return wanted
    name = next(iter(wanted.inputs), facts.name)
    wish = wanted.inputs.get(name) or spec.InputSpec()
    update = {"size_px": wish.size_px or facts.shape[:2], "channels": wish.channels or facts.shape[2]}
    return wanted.model_copy(update={"inputs": {name: wish.model_copy(update=update)}})


def _prepared(wanted: Spec, base: Base, seed: int, show: Display) -> Dataset:
    """The data as the base reads it, divided by a seed."""
    seeded = spec.override(wanted, {"training.seed": str(seed)})
    return prepare(seeded, progress=Counter(show), fields=base.fields(seeded))


def _sizes(given: Sequence[int], dataset: Dataset, classes: int) -> list[int]:
    """The numbers of training examples, ascending; what is left out rises by the same factor up to all."""
    most = len(dataset.parts["train"])
    if not given:
        least = max(2 * classes, most // 2**SIZES)
        given = [round(least * (most / least) ** (place / (SIZES - 1))) for place in range(SIZES)]
    wrong = [size for size in given if not classes <= size <= most]
    if wrong:
        raise SpecError(
            f"--sizes {listed([str(size) for size in wrong])}: there are {most:,} to train on, of {classes} classes.",
            f"Give numbers from {classes:,} to {most:,}.",
        )
    return sorted(set(given))


def _trained(wanted: Spec, place: Path, base: Path | None, show: Display) -> float:
    """Test accuracy of one training, resumed or read where it was done before; NaN when it diverged."""
    try:
        if (place / "run.json").exists():
            run.resume(place, show=show)
        else:
            run.train(wanted, out=place, base=base, examples=False, show=show)
    except DivergedError:
        return math.nan
    scored = Facts.read(RunFolder(place).facts).outputs[0].scores["test"]["accuracy"]
    return math.nan if scored is None else scored


# ---- classifiers on features -----------------------------------------------------------------------------------------


def _classifiers(labels: np.ndarray, seed: int) -> dict[str, Callable[[], object]]:
    """Both classifiers on standardised features, the strength of their penalty chosen by cross-validation inside.

    By log loss where there are probabilities: of forty examples an accuracy hardly tells two strengths apart.
    """
    from sklearn.linear_model import LogisticRegression
    from sklearn.model_selection import GridSearchCV, StratifiedKFold
    from sklearn.pipeline import make_pipeline
    from sklearn.preprocessing import StandardScaler
    from sklearn.svm import SVC

    folds = min(_FOLDS, int(np.bincount(labels)[np.unique(labels)].min()))

    def made(classifier: object, name: str, scoring: str) -> object:
        whole = make_pipeline(StandardScaler(), classifier)
        if folds < 2:
            return whole
        splits = StratifiedKFold(folds, shuffle=True, random_state=seed)
        return GridSearchCV(whole, {f"{name}__C": _STRENGTHS}, cv=splits, scoring=scoring)

    return {
        LOGISTIC: lambda: made(LogisticRegression(max_iter=2000), "logisticregression", "neg_log_loss"),
        SVM: lambda: made(SVC(kernel="rbf"), "svc", "accuracy"),
    }


def _on_features(
    values: np.ndarray, labels: np.ndarray, train: np.ndarray, test: np.ndarray, seed: int
) -> dict[str, float]:
    """Test accuracy of each classifier on features."""
    scores = {}
    for way, make in _classifiers(labels[train], seed).items():
        fitted = make().fit(values[train], labels[train])  # type: ignore[attr-defined]
        scores[way] = float((fitted.predict(values[test]) == labels[test]).mean())
    return scores


def _crossed(values: np.ndarray, labels: np.ndarray) -> dict[str, list[float]]:
    """Accuracy of each classifier on each fold of all examples that are not kept for the test."""
    from sklearn.model_selection import StratifiedKFold, cross_val_score

    folds = min(_FOLDS, int(np.bincount(labels)[np.unique(labels)].min()))
    if folds < 2:
        return {}
    outer = StratifiedKFold(folds, shuffle=True, random_state=0)
    return {
        way: [float(score) for score in cross_val_score(make(), values, labels, cv=outer, scoring="accuracy")]
        for way, make in _classifiers(labels, 0).items()
    }


# ---- what came out ---------------------------------------------------------------------------------------------------


def _told(
    folder: Path,
    sizes: list[int],
    known: dict[str, dict[str, dict[str, float]]],
    crossed: dict[str, list[float]],
    seeds: int,
) -> Transfer:
    lines = [_line(way, sizes, known[way]) for way in WAYS]
    answer = verdict(sizes, known)
    folds = [
        f"{way}: {score_text('accuracy', statistics.fmean(scores))} in a cross-validation of {len(scores)} folds "
        f"({', '.join(score_text('accuracy', score) for score in scores)})"
        for way, scores in crossed.items()
    ]
    page = folder / "transfer.html"
    files.write_text(page, transfer_page(folder.name, answer, sizes, lines, folds))
    text = [*_table(sizes, lines, seeds), "", answer, *folds, f"page: {files.printable(page)}"]
    found = Transfer(folder, page, sizes, known, crossed, answer, text)
    kept = {key: value for key, value in asdict(found).items() if key not in {"folder", "page", "text"}}
    files.write_text(folder / "transfer.json", json.dumps(kept, indent=1) + "\n")
    return found


def _line(way: str, sizes: Sequence[int], scores: Mapping[str, Mapping[str, float]]) -> TransferLine:
    each = [list(_whole(scores[str(size)]).values()) for size in sizes]
    means = [statistics.fmean(found) if found else None for found in each]
    between = [mean_interval(found) for found in each]
    bounded = [(max(pair[0], 0.0), min(pair[1], 1.0)) if pair else None for pair in between]
    return TransferLine(way, means, bounded)


def _whole(scores: Mapping[str, float]) -> dict[str, float]:
    """Those of trainings that did not diverge."""
    return {seed: score for seed, score in scores.items() if math.isfinite(score)}


def verdict(sizes: Sequence[int], known: Mapping[str, Mapping[str, Mapping[str, float]]]) -> str:
    """Which way is best with few and with all examples, and how much the trained model brings beside a fresh one.

    Args:
        sizes: Numbers of training examples.
        known: Test accuracy by way, size and seed.
    """
    said = []
    for size in dict.fromkeys((sizes[0], sizes[-1])):
        whole = {way: _whole(known[way][str(size)]) for way in WAYS}
        means = {way: statistics.fmean(scores.values()) for way, scores in whole.items() if scores}
        if not means:
            said.append(f"With {size:,} examples every training diverged.")
            continue
        best = max(means, key=lambda way: means[way])
        told = f"With {size:,} examples {best} is best, {score_text('accuracy', means[best])} right"
        more = [value - whole[SCRATCH][seed] for seed, value in whole[best].items() if seed in whole[SCRATCH]]
        if best != SCRATCH and more:
            told += f", {100 * statistics.fmean(more):.1f} points above training from scratch"
            if pair := mean_interval(more):
                told += f" ({100 * pair[0]:.1f} to {100 * pair[1]:.1f} over {len(more)} seeds)"
        said.append(f"{told}.")
    return " ".join(said)


def _table(sizes: Sequence[int], lines: Sequence[TransferLine], seeds: int) -> list[str]:
    cells: list[tuple[str, ...]] = [("examples", *(line.way for line in lines))]
    for place, size in enumerate(sizes):
        row = [f"{size:,}"]
        for line in lines:
            mean, between = line.means[place], line.between[place]
            row.append("diverged" if mean is None else score_text("accuracy", mean))
            row[-1] += f" ({interval_text('accuracy', between)})" if between else ""
        cells.append(tuple(row))
    widths = [max(len(row[column]) for row in cells) for column in range(len(cells[0]))]
    rows = ["  ".join(cell.ljust(width) for cell, width in zip(row, widths, strict=True)).rstrip() for row in cells]
    return [f"test accuracy, mean of {seeds} seed{'s' * (seeds != 1)} and its 95 % interval:", *rows]
