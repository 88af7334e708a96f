"""Five regression tables on their twenty published splits, settings chosen inside each training part.

For each split a tenth of the training part decides between a few settings, each trained to the end of its epochs
without a look at that tenth; the best one is trained again on all of the training part. The test part is read once, by
the chosen net. Least squares and gradient boosting stand beside it.

Splits: Hernandez-Lobato & Adams 2015, arXiv:1502.05336. Limits: near the best of Mukhoti et al. 2018, On the Importance
of Strong Baselines in Bayesian Deep Learning, arXiv:1811.09385, table 1.
"""

from __future__ import annotations

import os
import shutil
import sys
from functools import partial
from pathlib import Path

import numpy as np
from proof import Plain, Proof, data, facts
from sklearn.ensemble import GradientBoostingRegressor

import netwright

LIMITS = {"bostonHousing": 2.97, "concrete": 4.95, "energy": 0.60, "wine-quality-red": 0.62, "yacht": 0.75}
SETTINGS = {  # layers, loss, batch size, learning rate, l2, decay of the running mean of the weights, epochs
    "two of 100": ("x2 {dense 100, relu}", "squared", 16, 0.003, 0.001, 0.998, 300),
    "two of 50, tanh, long": ("x2 {dense 50, tanh}", "squared", 32, 0.005, 0.0, 0.998, 800),
    "two of 200, huber": ("x2 {dense 200, relu}", "huber", 64, 0.002, 0.002, 0.998, 150),
    "two of 100, short": ("x2 {dense 100, relu}", "squared", 16, 0.003, 0.001, 0.998, 15),
    "two of 200, huber, short": ("x2 {dense 200, relu}", "huber", 64, 0.002, 0.002, 0.998, 40),
}
STEPS = 10_000  # of a training at most
SPLITS = 20
PARTS = [0.9, 0.0, 0.1]  # nothing is cut off to choose an epoch


def main() -> int:
    """Trains on every split of every table."""
    proof = Proof(__file__, "mean test RMSE on the published splits of five regression tables", (6, 35))
    os.environ["OMP_NUM_THREADS"] = "1"
    for name, limit in LIMITS.items():
        data("uci_regression", name)
        splits = SPLITS if proof.full else 3
        found = proof.parts({f"{name} split {split}": partial(_one, name, split) for split in range(splits)}).values()
        numbers = {of: [float(each[of]) for each in found] for of in ("net", "linear", "boosting")}  # type: ignore[arg-type]
        proof.mean(f"{name}: test RMSE of the net", numbers["net"], at_most=limit if proof.full else None, digits=3)
        for of in ("linear", "boosting"):
            proof.mean(f"{name}: test RMSE of {of}", numbers[of], digits=3)
    return proof.end()


def _one(name: str, split: int, place: Path) -> Plain:
    """The chosen net on one split, beside the two others."""
    x, y, train, test = _table(name, split)
    held = np.random.default_rng(split).choice(train, len(train) // 10, replace=False)
    scores = {}
    for setting in SETTINGS:
        part = np.full(len(y), "train", dtype=object)
        part[held] = "test"
        kept = ~np.isin(np.arange(len(y)), test)
        scores[setting] = _rmse(setting, x[kept], y[kept], part[kept], place / setting)
    best = min(scores, key=lambda setting: scores[setting])
    part = np.full(len(y), "train", dtype=object)
    part[test] = "test"
    net = _rmse(best, x, y, part, place / "chosen")
    found = facts(place / "chosen")["outputs"][0]  # type: ignore[index]
    linear = next(each["scores"]["rmse"] for each in found["baselines"] if each["name"] == "linear")
    forest = GradientBoostingRegressor(n_estimators=500, learning_rate=0.05, subsample=0.8, random_state=0)
    guess = forest.fit(x[train], y[train]).predict(x[test])
    shutil.rmtree(place, ignore_errors=True)  # five runs for each of a hundred splits
    boosting = float(np.sqrt(np.mean((guess - y[test]) ** 2)))
    return {"net": net, "linear": linear, "boosting": boosting, "chosen": best}


def _table(name: str, split: int) -> tuple[np.ndarray, np.ndarray, np.ndarray, np.ndarray]:
    """Inputs, target, and the rows of the training and the test part."""
    folder = data("uci_regression", name, "data")
    table = np.loadtxt(folder / "data.txt")
    columns = np.loadtxt(folder / "index_features.txt", dtype=int)
    target = int(np.loadtxt(folder / "index_target.txt"))
    train, test = (np.loadtxt(folder / f"index_{part}_{split}.txt", dtype=int) for part in ("train", "test"))
    return table[:, columns], table[:, target], train, test


def _rmse(setting: str, x: np.ndarray, y: np.ndarray, part: np.ndarray, place: Path) -> float:
    layers, loss, batch, rate, l2, average, epochs = SETTINGS[setting]
    training = {
        "batch_size": batch,
        "optimizer": {"name": "adam", "lr": rate},
        "regularize": {"l2": l2},
        "average": average,
        "stop": {"epochs": epochs, "steps": STEPS, "patience": 0},
    }
    spec = netwright.Spec.model_validate(
        {
            "data": {"split": {"by": "column", "column": "part", "parts": PARTS}},
            "outputs": {"y": {"kind": "number", "loss": loss}},
            "model": {"layers": layers},
            "training": training,
        }
    )
    table = {f"x{column}": x[:, column] for column in range(x.shape[1])} | {"y": y, "part": part}
    outcome = netwright.train(spec, data=table, out=place, accept=True, examples=False)
    return float(outcome.scores["y"]["test"]["rmse"])


if __name__ == "__main__":
    sys.exit(main())
