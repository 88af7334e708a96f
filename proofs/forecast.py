"""Forecasts of a table of dates and numbers: airline passengers, twelve months after 24, from rolling origins."""

from __future__ import annotations

import json
import statistics
import sys
from pathlib import Path

from proof import Plain, Proof, score

DATA = "--data $NETWRIGHT_DATA/tables/airline-passengers.csv"
NAIVE = ("season_ago", "last_value")
BEST = "season_and_growth"


def main() -> int:
    """Trains the recipe with several seeds and two horizons, and asks one run what comes after the table's end."""
    proof = Proof(__file__, "airline passengers, 12 months after 24: beside what was a season ago", (2, 4))
    count = 5 if proof.full else 2
    found = proof.seeds("12 months", count, lambda seed, place: _trained(proof, 12, seed, place))
    _told(proof, "12 months", found)
    short = proof.seeds("3 months", count, lambda seed, place: _trained(proof, 3, seed, place))
    _told(proof, "3 months", short)
    ahead = proof.part("ahead", lambda _: _ahead(proof))
    proof.check(f"after the table's end: {ahead['told']}", ahead["numbers"] == 12)
    return proof.end()


def _trained(proof: Proof, months: int, seed: int, place: Path) -> Plain:
    found = proof.train(f"forecast {DATA} --set outputs.next.horizon={months} --seed {seed}", place)
    (output,) = found["outputs"]  # type: ignore[misc]
    simple = {each["name"]: float(each["scores"]["rmse"]) for each in output["baselines"]}
    return {"rmse": score(found, "test", "rmse"), "mae": score(found, "test", "mae"), **simple}


def _told(proof: Proof, months: str, found: list[Plain]) -> None:
    """The net, and as shares of its error those of the simple ways on the same origins."""

    def every(name: str) -> list[float]:
        return [float(each[name]) for each in found]  # type: ignore[arg-type]

    proof.mean(f"{months}, RMSE in thousands of passengers", every("rmse"))
    for name in NAIVE:
        ratios = [net / simple for net, simple in zip(every("rmse"), every(name), strict=True)]
        told = f"{months}, RMSE as a share of that of {name} ({statistics.fmean(every(name)):.2f})"
        proof.mean(told, ratios, at_most=1.0)
    ratios = [net / simple for net, simple in zip(every("rmse"), every(BEST), strict=True)]
    proof.mean(f"{months}, as a share of a season ago and its growth ({statistics.fmean(every(BEST)):.2f})", ratios)


def _ahead(proof: Proof) -> Plain:
    """The months after the last one of the table."""
    run = proof.folder / "12-months-seed-0"
    file = "$NETWRIGHT_DATA/tables/airline-passengers.csv"
    (answer,) = json.loads(proof.say(f"netwright predict '{run}' {file} --json").text)
    numbers = [round(value) for name, value in answer.items() if name.startswith("next_")]
    return {"numbers": len(numbers), "told": ", ".join(map(str, numbers))}


if __name__ == "__main__":
    sys.exit(main())
