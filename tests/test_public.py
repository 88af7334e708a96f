"""The public face: what is listed is there, and importing it is quick."""

import subprocess
import sys

import pytest

import netwright


def test_all_is_the_lazy_table() -> None:
    assert netwright.__all__ == sorted(netwright._PUBLIC)
    assert dir(netwright) == netwright.__all__


@pytest.mark.parametrize("name", netwright.__all__)
def test_every_name_resolves_to_something_documented(name: str) -> None:
    assert getattr(netwright, name).__doc__


def test_an_unknown_name_is_an_attribute_error() -> None:
    with pytest.raises(AttributeError, match="module 'netwright' has no attribute 'tran'"):
        netwright.tran  # noqa: B018


def test_import_loads_neither_torch_nor_numpy() -> None:
    code = "import sys, netwright; print([m for m in ('torch', 'numpy', 'pandas', 'sklearn') if m in sys.modules])"
    done = subprocess.run([sys.executable, "-c", code], capture_output=True, text=True, timeout=60, check=True)
    assert done.stdout == "[]\n"
