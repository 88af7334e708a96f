"""D9: names from data are text on every page, never markup; a real browser runs nothing of them."""

from __future__ import annotations

import json
import re
import shutil
import subprocess
from pathlib import Path

import pytest

from netwright.doctor.installation import find_browser
from netwright.report.compare import ComparedCurve, ComparedRow, Comparison, compare_page
from netwright.report.facts import (
    Baseline,
    CurvePoint,
    Facts,
    GraphFacts,
    GraphNodeFacts,
    LayerFacts,
    LedgerFacts,
    LedgerReason,
    OutputFacts,
    SettingFacts,
    Shown,
    SmallNet,
    Twins,
    VerdictFacts,
)
from netwright.report.page import page
from netwright.report.step import StepView, step_page

RUN = "document.title='PWNED'"
HOSTILE = [
    f'<img src=x onerror="{RUN}">',
    f"<script>{RUN}</script>",
    f"</title></style></text></svg><script>{RUN}</script>",
    f"\"' autofocus onfocus={RUN} x='",
    "{{ 7 * 7 }}{% for x in y %}",
    "<!-- -->]]><![CDATA[ &lt;b&gt; &#60;",
    "\u202egnp.exe\x00\x1b[31m\ufeff",
    "\udcff\ud800",
]


def hostile_facts(evil: str) -> Facts:
    shown = Shown(id=evil, text=evil, truth=evil, bars=[(evil, 0.9), ("dog", 0.1)], right=True, answer=evil)
    told = Shown(id=evil, truth=evil, right=True, answer=evil)
    output = OutputFacts(
        name=evil, kind="category", unit=evil, headline="accuracy", measure=evil,
        scores={"test": {"accuracy": 0.9, evil: 0.5, "rmse": 1.0}}, intervals={"accuracy": (0.8, 1.0)},
        baselines=[Baseline(name=evil, scores={"accuracy": 0.5}, note=evil)],
        classes=[evil, "dog"], confusion=[[3, 1], [1, 3]], mistakes=[shown], grid=[shown, told],
        scatter=[(1.0, 2.0), (3.0, 4.0)],
    )  # fmt: skip
    return Facts(
        title=evil, created_utc=evil, netwright_version=evil, command=evil, stop_reason=evil, noun=evil, seconds=1.0,
        verdict=VerdictFacts(label="over-fitting", since_epoch=2, sentence=evil, evidence=[evil]), best_epoch=1,
        curves=[CurvePoint(epoch=k, train={"loss": 1.0, "accuracy": 0.5}, validation={"loss": 1.0}) for k in (1, 2, 3)],
        ledger=LedgerFacts(
            counts={evil: 1, "used": 2}, splits={evil: 1, "test": 8}, policy=evil,
            reasons=[LedgerReason(state=evil, reason=evil, count=1, where=[evil])],
        ),
        twins=[Twins(first=evil, second=evil, parts=(evil, evil))],
        layers=[LayerFacts(layer=evil, text=evil, shape=(1,), parameters=1)],
        graph=GraphFacts(
            nodes=[GraphNodeFacts(name=evil, text=evil), GraphNodeFacts(name="b", text=evil)], edges=[(evil, "b")]
        ),
        settings=[SettingFacts(path=evil, value=evil, why=evil)], versions={evil: evil}, hardware={evil: evil},
        small_net=SmallNet(units=[[evil], [evil]], weights=[[[1.0]]], biases=[[0.0]], functions=[evil]),
        outputs=[output, output], notes=[evil],
    )  # fmt: skip


def hostile_pages(evil: str) -> dict[str, str]:
    row = ComparedRow(label=evil, mean=0.5, interval=(0.4, 0.6), seeds={evil: 0.5}, note=evil)
    curve = ComparedCurve(label=evil, examples=[1, 2], seconds=[1, 2], loss=[1, 0.5])
    comparison = Comparison(
        title=evil, question=evil, answer=evil, score=evil, split=evil, rows=[row], curves=[curve], loss=evil,
        command=evil, notes=[evil], created=evil,
    )  # fmt: skip
    ends, grid = (0.0, 1.0), ((1.0, 2.0), (2.0, 3.0))
    view = StepView((evil, evil), (0.0, 0.0), (1.0, 1.0), 0.1, 1.0, 0.9, ends, ends, grid, evil, evil)
    small = hostile_facts(evil).model_copy(update={"small_net": None})  # the graph is drawn where the weights are not
    return {
        "report": page(hostile_facts(evil)),
        "graph": page(small),
        "compare": compare_page(comparison),
        "step": step_page(view),
    }


@pytest.mark.parametrize("evil", HOSTILE, ids=range(len(HOSTILE)))
def test_d9_hostile_names_add_no_element_and_no_attribute(evil: str) -> None:
    def skeleton(html: str) -> list[tuple[str, list[str]]]:
        return [(tag, sorted(re.findall(r'([\w-]+)="', rest))) for tag, rest in re.findall(r"<(\w+)([^>]*)>", html)]

    harmless = hostile_pages("x" * 5)
    for name, html in hostile_pages(evil).items():
        html.encode("utf-8")
        tags = {tag for tag, _ in skeleton(html)}
        assert tags <= {tag for tag, _ in skeleton(harmless[name])}, name
        assert not [keys for _, keys in skeleton(html) if any(key.startswith("on") for key in keys)], name
        assert not set(html) & {"\u202e", "\x00", "\x1b", "\ufeff"}, name


def test_d9_templates_do_not_evaluate_names() -> None:
    assert "{{ 7 * 7 }}" in hostile_pages("{{ 7 * 7 }}")["report"]


@pytest.mark.browser
def test_d9_a_browser_runs_nothing_and_asks_nobody(tmp_path: Path) -> None:
    """The unescaped page proves that the test would see it."""
    evil = "".join(HOSTILE[:4])
    pages = {"report": hostile_pages(evil)["report"], "unescaped": f"<!DOCTYPE html><title>safe</title><p>{evil}</p>"}
    seen = {name: _rendered_title(html, name, tmp_path) for name, html in pages.items()}
    assert seen.pop("unescaped") == "PWNED", "the attack itself works where nothing stops it"
    assert "PWNED" not in {title.strip() for title in seen.values()}, json.dumps(seen)


@pytest.mark.browser
def test_d9_the_policy_stops_what_escaping_would_miss(tmp_path: Path) -> None:
    html = hostile_pages("harmless")["report"].replace("<main>", f"<main>{HOSTILE[0]}{HOSTILE[1]}", 1)
    assert _rendered_title(html, "planted", tmp_path) == "harmless"


def _rendered_title(html: str, name: str, folder: Path) -> str:
    """The title of a page after a real browser has loaded it and run whatever it was willing to run."""
    path = folder / f"{name}.html"
    path.write_text(html, "utf-8")
    command = [
        str(find_browser()), "--headless", "--no-sandbox", "--disable-gpu", "--disable-dev-shm-usage",
        f"--user-data-dir={folder / 'profile'}", "--virtual-time-budget=2000", "--dump-dom", path.as_uri(),
    ]  # fmt: skip
    done = subprocess.run(command, capture_output=True, text=True, errors="replace", timeout=120, check=True)
    shutil.rmtree(folder / "profile", ignore_errors=True)
    title = re.search(r"<title>(.*?)</title>", done.stdout, re.DOTALL)
    assert title is not None
    return title[1]
