"""Pages as a browser and a reader get them: whole, well formed, nothing fetched, every figure with words."""

import base64
import io
import re
from html.parser import HTMLParser
from pathlib import Path

import pytest
from PIL import Image

from netwright.report.compare import ComparedCurve, ComparedRow, Comparison, best_row, compare_page
from netwright.report.facts import Confused, Facts, LedgerFacts, OutputFacts
from netwright.report.page import page
from netwright.report.pictures import enlarged
from netwright.report.step import StepView, step_page

VOID = {"meta", "img", "br"}


class Reader(HTMLParser):
    """Reads a page and fails on tags that do not match."""

    def __init__(self) -> None:
        super().__init__()
        self.open: list[str] = []
        self.seen: list[tuple[str, dict[str, str | None]]] = []
        self.words = ""

    def handle_starttag(self, tag: str, attrs: list[tuple[str, str | None]]) -> None:
        self.seen.append((tag, dict(attrs)))
        if tag not in VOID:
            self.open.append(tag)

    def handle_startendtag(self, tag: str, attrs: list[tuple[str, str | None]]) -> None:
        self.seen.append((tag, dict(attrs)))

    def handle_endtag(self, tag: str) -> None:
        assert self.open.pop() == tag

    def handle_data(self, data: str) -> None:
        if self.open[-1:] != ["style"]:
            self.words += data


def read(html: str) -> Reader:
    reader = Reader()
    reader.feed(html)
    assert reader.open == []
    return reader


@pytest.fixture
def comparison() -> Comparison:
    rows = [
        ComparedRow(
            label="depth 1", mean=0.9, interval=(0.88, 0.92), seeds={"0": 0.89, "1": 0.91}, parameters=10, seconds=2
        ),
        ComparedRow(
            label="depth 2", mean=0.95, interval=(0.94, 0.96), seeds={"0": 0.95, "1": None}, note="1 of 2 diverged"
        ),
        ComparedRow(label="depth 3"),
    ]
    curve = ComparedCurve(label="depth 1", examples=[1, 2], seconds=[None, 0.5], loss=[1.0, None])
    return Comparison(title="Depth", score="accuracy", rows=rows, curves=[curve], created="2026-11-20T00:00:00+00:00")


@pytest.fixture
def step() -> StepView:
    grid = tuple(tuple(float(x * x + y * y) for x in (0, 1, 2)) for y in (0, 1, 2))
    return StepView(("w1", "w2"), (2.0, 1.0), (4.0, 2.0), 0.25, 5.0, 1.25, (0.0, 1.0, 2.0), (0.0, 1.0, 2.0), grid)


@pytest.fixture(params=["report", "compare", "step"])
def html(request: pytest.FixtureRequest, facts: Facts, comparison: Comparison, step: StepView) -> str:
    return {"report": page(facts), "compare": compare_page(comparison), "step": step_page(step)}[request.param]


def test_a_page_is_well_formed_and_fetches_and_runs_nothing(html: str) -> None:
    seen = read(html).seen
    assert not {tag for tag, _ in seen} & {"script", "link", "iframe", "object", "embed", "form", "base"}
    for tag, attributes in seen:
        assert not [key for key in attributes if key.startswith("on") or key == "style"], tag
        for key in ("src", "href"):
            assert (attributes.get(key) or "data:image/png;base64,").startswith("data:image/png;base64,")
    assert "http://" not in html
    assert "https://" not in html


def test_every_figure_and_picture_says_what_it_shows(html: str) -> None:
    for tag, attributes in read(html).seen:
        if tag == "img":
            assert attributes["alt"]
        if tag == "svg" and "figure" in (attributes.get("class") or ""):
            assert attributes["role"] == "img"
            assert len(attributes["aria-label"] or "") > 20


def test_a_page_has_one_title_and_its_sections_are_named(html: str) -> None:
    seen = read(html).seen
    assert [tag for tag, _ in seen].count("h1") == 1
    ids = [attributes["id"] for _, attributes in seen if "id" in attributes]
    assert len(ids) == len(set(ids))
    assert all(attributes["aria-labelledby"] in ids for tag, attributes in seen if tag == "section")


def test_every_fact_is_on_the_report(facts: Facts) -> None:
    words = re.sub(r"\s+", " ", read(page(facts)).words)
    for said in (
        "Cats and dogs", "20 November 2026", "Over-fitting. From epoch 2 on.", "over-fitting since epoch 2",
        "best epoch 1, kept", "stopped at 3", "it rose", "cats/9.png", "cut off", "dense 4", "270",
        "robust without tuning",
        "netwright train runs/cats-1/resolved.yaml", "2.13.0", "read 3 times", "always \"cat\"", "✗ really dog",
        "✓ really cat", "dog taken for cat (1, 20.0 % of its row)", "a note", "1 min 15 s", "1.50",
        "What the doctor found", "✗ Contradictions. two answers.", "▲ Leaks. a column tells it.", "Leave it out.",
        "1 more thing looked at and found sound", "2 classes with 50 to 50 examples",
    ):  # fmt: skip
        assert said in words, said


def test_the_totals_of_the_layer_table_are_sums(facts: Facts) -> None:
    foot = re.search(r"<tfoot>(.*?)</tfoot>", page(facts), re.DOTALL)
    assert foot is not None
    assert re.findall(r'class="n">(\d+)<', foot[1]) == ["270", "264"]


def test_a_report_of_nearly_nothing_is_still_a_page() -> None:
    bare = Facts(title="x", created_utc="", netwright_version="0", command="netwright train x")
    assert "netwright train x" in read(page(bare)).words
    output = OutputFacts(name="y", kind="number", headline="r2", scores={})
    assert read(page(bare.model_copy(update={"outputs": [output, output]})))


def test_forty_classes_are_a_matrix_and_more_are_a_table(facts: Facts) -> None:
    def with_classes(count: int) -> str:
        counts = [[3 if r == c else int(c == (r + 1) % count) for c in range(count)] for r in range(count)]
        output = facts.outputs[0].model_copy(
            update={"classes": [f"class {k}" for k in range(count)], "confusion": counts}
        )
        return page(facts.model_copy(update={"outputs": [output]}))

    assert 'class="figure matrix"' in with_classes(40)
    many = with_classes(41)
    assert 'class="figure matrix"' not in many
    assert "Too many classes for a matrix" in many
    assert many.count("<td><bdi>class ") == 40


def test_small_pictures_are_enlarged_without_blur_and_large_ones_left(picture: str) -> None:
    large = Image.open(io.BytesIO(base64.b64decode(enlarged(picture))))
    assert large.size == (128, 128)
    assert set(large.tobytes()) == set(range(0, 256, 4))
    assert enlarged(enlarged(picture)) == enlarged(picture)


def test_a_diverged_run_has_a_readable_report(facts: Facts) -> None:
    curves = [point.model_copy(update={"train": {"loss": None}, "validation": {}}) for point in facts.curves]
    output = facts.outputs[0].model_copy(update={"scores": {"test": {"accuracy": None}}, "intervals": {}})
    html = page(facts.model_copy(update={"curves": curves, "outputs": [output], "ledger": LedgerFacts()}))
    assert "nan" not in read(html).words.lower().replace("cannot", "")


def test_the_best_row_is_marked_and_its_direction_known(comparison: Comparison) -> None:
    assert best_row(comparison) is comparison.rows[1]
    assert best_row(comparison.model_copy(update={"score": "rmse"})) is comparison.rows[0]
    words = re.sub(r"\s+", " ", read(compare_page(comparison)).words)
    assert "depth 2 ★ best" in words
    assert "1 of 2 diverged" in words
    assert "not measured" in words


def test_the_step_is_minus_the_learning_rate_times_the_gradient(step: StepView) -> None:
    words = re.sub(r"\s+", " ", read(step_page(step)).words)
    assert "The loss fell from 5 to 1.25, by 3.75; the slope alone foresaw 5." in words
    assert "down and to the left, 1.12 long" in words
    assert re.search(r"w1 ?2 ?4 ?−1 ?1", words)


def test_a_step_that_goes_up_is_called_too_long(step: StepView) -> None:
    from dataclasses import replace

    assert "too long" in step_page(replace(step, loss_after=9.0))
    assert "not a number" in step_page(replace(step, loss_after=float("nan")))


def test_a_page_can_be_written_anywhere(html: str, tmp_path: Path) -> None:
    (tmp_path / "page.html").write_text(html, "utf-8")
    assert (tmp_path / "page.html").stat().st_size < 1_000_000


def test_confusions_come_with_their_surest_pictures(facts: Facts, picture: str) -> None:
    output = facts.outputs[0].model_copy(
        update={"confused": [Confused(truth="dog", answer="cat", pictures=[picture] * 3)]}
    )
    reader = read(page(facts.model_copy(update={"outputs": [output]})))
    shown = [tag for tag, attrs in reader.seen if tag == "img" and attrs.get("alt") == "dog taken for cat"]
    assert len(shown) == 3
    assert "the surest of them" in reader.words
    assert "the surest of them" not in read(page(facts)).words
