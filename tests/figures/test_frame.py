import base64
import hashlib
import re

from markupsafe import Markup

from netwright.figures.frame import frame, style_sheet


def test_the_policy_allows_exactly_the_style_sheet_in_the_page() -> None:
    page = frame("a <title>", Markup("<p>body</p>"), style_sheet("report/report.css"))
    style = re.search(r"<style>(.*?)</style>", page, re.DOTALL)
    assert style is not None
    digest = base64.b64encode(hashlib.sha256(style[1].encode()).digest()).decode()
    policy = re.search(r'Content-Security-Policy" content="([^"]*)"', page)
    assert policy is not None
    assert f"style-src &#39;sha256-{digest}&#39;" in policy[1]
    assert "default-src &#39;none&#39;" in policy[1]
    assert "<title>a &lt;title&gt;</title>" in page


def test_the_style_sheet_reaches_for_nothing_outside() -> None:
    css = style_sheet("report/report.css")
    assert "url(" not in css
    assert "@import" not in css
    assert "</" not in css
