"""`netwright train`."""

from __future__ import annotations

from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING, Annotated

from cyclopts import Group, Parameter

from netwright.cli.arguments import Settings, Wanted, repeated, spec_from
from netwright.cli.screen import Output
from netwright.cli.watch import watched
from netwright.errors import SpecError

if TYPE_CHECKING:
    from netwright.resolved import Resolved
    from netwright.spec import Spec


@Parameter(name="*", group=Group("The run", sort_key=3))
@dataclass(frozen=True)
class Conduct:
    """How the run goes about it.

    Args:
        to: Folder of the run; runs/<name>-<number> when left out.
        start: Run or model file whose weights and preprocessing to start from.
        adapt: The same for a few examples of one writer or speaker; a minute at most, if nothing else ends it.
        strict: Stop at the first example that cannot be used, instead of setting it aside.
        accept: Go on in spite of duplicates across the splits.
        examples: Leave your examples out of the model file (it then cannot check itself when loaded).
    """

    to: Path | None = None
    start: Annotated[Path | None, Parameter(name="--from")] = None
    adapt: Path | None = None
    strict: bool = False
    accept: bool = False
    examples: Annotated[bool, Parameter(name="", negative="--no-examples")] = True


def train(
    source: str | None = None,
    /,
    *,
    wanted: Wanted | None = None,
    settings: Settings | None = None,
    conduct: Conduct | None = None,
    output: Output | None = None,
) -> None:
    """Train a network on your examples and write its report.

    Args:
        source: Folder or file of examples, sklearn:<name>, a recipe's name, or a spec (.yaml).
        wanted: What goes in and what comes out.
        settings: Settings of the spec.
        conduct: How the run goes about it.
        output: How to print.
    """
    output, conduct = output or Output(), conduct or Conduct()
    wanted, settings = wanted or Wanted(), settings or Settings()
    spec = repeated(source, wanted, settings) or spec_from(source, wanted, settings)
    from netwright import run, studies
    from netwright.spec import Spec

    start = conduct.start
    if conduct.adapt is not None:
        if start is not None:
            raise SpecError("--adapt and --from both say what to start from.", "Leave one of them out.")
        start, spec = conduct.adapt, _in_a_minute(spec)
    if isinstance(spec, Spec) and spec.training.restarts:
        if start is not None:
            raise SpecError("restarts begin from fresh weights, --from from trained ones.", "Leave one of them out.")
        with output.display() as display, watched(display, "The same command goes on.") as show:
            several = studies.restarts(
                spec,
                out=conduct.to,
                strict=conduct.strict,
                accept=conduct.accept,
                examples=conduct.examples,
                show=show,
            )
        if output.json:
            output.document(several)
        else:
            output.lines(several.text)
        return
    with output.display() as display, watched(display, "Then netwright resume goes on.") as show:
        outcome = run.train(
            spec,
            out=conduct.to,
            base=start,
            strict=conduct.strict,
            accept=conduct.accept,
            examples=conduct.examples,
            show=show,
        )
    output.outcome(outcome)


def _in_a_minute(spec: Spec | Resolved) -> Spec | Resolved:
    """The spec with an end, where it has none."""
    from netwright.spec import Spec

    if not isinstance(spec, Spec):
        return spec
    stop = spec.training.stop
    if stop.epochs or stop.steps or stop.minutes:
        return spec
    ended = stop.model_copy(update={"minutes": 1.0})
    return spec.model_copy(update={"training": spec.training.model_copy(update={"stop": ended})})
