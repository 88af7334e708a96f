"""A class that is sought: 260 calcifications among 11,183 findings of mammography, as rare as fraud."""

from __future__ import annotations

import csv
import statistics
import sys
from pathlib import Path

from proof import Plain, Proof, data

TABLE = "$NETWRIGHT_DATA/tables/mammography.csv"
TRAIN = f"netwright train {TABLE} --out column_7 --set data.duplicates=accept"
COSTS = "--set 'outputs.column_7.cost={missed: 20, false_alarm: 1}'"


def main() -> int:
    """Trains with several seeds beside logistic regression on the same rows, and once with costs."""
    proof = Proof(__file__, "average precision on mammography above logistic regression's", (3, 6))
    data("tables", "mammography.csv")

    def one(seed: int, place: Path) -> Plain:
        found = proof.train(f"{TRAIN.removeprefix('netwright train ')} --seed {seed}", place)
        output = found["outputs"][0]  # type: ignore[index]
        linear = next(each for each in output["baselines"] if each["name"] == "linear")
        return {
            "net": output["scores"]["test"]["average_precision"],
            "linear": linear["scores"]["average_precision"],
            "interval": output["intervals"]["average_precision"],
            "positive": output["sought"]["positive"],
            "error": statistics.fmean(abs(mean - share) for mean, share, _ in output["calibration"]),
        }

    found = proof.seeds("seed", 10 if proof.full else 5, one)
    nets, lines = ([float(each[name]) for each in found] for name in ("net", "linear"))  # type: ignore[arg-type]
    proof.check("the rarer class is sought without being named", all(each["positive"] == "'1'" for each in found))
    told = proof.mean("average precision of the net", nets, at_least=0.5, digits=3)
    apart = [net - line for net, line in zip(nets, lines, strict=True)]
    more = proof.mean("average precision less logistic regression's on the same rows", apart, at_least=0.02, digits=3)
    proof.row("C04", "Binary cross-entropy J(θ)", TRAIN, f"average precision {told}; less logistic regression's {more}")
    proof.again()

    def costly(place: Path) -> Plain:
        run = proof.train(f"{TRAIN.removeprefix('netwright train ')} {COSTS}", place)
        return {"alarms": run["outputs"][0]["sought"]["alarms"]}  # type: ignore[index]

    chosen, likelier, _ = proof.part("costs", costly)["alarms"]  # type: ignore[misc]
    proof.check(
        f"at 20 for a miss the chosen threshold {chosen['threshold']:.3f} costs {chosen['cost']:.0f}, 1/2 costs "
        f"{likelier['cost']:.0f}",
        chosen["cost"] < likelier["cost"],
    )
    later = _in_order(proof)
    proof.row(
        "I03",
        "Credit card fraud detection",
        f"{TRAIN} {COSTS}",
        f"mammography in place of cards, 2.3 % sought: average precision {told}, logistic regression "
        f"{statistics.fmean(lines):.3f}; with misses at 20 the chosen threshold costs {chosen['cost']:.0f}, 1/2 "
        f"{likelier['cost']:.0f}; {later}",
    )
    return proof.end()


def _in_order(proof: Proof) -> str:
    """The same findings split by a column of time: trained on the first ones, tested on the last."""
    path = proof.folder / "in_order.csv"
    with data("tables", "mammography.csv").open(newline="", encoding="utf-8") as source:
        rows = [[place, *row] for place, row in enumerate(csv.reader(source))]
    with path.open("w", newline="", encoding="utf-8") as sink:
        csv.writer(sink).writerows([["order", *(f"column_{k}" for k in range(1, len(rows[0])))], *rows])
    split = "--set data.split.by=time --set data.split.column=order"

    def run(place: Path) -> Plain:
        found = proof.train(f"'{path}' --out column_7 --set data.duplicates=accept {split}", place)
        output = found["outputs"][0]  # type: ignore[index]
        return {"score": output["scores"]["test"]["average_precision"], "policy": found["ledger"]["policy"]}  # type: ignore[index]

    found = proof.part("in order", run)
    proof.check(f"split by time: {found['policy']}", str(found["policy"]).startswith("time"))
    return f"trained on the first rows and tested on the last {float(found['score']):.3f}"  # type: ignore[arg-type]


if __name__ == "__main__":
    sys.exit(main())
