"""Networks with a name: functions that write the layer text of a published architecture for a picture's size.

A network is a function of the shape of one picture `(channel, height, width)` and its own options; it gives the text
that `model.layers` would hold, without the last layer, which follows from the output. Pictures smaller than 64 pixels
get the form that papers use for small pictures: a stem that does not shrink them, and smaller dense layers. Adding one
is a function here and a line in the registry.
"""

SMALL_PX = 64  # below it a stem made for 224 pixels would leave nothing to look at
Shape = tuple[int, ...]


def is_small(shape: Shape) -> bool:
    """Whether a picture needs the form for small pictures."""
    return min(shape[1:]) < SMALL_PX


def chain(*pieces: str) -> str:
    """Layers one after the other; empty pieces are left out."""
    return ", ".join(filter(None, pieces))


def branches(merge: str, *ways: str) -> str:
    """Layers side by side, and how they meet again."""
    return f"{{{' | '.join(ways)}}} {merge}"


def repeated(times: int, body: str) -> str:
    """The same layers several times over, each with weights of its own; nothing for 0 times."""
    return "" if not times else body if times == 1 else f"x{times} {{{body}}}"
