"""The registry: every name leads somewhere, signatures are schemas, own parts join and never replace."""

import importlib
from pathlib import Path

import pytest

from netwright import registry
from netwright.errors import SpecError

EVERY = [(room, name) for room in registry.rooms() for name in registry.parts(room)]


@pytest.fixture
def own_parts(monkeypatch: pytest.MonkeyPatch) -> None:
    """Own parts of this test are forgotten after it."""
    monkeypatch.setattr(registry, "_own", dict(registry._own))


@pytest.mark.parametrize(("room", "name"), EVERY)
def test_every_name_leads_to_an_object_and_has_a_sentence(room: str, name: str) -> None:
    found = registry.part(room, name)
    if not found.source_sha256:
        module, _, attribute = found.target.partition(":")
        assert registry.resolve(room, name) is getattr(importlib.import_module(module), attribute)
    assert found.summary


def test_unknown_names_come_with_the_nearest_and_all_known() -> None:
    with pytest.raises(
        SpecError, match=r'unknown optimizer "adm" \(did you mean "adam"\?\)\. Known optimizers: adam, .*sgd'
    ):
        registry.resolve("optimizer", "adm")
    with pytest.raises(SpecError, match=r'unknown optimizer "os\.system"'):
        registry.resolve("optimizer", "os.system")
    with pytest.raises(SpecError, match="Known nowheres: none"):
        registry.part("nowhere", "x")


def test_a_signature_is_the_schema() -> None:
    assert list(registry.options("optimizer", "sgd", given=("params",))) == [
        "lr",
        "momentum",
        "nesterov",
        "convention",
    ]
    check = registry.check_options
    assert check("optimizer", "sgd", {"lr": 1, "momentum": 0.5}, given=("params",)) == []
    assert check("optimizer", "sgd", {"momentun": 1}, given=("params",)) == [
        (
            'optimizer "sgd" has no option "momentun" (did you mean "momentum"?); '
            "it takes lr, momentum, nesterov, convention"
        )
    ]
    assert check("optimizer", "adam", {"lr": "fast"}, given=("params",)) == [
        'optimizer "adam" option "lr" is \'fast\', expected a number'
    ]
    assert check("optimizer", "adam", {"lr": True}, given=("params",)) != []
    assert check("optimizer", "adam", {"params": 1}, given=("params",)) != []


def test_an_own_part_joins_with_the_hash_of_its_source(own_parts: None, tmp_path: Path) -> None:
    (tmp_path / "parts.py").write_text(
        "from netwright import register\n\n@register('activation', 'cube')\ndef cube(x):\n    return x**3\n"
    )
    registry.use(tmp_path / "parts.py")
    assert registry.resolve("activation", "cube")(2) == 8
    (found,) = registry.own_parts([("activation", "cube"), ("optimizer", "adam")])
    assert len(found.source_sha256) == 64
    assert "cube" in registry.parts("activation")


def test_a_built_in_part_cannot_be_replaced(own_parts: None) -> None:
    with pytest.raises(SpecError, match='optimizer "adam" is built in and cannot be replaced'):
        registry.register("optimizer", "adam")(len)


def test_only_python_files_are_used(tmp_path: Path) -> None:
    with pytest.raises(SpecError, match="no such Python file"):
        registry.use(tmp_path / "missing.py")
    (tmp_path / "a.txt").write_text("raise SystemExit")
    with pytest.raises(SpecError, match="no such Python file"):
        registry.use(tmp_path / "a.txt")
