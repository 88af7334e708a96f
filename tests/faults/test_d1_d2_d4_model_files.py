"""Model files from strangers: pickles (D1), names that want to be code (D2), and damage (D4)."""

from __future__ import annotations

import io
import json
import pickle
import resource
import struct
import sys
from collections.abc import Callable
from pathlib import Path

import numpy as np
import pytest
import torch
from safetensors import safe_open
from safetensors.torch import save_file

from netwright.errors import ModelFileError
from netwright.model_file import inspect, load

Edit = Callable[..., Path]


class Payload:
    """Unpickling this writes a file."""

    def __init__(self, mark: Path) -> None:
        self.mark = mark

    def __reduce__(self) -> tuple:
        return Path.write_text, (self.mark, "ran")


def zipped(payload: Payload) -> bytes:
    stream = io.BytesIO()
    torch.save({"weights": payload}, stream)
    return stream.getvalue()


def legacy(payload: Payload) -> bytes:
    stream = io.BytesIO()
    torch.save({"weights": payload}, stream, _use_new_zipfile_serialization=False)
    return stream.getvalue()


PICKLES = {"torch zip": zipped, "torch legacy": legacy} | {
    f"protocol {protocol}": lambda payload, protocol=protocol: pickle.dumps({"a": payload}, protocol)
    for protocol in range(pickle.HIGHEST_PROTOCOL + 1)
}


@pytest.mark.parametrize("suffix", [".pt", ".pkl", ".netwright", ".safetensors", ""])
@pytest.mark.parametrize("form", PICKLES)
def test_d1_pickles_are_refused_whatever_they_are_called(tmp_path: Path, form: str, suffix: str) -> None:
    mark, path = tmp_path / "ran", tmp_path / f"model{suffix}"
    path.write_bytes(PICKLES[form](Payload(mark)))
    for opening in (load, inspect):
        with pytest.raises(ModelFileError, match=f"model{suffix}: holds a pickle, which can run code when opened"):
            opening(path)
    assert not mark.exists()
    pickle.loads(pickle.dumps(Payload(mark)))  # the payload is live
    assert mark.exists()


def test_d1_a_cut_torch_file_is_still_called_a_pickle(tmp_path: Path) -> None:
    path = tmp_path / "half.pt"
    path.write_bytes(zipped(Payload(tmp_path / "ran"))[:300])
    with pytest.raises(ModelFileError, match=r"half\.pt: holds a pickle"):
        load(path)


def test_d1_an_object_array_as_an_example_is_never_unpickled(model_file: Path, tmp_path: Path, edit: Edit) -> None:
    mark = tmp_path / "ran"
    stream = io.BytesIO()
    np.save(stream, np.array([Payload(mark)], dtype=object), allow_pickle=True)
    array = torch.frombuffer(bytearray(stream.getvalue()), dtype=torch.uint8)
    edit(
        model_file,
        header=lambda values: values["examples"][0]["cells"].update(shape="npy"),
        tensors=lambda stored: stored.update({"examples/0/shape": array}),
    )
    with pytest.raises(ModelFileError, match=r"iris\.netwright: damaged or cut short \(an example's array claims"):
        load(model_file)
    assert not mark.exists()


# ---- D2 --------------------------------------------------------------------------------------------------------------

CODE = "os:system"
PLACES = {
    "kind": (lambda v: v["inputs"][0].update(kind=CODE), r'unknown kind "os:system".*Known kinds: .*image'),
    "task": (lambda v: v["outputs"][0].update(kind=CODE), r'unknown task "os:system".*Known tasks: category'),
    "loss": (lambda v: v["spec"]["outputs"]["species"].update(loss=CODE), r'unknown loss "os:system"'),
    "optimizer": (lambda v: v["spec"]["training"].update(optimizer={"name": CODE}), r'unknown optimizer "os:system"'),
    "layer": (lambda v: v["spec"]["model"].update(layers="os:system 4"), r"cannot be built here.*os:system"),
    "path": (lambda v: v["spec"]["model"].update(layers="../my_parts.py"), r"cannot be built here.*my_parts"),
    "activation": (
        lambda v: v["spec"]["model"].update(layers=None, activation="subprocess:run"),
        r'unknown activation "subprocess:run"',
    ),
    "target": (lambda v: v["spec"]["model"].update(_target_=CODE), r"spec\.model\._target_: Extra inputs"),
    "class path": (lambda v: v.update(model_class="my.module.Net"), r"model_class: Extra inputs"),
    "own part": (
        lambda v: v["own_parts"].append({"room": "layer", "name": "my.Evil", "source_sha256": "aa"}),
        r'own parts, whose code is never inside.*layer "my\.Evil", source sha256 aa.*--use my_parts\.py',
    ),
}


@pytest.mark.parametrize("place", PLACES)
def test_d2_names_in_a_model_file_mean_only_what_the_registry_says(model_file: Path, edit: Edit, place: str) -> None:
    change, told = PLACES[place]
    edit(model_file, header=change)
    with pytest.raises(ModelFileError, match=rf"(?s)iris\.netwright: .*{told}"):
        load(model_file)


def test_d2_naming_a_module_never_imports_it(
    model_file: Path, edit: Edit, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    (tmp_path / "bait_module.py").write_text("raise SystemExit('imported')")
    monkeypatch.syspath_prepend(tmp_path)
    edit(model_file, header=lambda v: v["inputs"][0].update(kind="bait_module:Kind"))
    with pytest.raises(ModelFileError, match='unknown kind "bait_module:Kind"'):
        load(model_file)
    assert "bait_module" not in sys.modules


# ---- D4 --------------------------------------------------------------------------------------------------------------


def test_d4_a_file_cut_anywhere_is_named(model_file: Path) -> None:
    whole = model_file.read_bytes()
    for length in [*range(40), *range(40, len(whole), 97), len(whole) - 1]:
        model_file.write_bytes(whole[:length])
        with pytest.raises(ModelFileError, match=r"iris\.netwright: (damaged or cut short|not a model file)"):
            load(model_file)


def test_d4_a_flipped_byte_anywhere_is_found(model_file: Path) -> None:
    whole = bytearray(model_file.read_bytes())
    for place in range(0, len(whole), 11):
        whole[place] ^= 0x10
        model_file.write_bytes(whole)
        with pytest.raises(ModelFileError, match=r"iris\.netwright: "):
            load(model_file)
        whole[place] ^= 0x10
    model_file.write_bytes(whole)
    assert str(load(model_file).replayed) == "8 of 8 match, largest difference 0"


@pytest.mark.parametrize("claimed", [2**63 + 5, 2**62, 99_000_000, 20_000])
def test_d4_a_huge_header_is_refused_before_it_is_read(model_file: Path, claimed: int) -> None:
    model_file.write_bytes(struct.pack("<Q", claimed) + model_file.read_bytes()[8:])
    with pytest.raises(ModelFileError, match=rf"iris\.netwright: damaged .*its header claims {claimed:,} bytes"):
        load(model_file)


HUGE = {
    "layers": lambda values: values["spec"]["model"].update(layers="dense 9000000, relu, dense 9000000"),
    "array": lambda values: values["inputs"][0].update(shape=[100_000, 100_000, 3]),
    "means": lambda values: values["inputs"][0].update(mean=[0.0] * 7, std=[1.0] * 7),
    "vocabulary": lambda values: values["vocabularies"].update(species=10**12),
    "depth": lambda values: values["facts"].update(deep=json.loads("[" * 900 + "]" * 900)),
    "zero": lambda values: values["inputs"][0].update(std=[0.0] * 4),
    "missing": lambda values: values["inputs"][0].update(missing=[1] * 7),
    "thresholds": lambda values: values["inputs"][0].update(thresholds=[0.5, 0.5, 0.5, 2.0]),
    "tags": lambda values: values["inputs"][0].update(kind="tags", vocabulary=["a", "b"], mean=[], std=[]),
    "date": lambda values: values["inputs"][0].update(kind="date", parts=["year"]),
    "picture": lambda values: values["inputs"][0].update(kind="image"),
    "options": lambda values: values["inputs"][0].update(options={"decimal": ".|.", "thousands": "|"}),
}


@pytest.mark.parametrize("claim", HUGE)
def test_d4_impossible_sizes_are_refused(model_file: Path, edit: Edit, claim: str) -> None:
    before = resource.getrusage(resource.RUSAGE_SELF).ru_maxrss
    edit(model_file, header=HUGE[claim])
    with pytest.raises(ModelFileError, match=r"(?s)iris\.netwright: "):
        load(model_file)
    assert resource.getrusage(resource.RUSAGE_SELF).ru_maxrss - before < 300_000  # kilobytes, first imports included


@pytest.mark.parametrize("word", ["1e999", "NaN", "-Infinity"])
def test_d4_numbers_that_are_none_are_refused(model_file: Path, edit: Edit, word: str) -> None:
    edit(model_file, header=lambda values: values["facts"].update(seconds=12345.5))
    with safe_open(model_file, "pt") as handle:
        text = handle.metadata()["netwright"].replace("12345.5", word)
        stored = {name: handle.get_tensor(name) for name in handle.keys()}  # noqa: SIM118
    save_file(stored, model_file, {"netwright": text})
    with pytest.raises(ModelFileError, match=f"JSON: {word} is not a finite number"):
        load(model_file)


def test_d4_a_network_larger_than_its_file_is_refused_before_memory_is_asked_for(model_file: Path, edit: Edit) -> None:
    before = resource.getrusage(resource.RUSAGE_SELF).ru_maxrss
    edit(model_file, header=lambda values: values["spec"]["model"].update(layers="dense 9000000, relu, dense 300"))
    told = r"do not fit the layers of its spec.*dense1\.weight: expected float32 \(9000000, 4\), found float32 \(6, 4\)"
    with pytest.raises(ModelFileError, match=f"(?s){told}"):
        load(model_file)
    assert resource.getrusage(resource.RUSAGE_SELF).ru_maxrss - before < 300_000  # of the 11 GB it would take


def test_d4_tensors_that_claim_more_than_the_file_holds(model_file: Path) -> None:
    whole = model_file.read_bytes()
    assert b'"shape":[6,4]' in whole
    model_file.write_bytes(whole.replace(b'"shape":[6,4]', b'"shape":[9,9]'))
    with pytest.raises(ModelFileError, match=r"iris\.netwright: damaged or cut short"):
        load(model_file)


def test_d4_other_files_are_named_for_what_they_are(tmp_path: Path) -> None:
    weights = tmp_path / "weights.safetensors"
    save_file({"a": torch.zeros(2)}, weights)
    with pytest.raises(ModelFileError, match=r"weights\.safetensors: holds tensors but no model"):
        load(weights)
    page = tmp_path / "page.netwright"
    page.write_text("<!DOCTYPE html><title>404 Not found</title>")
    with pytest.raises(ModelFileError, match=r"page\.netwright: not a model file, but a web page"):
        load(page)
    with pytest.raises(ModelFileError, match="nowhere: no such file"):
        load(tmp_path / "nowhere")
    with pytest.raises(ModelFileError, match="is not a regular file"):
        load(tmp_path)
