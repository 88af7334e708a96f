"""What is wrong with a run, then what is sound; of one that is not finished, what is known so far."""

from __future__ import annotations

from pathlib import Path

from netwright import files
from netwright.doctor import fit
from netwright.doctor.finding import Finding
from netwright.report.facts import Facts
from netwright.run import looking
from netwright.run.folder import RunFolder
from netwright.run.gather import curves
from netwright.training import history
from netwright.words import counted

_AT_IT = {"preparing": "its data is being prepared", "training": "it trains", "scoring": "it is being scored"}
_ENDED = {"stopped": "it was stopped", "killed": "it was killed", "failed": "it failed"}


def diagnose(run: Path) -> list[Finding]:
    """What is wrong with a run, then what is sound: its curves, what was found first, how often its test was read.

    Args:
        run: The run folder.

    Raises:
        SpecError: Not a run.
    """
    folder = RunFolder(run)
    folder.read()
    found = _finished(folder) if folder.facts.exists() else _so_far(folder)
    return sorted(found, key=lambda each: ("bad", "note", "good").index(each.state))


def _finished(folder: RunFolder) -> list[Finding]:
    found, findings = Facts.read(folder.facts), []
    if found.verdict:
        state = "good" if found.verdict.label == "fitting" else "note"
        findings.append(Finding("curves", state, f"{found.verdict.label}: {found.verdict.sentence}", ""))
    findings += [Finding(each.name, each.state, each.message, each.cure) for each in found.findings]
    reads = folder.reads().get("test", 0)
    if reads > 1:
        findings.append(
            Finding("test part", "note", f"read {reads} times", "Choose by the validation score; test once.")
        )
    return findings


def _so_far(folder: RunFolder) -> list[Finding]:
    """How it ended or how far it is, whether it over-fits already, and what was found before its first step."""
    state, points = folder.state(), curves(history.read(folder.history))
    done = f"{counted(len(points), 'epoch')} done, nothing is scored yet"
    if state in _AT_IT:
        findings = [Finding("training", "note", f"{_AT_IT[state]}: {done}", "")]
    else:
        problem = str(folder.read().get("problem") or "")
        told = f"{_ENDED.get(state, state)}: {done}{f'. {problem}' if problem else ''}"
        cure = f"Go on with it: netwright resume {files.printable(folder.path)}"
        findings = [Finding("training", "bad" if state == "failed" else "note", told, cure)]
    train, held_out = ([getattr(point, part).get("loss") for point in points] for part in ("train", "validation"))
    verdict = fit.judge([point.epoch for point in points], train, held_out)
    if verdict.label == "over-fitting":
        findings.append(Finding("curves", "note", f"{verdict.label}: {verdict.sentence}", ""))
    return [*findings, *looking.kept(folder)]
