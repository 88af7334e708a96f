"""One run's facts as one self-contained HTML page: no scripts, no network, light, dark, narrow and on paper."""

from __future__ import annotations

from dataclasses import dataclass

from markupsafe import Markup, escape

from netwright.figures import tracks
from netwright.figures.frame import frame, style_sheet, templates
from netwright.figures.marks import clean, number
from netwright.figures.matrix import READABLE, confused_pairs
from netwright.figures.network import legend
from netwright.report import drawings, inside, pictures, sentences
from netwright.report.facts import Facts, OutputFacts, Shown

SHOWN = 24  # examples in the grid and in the list of mistakes
_SAID = 3  # confusions told in a sentence


@dataclass(frozen=True)
class _Card:
    shown: Shown
    bars: Markup | None


@dataclass(frozen=True)
class _Pair:
    truth: str
    answer: str
    count: int
    share: float
    pictures: list[str]


@dataclass(frozen=True)
class _Output:
    facts: OutputFacts
    sentence: Markup
    value: str
    caption: str
    remark: str
    strip: Markup | None
    grid: list[_Card]
    mistakes: list[_Card]
    confusion: Markup | None
    pairs: list[_Pair]
    scatter: Markup | None
    tracks: list[Markup]
    tracks_legend: Markup
    apart: Markup | None
    found: Markup | None
    calibrated: Markup | None
    believed: str
    scores: list[tuple[str, list[str], str]]
    splits: list[str]
    split: str


def page(facts: Facts) -> str:
    """The report of one run.

    Args:
        facts: What to show; parts that are empty are left out of the page.
    """
    environment = templates("netwright.report")
    body = environment.get_template("page.html.jinja").render(
        facts=facts,
        outputs=[_output(facts, output) for output in facts.outputs],
        key_facts=_key_facts(facts),
        test_reads=sentences.test_reads(facts),
        curves=drawings.curves(facts),
        training_end=sentences.training_end(facts),
        inside=inside,
        inside_rows=inside.rows(facts),
        graph=drawings.drawn_graph(facts),
        net=drawings.drawn_net(facts),
        net_legend=legend(),
        totals=_totals(facts),
        shape_text=sentences.shape_text,
        enlarged=pictures.enlarged,
        top=SHOWN,
        said=_SAID,
    )
    return frame(facts.title, Markup(body), style_sheet("report/report.css"))


def _output(facts: Facts, output: OutputFacts) -> _Output:
    score = sentences.leading_score(output)
    splits = [name for name in ("train", "validation", "test") if name in output.scores]
    split = sentences.split_name(output)
    names = list(dict.fromkeys(name for split in splits for name in output.scores[split]))
    measure = f" {output.measure}" if output.measure and score in ("rmse", "mae", "ade", "fde") else ""
    return _Output(
        facts=output,
        sentence=_unbroken(sentences.result(facts, output)),
        value=sentences.score_text(score, output.scores.get(output.shown, {}).get(score)) + measure,
        caption=f"{'right' if score == 'accuracy' else sentences.score_name(score)} on the {split}",
        split=split,
        remark=" ".join([sentences.against_baselines(output), *sentences.baseline_notes(output)]).strip(),
        strip=drawings.strip(output),
        grid=[_Card(shown, drawings.answer_bars(shown)) for shown in output.grid[:SHOWN]],
        mistakes=[_Card(shown, drawings.answer_bars(shown)) for shown in output.mistakes[:SHOWN]],
        confusion=drawings.confusion(output),
        pairs=_pairs(output),
        scatter=drawings.predicted_against_true(output),
        tracks=drawings.tracks(output),
        tracks_legend=tracks.legend(simple="the last step over and over"),
        apart=drawings.apart(output),
        found=drawings.found_curve(output),
        calibrated=drawings.calibrated(output),
        believed=sentences.believed(output),
        scores=[
            (
                sentences.score_name(name),
                [sentences.score_text(name, output.scores[split].get(name)) for split in splits],
                sentences.interval_text(name, output.intervals.get(name)),
            )
            for name in names
        ],
        splits=splits,
    )


def _pairs(output: OutputFacts) -> list[_Pair]:
    """The most frequent confusions: few beside a matrix that shows them all, more where there is none."""
    most = 20 if len(output.classes) > READABLE else max(_SAID, len(output.confused))
    seen = {(each.truth, each.answer): each.pictures for each in output.confused}
    found = confused_pairs(output.confusion, output.classes, most)
    return [_Pair(*pair, seen.get((pair[0], pair[1]), [])) for pair in found]


def _unbroken(sentence: str) -> Markup:
    """The sentence with its intervals kept on one line each."""
    whole = Markup('<span class="unbroken">{}</span>')
    words = [whole.format(word) if "–" in word else escape(word) for word in clean(sentence).split(" ")]
    return Markup(" ").join(words)


def _key_facts(facts: Facts) -> list[tuple[str, str]]:
    """The few numbers under the headline, as (what, how much); those that are not known are left out."""
    used = facts.ledger.counts.get("used")
    epochs = f"{facts.best_epoch} of {facts.stopped_epoch}" if facts.best_epoch is not None else facts.stopped_epoch
    found = [
        ("verdict", facts.verdict.label if facts.verdict else None),
        ("epoch kept" if facts.best_epoch is not None else "epochs", epochs if epochs is None else str(epochs)),
        ("parameters", number(facts.parameters) if facts.parameters else None),
        (f"{facts.noun} used", number(used) if used is not None else None),
        ("training time", sentences.duration(facts.seconds) if facts.seconds is not None else None),
    ]
    return [(what, value) for what, value in found if value]


@dataclass(frozen=True)
class _Totals:
    parameters: int
    multiply_adds: int


def _totals(facts: Facts) -> _Totals:
    return _Totals(
        sum(row.parameters for row in facts.layers),
        sum(row.multiply_adds for row in facts.layers),
    )
