"""timm's networks: as they are under their names, with their weights from the hub or from a file."""

from __future__ import annotations

import importlib
import socket
from collections.abc import Callable
from pathlib import Path
from types import ModuleType

import pytest
import torch
from safetensors.torch import save_file
from torch import nn

import netwright
from netwright import run, spec
from netwright.errors import ModelFileError, ResourceError, SpecError
from netwright.model_file import timm_zoo, zoo
from netwright.models.build import build
from netwright.models.network import MOST_ROWS
from netwright.models.timm_body import Timm, library, made
from netwright.run.continued import load_model
from netwright.spec import ModelSpec, PartSpec

SIZE = (64, 64)
TINY = "test_efficientnet"


@pytest.fixture(autouse=True)
def own_zoo(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    monkeypatch.setenv("NETWRIGHT_ZOO", str(tmp_path / "zoo"))
    return tmp_path / "zoo"


@pytest.fixture(scope="module")
def timm() -> ModuleType:
    try:
        return library()
    except SpecError:
        pytest.skip("timm is not installed (pip install netwright[zoo])")


@pytest.fixture
def hub(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    """Where the hub's client looks for what it has fetched before."""
    client = pytest.importorskip("huggingface_hub")
    monkeypatch.setattr(client.constants, "HF_HUB_CACHE", str(tmp_path / "hub"))
    return tmp_path / "hub"


def _held(hub: Path, name: str, theirs: nn.Module) -> None:
    """Weights as if they had been fetched."""
    held = hub / f"models--timm--{name}"
    (held / "refs").mkdir(parents=True)
    (held / "refs" / "main").write_text("abc", encoding="utf-8")
    (held / "snapshots" / "abc").mkdir(parents=True)
    save_file(theirs.state_dict(), held / "snapshots" / "abc" / "model.safetensors")


def _trained(model: str, classes: int, size: tuple[int, int]) -> nn.Module:
    """A network of theirs that has seen something: no weight and no running mean is what it was."""
    with torch.random.fork_rng():
        torch.manual_seed(3)
        theirs = made(model, (3, *size), classes).train()
        with torch.no_grad():
            theirs(torch.randn(8, 3, *size))
            for weight in theirs.parameters():
                weight.add_(0.02 * torch.randn_like(weight))
    return theirs.eval()


def _weights(path: Path, theirs: nn.Module) -> Path:
    save_file({key: value.contiguous() for key, value in theirs.state_dict().items()}, path)
    return path


def _given(model: str) -> zoo.Weights:
    return zoo.Weights(PartSpec(name="timm", options={"model": model}), SIZE)


def _probabilities(scores: torch.Tensor) -> torch.Tensor:
    return scores.softmax(dim=1)


def test_weights_come_with_all_that_is_known_and_our_own_form_of_a_network_is_taken(
    timm: ModuleType, hub: Path
) -> None:
    theirs = timm.create_model("vgg11").eval()
    _held(hub, "vgg11.tv_in1k", theirs)
    entry, told = zoo.add_from_timm("timm:vgg11.tv_in1k")
    assert (entry.name, entry.gives, told) == ("vgg11.tv_in1k", "category of 1,000", ["11 of 11 layers taken"])
    assert (entry.trained_on, entry.licence) == ("tv_in1k", "bsd-3-clause")
    model = load_model(Path("vgg11.tv_in1k"))
    assert model.outputs["category"].vocabulary[:2] == ("tench n01440764", "goldfish n01443537")
    x = torch.randn(1, 3, 224, 224)
    with torch.no_grad():
        torch.testing.assert_close(model.network.eval()({"image": x})["category"], theirs(x), rtol=1e-3, atol=1e-5)


def test_a_network_that_is_not_built_here_is_theirs_in_one_layer(timm: ModuleType, hub: Path) -> None:
    theirs = timm.create_model("test_vit").eval()
    _held(hub, "test_vit.r160_in1k", theirs)
    entry, told = zoo.add_from_timm("timm:test_vit.r160_in1k")
    assert (entry.takes, entry.gives) == ("image 160x160 colour", "category of 1,000")
    assert told == [f"all {len(theirs.state_dict()) - 2} tensors of test_vit taken"]
    model = load_model(Path("test_vit.r160_in1k"))
    x = torch.randn(2, 3, 160, 160)
    with torch.no_grad():
        torch.testing.assert_close(model.network.eval()({"image": x})["category"], theirs(x), rtol=1e-4, atol=1e-5)


@pytest.mark.usefixtures("hub", "timm")
def test_a_name_that_timm_does_not_know_is_refused() -> None:
    with pytest.raises(SpecError, match=r"timm:resnet19: timm has no such network \(did you mean"):
        zoo.add_from_timm("timm:resnet19")
    with pytest.raises(SpecError, match=r"timm:resnet18\.nope: timm has no such weights"):
        zoo.add_from_timm("timm:resnet18.nope")


@pytest.mark.usefixtures("hub", "timm")
def test_without_a_network_it_is_said_how_the_file_comes_in(monkeypatch: pytest.MonkeyPatch) -> None:
    def unreachable(*_: object, **__: object) -> None:
        raise OSError("no network")

    def refused(*_: object) -> None:
        raise ValueError("the proxy says no")

    for name in timm_zoo._OTHER_WAYS:
        monkeypatch.delenv(name, raising=False)
    monkeypatch.setattr(socket, "create_connection", unreachable)
    with pytest.raises(
        ResourceError, match=r"efficientnet_b0.ra_in1k is not here yet.*cannot be fetched.*no network"
    ) as caught:
        zoo.add_from_timm("timm:efficientnet_b0.ra_in1k")
    said = "--net '{name: timm, model: efficientnet_b0}' --size-px 224 224 --pixels \"0.485 0.456 0.406 / "
    assert said in caught.value.cure
    monkeypatch.setenv("HTTPS_PROXY", "http://proxy.invalid:1")  # which the hub's own client is to try
    monkeypatch.setattr(importlib.import_module("huggingface_hub"), "hf_hub_download", refused)
    with pytest.raises(ResourceError, match=r"cannot be fetched from huggingface\.co: the proxy says no"):
        zoo.add_from_timm("timm:efficientnet_b0.ra_in1k")


@pytest.mark.usefixtures("timm")
@pytest.mark.parametrize(
    "model", [TINY, "test_resnet", "test_convnext", "test_vit2", "test_byobnet", "test_nfnet", "dla46_c"]
)
def test_weights_from_a_file_give_their_answers(model: str, tmp_path: Path) -> None:
    theirs = _trained(model, 5, SIZE)
    zoo.add(_weights(tmp_path / "w.safetensors", theirs), _given(model), name="tiny")
    network = load_model(Path("tiny")).network.eval()
    x = torch.randn(3, 3, *SIZE)
    with torch.no_grad():
        found = network({"image": x})["category"]
        torch.testing.assert_close(_probabilities(found), _probabilities(theirs(x)), rtol=1e-4, atol=1e-5)


@pytest.mark.usefixtures("timm")
def test_of_two_classes_one_score_is_the_difference_of_theirs(tmp_path: Path) -> None:
    theirs = _trained(TINY, 2, SIZE)
    zoo.add(_weights(tmp_path / "w.safetensors", theirs), _given(TINY), name="tiny")
    network, x = load_model(Path("tiny")).network.eval(), torch.randn(3, 3, *SIZE)
    with torch.no_grad():
        found = network({"image": x})["category"]
        torch.testing.assert_close(found.sigmoid()[:, 0], _probabilities(theirs(x))[:, 1], rtol=1e-4, atol=1e-5)


@pytest.mark.usefixtures("timm")
def test_weights_of_another_network_or_of_more_than_sums_at_the_end_are_refused(tmp_path: Path) -> None:
    file = _weights(tmp_path / "w.safetensors", _trained(TINY, 5, SIZE))
    with pytest.raises(ModelFileError, match=r"the weights do not fit timm's test_resnet: .*Missing key"):
        zoo.add(file, _given("test_resnet"), name="tiny")
    deit = "deit_tiny_distilled_patch16_224"
    two_heads = _weights(tmp_path / "d.safetensors", _trained(deit, 5, SIZE))
    with pytest.raises(ModelFileError, match=r"the last layers of timm's deit_.* are more than weighted sums: head"):
        zoo.add(two_heads, _given(deit), name="tiny")


@pytest.mark.usefixtures("timm")
@pytest.mark.parametrize(
    ("text", "said"),
    [
        ("timm efficientnet_b00", r'timm has no network "efficientnet_b00" \(did you mean'),
        ("timm hf-hub:somebody/net", r'timm has no network "hf-hub:somebody/net"'),
        ("timm local-dir:/tmp", r"timm has no network"),
        ("timm resnet18.a1_in1k", r'timm has no network "resnet18.a1_in1k"'),
        ("timm test_vit", r"test_vit cannot look at pictures of 3 x 8 x 9"),
        ("timm", '"timm" needs model'),
    ],
)
def test_what_cannot_be_built_is_said_with_its_column(text: str, said: str) -> None:
    with pytest.raises(SpecError, match=said):
        build(ModelSpec(layers=text), {"x": (3, 8, 9)}, {"out": 3}, 0)


def test_a_net_without_its_model_is_refused() -> None:
    with pytest.raises(SpecError, match=r'model\.net: net "timm" needs its option "model": any network of timm'):
        build(ModelSpec(net=PartSpec(name="timm")), {"x": (3, 8, 9)}, {"out": 3}, 0)


@pytest.mark.usefixtures("timm")
def test_a_batch_of_one_trains_with_the_running_means(monkeypatch: pytest.MonkeyPatch) -> None:
    network = build(ModelSpec(layers=f"timm {TINY}"), {"x": (3, 8, 9)}, {"out": 3}, 0).train()
    body = network.module("timm1")
    assert isinstance(body, Timm)
    assert network.rows(1) == MOST_ROWS
    monkeypatch.setattr("netwright.models.network.MOST_NUMBERS", 5 * 8 * 3 * 8 * 9)
    assert network.rows(1) == 5  # its first layers give more than what goes in
    means = {key: value.clone() for key, value in body.named_buffers()}
    network({"x": torch.randn(1, 3, 8, 9)})["out"].sum().backward()
    assert all(torch.equal(means[key], value) for key, value in body.named_buffers())
    assert all(module.training for module in body.modules())
    network({"x": torch.randn(2, 3, 8, 9)})
    assert not all(torch.equal(means[key], value) for key, value in body.named_buffers())


@pytest.mark.usefixtures("timm")
def test_it_is_fine_tuned_frozen_kept_and_exported_like_any_other(
    tmp_path: Path, shades: Callable[[int], Path]
) -> None:
    pictures = shades(64)
    zoo.add(_weights(tmp_path / "w.safetensors", _trained("test_vit", 5, SIZE)), _given("test_vit"), name="tiny")
    text = "{data: {path: %s}, outputs: [category], training: {stop: {epochs: 2}, freeze: timm1}}"
    outcome = run.train(spec.load(text % pictures), out=tmp_path / "run", base=Path("tiny"))
    before, after = load_model(Path("tiny")).network, netwright.load(outcome.model).network
    ours, theirs = after.module("timm1").state_dict(), before.module("timm1").state_dict()
    assert all(torch.equal(ours[key], theirs[key]) for key in theirs)
    assert outcome.run.joinpath("report.html").exists()
    found = run.features(outcome.run, [pictures], out=tmp_path / "f.parquet")
    assert (found.layer, found.width) == ("timm1", 64)
    assert run.predict(outcome.run, [pictures]).num_rows == 24
    pytest.importorskip("onnxruntime")
    run.export(outcome.run, tmp_path / "m.onnx")  # which proves that it gives the same answers
    assert (tmp_path / "m.onnx").stat().st_size > 1_000_000
