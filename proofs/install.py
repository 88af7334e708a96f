"""The installation: the doctor calls it sound, and what must be quick to start is quick."""

from __future__ import annotations

import sys

from proof import Plain, Proof

LAZY = 'import sys, netwright.cli.app; sys.exit(any(name in sys.modules for name in ("torch", "numpy")))'


def main() -> int:
    """Asks the doctor and times imports in fresh processes."""
    proof = Proof(__file__, "`netwright doctor` and start-up times", (1, 1))
    found = proof.part("doctor", lambda place: _doctor(proof))
    proof.check(f"nothing essential is missing: {found['bad']} bad findings", found["bad"] == 0)
    proof.check("the command line needs neither torch nor numpy to show its help", bool(found["lazy"]))
    proof.mean("seconds of `netwright --help`, best of 9", [float(found["help"])], at_most=0.3)  # type: ignore[arg-type]
    proof.mean("seconds of `import netwright, torch`, best of 3", [float(found["import"])], at_most=10, digits=1)  # type: ignore[arg-type]
    measured = f"{found['good']} parts sound, {found['bad']} missing; --help in {found['help']:.2f} s; no network used"
    proof.row(
        "K02", "Installation that works (Anaconda, Windows + Linux)", "netwright doctor", f"Linux, CPU: {measured}"
    )
    return proof.end()


def _doctor(proof: Proof) -> Plain:
    told = proof.say("netwright doctor").text.splitlines()
    helps = [proof.say("netwright --help").seconds for _ in range(9)]
    imports = [proof.say("python -c 'import netwright, torch; netwright.train'").seconds for _ in range(3)]
    return {
        "good": sum(line.startswith("good") for line in told),
        "bad": sum(line.startswith("bad") for line in told),
        "lazy": proof.say(f"python -c '{LAZY}'").code == 0,
        "help": min(helps),
        "import": min(imports),
    }


if __name__ == "__main__":
    sys.exit(main())
