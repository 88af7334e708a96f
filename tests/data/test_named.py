import gzip
import hashlib
import http.server
import shutil
import threading
from collections.abc import Iterator
from functools import partial
from pathlib import Path

import pytest

from netwright.data import named
from netwright.errors import DataError, NetwrightError, SpecError

Mirror = tuple[str, Path, list[str]]


class Quiet(http.server.SimpleHTTPRequestHandler):
    asked: list[str]

    def do_GET(self) -> None:
        self.asked.append(self.path)
        super().do_GET()

    def log_message(self, format: str, *args: object) -> None:
        pass


@pytest.fixture
def mirror(tmp_path: Path) -> Iterator[Mirror]:
    """A real web server on the loopback: its address, the folder it serves, and what it was asked for."""
    folder = tmp_path / "mirror"
    folder.mkdir()
    asked: list[str] = []
    own = type("Asked", (Quiet,), {"asked": asked})
    server = http.server.ThreadingHTTPServer(("127.0.0.1", 0), partial(own, directory=str(folder)))
    thread = threading.Thread(target=server.serve_forever)
    thread.start()
    yield f"http://127.0.0.1:{server.server_port}", folder, asked
    server.shutdown()
    thread.join()
    server.server_close()


@pytest.fixture
def tiny(monkeypatch: pytest.MonkeyPatch) -> dict[str, bytes]:
    """A data set of two small files, known under the name "tiny"."""
    content = {"a.gz": b"first " * 1000, "b.gz": b"second"}
    known = [named.File(name, len(data), hashlib.sha256(data).hexdigest()) for name, data in content.items()]
    monkeypatch.setitem(named.KNOWN, "tiny", named.Named(tuple(known), ("http://127.0.0.1:9/",), "none"))
    return content


def serve(folder: Path, content: dict[str, bytes]) -> None:
    for name, data in content.items():
        (folder / name).write_bytes(gzip.compress(data))


def test_fetched_files_are_right_and_reported(mirror: Mirror, tiny: dict[str, bytes], tmp_path: Path) -> None:
    address, folder, _ = mirror
    serve(folder, tiny)
    told: list[tuple[str, int, int]] = []
    target = named.get("tiny", address, tmp_path / "data", lambda *facts: told.append(facts))
    assert target == tmp_path / "data" / "tiny"
    assert {file.name: gzip.decompress(file.read_bytes()) for file in target.iterdir()} == tiny
    assert told[-1] == ("fetching b.gz", 6, 6)


def test_second_call_asks_for_nothing(mirror: Mirror, tiny: dict[str, bytes], tmp_path: Path) -> None:
    address, folder, asked = mirror
    serve(folder, tiny)
    named.get("tiny", address, tmp_path / "data")
    asked.clear()
    named.get("tiny", address, tmp_path / "data")
    assert asked == []


def test_cut_or_wrong_file_is_refused_and_not_kept(mirror: Mirror, tiny: dict[str, bytes], tmp_path: Path) -> None:
    address, folder, asked = mirror
    serve(folder, tiny | {"b.gz": b"forged"})
    with pytest.raises(DataError, match=r"b\.gz could not be fetched: .* gave wrong content \(its SHA-256 is"):
        named.get("tiny", address, tmp_path / "data")
    assert [file.name for file in (tmp_path / "data" / "tiny").iterdir()] == ["a.gz"]
    packed = gzip.compress(tiny["b.gz"])
    (folder / "b.gz").write_bytes(packed[: len(packed) // 2])
    with pytest.raises(DataError, match=r"it ends after [0-5] of 6 bytes"):
        named.get("tiny", address, tmp_path / "data")
    serve(folder, tiny)
    asked.clear()
    named.get("tiny", address, tmp_path / "data")
    assert asked == ["/b.gz"]  # the file that was right is not fetched again


def test_page_in_place_of_the_file_and_bomb_are_refused(mirror: Mirror, tiny: dict[str, bytes], tmp_path: Path) -> None:
    address, folder, _ = mirror
    serve(folder, tiny)
    (folder / "a.gz").write_text("<html>please sign in</html>")
    with pytest.raises(DataError, match="it is no gzip file"):
        named.get("tiny", address, tmp_path / "data")
    (folder / "a.gz").write_bytes(gzip.compress(bytes(10_000_000)))
    with pytest.raises(DataError, match="unpacks to more than the expected 6,000 bytes"):
        named.get("tiny", address, tmp_path / "data")


def test_next_mirror_is_tried(
    mirror: Mirror, tiny: dict[str, bytes], tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    address, folder, _ = mirror
    serve(folder, tiny)
    both = named.Named(named.KNOWN["tiny"].files, ("http://127.0.0.1:9/", address), "none")
    monkeypatch.setitem(named.KNOWN, "tiny", both)
    assert len(list(named.get("tiny", root=tmp_path).iterdir())) == 2


def test_unreachable_mirrors_are_named_with_the_way_out(tiny: dict[str, bytes], tmp_path: Path) -> None:
    with pytest.raises(NetwrightError, match=r"http://127\.0\.0\.1:9/ could not be reached .* by hand"):
        named.get("tiny", root=tmp_path)


def test_mirror_from_the_environment(
    mirror: Mirror, tiny: dict[str, bytes], tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    address, folder, asked = mirror
    (folder / "tiny").mkdir()
    serve(folder / "tiny", tiny)
    monkeypatch.setenv("NETWRIGHT_MIRROR", address)
    named.get("tiny", root=tmp_path)
    assert asked == ["/tiny/a.gz", "/tiny/b.gz"]


def test_unknown_name_and_odd_address_are_refused(tmp_path: Path) -> None:
    with pytest.raises(SpecError, match=r'no data set is named "mnits" \(did you mean "mnist"\?\)'):
        named.get("mnits")
    with pytest.raises(SpecError, match='"file:///etc" is no address'):
        named.get("mnist", mirror="file:///etc", root=tmp_path)


def test_real_mnist_files_are_recognised_without_a_network(data_dir: Path, tmp_path: Path) -> None:
    for file in (data_dir / "mnist").glob("t10k*"):
        shutil.copy(file, tmp_path)
    by_name = {file.name: file for file in named.KNOWN["mnist"].files}
    for path in tmp_path.iterdir():
        assert named._is_right(path, by_name[path.name])
