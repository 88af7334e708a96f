"""Weights of others: read without running theirs, laid in the order their names say, equal answers, errors by layer."""

from __future__ import annotations

import pickle
from pathlib import Path

import numpy as np
import pytest
import torch
from safetensors.torch import save_file
from torch import Tensor, nn
from torch.nn import functional

from netwright import registry
from netwright.errors import ModelFileError
from netwright.model_file import foreign
from netwright.models.build import build
from netwright.models.network import Network
from netwright.spec import ModelSpec


class Block(nn.Module):
    """A residual block as everybody writes it."""

    def __init__(self, channels: int, out: int, stride: int, *, project: bool) -> None:
        super().__init__()
        self.conv1, self.bn1 = nn.Conv2d(channels, out, 3, stride, 1, bias=False), nn.BatchNorm2d(out)
        self.conv2, self.bn2 = nn.Conv2d(out, out, 3, 1, 1, bias=False), nn.BatchNorm2d(out)
        self.stride, self.new, self.downsample = stride, out - channels, None
        if project and (stride > 1 or self.new):
            self.downsample = nn.Sequential(nn.Conv2d(channels, out, 1, stride, bias=False), nn.BatchNorm2d(out))

    def forward(self, x: Tensor) -> Tensor:
        y = self.bn2(self.conv2(functional.relu(self.bn1(self.conv1(x)))))
        if self.downsample is not None:
            x = self.downsample(x)
        elif self.new:
            x = functional.pad(x[:, :, :: self.stride, :: self.stride], (0, 0, 0, 0, self.new // 2, self.new // 2))
        return functional.relu(x + y)


class Residual(nn.Module):
    """A residual network with the names of torchvision's."""

    def __init__(self, filters: tuple[int, ...], times: int, *, project: bool, last: str) -> None:
        super().__init__()
        self.last, channels = last, filters[0]
        self.conv1, self.bn1 = nn.Conv2d(3, channels, 3, 1, 1, bias=False), nn.BatchNorm2d(channels)
        self.stages = []
        for stage, out in enumerate(filters):
            blocks = []
            for number in range(times):
                stride = 2 if stage and not number else 1
                blocks.append(Block(channels, out, stride, project=project))
                channels = out
            setattr(self, f"layer{stage + 1}", nn.Sequential(*blocks))
            self.stages.append(f"layer{stage + 1}")
        setattr(self, last, nn.Linear(channels, 10))

    def forward(self, x: Tensor) -> Tensor:
        x = functional.relu(self.bn1(self.conv1(x)))
        for stage in self.stages:
            x = getattr(self, stage)(x)
        return getattr(self, self.last)(x.mean(dim=(2, 3)))


def _trained(network: nn.Module) -> nn.Module:
    """Running means that differ from layer to layer."""
    torch.manual_seed(0)
    for _ in range(3):
        network.train()(torch.randn(8, 3, 16, 16) * 2 + 1)
    return network.eval()


def _ours(name: str, heads: int = 10, **options: object) -> Network:
    text = registry.resolve("net", name)((3, 16, 16), **options)
    return build(ModelSpec(layers=text), {"image": (3, 16, 16)}, {"category": heads}, 0).eval()


def _same(theirs: nn.Module, ours: Network) -> None:
    x = torch.randn(4, 3, 16, 16)
    with torch.no_grad():
        torch.testing.assert_close(ours({"image": x})["category"], theirs(x), rtol=1e-4, atol=1e-5)


def test_a_legacy_file_gives_equal_answers(tmp_path: Path) -> None:
    theirs = _trained(Residual((16, 32, 64), 3, project=False, last="linear"))
    names = {f"module.{name}": value for name, value in theirs.state_dict().items()}
    torch.save({"state_dict": names, "best_prec1": 91.7}, tmp_path / "resnet20.th")
    ours = _ours("cifar_resnet", depth=20)
    assert foreign.adopt(ours, foreign.read(tmp_path / "resnet20.th")) == ["39 of 39 layers taken"]
    _same(theirs, ours)


def test_names_like_torchvisions_give_the_order_whatever_the_order_of_the_file(tmp_path: Path) -> None:
    theirs = _trained(Residual((64, 128, 256, 512), 2, project=True, last="fc"))
    save_file(dict(sorted(theirs.state_dict().items(), reverse=True)), tmp_path / "resnet18.safetensors")
    ours = _ours("resnet18")
    foreign.adopt(ours, foreign.read(tmp_path / "resnet18.safetensors"))
    _same(theirs, ours)


def test_arrays_of_numpy_are_read_too(tmp_path: Path) -> None:
    theirs = _trained(Residual((16, 32, 64), 1, project=False, last="linear"))
    np.savez(tmp_path / "w.npz", **{name: value.numpy() for name, value in theirs.state_dict().items()})
    ours = _ours("cifar_resnet", depth=8)
    foreign.adopt(ours, foreign.read(tmp_path / "w.npz"))
    _same(theirs, ours)


@pytest.mark.parametrize("end", ["pth", "npz"])
def test_names_that_tell_nothing_are_taken_in_the_order_of_the_file(tmp_path: Path, end: str) -> None:
    """By the alphabet `again` would come before `first`, which has the same shape."""
    torch.manual_seed(0)
    names = ["a_stem", "first", "again", "fc"]
    layers = [nn.Conv2d(3, 8, 3, padding=1), nn.Conv2d(8, 8, 3, padding=1), nn.Conv2d(8, 8, 3, padding=1)]
    layers.append(nn.Linear(8, 10))
    tensors = {f"{name}.{key}": value for name, part in zip(names, layers, strict=True)
               for key, value in part.state_dict().items()}  # fmt: skip
    file = tmp_path / f"w.{end}"
    if end == "npz":
        np.savez(file, **{name: value.numpy() for name, value in tensors.items()})
    else:
        torch.save(tensors, file)
    spec = ModelSpec(layers="conv 8x3 pad 1, relu, conv 8x3 pad 1, relu, conv 8x3 pad 1, relu, global_pool")
    ours = build(spec, {"image": (3, 16, 16)}, {"category": 10}, 0).eval()
    assert foreign.adopt(ours, foreign.read(file)) == ["4 of 4 layers taken"]
    for own, part in zip(("conv1", "conv2", "conv3", "category"), layers, strict=True):
        assert torch.equal(ours.module(own).weight, part.weight)


@pytest.mark.parametrize("order", ["none is told", "[1, 2]", "{}"])
def test_what_another_program_calls_order_is_passed_over(tmp_path: Path, order: str) -> None:
    save_file({"2": torch.zeros(1), "1": torch.ones(1)}, tmp_path / "w.safetensors", {"order": order})
    assert list(foreign.read(tmp_path / "w.safetensors")) == ["1", "2"]


def test_another_number_of_classes_leaves_the_head_new_and_says_so() -> None:
    theirs = _trained(Residual((16, 32, 64), 1, project=False, last="linear"))
    ours = _ours("cifar_resnet", heads=3, depth=8)
    before = ours.module("category").weight.detach().clone()
    told = foreign.adopt(ours, theirs.state_dict())
    assert told == ["14 of 15 layers taken", "new: category, for its shape is another"]
    assert torch.equal(ours.module("category").weight, before)


def test_outputs_that_only_help_training_are_passed_over() -> None:
    theirs = _trained(Residual((16, 32, 64), 1, project=False, last="fc"))
    tensors = theirs.state_dict() | {"aux1.conv.weight": torch.zeros(3), "AuxLogits.fc.weight": torch.zeros(2, 2)}
    assert foreign.adopt(_ours("cifar_resnet", depth=8), tensors) == ["15 of 15 layers taken"]


def test_auxiliary_heads_of_our_own_start_afresh_and_say_so() -> None:
    theirs = _trained(Residual((16, 32, 64), 1, project=False, last="fc"))
    text = registry.resolve("net", "cifar_resnet")((3, 32, 32), depth=8)
    aided = text.replace("global_pool", "{global_pool, dense 4, relu} auxiliary, global_pool")
    assert aided != text
    ours = build(ModelSpec(layers=aided), {"image": (3, 32, 32)}, {"category": 10}, 0)
    assert foreign.adopt(ours, theirs.state_dict()) == ["15 of 15 layers taken", "the auxiliary heads start afresh"]


def test_a_network_of_another_form_is_refused_layer_by_layer_and_left_as_it_was() -> None:
    theirs = Residual((16, 32, 64), 3, project=False, last="linear")
    ours = _ours("cifar_resnet", depth=8, width=0.5)
    before = {name: value.clone() for name, value in ours.state_dict().items()}
    with pytest.raises(ModelFileError, match="the file has 39 layers with weights, the network 15") as raised:
        foreign.adopt(ours, theirs.state_dict())
    said = raised.value.message
    assert "conv1 (conv 8x3 pad 1 bias no) and conv1: weight 8x3x3x3 here, 16x3x3x3 there" in said
    assert "net, depth, width" in raised.value.cure
    assert all(torch.equal(value, before[name]) for name, value in ours.state_dict().items())


def _keras(ours: Network) -> dict[str, np.ndarray]:
    """The weights of a mobilenet without its head under the names and in the order of axes that Keras has."""
    named, block, kinds = {}, 0, {"depthwise": "conv_dw", "conv": "conv_pw"}
    last = ""
    for node in ours.nodes:
        if node.part == "depthwise":
            block += 1
        if node.part in kinds:
            last = f"{kinds[node.part]}_{block}" if block else "conv1"
            axes, word = ((2, 3, 0, 1), "depthwise_kernel") if node.part == "depthwise" else ((2, 3, 1, 0), "kernel")
            named[f"{last}/{word}"] = ours.module(node.name).weight.detach().permute(axes).numpy()
        if node.part == "batch_norm":
            norm = ours.module(node.name)
            words = {"gamma": norm.scale, "beta": norm.bias, "moving_mean": norm.mean, "moving_variance": norm.variance}
            named |= {f"{last}_bn/{word}": tensor.detach().numpy() for word, tensor in words.items()}
    return {name: np.ascontiguousarray(named[name]) for name in sorted(named)}


def _mobilenet(heads: dict[str, int], seed: int) -> Network:
    text = registry.resolve("net", "mobilenet")((3, 64, 64), width=0.25)
    return build(ModelSpec(layers=text), {"image": (3, 64, 64)}, heads, seed).eval()


@pytest.mark.parametrize("end", ["npz", "h5"])
def test_weights_of_keras_are_turned_and_ordered_and_may_lack_the_head(tmp_path: Path, end: str) -> None:
    theirs = _mobilenet({"category": 4}, 1)
    with torch.no_grad():
        for weight in [*theirs.parameters(), *theirs.buffers()]:
            weight.uniform_(0.5, 1.5)
    arrays = _keras(theirs)
    if end == "npz":
        np.savez(tmp_path / "w.npz", **arrays)
    else:
        with pytest.importorskip("h5py").File(tmp_path / "w.h5", "w") as file:
            for name, array in arrays.items():
                file[f"{name.partition('/')[0]}/{name}:0"] = array
    ours = _mobilenet({"category": 4}, 2)
    tensors = foreign.read(tmp_path / f"w.{end}")
    assert foreign.classes(tensors) == 0
    assert foreign.adopt(ours, tensors) == ["54 of 55 layers taken", "new: category, for the file has none"]
    for node in ours.nodes:
        if node.parameters and node.name not in ours.heads:
            for key, tensor in ours.module(node.name).state_dict().items():
                assert torch.equal(tensor, theirs.module(node.name).state_dict()[key]), (node.name, key)


NORM = ("gamma", "beta", "moving_mean", "moving_variance")


def _keras_file(path: Path, arrays: dict[str, np.ndarray]) -> Path:
    """As Keras saves weights: an archive in the order of the layers, or HDF5 with that order beside them."""
    if path.suffix == ".npz":
        np.savez(path, **arrays)
        return path
    with pytest.importorskip("h5py").File(path, "w") as file:
        names = list(dict.fromkeys(name.partition("/")[0] for name in arrays))
        file.attrs["layer_names"] = [name.encode() for name in names]
        for name, array in arrays.items():
            layer, _, word = name.partition("/")
            file[f"{layer}/{layer}/{word}:0"] = array
    return path


@pytest.mark.parametrize("end", ["npz", "h5"])
@pytest.mark.parametrize("pooled", [False, True])
def test_what_keras_flattened_has_its_channels_last_and_names_it_made_up_stand_in_the_files_order(
    tmp_path: Path, end: str, *, pooled: bool
) -> None:
    ends, wide = ("global_pool", 3) if pooled else ("pool 2, flatten, batch_norm", 48)
    layers = f"conv 3x3 pad 1, relu, conv 3x3 pad 1, relu, {ends}, dense {wide}, relu"  # as wide as what it reads
    network = build(ModelSpec(layers=layers), {"image": (3, 8, 8)}, {"category": 3}, 0)
    draw = np.random.default_rng(0)
    sizes = {"conv2d_9": (3, 3, 3, 3), "conv2d_10": (3, 3, 3, 3), "batch_normalization": (48,)}
    sizes |= {"dense": (wide, wide), "dense_1": (wide, 3)}
    arrays: dict[str, np.ndarray] = {}
    for name, shape in sizes.items():
        for word in NORM if len(shape) == 1 else ("kernel", "bias"):
            drawn = draw.normal(size=shape if word == "kernel" else shape[-1:]).astype(np.float32)
            arrays[f"{name}/{word}"] = np.abs(drawn) + 0.1 if word == "moving_variance" else drawn
    if pooled:
        arrays = {name: array for name, array in arrays.items() if not name.startswith("batch")}
    file = _keras_file(tmp_path / f"w.{end}", arrays)
    count = 4 if pooled else 5
    assert foreign.adopt(network, foreign.read(file)) == [f"{count} of {count} layers taken"]
    known = {name: torch.from_numpy(array) for name, array in arrays.items()}
    x = torch.randn(2, 3, 8, 8)
    y = x
    for name in ("conv2d_9", "conv2d_10"):
        kernel = known[f"{name}/kernel"].permute(3, 2, 0, 1)
        y = functional.relu(functional.conv2d(y, kernel, known[f"{name}/bias"], padding=1))
    if pooled:
        y = y.mean(dim=(2, 3))
    else:
        y = functional.max_pool2d(y, 2).permute(0, 2, 3, 1).flatten(1)  # as Keras has it: row, column, channel
        gamma, beta, mean, variance = (known[f"batch_normalization/{word}"] for word in NORM)
        y = functional.batch_norm(y, mean, variance, gamma, beta)
    y = functional.relu(y @ known["dense/kernel"] + known["dense/bias"])
    y = y @ known["dense_1/kernel"] + known["dense_1/bias"]
    with torch.no_grad():
        torch.testing.assert_close(network.eval()({"image": x})["category"], y, rtol=1e-3, atol=1e-3)


def test_two_layers_of_one_name_are_refused() -> None:
    tensors = {f"{place}/dense/kernel": torch.zeros(3, 2) for place in ("a", "b")}
    with pytest.raises(ModelFileError, match="two layers of the file are called dense"):
        foreign.classes(tensors)


def test_files_of_keras_3_are_refused_with_the_line_that_saves_them_by_name(tmp_path: Path) -> None:
    h5py = pytest.importorskip("h5py")
    with h5py.File(tmp_path / "m.weights.h5", "w") as file:
        file["layers/conv2d/vars/0"] = np.zeros((3, 3, 3, 4), np.float32)
    (tmp_path / "m.keras").write_bytes(b"PK\x03\x04")
    for name in ("m.weights.h5", "m.keras"):
        with pytest.raises(ModelFileError, match="is a file of Keras 3") as caught:
            foreign.read(tmp_path / name)
        assert "numpy.savez('weights.npz'" in caught.value.cure


def test_classes_are_counted_by_the_last_layer() -> None:
    theirs = Residual((16, 32, 64), 1, project=False, last="fc")
    assert foreign.classes(dict(reversed(theirs.state_dict().items()))) == 10


class Evil:
    def __reduce__(self) -> tuple[object, tuple[str]]:
        return (open, ("hacked", "w"))


def test_a_pickle_that_runs_code_is_refused_and_nothing_runs(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.chdir(tmp_path)
    (tmp_path / "evil.pt").write_bytes(pickle.dumps({"conv1.weight": Evil()}))
    torch.save({"conv1.weight": Evil()}, tmp_path / "evil2.pt")
    for name in ("evil.pt", "evil2.pt"):
        with pytest.raises(ModelFileError, match=r"holds more than tensors, or is damaged"):
            foreign.read(tmp_path / name)
    assert not list(tmp_path.rglob("hacked"))
    np.savez(tmp_path / "evil.npz", a=np.array([Evil()], dtype=object))
    with pytest.raises(ModelFileError, match="damaged, or not what its name says"):
        foreign.read(tmp_path / "evil.npz")


@pytest.mark.parametrize("name", ["w.safetensors", "w.npz", "w.pth"])
def test_damaged_and_missing_files_are_named(tmp_path: Path, name: str) -> None:
    with pytest.raises(ModelFileError, match="there is no file"):
        foreign.read(tmp_path / name)
    (tmp_path / name).write_bytes(b"\x00\x01broken")
    with pytest.raises(ModelFileError, match="damaged"):
        foreign.read(tmp_path / name)
