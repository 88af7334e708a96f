"""Complete specs with a name: one YAML file each, its first comment line saying what it is."""

from __future__ import annotations

from importlib.resources import files

from netwright.errors import SpecError
from netwright.registry import nearest
from netwright.spec import Spec
from netwright.spec import load as load_spec

_FOLDER = files("netwright.recipes")


def names() -> tuple[str, ...]:
    """Every recipe's name, sorted."""
    return tuple(sorted(file.name.removesuffix(".yaml") for file in _FOLDER.iterdir() if file.name.endswith(".yaml")))


def text(name: str) -> str:
    """The YAML of a recipe, to read or to start a spec of one's own from.

    Raises:
        SpecError: No recipe of that name.
    """
    if name not in names():
        raise SpecError(f'no recipe is called "{name}"{nearest(name, names())}.', f"Recipes: {', '.join(names())}.")
    return (_FOLDER / f"{name}.yaml").read_text(encoding="utf-8")


def summary(name: str) -> str:
    """What a recipe is, in one sentence.

    Example:
        >>> summary("iris")
        'Iris flowers: three species from four measurements, one small hidden layer.'
    """
    return text(name).splitlines()[0].removeprefix("#").strip()


def load(name: str) -> Spec:
    """The spec of a recipe.

    Example:
        >>> load("digits").data.path
        'sklearn:digits'

    Raises:
        SpecError: No recipe of that name.
    """
    return load_spec(text(name), f"recipe {name}")
