"""What takes several trainings side by side to see: radial units, maxout, penalties, Adagrad, noise."""

from __future__ import annotations

import csv
import json
import statistics
import sys
from pathlib import Path

from proof import Plain, Proof, data, score
from sklearn.datasets import load_iris

DIGITS = "sklearn:digits --in image --out category --set model.layers='dense 64, relu'"
DIABETES = "sklearn:diabetes --out target --patience 0 --epochs 60"
CHARACTERS = 30_000
STRENGTHS = (0, 0.001, 0.01, 0.03, 0.1, 0.3)
WIDTHS = (2, 5, 10, 30, 100)
SPREADS = (0, 0.1, 0.3, 0.6)


def main() -> int:
    """Runs each sweep and says what came out."""
    proof = Proof(__file__, "radial units, maxout, strength of a penalty, Adagrad and noise side by side", (9, 18))
    data("mnist")
    data("char_lm", "tinyshakespeare_input.txt")
    proof.folder.mkdir(parents=True, exist_ok=True)
    _radial(proof)
    _maxout(proof)
    _strength(proof)
    _adagrad(proof)
    _noise(proof)
    return proof.end()


def _compared(proof: Proof, name: str, words: str, seeds: int) -> dict[str, list[float]]:
    """Test scores of each setting of a comparison, seed by seed."""

    def compare(place: Path) -> Plain:
        said = proof.say(f"netwright compare {words} --seeds {seeds} --to '{place}' --json").text
        return {each["label"]: list(each["test"].values()) for each in json.loads(said)["settings"]}

    return proof.part(name, compare)  # type: ignore[return-value]


def _radial(proof: Proof) -> None:
    iris, path = load_iris(), proof.folder / "versicolor.csv"
    rows = [(x[2], x[3], "yes" if y == 1 else "no") for x, y in zip(iris.data, iris.target, strict=True)]
    _write(path, ("petal_length", "petal_width", "versicolor"), rows)
    words = f"'{path}' --out versicolor --set data.duplicates=accept"
    right: dict[str, list[float]] = {}
    centres = 0
    for layer in ("rbf 6", "dense 6"):

        def one(seed: int, place: Path, layer: str = layer) -> Plain:
            found = proof.train(f"{words} --layers '{layer}' --lr 0.03 --seed {seed}", place)
            return {"right": score(found, "test", "accuracy"), "centres": len(found["plane"]["centres"])}  # type: ignore[index]

        found = proof.seeds(layer, 5, one)
        right[layer] = [100 * float(each["right"]) for each in found]  # type: ignore[arg-type]
        centres = max(centres, *(int(each["centres"]) for each in found))  # type: ignore[call-overload]
    told = {layer: f"{statistics.fmean(values):.1f} %" for layer, values in right.items()}
    apart = [one - other for one, other in zip(right["rbf 6"], right["dense 6"], strict=True)]
    more = proof.mean("points of accuracy, radial units less a linear layer of the same size", apart, at_least=5)
    proof.check(f"{centres} centres are drawn on the data", centres == 6)
    proof.row(
        "B06",
        "Radial basis function unit",
        "netwright train versicolor.csv --out versicolor --layers 'rbf 6'",
        f"versicolor among iris by its petals: {told['rbf 6']} right, linear {told['dense 6']}; more {more}; "
        f"{centres} centres drawn",
    )


def _maxout(proof: Proof) -> None:
    words = "mnist --layers 'maxout 100 group 3' --epochs 6"

    def run(place: Path) -> Plain:
        found = proof.train(words, place)
        layer = next(each for each in found["layers"] if each["layer"].startswith("maxout"))  # type: ignore[union-attr,index]
        bends = {}
        for unit in range(10):
            proof.say(f"netwright look unit '{place}' 'maxout1[{unit}]'")
            bends[unit] = (place / "unit.html").read_text(encoding="utf-8").count(">bends at")
        return {"right": score(found, "test", "accuracy"), "parameters": layer["parameters"], "bends": bends}

    found = proof.part("maxout", run)
    parameters, bends = int(found["parameters"]), list(found["bends"].values())  # type: ignore[call-overload,union-attr]
    right = 100 * float(found["right"])  # type: ignore[arg-type]
    proof.check(f"{parameters:,} parameters, three times {785 * 100:,}", parameters == 3 * 785 * 100)
    proof.check(f"{right:.2f} % of MNIST's test digits are right", right > 97)
    proof.check(f"{sum(map(bool, bends))} of 10 units drawn are bent lines", any(bends))
    proof.row(
        "B09",
        "Maxout",
        "netwright look unit RUN 'maxout1[0]'",
        f"after `netwright train {words}`: {right:.2f} % right; {parameters:,} parameters, "
        f"3 x {785 * 100:,}; of ten units drawn {sum(map(bool, bends))} bend within the data",
    )


def _strength(proof: Proof) -> None:
    sweep = f"{DIABETES} --width 300 --vary training.regularize.l2={','.join(map(str, STRENGTHS))}"
    seeds = 10 if proof.full else 5
    held = _compared(proof, "strengths", sweep, seeds)
    small = _compared(proof, "widths", f"{DIABETES} --vary width={','.join(map(str, WIDTHS))}", seeds)
    means = [{name: statistics.fmean(values) for name, values in of.items()} for of in (held, small)]
    best = [max(of, key=lambda name: of[name]) for of in means]  # type: ignore[index]
    apart = [one - other for one, other in zip(held[best[0]], small[best[1]], strict=True)]
    shown = [", ".join(f"{name.rpartition(' ')[2]}: {value:.3f}" for name, value in of.items()) for of in means]
    more = proof.mean(f"R2 of 300 units with {best[0]} less that of {best[1]} without", apart, at_least=-0.02, digits=3)

    def split(place: Path) -> Plain:
        found = proof.train(f"{DIABETES} --width 300 --set training.regularize.l2=0.01", place)
        return {"last": found["curves"][-1]["train"]}  # type: ignore[index]

    last = proof.part("split", split)["last"]
    parts = f"data {last['loss']:.3f}, penalty {last['penalty/l2']:.3f}"  # type: ignore[index]
    proof.check(f"the curve tells apart {parts}", last["penalty/l2"] > 0)  # type: ignore[index]
    proof.row(
        "C09",
        "Regularised objective and strength λ",
        f"netwright compare {sweep}",
        f"test R2 of 300 units by strength {shown[0]}; of smaller nets without {shown[1]}; best less best {more}; "
        f"at 0.01 the loss ends as {parts}",
    )


def _adagrad(proof: Proof) -> None:
    path = proof.folder / "characters.csv"
    text = data("char_lm", "tinyshakespeare_input.txt").read_text(encoding="utf-8")[: CHARACTERS + 4]
    rows = [[at, *(repr(c) for c in text[at : at + 5])] for at in range(CHARACTERS)]
    _write(path, ("place", "c1", "c2", "c3", "c4", "next"), rows)
    words = f"'{path}' --out next --layers 'dense 100, relu' --epochs 6 --set data.duplicates=accept"
    words = f"{words} --set data.split.by=time --set data.split.column=place"
    losses: dict[str, list[float]] = {}
    rates: dict[str, list[float]] = {}
    for name, tried in (("sgd", (0.1, 0.3, 1.0)), ("adagrad", (0.03, 0.1, 0.3))):
        validation = {}
        for rate in tried:

            def one(seed: int, place: Path, name: str = name, rate: float = rate) -> Plain:
                found = proof.train(f"{words} --optimizer {name} --lr {rate} --seed {seed}", place)
                own = {each["layer"]: each["rates"] for each in found["inside"] if each["rates"]}  # type: ignore[union-attr,index]
                of = {part: score(found, part, "loss") for part in ("validation", "test")}
                return {**of, "own": own}

            found = proof.seeds(f"{name} {rate}", 3, one)
            validation[rate] = statistics.fmean(float(each["validation"]) for each in found)  # type: ignore[arg-type]
            if min(validation, key=lambda at: validation[at]) == rate:
                losses[name] = [float(each["test"]) for each in found]  # type: ignore[arg-type]
                rates = found[0]["own"] or rates  # type: ignore[assignment]
    apart = [one - other for one, other in zip(losses["adagrad"], losses["sgd"], strict=True)]
    less = proof.mean("test loss of Adagrad less that of SGD, each at its best rate", apart, at_most=0, digits=3)
    layer = max(rates, key=lambda of: rates[of][2] / rates[of][0])
    low, middle, high = rates[layer]
    proof.check(f"rates of single weights of {layer}: {low:.3g}, {middle:.3g}, {high:.3g}", high > 3 * low)
    proof.row(
        "E09",
        "Adagrad",
        "netwright train characters.csv --out next --optimizer adagrad",
        f"next character from four (each embedded): test loss {statistics.fmean(losses['adagrad']):.3f}, SGD "
        f"{statistics.fmean(losses['sgd']):.3f}, less {less}; rates of single weights of {layer} from {low:.2g} to "
        f"{high:.2g}, in the report",
    )


def _noise(proof: Proof) -> None:
    sweep = f"{DIGITS} --vary training.regularize.noise={','.join(map(str, SPREADS))}"
    found = _compared(proof, "noise", sweep, 10 if proof.full else 5)
    means = {name: 100 * statistics.fmean(values) for name, values in found.items()}
    shown = ", ".join(f"{name.rpartition(' ')[2]}: {value:.2f} %" for name, value in means.items())

    def sheet(place: Path) -> Plain:
        told = proof.train(f"{DIGITS} --epochs 2 --set training.regularize.noise=0.3", place / "pixels")
        table = proof.train(
            "sklearn:diabetes --out target --epochs 2 --set training.regularize.noise=0.1", place / "row"
        )
        return {"pixels": len(told["changed"]), "table": table["changed"][0]}  # type: ignore[arg-type,index]

    seen = proof.part("sheet", sheet)
    row = seen["table"]
    proof.check(f"{seen['pixels']} pictures stand beside what a step saw of them", seen["pixels"] == 12)
    proof.check("and rows of a table", row["before"] != row["after"])  # type: ignore[index]
    best = max(means, key=lambda name: means[name])
    zero = next(name for name in found if name.endswith(" 0"))
    apart = [100 * (one - other) for one, other in zip(found[best], found[zero], strict=True)]
    more = proof.mean(f"points of accuracy with {best} less without", apart)
    proof.row(
        "E17",
        "Noise injection",
        f"netwright compare {sweep}",
        f"right by spread {shown}; the best less none {more}; the report shows examples before and after",
    )


def _write(path: Path, head: tuple[str, ...], rows: list) -> None:
    with path.open("w", newline="", encoding="utf-8") as sink:
        csv.writer(sink).writerows([head, *rows])


if __name__ == "__main__":
    sys.exit(main())
