"""Real browsers where there is one; and what is said where there is none, or a bad one."""

from pathlib import Path

import pytest

from netwright.doctor import installation
from netwright.errors import ResourceError
from netwright.report.facts import Facts
from netwright.report.page import page
from netwright.report.pdf import pdf


@pytest.fixture
def html(facts: Facts, tmp_path: Path) -> Path:
    path = tmp_path / "a report & more.html"
    path.write_text(page(facts), "utf-8")
    return path


@pytest.mark.browser
def test_a_report_becomes_a_pdf(html: Path, tmp_path: Path) -> None:
    pdf(html, tmp_path / "report.pdf")
    assert (tmp_path / "report.pdf").read_bytes().startswith(b"%PDF")
    assert sorted(path.name for path in tmp_path.iterdir()) == [html.name, "report.pdf"]


def test_without_a_browser_the_way_out_is_named(html: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("PATH", str(tmp_path))
    monkeypatch.setattr(installation, "_BROWSER_PATHS", ())
    with pytest.raises(ResourceError, match=r"none was found.*Open .*more.html in any browser and print it"):
        pdf(html, tmp_path / "report.pdf")


@pytest.mark.parametrize(
    ("script", "why"),
    [("exit 3", "exit 3"), ("echo no display >&2; exit 1", "no display"), ("exit 0", "wrote no PDF")],
)
def test_a_browser_that_fails_is_named_and_an_old_pdf_stays(script: str, why: str, html: Path, tmp_path: Path) -> None:
    browser = tmp_path / "browser"
    browser.write_text(f"#!/bin/sh\n{script}\n")
    browser.chmod(0o755)
    (tmp_path / "report.pdf").write_bytes(b"old")
    with pytest.raises(ResourceError, match=rf"could not print.*{why}"):
        pdf(html, tmp_path / "report.pdf", browser)
    assert (tmp_path / "report.pdf").read_bytes() == b"old"


def test_a_page_that_is_not_there_is_said_before_anything_starts(tmp_path: Path) -> None:
    with pytest.raises(ResourceError, match="is not a file"):
        pdf(tmp_path / "none.html", tmp_path / "report.pdf", tmp_path / "browser")
