"""The comparison with peers: what they say is understood, a dead one is told, an interrupted measurement goes on."""

import importlib.util
import json
import sys
from collections.abc import Callable
from dataclasses import replace
from pathlib import Path
from types import ModuleType

import numpy as np
import pytest

BENCHMARKS = Path(__file__).resolve().parents[1] / "benchmarks"
CHATTY = f"""
import sys
sys.path.insert(0, {str(BENCHMARKS / "peers")!r})
import child, numpy as np

def knows(x, y):
    \"\"\"Source: https://example.org/start.html\"\"\"
    def train(epochs):
        print("epoch 1 of many")
        return 0.5 * epochs
    return child.Peer(train, lambda images: images[:, 0])

def dies(x, y):
    def train(epochs):
        if len(x) > 128:
            sys.exit("first word\\nno more memory\\n")
    return child.Peer(train, lambda images: images[:, 0])

child.serve(["numpy"], knows=knows, dies=dies)
"""


def loaded(name: str) -> ModuleType:
    spec = importlib.util.spec_from_file_location(name, BENCHMARKS / f"{name}.py")
    assert spec is not None
    assert spec.loader is not None
    module = importlib.util.module_from_spec(spec)
    sys.modules[name] = module
    spec.loader.exec_module(module)
    return module


pairs, _, peers = loaded("pairs"), loaded("mlp_loop"), loaded("mlp_peers")
TINY = peers.Form((1,), pairs=2, seconds=0.0, tries=1, epochs=1, examples=0, accuracy=0.9, minutes=0)


@pytest.fixture
def folder(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    """The arrays of two hundred images whose first pixel is their class, and a peer that knows it."""
    classes = np.arange(200) % 10
    for part in ("train", "test"):
        np.save(tmp_path / f"{part}_x.npy", np.repeat(classes[:, None], 3, axis=1).astype(np.float32))
        np.save(tmp_path / f"{part}_y.npy", classes)
    (tmp_path / "peers").mkdir()
    (tmp_path / "peers" / "chatty.py").write_text(CHATTY, encoding="utf-8")
    monkeypatch.setattr(peers, "HERE", tmp_path)
    return tmp_path


def peer(form: str, name: str = "Chatty", limit: float | None = None) -> object:
    return peers.Peer(name, "chatty.py", form, limit, own=True)


def test_ratio_of_constant_speeds() -> None:
    found = pairs.alternate(("a", lambda: 30.0), ("b", lambda: 10.0), limit=60.0, segments=3)
    assert (found.ratio, found.low, found.high, found.share) == (3.0, 3.0, 3.0, 0.5)
    assert (found.a_rate, found.b_rate, found.segments) == (30.0, 10.0, 3)


def test_peer_is_heard_through_what_its_framework_prints(folder: Path) -> None:
    with peers.Child(peer("knows"), 2, folder) as child:
        assert child.told == {"page": "https://example.org/start.html", "versions": [f"numpy {np.__version__}"]}
        assert child.train(3) == 3 * 200 / 1.5
        assert child.accuracy() == 1.0


def test_peer_that_dies_is_told_with_its_last_words(folder: Path) -> None:
    with (
        peers.Child(peer("dies"), 1, folder) as child,
        pytest.raises(peers.PeerError, match=r"Chatty: it ended with 1\. Its last words: no more memory"),
    ):
        child.train(1)


def test_peer_that_does_not_start_is_told(folder: Path) -> None:
    (folder / "peers" / "chatty.py").write_text("import no_such_package", encoding="utf-8")
    with pytest.raises(peers.PeerError, match="No module named 'no_such_package'"):
        peers.Child(peer("knows"), 1, folder)


def test_silent_peer_is_given_up(folder: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(peers, "SILENT_S", 0.2)
    (folder / "peers" / "chatty.py").write_text("import time; time.sleep(60)", encoding="utf-8")
    with pytest.raises(peers.PeerError, match=r"it said nothing for 0\.2 s"):
        peers.Child(peer("knows"), 1, folder)


@pytest.mark.parametrize("line", ["Epoch 1/3\n", "3\n", "[1]\n"])
def test_other_words_than_agreed_are_refused(line: str) -> None:
    with pytest.raises(peers.PeerError, match="expected a JSON object"):
        peers.parsed(line, peer("knows"))


def test_number_of_threads_and_project_path_reach_the_right_peers(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("PYTHONPATH", "src")
    theirs = peers.environment(peers.Peer("Keras", "keras_fit.py", "quick", environment={"KERAS_BACKEND": "jax"}), 2)
    assert "PYTHONPATH" not in theirs
    assert (theirs["OMP_NUM_THREADS"], theirs["OPENBLAS_NUM_THREADS"], theirs["KERAS_BACKEND"]) == ("2", "2", "jax")
    assert peers.environment(peers.OURS, 1)["PYTHONPATH"].split(":") == [str(BENCHMARKS), "src"]


def test_every_peer_names_its_page() -> None:
    for found in peers.PEERS:
        text = (BENCHMARKS / "peers" / found.script).read_text(encoding="utf-8")
        assert f"def {found.form}(" in text
        assert found.own or text.count("Source: https://") == 2


def test_missed_limits_are_told() -> None:
    row, full = {"ratio": 1.4, "must_reach": 1.5, "accuracy": 0.95}, replace(TINY, seconds=1.0)
    assert peers.missed(row, full) == "ratio 1.400 is below 1.5"
    assert peers.missed(row, TINY) == ""
    assert peers.missed({**row, "must_reach": None}, full) == ""
    assert "after 1 epochs is below 0.9" in peers.missed({**row, "must_reach": 1.0, "accuracy": 0.1}, TINY)


def test_failed_peer_is_left_for_the_next_run_which_goes_on_after_the_others(
    folder: Path, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    monkeypatch.setattr(peers, "OURS", peer("knows", "netwright"))
    kept = folder / "runs" / "unfinished.json"

    def run(*chosen: object) -> list[dict] | None:
        return peers.measured(chosen, peers.Parts(kept, "key"), folder, TINY, images=200, limit=800.0)

    assert run(peer("knows", "First", 0.97), peer("dies", "Second")) is None
    assert "Second: it ended with 1. Its last words: no more memory" in capsys.readouterr().err
    assert list(json.loads(kept.read_text(encoding="utf-8"))["parts"]) == ["netwright", "First"]

    def never(*_: object) -> None:
        raise AssertionError("measured again")

    monkeypatch.setattr(peers, "against", never)
    rows = run(peer("knows", "First", 0.97))
    assert rows is not None
    assert [rows[0]["images_s"], rows[1]["ratio"], rows[1]["share_of_limit"]] == [400.0, 1.0, 0.5]
    assert "going on after 2 finished parts" in capsys.readouterr().out


def test_parts_of_another_version_are_not_taken_up(tmp_path: Path) -> None:
    calls: list[int] = []
    make: Callable[[], dict] = lambda: {"n": calls.append(1) or len(calls)}  # noqa: E731
    path = tmp_path / "parts.json"
    assert peers.Parts(path, "one").part("a", make) == {"n": 1}
    assert peers.Parts(path, "one").part("a", make) == {"n": 1}
    assert peers.Parts(path, "two").part("a", make) == {"n": 2}


def test_missing_environment_names_its_cure(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    (tmp_path / "mnist").mkdir()
    monkeypatch.setenv("NETWRIGHT_DATA", str(tmp_path))
    monkeypatch.setattr(peers, "PYTHON", tmp_path / "bin" / "python")
    monkeypatch.setattr(sys, "argv", ["mlp_peers.py"])
    assert peers.main() == 3
    assert "try: make peers" in capsys.readouterr().err
