"""What the doctor says before the first update, kept in the run's folder: looked at once, never again on a resume."""

from __future__ import annotations

import json
from collections.abc import Iterable

import torch

from netwright import files
from netwright.data.dataset import Dataset
from netwright.doctor.border import Border
from netwright.doctor.check import BROKEN, HOPELESS, judge_data, judge_start
from netwright.doctor.finding import Finding
from netwright.doctor.short import short
from netwright.doctor.start import first_batch, measure
from netwright.errors import DataError, SpecError
from netwright.model_file import Model
from netwright.progress import Display
from netwright.resolved import Resolved
from netwright.run.folder import RunFolder

_TOLD = "left out"  # said already, when the data was read


def look(
    folder: RunFolder,
    decided: Resolved,
    dataset: Dataset,
    model: Model,
    device: torch.device,
    show: Display,
    *,
    fresh: bool,
) -> None:
    """Judges data and fresh network, tells what is wrong, and keeps all of it; does nothing in a run that went on.

    Args:
        folder: The run.
        decided: Its settings.
        dataset: Its data.
        model: The model as it begins.
        device: Where it computes.
        show: Where notes are told, one line each.
        fresh: No weights came from a trained model.

    Raises:
        DataError: Targets that no training could survive.
        SpecError: A causal model looks ahead.
    """
    if folder.findings.exists() or any(folder.checkpoints.glob("step-*")):
        return
    show.stage("looking for faults", 0)
    seed = decided.spec.training.seed
    findings = judge_data(Border(dataset, seed))
    for finding in findings:
        if finding.name == HOPELESS and finding.state == "bad":
            raise DataError(finding.sentence, finding.cure)
    weights = {name: decided.spec.outputs[name].weight for name in model.tasks if name in decided.spec.outputs}
    batch = first_batch(dataset, model.network, seed, device)
    examples, lacking = len(dataset.parts["train"]), short(model, dataset)
    findings += judge_start(measure(model, batch, weights, fresh=fresh, examples=examples, short=lacking))
    for finding in findings:
        if finding.name == BROKEN and finding.state == "bad":
            raise SpecError(f"model.causal: {finding.sentence}", finding.cure)
    for finding in findings:
        if finding.state != "good" and finding.name != _TOLD:
            show.note(told(finding))
    if doubts := _doubts(findings):
        dataset.ledger.with_doubts(doubts).write(folder.ledger)
    text = json.dumps([finding.words for finding in findings], indent=1)
    files.write_text(folder.findings, f"{text}\n")


def _doubts(findings: Iterable[Finding]) -> dict[int, str]:
    """All that is doubted of single examples, by their position in the data set."""
    found: dict[int, str] = {}
    for finding in findings:
        for place, doubt in finding.doubts.items():
            found[place] = f"{found[place]}; {doubt}" if place in found else doubt
    return found


def told(finding: Finding) -> str:
    """A finding and its cure in one line."""
    return f"{finding.name}: {finding.sentence} {finding.cure}".rstrip()


def kept(folder: RunFolder) -> list[Finding]:
    """What `look` found in this run; nothing for a run from before it looked."""
    if not folder.findings.exists():
        return []
    return [Finding(**facts) for facts in json.loads(folder.findings.read_text(encoding="utf-8"))]
