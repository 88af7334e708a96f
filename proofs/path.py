"""Where pedestrians go next: scenes left out in turn, beside the last step over and over; what columns add."""

from __future__ import annotations

import csv
import math
import statistics
import sys
from collections import defaultdict
from functools import partial
from pathlib import Path

from proof import Plain, Proof, data, lines_with

from netwright.studies.compare import mean_interval

SMALL = 0.01  # m of ADE
PUBLISHED = 0.534, 1.147  # ADE and FDE of the last step over and over, mean of the five scenes
SCENES = ("eth", "hotel", "univ", "zara1", "zara2")
FOLDER = "$NETWRIGHT_DATA/eth_ucy"
BESIDE = "heading, speed, near"
# Positions as they lie in the world, so that a last point tells nothing of what was before it.
WORLD = (
    "--set 'inputs.path={kind: track, frame: world}' --set outputs.next.base=last "
    "--set 'data.window={past: 8, least: 2}'"
)
ALONE = "--set training.threads=1"  # as many trainings at once as there are cores
LAST, RNN, FIXED = '"last, dense 64, relu, dense 64, relu"', '"lstm 64"', '"flatten, dense 64, relu"'


def main() -> int:
    """Trains on four scenes and asks about the fifth, for every scene and several seeds."""
    proof = Proof(__file__, "next 12 points of pedestrians, off less than their last step over and over", (5, 25))
    data("eth_ucy")
    seeds, epochs, scenes = (3, 10, SCENES) if proof.full else (3, 2, ("eth", "hotel"))
    asked = {f"{scene} seed {seed}": (scene, seed) for scene in scenes for seed in range(seeds)}
    makes = {
        name: partial(_trained, proof, f"path --data {FOLDER}/{scene} --epochs {epochs} --seed {seed} {ALONE}")
        for name, (scene, seed) in asked.items()
    }
    found = proof.parts(makes)
    told = _against_constant_velocity(
        proof, [[found[f"{scene} seed {seed}"] for scene in scenes] for seed in range(seeds)]
    )
    few = seeds if proof.full else 2
    beside = _beside(proof, epochs, 6 if proof.full else 2)
    proof.check("held-out paths are drawn on every page", all(each["drawn"] for each in found.values()))
    proof.row(
        "I18",
        "Pedestrian navigational intent",
        f"netwright train path --data {FOLDER}/zara1 --epochs {epochs}",
        f"{len(scenes)} scenes of ETH and UCY, each left out in turn, 12 points after 8: {told}; {beside}",
    )
    _feed_forward(proof, epochs, few)
    return proof.end()


def _trained(proof: Proof, words: str, place: Path) -> Plain:
    """Scores of a run beside those of its baselines, on the same windows."""
    found = proof.train(words, place)
    (output,) = found["outputs"]  # type: ignore[misc]
    baselines = {each["name"]: each["scores"] for each in output["baselines"]}
    return {
        "ade": output["scores"]["test"]["ade"],
        "fde": output["scores"]["test"]["fde"],
        "motion_ade": baselines["constant_velocity"]["ade"],
        "motion_fde": baselines["constant_velocity"]["fde"],
        "standing_ade": baselines["standing"]["ade"],
        "interval": output["intervals"]["ade"],
        "windows": found["ledger"]["splits"]["test"],  # type: ignore[index]
        "drawn": len(output["tracks"]),
    }


def _mean(found: list[Plain], name: str) -> float:
    return statistics.fmean(float(each[name]) for each in found)  # type: ignore[arg-type]


def _against_constant_velocity(proof: Proof, by_seed: list[list[Plain]]) -> str:
    """Means over the scenes, seed by seed, and their ratio to going on as in the last step."""
    ade, fde = ([_mean(scenes, name) for scenes in by_seed] for name in ("ade", "fde"))
    motion = [(_mean(scenes, "motion_ade"), _mean(scenes, "motion_fde")) for scenes in by_seed]
    ratios = [each / of[0] for each, of in zip(ade, motion, strict=True)]
    ends = [each / of[1] for each, of in zip(fde, motion, strict=True)]
    aim = {"at_most": 0.534} if proof.full else {}
    shown = proof.mean("mean distance (ADE) in m over the scenes", ade, digits=3, **aim)
    at_end = proof.mean("distance at the end (FDE) in m over the scenes", fde, digits=3)
    for name, published, values in zip(("ADE", "FDE"), PUBLISHED, zip(*motion, strict=True), strict=True):
        beaten = statistics.fmean(values)
        told = f"{name} of the last step over and over {beaten:.3f}, elsewhere measured as {published}"
        proof.check(told, abs(beaten - published) < 0.005 or not proof.full)  # the same windows
    ratio = proof.mean("ADE by that of the last step over and over, same windows", ratios, at_most=1.0, digits=3)
    proof.mean("FDE by that of the last step over and over", ends, at_most=1.0, digits=3)
    between = mean_interval(ratios)
    upper = between[1] if between else math.inf
    proof.check(f"the interval of the ratio ends at {upper:.3f}, below 1", upper < 1)
    beaten = f"the last step over and over {motion[0][0]:.3f} and {motion[0][1]:.3f}"
    return f"ADE {shown}, FDE {at_end}; {beaten}; ratio {ratio}"


def _beside(proof: Proof, epochs: int, seeds: int) -> str:
    """Whether direction, speed and the nearest other person, as columns beside the places, help."""
    scene = "zara1"
    folder = proof.folder / "beside"
    proof.part("columns", lambda place: _written(data("eth_ucy", scene), folder))
    words = (  # the recipe's grain would shake the places and not the columns that were made of them
        f"path --data '{folder}' --epochs {epochs} --set data.order=frame --set data.group=id "
        f"--set inputs.path.augment=mirror {ALONE}"
    )
    wish = "'inputs.path.from=[x, y, {}]'"
    makes = {}
    for seed in range(seeds):
        makes[f"places seed {seed}"] = partial(
            _trained, proof, f"{words} --set {wish.format('')} --seed {seed}".replace(", ]", "]")
        )
        makes[f"beside seed {seed}"] = partial(_trained, proof, f"{words} --set {wish.format(BESIDE)} --seed {seed}")
    found = proof.parts(makes)
    apart = [
        float(found[f"beside seed {seed}"]["ade"]) - float(found[f"places seed {seed}"]["ade"])  # type: ignore[arg-type]
        for seed in range(seeds)
    ]
    told = proof.mean(f"ADE with {BESIDE} as columns less that without, {scene}", apart, digits=4)
    low, high = mean_interval(apart) or (-math.inf, math.inf)
    verdict = "harm" if low > 0 else "help" if high < 0 else f"help by less than {SMALL:g} m"
    what = f"columns {verdict}: the interval of the difference is {low:.4f} to {high:.4f} m"
    proof.check(what, high < 0 or low > -SMALL or not proof.full)
    proof.check(f"all {seeds * 2} runs with and without columns were scored on the same windows", _alike(found))
    return (
        f"columns {BESIDE}, computed since the recordings hold no pose and no direction of the head, {verdict} on "
        f"{scene}: ADE {told} m"
    )


def _alike(found: dict[str, Plain]) -> bool:
    return len({(each["windows"], each["motion_ade"]) for each in found.values()}) == 1


def _written(source: Path, folder: Path) -> Plain:
    """The recordings with names and further columns, computed from nothing but what was seen until then."""
    rows = 0
    for path in sorted(source.rglob("*.txt")):
        steps = [tuple(map(float, line.split())) for line in path.read_text().splitlines()]
        frames: dict[float, list[tuple[float, float, float]]] = defaultdict(list)
        for frame, person, x, y in steps:
            frames[frame].append((person, x, y))
        before: dict[float, tuple[float, float]] = {}
        target = folder / path.relative_to(source).with_suffix(".csv")
        target.parent.mkdir(parents=True, exist_ok=True)
        with target.open("w", newline="", encoding="utf-8") as sink:
            writer = csv.writer(sink)
            writer.writerow(["frame", "id", "x", "y", "heading", "speed", "near"])
            for frame, person, x, y in sorted(steps):
                was = before.get(person, (x, y))
                before[person] = (x, y)
                others = [math.hypot(x - ox, y - oy) for other, ox, oy in frames[frame] if other != person]
                turn, speed = math.atan2(y - was[1], x - was[0]), math.hypot(x - was[0], y - was[1])
                writer.writerow(
                    [frame, person, x, y, f"{turn:.5f}", f"{speed:.5f}", f"{min(others, default=20.0):.4f}"]
                )
                rows += 1
    return {"rows": rows}


def _feed_forward(proof: Proof, epochs: int, seeds: int) -> None:
    """A net that sees the last point alone beside one that reads all, and one of a fixed length, which is refused."""
    words = f"path --data {FOLDER}/zara1 --epochs {epochs} {WORLD} {ALONE}"
    makes = {
        f"{name} seed {seed}": partial(_trained, proof, f"{words} --layers {layers} --seed {seed}")
        for name, layers in (("last point", LAST), ("recurrent", RNN))
        for seed in range(seeds)
    }
    found = proof.parts(makes)
    last, all_of = (
        [float(found[f"{name} seed {seed}"]["ade"]) for seed in range(seeds)]  # type: ignore[arg-type]
        for name in ("last point", "recurrent")
    )
    one = proof.mean("ADE in m of a feed-forward net that sees the last point", last, digits=3)
    many = proof.mean("ADE in m of a recurrent net on the same tracks of 2 to 8 points", all_of, digits=3)
    ratios = [of / by for of, by in zip(all_of, last, strict=True)]
    proof.mean("recurrent by feed-forward", ratios, digits=3)
    upper = (mean_interval(ratios) or (math.inf, math.inf))[1]
    proof.check(f"the interval of their ratio ends at {upper:.3f}, below 1", upper < 1)
    spoken = proof.say(f"netwright train {words} --layers {FIXED}", code=2)
    refused = lines_with(spoken.errors + spoken.text, "cannot follow a sequence", "different numbers of steps")
    proof.check("a feed-forward net over all points is refused with its reason", bool(refused))
    proof.row(
        "H01",
        "Limits of feed-forward; advantages of RNNs",
        f"netwright train {words} --layers {RNN}",
        f"tracks of 2 to 8 points, 12 to come: {many} m by an LSTM, {one} m by a feed-forward net, which can take the "
        "last point alone: over several points it is refused, for their number differs",
    )


if __name__ == "__main__":
    sys.exit(main())
