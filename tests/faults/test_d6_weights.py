"""D6 weights of others that unpack to far more than they hold, or than there is memory for."""

from __future__ import annotations

import io
import sys
import zipfile
from pathlib import Path

import numpy as np
import pytest

from netwright.errors import ModelFileError, ResourceError
from netwright.model_file import foreign


def lying(path: Path, shape: tuple[int, ...], size: int | None = None) -> Path:
    """An archive with one array of a hundred bytes that claims another shape, of a member that claims another size."""
    stream = io.BytesIO()
    np.lib.format.write_array_header_1_0(stream, {"descr": "<f4", "fortran_order": False, "shape": shape})
    with zipfile.ZipFile(path, "w") as packed:
        packed.writestr("fc.weight.npy", stream.getvalue() + bytes(100))
        if size is not None:
            packed.infolist()[0].file_size = size
    return path


def test_d6_an_archive_of_numpy_that_is_a_bomb_is_refused(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr("netwright.readers.columns._BOMB_FLOOR", 2**20)
    np.savez_compressed(tmp_path / "w.npz", **{"fc.weight": np.zeros((1024, 2048), np.float32)})
    with pytest.raises(
        ModelFileError, match=r"w\.npz: unpacks to 8,388,\d+ bytes from [\d,]+, like an archive bomb"
    ) as told:
        foreign.read(tmp_path / "w.npz")
    assert "save it again" in told.value.cure


def test_d6_an_array_that_claims_more_than_it_has_is_refused_before_memory_is_taken(tmp_path: Path) -> None:
    path = lying(tmp_path / "w.npz", (2**40,))
    with pytest.raises(
        ModelFileError, match=r"w\.npz is damaged.*fc\.weight\.npy claims 4,398,046,511,104 bytes and has"
    ):
        foreign.read(path)


def test_d6_an_archive_of_numpy_larger_than_memory_is_refused(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr("netwright.readers.columns._BOMB_FLOOR", 2**62)
    monkeypatch.setattr("netwright.model_file.foreign._MOST_BYTES", 2**62)
    path = lying(tmp_path / "w.npz", (25,), 2**50)
    with pytest.raises(ResourceError, match=r"w\.npz: unpacks to 1,073,741,824 MB, with [\d,]+ MB of memory free"):
        foreign.read(path)


@pytest.mark.skipif(sys.platform != "linux", reason="only Linux counts all of a process's memory as its data")
def test_d6_a_child_that_reads_weights_takes_no_more_memory_than_it_may(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    h5py = pytest.importorskip("h5py")
    monkeypatch.setattr("netwright.model_file.foreign._CHILD_BYTES", 2**30)
    with h5py.File(tmp_path / "w.h5", "w") as file:  # no number is written: 2 kB that are read as 3 GiB of zeros
        file.create_dataset("fc/kernel", (3 * 2**18, 1024), "float32", chunks=(1024, 1024), compression="gzip")
    assert (tmp_path / "w.h5").stat().st_size < 10_000
    with pytest.raises(ResourceError, match=r"w\.h5 takes more than 1,024 MB of memory to read"):
        foreign.read(tmp_path / "w.h5")
