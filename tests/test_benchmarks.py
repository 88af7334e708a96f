"""The comparison with peers: what they say is understood, a dead one is told, an interrupted measurement goes on."""

import ast
import importlib
import json
import math
import subprocess
import sys
from collections.abc import Callable
from dataclasses import asdict, replace
from pathlib import Path
from types import ModuleType, SimpleNamespace

import numpy as np
import pytest
import torch
from PIL import Image

from netwright import spec
from netwright.data.batches import Batches
from netwright.field import STEPS
from netwright.model_file import assemble
from netwright.models.build import build, table
from netwright.training.optimizers import adam

BENCHMARKS = Path(__file__).resolve().parents[1] / "benchmarks"
CHATTY = f"""
import sys
sys.path.insert(0, {str(BENCHMARKS / "peers")!r})
import child, numpy as np

def knows(work, x, y):
    \"\"\"Source: https://example.org/start.html\"\"\"
    def train(epochs):
        print("epoch 1 of many")
        return 0.5 * epochs / (2 if child.precision() == "bfloat16" else 1)
    return child.Peer(train, lambda images: images[:, 0], child.precision())

def dies(work, x, y):
    def train(epochs):
        if len(x) > 128:
            sys.exit("first word\\nno more memory\\n")
    return child.Peer(train, lambda images: images[:, 0])

child.serve(["numpy"], knows=knows, dies=dies)
"""


for place in (BENCHMARKS / "peers", BENCHMARKS):
    sys.path.insert(0, str(place))
pairs, mlp_loop, peers = (importlib.import_module(name) for name in ("pairs", "mlp_loop", "peers_table"))
programs = ("mlp_peers", "conv_peers", "resnet_peers", "resnet_other_peers", "lstm_peers")
mlp_peers, conv_peers, resnet_peers, others, lstm_peers = (importlib.import_module(name) for name in programs)
torch_loader, child, ours = (importlib.import_module(name) for name in ("torch_loader", "child", "ours"))
for place in (BENCHMARKS / "peers", BENCHMARKS):
    sys.path.remove(str(place))
COMPARISONS = [mlp_peers.MLP, *conv_peers.COMPARISONS, *resnet_peers.COMPARISONS, *others.COMPARISONS]
WORKS = [comparison.work for comparison in COMPARISONS]
EVERYBODY = [peer for each in [*COMPARISONS, *lstm_peers.COMPARISONS] for peer in each.peers]
TINY = replace(mlp_peers.QUICK, epochs=1, examples=0, accuracy=0.9)


@pytest.fixture(autouse=True)
def others_may_work(monkeypatch: pytest.MonkeyPatch) -> None:
    """Tests run beside tests: nothing is measured again for their sake."""
    monkeypatch.setattr(pairs, "DISTURBED", math.inf)


@pytest.fixture
def folder(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    """The arrays of two hundred images whose first pixel is their class, and a peer that knows it."""
    classes = np.arange(200) % 10
    for part in ("train", "test"):
        np.save(tmp_path / f"{part}_x.npy", np.repeat(classes[:, None], 3, axis=1).astype(np.float32))
        np.save(tmp_path / f"{part}_y.npy", classes)
    mlp_peers.WORK.write(tmp_path)
    (tmp_path / "peers").mkdir()
    (tmp_path / "peers" / "chatty.py").write_text(CHATTY, encoding="utf-8")
    monkeypatch.setattr(peers, "HERE", tmp_path)
    return tmp_path


def peer(form: str, name: str = "Chatty", limit: float | None = None) -> object:
    return peers.Peer(name, "chatty.py", form, limit, own=True)


def test_what_was_disturbed_is_done_again(monkeypatch: pytest.MonkeyPatch) -> None:
    had, done = iter([0.0, 5.0, 5.0, 5.0, 5.0, 9.0]), []
    monkeypatch.setattr(pairs, "_had_by_others", lambda: next(had))
    monkeypatch.setattr(pairs, "REST_S", 0.0)
    assert pairs.calmly(lambda: done.append(1) or len(done), 0.05) == (2, 2)
    assert pairs.calmly(lambda: 7, math.inf) == (7, 1)


def test_others_are_seen_and_ones_own_children_are_not(monkeypatch: pytest.MonkeyPatch) -> None:
    """Of a second's work of a child nothing counts; a program that nobody here started is another's."""
    used = SimpleNamespace(user=10.0, nice=0.0, system=1.0, irq=0.0, softirq=0.0, steal=0.5)
    monkeypatch.setattr(pairs.psutil, "cpu_times", lambda: used)
    before = pairs._had_by_others()
    child = subprocess.run([sys.executable, "-c", "x = 0\nfor i in range(10**7): x += i"], check=True)
    assert child.returncode == 0
    mine = before - pairs._had_by_others()
    assert mine > 0.1  # the child's time is taken off what all have used
    used.steal += 2.0
    assert pairs._had_by_others() - before + mine == pytest.approx(2.0, abs=0.2)


def test_ratio_of_constant_speeds() -> None:
    found = pairs.alternate(("a", lambda: 30.0), ("b", lambda: 10.0), limit=60.0, segments=3)
    assert (found.ratio, found.low, found.high, found.share) == (3.0, 3.0, 3.0, 0.5)
    assert (found.a_rate, found.b_rate, found.segments) == (30.0, 10.0, 3)


def test_peer_is_heard_through_what_its_framework_prints(folder: Path) -> None:
    with peers.Child(peer("knows"), 2, "bfloat16", folder) as child:
        assert child.told == {"page": "https://example.org/start.html", "versions": [f"numpy {np.__version__}"]}
        assert child.train(3) == 3 * 200 / 0.75
        assert child.score() == {"accuracy": 1.0, "precision": "bfloat16"}


def test_peer_is_tried_in_each_precision_that_it_knows(folder: Path) -> None:
    room = peers.Room(mlp_peers.WORK, folder, replace(TINY, precisions=("float32", "bfloat16")), 200, 800.0)
    for mixed, precision, rate in ((True, "bfloat16", 800.0), (False, "float32", 400.0)):
        child, found, images_s = peers.tuned(replace(peer("knows"), mixed=mixed), room)
        child.close()
        assert (found["precision"], images_s) == (precision, rate)


def test_peer_that_dies_is_told_with_its_last_words(folder: Path) -> None:
    with (
        peers.Child(peer("dies"), 1, peers.FLOAT, folder) as child,
        pytest.raises(peers.PeerError, match=r"Chatty: it ended with 1\. Its last words: no more memory"),
    ):
        child.train(1)


def test_peer_that_does_not_start_is_told(folder: Path) -> None:
    (folder / "peers" / "chatty.py").write_text("import no_such_package", encoding="utf-8")
    with pytest.raises(peers.PeerError, match="No module named 'no_such_package'"):
        peers.Child(peer("knows"), 1, peers.FLOAT, folder)


def test_silent_peer_is_given_up(folder: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(peers, "SILENT_S", 0.2)
    (folder / "peers" / "chatty.py").write_text("import time; time.sleep(60)", encoding="utf-8")
    with pytest.raises(peers.PeerError, match=r"it said nothing for 0\.2 s"):
        peers.Child(peer("knows"), 1, peers.FLOAT, folder)


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


@pytest.mark.parametrize("found", {str(peer): peer for peer in EVERYBODY}.values(), ids=str)
def test_every_peer_names_its_page(found: peers.Peer) -> None:
    body = ast.parse((BENCHMARKS / "peers" / found.script).read_text(encoding="utf-8")).body
    [form] = [each for each in body if isinstance(each, ast.FunctionDef) and each.name == found.form]
    assert found.own or "Source: https://" in (ast.get_docstring(form) or "")


def test_netwright_must_beat_quick_starts_and_match_fast_paths() -> None:
    told = {str(peer) for each in COMPARISONS for peer in each.peers if peer.limit is None and each.full.pairs > 5}
    assert {name.partition(",")[0] for name in told} == {"Keras on JAX", "scikit-learn", "JAX"}  # of the MLP
    few = [peer.limit for each in COMPARISONS if each.full.pairs <= 5 for peer in each.peers]
    assert few == [None] * 10  # five pairs prove no limit
    limits = {str(peer): peer.limit for peer in conv_peers.PEERS}
    assert (limits["Lightning, quick start"], limits["Keras on JAX, fast path"]) == (1.5, 1.0)
    assert limits["torch, by hand"] == 0.97
    asked = {(peer.form, peer.limit) for each in lstm_peers.COMPARISONS for peer in each.peers if each.full.pairs >= 21}
    assert asked == {("quick", 1.5), ("fast", 1.0)}


def test_who_trains_recurrent_networks_knows_their_optimizer() -> None:
    trained = {peer.script for each in lstm_peers.COMPARISONS for peer in each.peers}
    assert trained == {"torch_loader.py", "keras_fit.py"}  # the others descend plainly, whatever a work says
    for script in trained:
        assert "OPTIMIZERS[work.optimizer]" in (BENCHMARKS / "peers" / script).read_text(encoding="utf-8")


def test_speeds_are_named_after_what_is_counted(folder: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(peers, "OURS", peer("knows", "netwright"))
    room = peers.Room(replace(mlp_peers.WORK, unit="windows"), folder, TINY, 200, 800.0)
    rows = peers.measured([peer("knows", "First")], peers.Parts(None, "key"), room)
    assert rows is not None
    speeds = (rows[0]["windows_s"], rows[1]["netwright_windows_s"], rows[1]["peer_windows_s"])
    assert speeds == (400.0, 400.0, 400.0)


def test_only_names_works_and_peers() -> None:
    def chosen(only: str | None) -> list[str]:
        pairs = [(each.work, peer) for each in COMPARISONS[1:] for peer in each.peers]
        return [f"{work.name[:6]} {peer}" for work, peer in pairs if peers._named(only, work, peer)]

    assert chosen("resnet")[:2] == ["ResNet torch, by hand", "ResNet torch DataLoader, quick start"]
    assert chosen("skorch, quick") == ["ConvNe skorch, quick start", "ResNet skorch, quick start"]
    assert len(chosen(None)) == len(conv_peers.PEERS) + 1 + len(others.OTHERS) + len(["quick", "fast"])


@pytest.mark.parametrize("work", WORKS, ids=lambda work: work.name)
def test_peers_and_netwright_train_the_same_network(work: child.Work) -> None:
    shape = (1, 28, 28) if len(work.shape) == 1 else work.shape
    ours = build(spec.load(work.spec).model, {"image": shape}, {"category": 10}, 0)
    theirs = torch_loader.network(work, fast=True)
    with torch.no_grad():
        for one, other in zip(ours.parameters(), theirs.parameters(), strict=True):
            one.copy_(other)
    x = torch.linspace(-1, 1, 2 * math.prod(shape)).reshape(2, *shape)
    assert torch.allclose(ours({"image": x})["category"], theirs(x.reshape(2, *work.shape)), atol=1e-5)
    counted = [row.multiply_adds for row in table(ours, 1) if "batch_norm" not in row.text]
    adds = [count for count in counted if count]
    assert work.multiply_adds == 3 * sum(adds) - adds[0]  # all but the derivative by the pictures


def test_networks_have_as_many_weights_as_published() -> None:
    counts = [sum(weight.numel() for weight in torch_loader.network(work).parameters()) for work in WORKS]
    assert counts == [79_510, 22_466, 11_173_962, 11_173_962, 22_466]


@pytest.mark.parametrize(
    ("work", "units", "weights"),
    [(lstm_peers.SMALL, 128, 240_962), (lstm_peers.LARGE, 512, 3_322_946)],
    ids=["small", "large"],
)
def test_peers_and_netwright_train_the_same_recurrent_network(work: child.Work, units: int, weights: int) -> None:
    [steps], tokens = work.shape, work.classes
    own = build(spec.load(work.spec).model, {"text": (STEPS, tokens)}, {"next": tokens}, 0, {"text": 0}, ["next"])
    theirs = torch_loader.network(work)
    assert sum(weight.numel() for weight in theirs.parameters()) == weights
    with torch.no_grad():
        for one, other in zip(own.parameters(), theirs.parameters(), strict=True):
            one.copy_(other)
    x = torch.arange(2 * steps).reshape(2, steps) % tokens
    assert torch.allclose(own({"text": x})["next"].flatten(0, 1), theirs(x), atol=1e-5)
    adds = sum(row.multiply_adds for row in table(own, 1, steps))
    assert work.multiply_adds == 3 * adds - steps * 4 * units * tokens  # all but the derivative by the characters


def test_layers_of_a_text_are_read_step_by_step() -> None:
    assert [tuple(step) for step in lstm_peers.SMALL.steps()] == [
        ("one_hot", (66,), (50,)),
        ("lstm", (128,), (50, 66)),
        ("lstm", (128,), (50, 128)),
        ("dense", (66,), (50, 128)),
    ]


def test_work_is_read_as_it_was_written(tmp_path: Path) -> None:
    conv_peers.CONVNETJS.write(tmp_path)
    read = child.Work.read(tmp_path)
    assert asdict(read) == asdict(conv_peers.CONVNETJS)
    assert [tuple(step) for step in read.steps()][:4] == [
        ("conv", (16, 5, 2), (3, 32, 32)),
        ("relu", (), (16, 32, 32)),
        ("pool", (2,), (16, 32, 32)),
        ("conv", (20, 5, 2), (16, 16, 16)),
    ]
    assert list(read.steps())[-1] == ("dense", (10,), (20, 4, 4))


def test_layer_that_peers_do_not_know_is_refused() -> None:
    with pytest.raises(ValueError, match='layer "batch_norm" is none that the peers know'):
        list(replace(conv_peers.CONVNETJS, layers="relu, batch_norm").steps())


def test_many_images_are_answered_a_thousand_at_a_time() -> None:
    asked: list[int] = []

    def answer(images: np.ndarray) -> np.ndarray:
        asked.append(len(images))
        return images[:, 0]

    x = np.arange(2500)[:, None] % 10
    y = np.where(np.arange(2500) < 500, -1, x[:, 0])
    assert child._accuracy(child.Peer(lambda epochs: None, answer), x, y) == 0.8
    assert max(asked) <= 1000
    assert sum(asked) == 2500


@pytest.mark.parametrize("shape", [(4,), (2, 2)], ids=["end to end", "example by example"])
def test_every_step_of_a_text_counts(shape: tuple[int, ...]) -> None:
    found = child.Peer(lambda epochs: None, lambda texts: np.array([1, 2, 3, 0]).reshape(shape))
    assert child._accuracy(found, np.zeros((2, 2)), np.array([[1, 2], [3, 4]])) == 0.75


# ---- netwright's side ------------------------------------------------------------------------------------------------

PICTURES = replace(
    conv_peers.CONVNETJS,
    spec=conv_peers.SPEC.replace("[32, 32]", "[8, 8]").format(model='layers: "conv 4x3 pad 1, relu, pool 2"'),
    shape=(3, 8, 8),
    layers="conv 4x3 pad 1, relu, pool 2",
    classes=2,
    batch=8,
)


@pytest.fixture
def pictures(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    """Class folders with forty dark and forty bright pictures for training, six of each for testing."""
    monkeypatch.setenv("NETWRIGHT_CACHE", str(tmp_path / "cache"))
    noise = np.random.default_rng(0)
    for part, count in (("train", 40), ("test", 6)):
        for low, name in ((0, "dark"), (100, "bright")):
            folder = tmp_path / "pictures" / part / name
            folder.mkdir(parents=True)
            for number in range(count):
                pixels = noise.integers(low, low + 156, (8, 8, 3), dtype=np.uint8)
                Image.fromarray(pixels).save(folder / f"{number}.png")
    return tmp_path / "pictures"


def test_exported_pictures_come_from_all_classes(pictures: Path, tmp_path: Path) -> None:
    form = replace(conv_peers.QUICK, examples=32, tested=8)
    assert peers.export(PICTURES, pictures, tmp_path, form) == 32
    x, y = np.load(tmp_path / "train_x.npy"), np.load(tmp_path / "train_y.npy")
    assert x.shape == (32, 3, 8, 8)
    assert 12 <= y.sum() <= 20  # the first 32 of a class folder would be of one class
    assert np.load(tmp_path / "test_y.npy").tolist() == [0, 0, 0, 0, 1, 1, 1, 1]
    light = x.mean((1, 2, 3))
    assert light[y == 0].min() > light[y == 1].max()  # bright comes before dark


def test_training_that_goes_on_equals_the_unbroken_one(pictures: Path, tmp_path: Path) -> None:
    wanted, dataset = mlp_loop.load(pictures, PICTURES.spec)

    def weights(make: Callable, *epochs: int) -> list[torch.Tensor]:
        model = assemble(wanted, dataset.inputs, dataset.outputs, 0)
        model.network.to(memory_format=torch.channels_last)
        source = Batches(dataset, "train", 8, 0, shuffle=True, resident=True, channels_last=True)
        train = make(model, source, tmp_path / "written", 0.05)
        assert [train(count) for count in epochs] == [count * len(source) for count in epochs]
        return list(model.network.parameters())

    broken, whole = weights(mlp_loop.going_on, 1, 2), weights(mlp_loop.ours, 3)
    assert all(torch.equal(one, other) for one, other in zip(broken, whole, strict=True))
    apart = weights(mlp_loop.ours, 1, 2)
    assert not torch.equal(apart[0], whole[0])  # trainings of their own begin with the first epoch's order again


TEXT = replace(
    lstm_peers.SMALL,
    data="text.txt",
    spec=lstm_peers.SPEC.format(steps=10, layers="lstm 16"),
    shape=(10,),
    layers="one_hot 10, lstm 16",
    batch=4,
    classes=10,
    lr=0.03,
)


@pytest.fixture
def text(tmp_path: Path) -> Path:
    """Nine characters over and over, 2,001 in all: 180 windows of ten for training, 20 for testing."""
    path = tmp_path / TEXT.data
    path.write_text(("abcdefgh\n" * 223)[:2_001], encoding="utf-8")
    return path


def test_exported_windows_follow_each_other(text: Path, tmp_path: Path) -> None:
    assert peers.export(TEXT, text, tmp_path, replace(lstm_peers.QUICK, examples=12, tested=5)) == 12
    x, y, later = (np.load(tmp_path / f"{name}.npy") for name in ("train_x", "train_y", "test_x"))
    assert (x.shape, y.shape, later.shape) == ((12, 10), (12, 10), (5, 10))
    assert (x.ravel()[1:] == y.ravel()[:-1]).all()
    characters = text.read_text(encoding="utf-8")
    coded = {*zip(x.ravel(), characters[:120], strict=True), *zip(later.ravel(), characters[1800:1850], strict=True)}
    assert len(coded) == 9  # one code for each character
    assert max(code for code, _ in coded) < TEXT.classes


def test_text_that_is_read_on_equals_the_unbroken_one(text: Path, tmp_path: Path) -> None:
    wanted, dataset = mlp_loop.load(text, TEXT.spec)
    dataset = mlp_loop.some(dataset, "train", 40)

    def weights(*epochs: int) -> list[torch.Tensor]:
        model = assemble(wanted, dataset.inputs, dataset.outputs, 0)
        source = Batches(dataset, "train", 4, 0, shuffle=True, resident=True)
        train = mlp_loop.going_on(model, source, tmp_path / "written", 0.01, descent=adam)
        assert [train(count) for count in epochs] == [count * 40 for count in epochs]
        made = mlp_loop.training(model, source, tmp_path / "written", adam(model.network.parameters()), 1)
        assert "carry" in [strategy.name for strategy in made.strategies]
        return list(model.network.parameters())

    assert all(torch.equal(one, other) for one, other in zip(weights(1, 2), weights(3), strict=True))


@pytest.mark.parametrize("make", [ours.netwright, torch_loader.quick], ids=["netwright", "torch DataLoader"])
def test_text_that_repeats_is_foretold(
    make: child.Make, text: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    torch.manual_seed(0)
    monkeypatch.setattr(torch, "set_flush_denormal", bool)  # it would outlast this test
    monkeypatch.setattr(sys, "argv", ["peer.py", "form", str(tmp_path)])
    monkeypatch.setenv("NETWRIGHT_DATA", str(tmp_path))
    peers.export(TEXT, text, tmp_path, replace(lstm_peers.QUICK, examples=160, tested=10))
    x, y, *test = (np.load(tmp_path / f"{part}_{name}.npy") for part in ("train", "test") for name in "xy")
    found = make(TEXT, x, y)
    found.train(6)
    assert child._accuracy(found, *test) > 0.5  # by chance a ninth


def test_text_has_the_characters_that_are_said(data_dir: Path) -> None:
    text = (data_dir / lstm_peers.SMALL.data).read_text(encoding="utf-8")
    windows = round(0.9 * -(-(len(text) - 1) // lstm_peers.STEPS))  # of the training part
    begins = windows * lstm_peers.STEPS
    assert len(set(text[:begins])) + 1 == lstm_peers.CHARACTERS
    asked = text[begins + 1 : begins + 1 + lstm_peers.FULL.tested * lstm_peers.STEPS]
    commonest = max(map(asked.count, set(asked))) / len(asked)
    assert f"{commonest:.3f}" in str(lstm_peers.__doc__)
    assert lstm_peers.FULL.accuracy > commonest


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
        room = peers.Room(mlp_peers.WORK, folder, TINY, images=200, limit=800.0)
        return peers.measured(chosen, peers.Parts(kept, "key"), room)

    assert run(peer("knows", "First", 0.97), peer("dies", "Second")) is None
    assert "Second: it ended with 1. Its last words: no more memory" in capsys.readouterr().err
    assert list(json.loads(kept.read_text(encoding="utf-8"))["parts"]) == [
        "784-100-10 on MNIST: netwright",
        "784-100-10 on MNIST: First",
    ]

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


@pytest.mark.parametrize(
    ("program", "data"),
    [(mlp_peers, "mnist"), (conv_peers, conv_peers.CONVNETJS.data), (lstm_peers, lstm_peers.SMALL.data)],
    ids=["mlp", "conv", "lstm"],
)
def test_missing_environment_names_its_cure(
    program: ModuleType, data: str, tmp_path: Path, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    monkeypatch.setenv("NETWRIGHT_DATA", str(tmp_path))
    monkeypatch.setattr(peers, "PYTHON", tmp_path / "bin" / "python")
    monkeypatch.setattr(sys, "argv", ["peers.py"])
    assert program.main() == 3
    assert f"{tmp_path / data} is not there" in capsys.readouterr().err
    (tmp_path / data).mkdir(parents=True)
    assert program.main() == 3
    assert "try: make peers" in capsys.readouterr().err
