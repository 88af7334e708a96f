"""Two-layer nets on small tables: the figure is the real model, rows sum to 1, the output unit follows the target."""

from __future__ import annotations

import sys
from pathlib import Path

import numpy as np
import pyarrow.parquet as pq
from proof import Plain, Proof, score
from safetensors import safe_open

BINARY = "sklearn:breast_cancer --out category --layers 'dense 4, tanh'"
WRONG = "netwright train sklearn:diabetes --out target --set outputs.target.unit=softmax"
TWO = "Two-layer network (Bishop Fig 5.1)"
UNITS = "Output units (identity, sigmoid, softmax)"


def main() -> int:
    """Trains iris, breast cancer and diabetes with several seeds and looks into the runs."""
    proof = Proof(__file__, "two-layer nets on iris and breast cancer, drawn from the real weights", (3, 8))
    seeds = 10 if proof.full else 3
    iris = proof.seeds("iris", seeds, lambda seed, place: _one(proof, f"iris --seed {seed}", place))
    cancer = proof.seeds("cancer", seeds, lambda seed, place: _one(proof, f"{BINARY} --seed {seed}", place))
    told = proof.mean("iris, test accuracy, %", _numbers(iris, "accuracy"), at_least=90, digits=1)
    proof.check("every weight of the drawn net is the model file's", all(r["drawn"] for r in [*iris, *cancer]))
    off = max(_numbers(iris, "row_sum_off"))
    proof.check(f"the three probabilities of a flower sum to 1 (off by {off:.0e} at most)", off < 1e-5)
    proof.row(
        "A07", TWO, "netwright train iris", f"{told} % right; drawn weights = model's; rows sum to 1 +- {off:.0e}"
    )

    binary = proof.mean("breast cancer, test accuracy, %", _numbers(cancer, "accuracy"), at_least=93, digits=1)
    units = proof.part("units", lambda place: _units(proof, place))
    for name, unit in (("breast_cancer", "sigmoid"), ("iris", "softmax"), ("diabetes", "identity")):
        proof.check(f"{name}: {units[name]}", f"outputs.{_output(name)}.unit: {unit} (" in str(units[name]))
    proof.check(f"wrong pairing refused: {units['wrong']}", "softmax" in str(units["wrong"]) and bool(units["cure"]))
    measured = (
        f"sigmoid for two classes ({binary} % right), softmax for three, identity for a number; refused with a fix"
    )
    proof.row("A12", UNITS, WRONG, measured)
    return proof.end()


def _numbers(results: list[Plain], name: str) -> list[float]:
    return [float(r[name]) for r in results]  # type: ignore[arg-type]


def _output(name: str) -> str:
    return "target" if name == "diabetes" else "category"


def _one(proof: Proof, words: str, place: Path) -> Plain:
    found = proof.train(words, place)
    answers = pq.read_table(place / "predictions.parquet")
    columns = [name for name in answers.column_names if name.startswith("category:")]
    rows = np.stack([answers[name].to_numpy().astype(float) for name in columns])
    return {
        "accuracy": 100 * score(found, "test", "accuracy"),
        "row_sum_off": float(np.abs(rows.sum(axis=0) - 1).max()),
        "drawn": _drawn_is_real(found, place),
    }


def _drawn_is_real(found: Plain, run: Path) -> bool:
    """Whether the figure's weights and biases are those of the model file, and the page really holds the figure."""
    net = found["small_net"]
    if not isinstance(net, dict):
        return False
    with safe_open(run / "model.netwright", "np") as opened:
        weights = {k: opened.get_tensor(k) for k in opened.keys() if k.startswith("weights/")}  # noqa: SIM118
    real = sorted(float(value) for tensor in weights.values() for value in tensor.ravel())
    drawn = [float(v) for matrix in net["weights"] for row in matrix for v in row]
    drawn += [float(v) for biases in net["biases"] for v in biases]
    page = (run / "report.html").read_text(encoding="utf-8")
    names = [label for column in net["units"] for label in column]
    return np.allclose(sorted(drawn), real, rtol=1e-5, atol=1e-6) and all(name in page for name in names[:2])


def _units(proof: Proof, place: Path) -> Plain:
    """The sentence of `netwright plan` about each output unit, and the refusal of a wrong one."""
    found: Plain = {}
    for name in ("breast_cancer", "iris", "diabetes"):
        told = proof.say(f"netwright plan sklearn:{name} --out {_output(name)} --set data.duplicates=accept").text
        found[name] = next((line.strip() for line in told.splitlines() if ".unit: " in line), "nothing said")
    wrong = proof.say(f"{WRONG} --to '{place}'", code=2).errors.splitlines()
    found["wrong"] = next((line for line in wrong if line.startswith("error:")), "")
    found["cure"] = next((line for line in wrong if line.startswith("try:")), "")
    return found


if __name__ == "__main__":
    sys.exit(main())
