"""Neurons, activations, losses and penalties, each on real data, with the numbers that the lectures print."""

from __future__ import annotations

import csv
import json
import re
import statistics
import sys
from pathlib import Path

import numpy as np
from proof import Plain, Proof, data, facts, score
from sklearn.datasets import load_iris
from sklearn.linear_model import LinearRegression

from netwright.progress import Silent
from netwright.run.folder import RunFolder
from netwright.run.prediction import run_data

DIGITS = "sklearn:digits --in image --out category"
DEEP = "train mnist --set model.layers='x5 {dense 64, %s}' --epochs 1"
ACTIVATIONS = "relu,leaky_relu,elu,softplus,hard_tanh,tanh,sigmoid,threshold"


def main() -> int:
    """Trains small nets and reads what their reports say."""
    proof = Proof(__file__, "activations, losses and penalties on real data", (12, 25))
    data("mnist")
    _linear(proof)
    _neuron(proof)
    _gradients(proof)
    _functions(proof)
    _perceptron(proof)
    _losses(proof)
    _penalties(proof)
    return proof.end()


def _train(proof: Proof, name: str, words: str) -> Plain:
    """The few facts of a run that these rows need."""

    def run(place: Path) -> Plain:
        found = proof.train(words, place)
        output = found["outputs"][0]  # type: ignore[index]
        return {
            "scores": {part: dict(values) for part, values in output["scores"].items()},
            "baselines": {each["name"]: each["scores"] for each in output["baselines"]},
            "inside": [_kept(each) for each in found["inside"]],  # type: ignore[union-attr]
            "idle": found["idle_inputs"],
            "coefficients": found["coefficients"],
            "parameters": found["parameters"],
            "longest": [point["train"].get("longest_weights") for point in found["curves"]],  # type: ignore[union-attr]
        }

    return proof.part(name, run)


def _kept(layer: dict) -> dict:
    """What the rows below read of a layer; all of its histograms would make a file of twenty thousand lines."""
    names = ("layer", "zeros", "small", "units", "dead", "gradients", "last")
    return {name: layer[name][:1] if name == "gradients" else layer[name] for name in names}


def _test(found: Plain, name: str) -> float:
    return float(found["scores"]["test"][name])  # type: ignore[index]


def _layer(found: Plain, name: str) -> dict:
    return next(each for each in found["inside"] if each["layer"] == name)  # type: ignore[union-attr]


def _linear(proof: Proof) -> None:
    seeds = 20 if proof.full else 10
    command = "train sklearn:diabetes --out target --layers ''"
    apart, shares = [], []
    for seed in range(seeds):
        found = _train(proof, f"diabetes seed {seed}", f"{command.removeprefix('train ')} --seed {seed}")
        plain = proof.part(f"least squares seed {seed}", lambda _, s=seed: _least_squares(proof, s))
        apart.append(_test(found, "r2") - float(plain["r2"]))  # type: ignore[arg-type]
        coefficients = len(found["coefficients"])  # type: ignore[arg-type]
    told = proof.mean("R2 less that of plain least squares", apart, at_least=-0.02, at_most=0.02, digits=4)
    proof.check("ten coefficients and the intercept are shown", coefficients == 11)
    proof.row(
        "A03",
        "Linear regression",
        f"netwright {command}",
        f"held-out R2 less that of scikit-learn's least squares on the same rows: {told}",
    )
    command = "train sklearn:breast_cancer --out category --layers ''"
    for seed in range(seeds):
        found = _train(proof, f"cancer seed {seed}", f"{command.removeprefix('train ')} --seed {seed}")
        linear = float(found["baselines"]["linear"]["accuracy"])  # type: ignore[index]
        shares.append(100 * (_test(found, "accuracy") - linear))
    told = proof.mean("points of accuracy less scikit-learn's logistic regression", shares, at_least=-1.0, digits=2)
    page = (proof.folder / "cancer-seed-0" / "report.html").read_text(encoding="utf-8")
    proof.check(
        "the report draws whether the probabilities can be believed", "Can its probabilities be believed" in page
    )
    proof.row("A04", "Logistic regression", f"netwright {command}", f"points of accuracy less scikit-learn's: {told}")


def _least_squares(proof: Proof, seed: int) -> Plain:
    """scikit-learn's own, on the rows that the run of this seed learned from and was tested on."""
    dataset, _ = run_data(RunFolder(proof.folder / f"diabetes-seed-{seed}"), Silent())
    x = np.column_stack([np.asarray(dataset.arrays[name]) for name in dataset.inputs])
    y, train, test = np.asarray(dataset.arrays["target"]), dataset.parts["train"], dataset.parts["test"]
    return {"r2": LinearRegression().fit(x[train], y[train]).score(x[test], y[test])}


def _neuron(proof: Proof) -> None:
    _train(proof, "neuron", "sklearn:diabetes --out target --width 8 --epochs 10")

    def look(_: Path) -> Plain:
        said = proof.say(f"netwright look unit '{proof.folder / 'neuron'}' 'dense1[3]'").text
        found = re.search(r"a = ([-+.\d]+) \(added again term by term: ([-+.\d]+)\)", said)
        return {"a": float(found[1]), "added": float(found[2]), "text": said} if found else {"text": said}

    found = proof.part("unit", look)
    apart = abs(float(found["a"]) - float(found["added"]))  # type: ignore[arg-type]
    proof.check(f"the sum added again differs by {apart:.1e}", apart <= 1e-5)
    proof.row(
        "A02",
        "Artificial neuron unit",
        "netwright look unit RUN 'dense1[3]'",
        f"every w x, the bias, a and z on a real row; the sum added again differs by {apart:.0e}",
    )


def _gradients(proof: Proof) -> None:
    shares = {}
    for name in ("sigmoid", "relu"):
        found = _train(proof, f"deep {name}", (DEEP % name).removeprefix("train "))
        first, last = (_layer(found, f"dense{k}")["gradients"][0][1] for k in (1, 5))
        shares[name] = first / last
    both = f"sigmoid {shares['sigmoid']:.4f}, relu {shares['relu']:.3f}"
    proof.check(
        f"gradient of the first layer over that of the fifth: {both}", shares["sigmoid"] < 0.05 < shares["relu"]
    )
    told = f"at the first step the first of five layers gets {shares['sigmoid']:.4f} of the fifth's gradient"
    proof.row("B01", "Sigmoid", f"netwright {DEEP % 'sigmoid'}", f"{told}; the same net of relu {shares['relu']:.2f}")


def _functions(proof: Proof) -> None:
    runs = {
        name: _train(proof, f"digits {name}", f"{DIGITS} --set model.layers='dense 64, {name}'")
        for name in ("relu", "leaky_relu", "elu", "hard_tanh", "tanh")
    }
    low, high, _ = _layer(runs["hard_tanh"], "hard_tanh1")["last"]
    proof.check(f"hard tanh ends between {low:g} and {high:g}", (low, high) == (-1.0, 1.0))
    proof.row(
        "B08",
        "Hard tanh",
        f"netwright train {DIGITS} --set model.layers='dense 64, hard_tanh'",
        f"its values in the histogram of the run lie between {low:g} and {high:g}",
    )
    low, high, counts = _layer(runs["elu"], "elu1")["last"]
    step = (high - low) / len(counts)
    below = sum(count for place, count in enumerate(counts) if low + step * (place + 1) <= 0) / sum(counts)
    proof.check(f"ELU's values reach {low:.2f}, {100 * below:.0f} % of them negative", -1 <= low < -0.5 and below > 0.2)
    proof.row(
        "B10",
        "ELU",
        f"netwright train {DIGITS} --set model.layers='dense 64, elu'",
        f"values from {low:.2f}; {100 * below:.0f} % of them are negative in the histogram of the run",
    )
    relu = _layer(runs["relu"], "relu1")
    told = f"{100 * relu['zeros']:.0f} % zeros; {len(relu['dead'])} of {relu['units']} units never awake, by number"
    proof.check(f"relu: {told}", 0.3 < relu["zeros"] < 0.9)
    proof.row("B04", "ReLU", f"netwright train {DIGITS} --set model.layers='dense 64, relu'", told)
    dead = {
        name: _train(proof, f"dead {name}", f"{DIGITS} --set model.layers='dense 64, {name}' --lr 0.3 --epochs 5")
        for name in ("relu", "leaky_relu")
    }
    asleep = len(_layer(dead["relu"], "relu1")["dead"])
    zeros = _layer(dead["leaky_relu"], "leaky_relu1")["zeros"]
    proof.check(
        f"at lr 0.3 {asleep} relu units never wake; leaky relu has {zeros:.0%} zeros", asleep > 0 and zeros == 0
    )
    proof.row(
        "B05",
        "Leaky ReLU",
        f"netwright train {DIGITS} --set model.layers='dense 64, leaky_relu' --lr 0.3",
        f"{asleep} of 64 relu units never wake at this rate; with leaky relu none, and no value is 0",
    )
    bands = {
        name: _train(proof, f"mnist {name}", f"mnist --set model.layers='dense 100, {name}' --epochs 4")
        for name in ("relu", "softplus")
    }
    gap = 100 * (_test(bands["softplus"], "accuracy") - _test(bands["relu"], "accuracy"))
    proof.check(f"softplus on MNIST is {gap:+.2f} points from relu", abs(gap) <= 1.0)
    proof.row(
        "B07",
        "Softplus",
        "netwright train mnist --set model.layers='dense 100, softplus' --epochs 4",
        f"{100 * _test(bands['softplus'], 'accuracy'):.2f} % of MNIST's test digits right, {gap:+.2f} points from relu",
    )
    tanh = proof.say("netwright explain tanh").text
    grid = proof.part("tanh", lambda _: {"apart": _two_forms()})
    apart = float(grid["apart"])  # type: ignore[arg-type]
    proof.check(f"both printed forms of tanh differ by at most {apart:.1e}", apart <= 1e-6 and "2 sigmoid(2x)" in tanh)
    proof.row(
        "B02", "Tanh", "netwright explain tanh", f"2 sigma(2x) - 1 differs by at most {apart:.0e} on a grid of 1,001"
    )
    compared = proof.part("compare", lambda place: _compared(proof, place))
    proof.check("compare has one line for each of eight activations", compared["lines"] == 8)
    proof.row(
        "B12",
        "Variety / choice of activation",
        f"netwright compare {DIGITS} --vary activation={ACTIVATIONS}",
        f"one table; best {compared['best']}",
    )
    soft = proof.part("softmax", lambda _: _softmax())
    proof.check(f"softmax of (-0.62, 8.12, 2.53): {soft['printed']}", soft["printed"] == "0.0002, 0.9961, 0.0037")
    sums = proof.part("sums", lambda _: _sums(proof))
    proof.check(f"probabilities of answers sum to 1 within {sums['apart']:.0e}", float(sums["apart"]) < 1e-5)  # type: ignore[arg-type]
    proof.row(
        "B11",
        "Softmax function",
        "netwright predict RUN FILES --save answers.csv",
        f"the example gives ({soft['printed']}); logits of 1000 stay finite; sums differ from 1 by {sums['apart']:.0e}",
    )


def _two_forms() -> float:
    import torch

    from netwright.models.activations import sigmoid, tanh

    x = torch.linspace(-10, 10, 1001)
    return float((tanh(x) - (2 * sigmoid(2 * x) - 1)).abs().max())


def _softmax() -> Plain:
    import torch

    found = torch.softmax(torch.tensor([-0.62, 8.12, 2.53]), 0).tolist()
    large = torch.softmax(torch.tensor([1000.0, -1000.0]), 0)
    return {"printed": ", ".join(f"{value:.4f}" for value in found), "finite": bool(torch.isfinite(large).all())}


def _sums(proof: Proof) -> Plain:
    import pyarrow.parquet as pq

    table = pq.read_table(proof.folder / "digits-relu" / "predictions.parquet")
    columns = [table[name].to_pylist() for name in table.column_names if name.startswith("category:")]
    return {"apart": max(abs(sum(row) - 1) for row in zip(*columns, strict=True))}


def _compared(proof: Proof, place: Path) -> Plain:
    said = proof.say(
        f"netwright compare {DIGITS} --vary activation={ACTIVATIONS} --epochs 15 --seeds 2 --to '{place}' --json"
    )
    found = json.loads(said.text)
    means = {each["label"]: statistics.fmean(each["scores"].values()) for each in found["settings"]}
    best = max(means, key=lambda label: means[label])
    return {"lines": len(means), "best": f"{best.removeprefix('activation ')}, {100 * means[best]:.1f} %"}


def _perceptron(proof: Proof) -> None:
    table = proof.folder / "setosa.csv"
    flowers = load_iris()
    with table.open("w", encoding="utf-8", newline="") as file:
        writer = csv.writer(file)
        writer.writerow(["a", "b", "c", "d", "setosa"])
        writer.writerows(
            [*row, "yes" if of == 0 else "no"] for row, of in zip(flowers.data, flowers.target, strict=True)
        )
    words = f"'{table}' --out setosa --set model.layers='dense 1, threshold' --lr 0.05 --set data.duplicates=accept"
    found = _train(proof, "perceptron", words)
    errors = 1 - float(found["scores"]["train"]["accuracy"])  # type: ignore[index]
    resolved = (proof.folder / "perceptron" / "resolved.yaml").read_text(encoding="utf-8")
    proof.check("the run says that the derivative is a stand-in", "straight-through" in resolved)
    proof.check(f"training errors on setosa against the others: {errors:.0%}", errors == 0)
    proof.row(
        "B03",
        "Threshold (step)",
        "netwright train setosa.csv --out setosa --set model.layers='dense 1, threshold' --lr 0.05",
        "0 training errors on iris setosa against the others; the run says that its derivative is a stand-in",
    )


def _losses(proof: Proof) -> None:
    hinge = proof.part("hinge", lambda _: {"text": proof.say("netwright explain loss hinge").text})
    proof.check("2.9, 0, 12.9 and their mean 5.27", "([2.9, 0.0, 12.9], 5.27)" in str(hinge["text"]))
    svm = _train(proof, "svm", "cifar-linear --set outputs.category.loss=hinge --epochs 5")
    right = 100 * _test(svm, "accuracy")
    proof.check(f"a linear SVM on CIFAR-10 answers {right:.1f} % right", right > 30)
    proof.row(
        "C02",
        "Multiclass hinge (SVM) loss",
        "netwright explain loss hinge",
        f"2.9, 0, 12.9, mean 5.27; a linear SVM answers {right:.1f} % of CIFAR-10's test pictures",
    )
    entropy = proof.part("entropy", lambda _: {"text": proof.say("netwright explain loss cross_entropy").text})
    proof.check("the loss of the example is 2.04", "2.04" in str(entropy["text"]))
    first = json.loads((proof.folder / "digits-relu" / "facts.json").read_text(encoding="utf-8"))["findings"]
    looked = next(each["message"] for each in first if each["name"] == "first loss")
    proof.row("C03", "Softmax cross-entropy", "netwright explain loss cross_entropy", f"2.04; first batch: {looked}")
    regress = facts(proof.folder / "diabetes-seed-0")
    told = f"RMSE {score(regress, 'test', 'rmse'):.1f} in the target's own units on held-out diabetes patients"
    proof.check(told, score(regress, "test", "rmse") > 0)
    proof.row("C01", "Quadratic / squared error", "netwright train sklearn:diabetes --out target", told)


def _penalties(proof: Proof) -> None:
    base = "sklearn:diabetes --out target --set model.layers='dense 50, relu'"
    norms = {}
    for strength in (0.0, 0.001, 0.01, 0.1):
        found = _train(proof, f"l2 {strength:g}", f"{base} --set training.regularize.l2={strength}")
        norms[strength] = [_test(found, "r2"), _size(proof.folder / f"l2-{strength:g}")]
    sizes = [norms[strength][1] for strength in norms]
    proof.check(f"weights by strength {', '.join(f'{s:.2f}' for s in sizes)}", sizes == sorted(sizes, reverse=True))
    told = ", ".join(f"{strength:g}: R2 {r2:.2f}, weights {size:.2f}" for strength, (r2, size) in norms.items())
    proof.row(
        "C07", "L2 regularisation / weight decay", f"netwright train {base} --set training.regularize.l2=0.01", told
    )
    tiny, idle = [], []
    for strength in (0.0, 0.1, 0.4):
        words = f"sklearn:diabetes --out target --layers '' --set training.regularize.l1={strength} --epochs 100"
        found = _train(proof, f"l1 {strength:g}", words)
        tiny.append(_layer(found, "target")["small"])
        idle.append(found["idle"])
    proof.check(f"share of weights next to nothing: {tiny}", tiny == sorted(tiny) and tiny[-1] > tiny[0])
    proof.row(
        "C08",
        "L1 regularisation",
        "netwright train sklearn:diabetes --out target --layers '' --set training.regularize.l1=0.4",
        f"weights next to nothing {', '.join(f'{100 * share:.0f} %' for share in tiny)}; "
        f"idle inputs {', '.join(idle[-1])}",
    )
    found = _train(
        proof, "max norm", f"{DIGITS} --set model.layers='dense 64, relu' --set training.regularize.max_norm=1.0"
    )
    longest = max(float(value) for value in found["longest"])  # type: ignore[union-attr]
    free = _train(proof, "digits relu", f"{DIGITS} --set model.layers='dense 64, relu'")
    proof.check(f"the longest weights of any unit in any epoch: {longest:.4f}", longest <= 1.0001)
    proof.row(
        "C10",
        "Restrictions on parameter values / function class",
        f"netwright train {DIGITS} --set model.layers='dense 64, relu' --set training.regularize.max_norm=1.0",
        f"longest weights {longest:.3f}; accuracy {100 * _test(found, 'accuracy'):.1f} % with, "
        f"{100 * _test(free, 'accuracy'):.1f} % without",
    )


def _size(run: Path) -> float:
    """Root of the sum of all squared weights of a run's model."""
    from netwright import model_file

    network = model_file.load(run / "model.netwright").network
    return sum(float(w.detach().double().square().sum()) for w in network.parameters() if w.ndim > 1) ** 0.5


if __name__ == "__main__":
    sys.exit(main())
