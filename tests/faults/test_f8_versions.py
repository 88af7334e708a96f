"""Another version wrote the model file (F8): refused, noted or warned about, by the stated rule."""

from __future__ import annotations

import warnings
from collections.abc import Callable
from pathlib import Path

import pytest

from netwright.errors import ModelFileError
from netwright.model_file import inspect, load

Edit = Callable[..., Path]


def older(values: dict) -> None:
    values.update(netwright="0.0.1", torch="2.9.0")


def test_f8_a_newer_format_is_refused_with_the_version_to_install(model_file: Path, edit: Edit) -> None:
    edit(model_file, header=lambda values: values.update(format=2, netwright="9.1.0"))
    for opening in (load, inspect):
        with pytest.raises(ModelFileError, match=r"file format 2, written by netwright 9\.1\.0.*Install a newer"):
            opening(model_file)


@pytest.mark.parametrize("version", [0, None, "1", True, 1.5])
def test_f8_a_format_that_never_was_is_refused(model_file: Path, edit: Edit, version: object) -> None:
    edit(model_file, header=lambda values: values.update(format=version))
    with pytest.raises(ModelFileError, match=r"file format .* reads format 1"):
        load(model_file)


def test_f8_a_newer_spec_inside_is_refused(model_file: Path, edit: Edit) -> None:
    edit(model_file, header=lambda values: values["spec"].update(version=2))
    with pytest.raises(ModelFileError, match="spec version 2 is not known"):
        load(model_file)


def test_f8_other_versions_with_the_same_answers_are_accepted_with_a_note(model_file: Path, edit: Edit) -> None:
    edit(model_file, header=older)
    with warnings.catch_warnings():
        warnings.simplefilter("error")
        model = load(model_file)
    assert model.notes[0].startswith("written with netwright 0.0.1 and torch 2.9.0, opened with netwright ")
    assert model.replayed
    assert model.replayed.matches == 8


def test_f8_other_versions_with_other_answers_are_refused_and_the_way_out_works(model_file: Path, edit: Edit) -> None:
    edit(model_file, header=older, tensors=lambda stored: stored["examples/expected/species"][5].add_(0.25))
    told = r"netwright 0\.0\.1 and torch 2\.9\.0.*7 of 8 match, largest difference 0\.25, .*row 6.*replay=False"
    with pytest.raises(ModelFileError, match=told):
        load(model_file)
    with pytest.warns(UserWarning, match=r"written with netwright 0\.0\.1.*answers were not compared"):
        assert load(model_file, replay=False).replayed is None


def test_f8_other_versions_and_nothing_to_compare_is_warned_about(model_file: Path, edit: Edit) -> None:
    def bare(stored: dict) -> None:
        for name in [name for name in stored if name.startswith("examples/")]:
            del stored[name]

    edit(model_file, header=lambda values: (older(values), values.update(examples=[])), tensors=bare)
    with pytest.warns(UserWarning, match="it holds no examples, so its answers were not compared"):
        load(model_file)
