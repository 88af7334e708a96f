"""Heat maps of counts: confusion matrices above all."""

from __future__ import annotations

from collections.abc import Sequence

from markupsafe import Markup

from netwright.figures.marks import Real, clip, element, group, line, number, svg, text

READABLE = 40  # classes; beyond, a matrix on a page is a texture, and a table of pairs says more


def confusion_matrix(says: str, counts: Sequence[Sequence[int]], classes: Sequence[str]) -> Markup:
    """Counts by true class (rows) and answered class (columns).

    A cell's depth is its share of its row, so that rare classes are as visible as common ones. Right answers (the
    diagonal) and mistakes have different colours, and mistakes also a frame; the counts stand in the cells.

    Args:
        says: The figure in words.
        counts: Square, `counts[truth][answer]`.
        classes: Names in the order of the rows, at most `READABLE`.
    """
    size = len(classes)
    cell = 34.0 if size <= 10 else 26.0 if size <= 20 else 20.0
    room = 16 if size <= 20 else 14
    labels = [clip(name, room) for name in classes]
    width_of_labels = 6.6 * max((len(label) for label in labels), default=1)
    upright = width_of_labels <= cell - 4
    left, top = 34 + width_of_labels, 30 + (14 if upright else min(width_of_labels * 0.78, 90) + 8)
    marks: list[Markup] = [
        text(left, 12, "answered →", "tick"),
        element(
            "text",
            {"class": "tick", "text-anchor": "end", "transform": f"translate(10 {top:.1f}) rotate(-90)"},
            "← really",
        ),
    ]
    for k, (label, name) in enumerate(zip(labels, classes, strict=True)):
        middle = cell * (k + 0.5)
        marks.append(text(left - 7, top + middle + 4, label, "label", "end", full=name))
        marks.append(_column_label(left + middle, top - 7, label, name, upright))
    for truth, row in enumerate(counts):
        total = sum(row)
        for answer, count in enumerate(row):
            names = (classes[truth], classes[answer])
            marks.append(_cell((left + cell * answer, top + cell * truth), cell, count, total, names))
    side = cell * size
    marks.extend(line(left, top + y, left + side, top + y, "axis") for y in (0, side))
    tail = 0 if upright else 0.6 * width_of_labels
    return svg(left + side + 2 + tail, top + side + 4, says, *marks, style="matrix")


def _column_label(x: Real, y: Real, label: str, name: str, upright: bool) -> Markup:
    if upright:
        return text(x, y, label, "label", "middle", full=name)
    place = {"class": "label", "transform": f"translate({x + 2:.1f} {y:.1f}) rotate(-50)"}
    return element("text", place, *([element("title", {}, name)] if name != label else []), label)


def _cell(corner: tuple[Real, Real], size: Real, count: int, total: int, names: tuple[str, str]) -> Markup:
    x, y = corner
    right = names[0] == names[1]
    box = {"x": x + 0.5, "y": y + 0.5, "width": size - 1, "height": size - 1}
    if not count:
        return element("rect", {**box, "class": "empty"})
    share = count / total
    style = "right" if right else "wrong"
    depth = 0.1 + 0.9 * share if right else 0.18 + 0.82 * share
    tip = f"really {names[0]}, answered {names[1]}: {number(count)} of {number(total)}"
    shape = element("rect", {**box, "class": f"cell {style}", "fill-opacity": depth})
    on_dark = " on-dark" if depth > 0.55 else ""
    small = " small" if len(str(count)) * 6.6 > size - 4 else ""
    return group(
        element("title", {}, tip),
        shape,
        text(x + size / 2, y + size / 2 + 4, str(count), f"count{on_dark}{small}", "middle"),
    )


def confused_pairs(
    counts: Sequence[Sequence[int]], classes: Sequence[str], top: int = 20
) -> list[tuple[str, str, int, Real]]:
    """The most frequent mistakes as (truth, answer, count, share of the truth's row), most frequent first.

    Example:
        >>> confused_pairs([[5, 1], [3, 1]], ["cat", "dog"])
        [('dog', 'cat', 3, 0.75), ('cat', 'dog', 1, 0.16666666666666666)]
    """
    pairs = [
        (classes[truth], classes[answer], count, count / sum(row))
        for truth, row in enumerate(counts)
        for answer, count in enumerate(row)
        if count and truth != answer
    ]
    return sorted(pairs, key=lambda pair: (-pair[2], -pair[3], pair[0], pair[1]))[:top]
