"""One run from spec to report: the place where data, models, training, doctor and report meet.

`train`, `resume`, `evaluate`, `predict`, `plan`, `report` and the looks at data and runs are the library calls behind
the verbs of the command line, which only parse and print.
"""

from __future__ import annotations

from pathlib import Path

from netwright import files
from netwright.errors import SpecError
from netwright.report.facts import Facts
from netwright.report.page import page
from netwright.report.pdf import pdf as print_pdf
from netwright.run.bptt import Bptt, bptt
from netwright.run.crops import CropTable, evaluate_crops
from netwright.run.diagnosis import diagnose
from netwright.run.export import export
from netwright.run.features import Features, features
from netwright.run.fit import resume, train
from netwright.run.folder import Removable, RunFacts, RunFolder, clean, runs
from netwright.run.influence import Words, words
from netwright.run.judged import Judged, judged
from netwright.run.look import Step, step_view
from netwright.run.map import ExampleMap, example_map
from netwright.run.maps import Maps, maps
from netwright.run.memory import Memory, memory
from netwright.run.path import Paths, paths
from netwright.run.planning import Plan, data_check, data_show, plan
from netwright.run.prediction import evaluate, predict
from netwright.run.probes import Probes, probes
from netwright.run.sample import Writing, sample
from netwright.run.scoring import Evaluation, Outcome
from netwright.run.sharing import Sharing, shared
from netwright.run.shifts import Shifts, shifts
from netwright.run.steps import Steps, steps
from netwright.run.stream import stream
from netwright.run.unit import OneUnit, one_unit

__all__ = [
    "Bptt",
    "CropTable",
    "Evaluation",
    "ExampleMap",
    "Features",
    "Judged",
    "Maps",
    "Memory",
    "OneUnit",
    "Outcome",
    "Paths",
    "Plan",
    "Probes",
    "Removable",
    "RunFacts",
    "RunFolder",
    "Sharing",
    "Shifts",
    "Step",
    "Steps",
    "Words",
    "Writing",
    "bptt",
    "clean",
    "data_check",
    "data_show",
    "diagnose",
    "evaluate",
    "evaluate_crops",
    "example_map",
    "export",
    "features",
    "judged",
    "maps",
    "memory",
    "one_unit",
    "paths",
    "plan",
    "predict",
    "probes",
    "report",
    "resume",
    "runs",
    "sample",
    "shared",
    "shifts",
    "step_view",
    "steps",
    "stream",
    "train",
    "words",
]


def report(run: Path, *, html: Path | None = None, pdf: Path | None = None) -> Path:
    """Draw a run's report again from its facts.

    Args:
        run: The run folder.
        html: Where to write the page; `report.html` of the run when left out.
        pdf: Where to print it as PDF, too.

    Returns:
        The PDF if one was asked for, else the page.

    Raises:
        SpecError: Not a run, or one that is not finished.
        NetwrightError: No browser is there to print the PDF.
    """
    found = _facts(run)
    where = html or RunFolder(run).report
    files.write_text(where, page(found))
    if pdf is None:
        return where
    print_pdf(where, pdf)
    return pdf


def _facts(run: Path) -> Facts:
    folder = RunFolder(run)
    folder.read()
    if not folder.facts.exists():
        shown = files.printable(run)
        raise SpecError(f"{shown} is not finished, so it has no report yet.", f"Finish it: netwright resume {shown}")
    return Facts.read(folder.facts)
