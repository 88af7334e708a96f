"""The model file checks itself in a fresh process: every example inside it is answered again."""

from __future__ import annotations

import re
import sys
from pathlib import Path

from proof import Plain, Proof

TOLD = re.compile(r"(\d+) of (\d+) match, largest difference ([\d.e+-]+)")
LOAD = (
    "import sys, time, netwright; load = netwright.load; start = time.monotonic(); model = load(sys.argv[1]); "
    "print(model.replayed, time.monotonic() - start)"
)


def main() -> int:
    """Trains on pictures and on a table, then loads each model in a process of its own."""
    proof = Proof(__file__, "a loaded model answers its own examples again, preprocessing included", (1, 3))
    for name, words in {"pictures": "digits", "table": "wine"}.items():
        found = proof.part(name, lambda place, w=words: _loaded(proof, w, place))
        proof.check(f"{name}: {found['told']}", bool(found["all"]) and float(found["difference"]) < 1e-5)  # type: ignore[arg-type]
        proof.mean(f"{name}: seconds of loading and replay", [float(found["seconds"])], at_most=1)  # type: ignore[arg-type]
    return proof.end()


def _loaded(proof: Proof, words: str, place: Path) -> Plain:
    proof.train(f"{words} --epochs 10", place)
    spoken = proof.say(f"python -c '{LOAD}' '{place / 'model.netwright'}'").text.strip()
    told, _, seconds = spoken.rpartition(" ")
    match = TOLD.search(told)
    again = proof.say(f"netwright evaluate '{place}'").text
    return {
        "told": told,
        "all": bool(match) and match[1] == match[2] and told in again,  # type: ignore[index]
        "difference": float(match[3]) if match else 1.0,
        "seconds": float(seconds),
    }


if __name__ == "__main__":
    sys.exit(main())
