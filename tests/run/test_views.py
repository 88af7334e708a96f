"""Pictures as augmentation would change them, before anything is trained."""

from __future__ import annotations

import json
import math
from collections.abc import Callable
from pathlib import Path

import pytest

from netwright import registry, run, spec
from netwright.errors import SpecError

TABLE = "{data: {path: %s}, outputs: [class]}"
SHOWN = "{data: {path: %s}, inputs: {image: {augment: %s}}, outputs: [category]}"


def test_every_transform_is_shown_where_none_is_set(pictures: Path, tmp_path: Path) -> None:
    page = tmp_path / "views.html"
    found = run.data_show(spec.load(SHOWN % (pictures, "[]")), views=page).views
    assert found is not None
    of_pictures = [
        name for name in registry.parts("transform") if registry.resolve("transform", name)().changes("image")
    ]
    assert [each.name for each in found.views] == of_pictures
    assert {each.name for each in found.views if not each.changed} <= {"mirror"}
    text = page.read_text(encoding="utf-8")
    assert text.count("<image ") == len(found.ids) * (1 + len(found.views)) == 8 * 11
    assert "training uses none of them" in "\n".join(found.text)
    assert run.data_show(spec.load(SHOWN % (pictures, "[]"))).views is None


def test_transforms_that_are_set_are_shown_alone_and_together(
    pictures: Path, tmp_path: Path, netwright: Callable
) -> None:
    wanted = spec.load(SHOWN % (pictures, "[mirror, {name: shift, px: 1}]"))
    found = run.data_show(wanted, views=tmp_path / "views.html").views
    assert found is not None
    assert [(each.name, each.settings, each.views) for each in found.views] == [
        ("mirror", "", 2),
        ("shift", "px 1", 9),
        ("all of them", "", 18),
    ]
    words = ("data", "show", str(pictures), "--in", "image", "--out", "category")
    said = netwright(*words, "--set", "inputs.image.augment=rotate", "--views", "v.html", "--json")
    assert said.returncode == 0, said.stderr
    (only,) = json.loads(said.stdout)["views"]["views"]
    assert (only["name"], only["settings"], only["changed"]) == ("rotate", "degrees 15.0", 8)
    assert only["views"] is None  # without end
    assert (tmp_path / "v.html").exists()


def test_the_views_are_those_of_the_first_epoch(pictures: Path, tmp_path: Path) -> None:
    wanted = spec.load(SHOWN % (pictures, "mirror"))
    one = run.data_show(wanted, views=tmp_path / "1.html").views
    assert one is not None
    assert 0 < one.views[0].changed < 8  # the other half is mirrored in the second epoch
    assert not math.isinf(one.views[0].views)
    run.data_show(wanted, views=tmp_path / "2.html")
    assert (tmp_path / "1.html").read_bytes() == (tmp_path / "2.html").read_bytes()


@pytest.mark.parametrize(
    ("augment", "name", "told"),
    [
        ("{name: shift, px: 8}", "v.html", "px is 8, but pictures are 8 x 8"),
        ("mirror", "v.pdf", "views are a page"),
    ],
)
def test_what_cannot_be_shown_is_refused(pictures: Path, tmp_path: Path, augment: str, name: str, told: str) -> None:
    with pytest.raises(SpecError, match=told):
        run.data_show(spec.load(SHOWN % (pictures, augment)), views=tmp_path / name)


def test_a_table_has_nothing_to_be_seen_otherwise(flowers: Path, tmp_path: Path) -> None:
    with pytest.raises(SpecError, match="no picture goes in"):
        run.data_show(spec.load(TABLE % flowers), views=tmp_path / "v.html")
