"""The zoo: weights of others become whole model files under names; nothing leads out of its folder or overwrites."""

from __future__ import annotations

from collections.abc import Callable
from pathlib import Path

import numpy as np
import pytest
import torch
from PIL import Image
from safetensors.torch import save_file

import netwright
from netwright import registry, run, spec
from netwright.cli import main
from netwright.errors import ModelFileError, SpecError
from netwright.model_file import foreign, zoo
from netwright.models.build import build
from netwright.run.continued import load_model
from netwright.spec import ModelSpec, PartSpec

TINY = PartSpec(name="cifar_resnet", options={"depth": 8, "width": 0.5})


@pytest.fixture(autouse=True)
def own_zoo(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    monkeypatch.setenv("NETWRIGHT_ZOO", str(tmp_path / "zoo"))
    return tmp_path / "zoo"


@pytest.fixture
def pictures(shades: Callable[[int], Path]) -> Path:
    return shades(20)


def _weights(path: Path, classes: int | None) -> Path:
    """A file of weights as another tool writes it, of a small residual network; without its head for None."""
    text = registry.resolve("net", TINY.name)((3, 32, 32), **TINY.options)
    network = build(ModelSpec(layers=text), {"image": (3, 32, 32)}, {"fc": classes or 2}, 7)
    tensors, order = {}, 0
    for node in network.nodes:
        if node.parameters and (classes or node.name != "fc"):
            name = "fc" if node.name == "fc" else f"layer{order}.{'bn' if node.part == 'batch_norm' else 'conv'}1"
            own = foreign.tensors_of(network, node.name)
            tensors |= {f"{name}.{key}": value.detach().numpy() for key, value in own.items()}
            order += 1
    np.savez(path, **tensors)
    return path


def test_weights_of_another_tool_become_a_model_that_answers(tmp_path: Path) -> None:
    file = _weights(tmp_path / "w.npz", 3)
    given = zoo.Weights(TINY, (32, 32), "0..1", ["ant", "bee", "cow"])
    entry, told = zoo.add(file, given, name="tiny", licence="MIT", trained_on="three animals")
    assert told == ["15 of 15 layers taken"]
    assert (entry.takes, entry.gives, entry.problem) == ("image 32x32 colour", "category of 3", "")
    assert (entry.licence, entry.trained_on) == ("MIT", "three animals")
    Image.fromarray(np.full((40, 40, 3), 90, np.uint8)).save(tmp_path / "one.png")
    found = run.predict(Path("tiny"), [tmp_path / "one.png"])
    assert found["category"].to_pylist()[0] in {"ant", "bee", "cow"}
    model = load_model(Path("tiny"))
    coded = model.code(model.read([{"image": (tmp_path / "one.png").read_bytes()}]))["image"]
    assert coded.flatten().tolist() == pytest.approx([90 / 255] * coded.numel())
    assert model.facts[zoo.NOTES]["file"] == "w.npz"


def test_pixels_are_brought_to_what_the_weights_were_trained_on(tmp_path: Path) -> None:
    file = _weights(tmp_path / "w.npz", 3)
    zoo.add(file, zoo.Weights(TINY, (32, 32), "-1..1"), name="tiny")
    field = load_model(Path("tiny")).inputs["image"]
    assert (field.mean, field.std) == ((0.5, 0.5, 0.5), (0.5, 0.5, 0.5))
    with pytest.raises(SpecError, match=r"pixels half: expected imagenet, -1\.\.1, 0\.\.1 or"):
        zoo.add(file, zoo.Weights(TINY, (32, 32), "half"), name="other")


def test_what_nobody_said_of_the_pictures_is_told_as_assumed(tmp_path: Path) -> None:
    file = _weights(tmp_path / "w.npz", 3)
    assert zoo.add(file, zoo.Weights(TINY), name="tiny")[1] == [
        "15 of 15 layers taken",
        "assumed: pixels as of imagenet (--pixels says otherwise), pictures of 224 x 224 (--size-px)",
    ]
    told = zoo.add(file, zoo.Weights(TINY, (32, 32), zoo.pixels("0.1 .2 0.3/1, 1, 1")), name="other")[1]
    assert told == ["15 of 15 layers taken"]
    field = load_model(Path("other")).inputs["image"]
    assert (field.mean, field.std) == ((0.1, 0.2, 0.3), (1.0, 1.0, 1.0))
    for said in ("0.5/0.5", "0 0 0 / 1 1 0", "0 0 0 / 1 1 nan"):
        with pytest.raises(SpecError, match="a mean and a spread above 0 for each channel"):
            zoo.add(file, zoo.Weights(TINY, (32, 32), zoo.pixels(said)), name="third")
    with pytest.raises(SpecError, match="gray, 1, or in colour, 3"):
        zoo.add(file, zoo.Weights(TINY, channels=0), name="third")
    with pytest.raises(SpecError, match="means and spreads are numbers"):
        zoo.pixels("a/b")


@pytest.mark.parametrize(
    ("words", "said"),
    [
        (["timm:resnet18.a1_in1k", "--net", "resnet18"], "--net: timm itself knows this of timm:resnet18.a1_in1k"),
        (["timm:resnet18.a1_in1k", "--size-px", "32", "32"], "--size-px: timm itself knows this"),
        (["some.netwright", "--pixels", "0..1"], "--pixels tells of weights of another tool"),
        (["some.npz", "--channels", "1"], "--channels tells of weights of another tool"),
    ],
)
def test_what_is_said_of_weights_is_never_passed_over(
    words: list[str], said: str, capsys: pytest.CaptureFixture[str]
) -> None:
    assert main(["zoo", "add", *words]) == 2
    assert said in capsys.readouterr().err


@pytest.mark.parametrize("end", ["pth", "safetensors"])
def test_the_last_layer_is_found_where_its_name_does_not_tell_it(tmp_path: Path, end: str) -> None:
    """As one names LeNet's layers; by the names alone `out` would come before `fc1`, and have 84 classes."""
    text = registry.resolve("net", "lenet")((1, 28, 28))
    network = build(ModelSpec(layers=text), {"image": (1, 28, 28)}, {"out": 10}, 7)
    learned = [node.name for node in network.nodes if node.parameters]
    names = dict(zip(learned, ["conv1", "conv2", "fc1", "fc2", "out"], strict=True))
    tensors = {
        f"{names[name]}.{key}": value.detach().clone()
        for name in learned
        for key, value in foreign.tensors_of(network, name).items()
    }
    file = tmp_path / f"lenet.{end}"
    torch.save(tensors, file) if end == "pth" else save_file(tensors, file)
    entry, told = zoo.add(file, zoo.Weights(PartSpec(name="lenet"), (28, 28), "0..1", channels=1), name="lenet")
    assert (told, entry.gives) == (["5 of 5 layers taken"], "category of 10")
    assert torch.equal(load_model(Path("lenet")).network.module("category").weight, tensors["out.weight"])


def test_gray_weights_come_in_by_their_channels(tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    text = registry.resolve("net", "lenet")((1, 28, 28))
    network = build(ModelSpec(layers=text), {"image": (1, 28, 28)}, {"fc": 10}, 7)
    learned = [node.name for node in network.nodes if node.parameters]
    tensors = {
        f"{'fc' if name == 'fc' else f'layer{place}.conv1'}.{key}": value.detach().numpy()
        for place, name in enumerate(learned)
        for key, value in foreign.tensors_of(network, name).items()
    }
    np.savez(tmp_path / "gray.npz", **tensors)
    words = ["zoo", "add", str(tmp_path / "gray.npz"), "--net", "lenet", "--size-px", "28", "28", "--pixels", "0..1"]
    assert main(words) != 0
    assert "here" in capsys.readouterr().err  # both shapes, as three channels are expected
    assert main([*words, "--channels", "1"]) == 0
    assert "takes image 28x28 gray, gives category of 10" in capsys.readouterr().out


def test_without_a_head_it_gives_features_and_can_be_started_from(tmp_path: Path, pictures: Path) -> None:
    entry, told = zoo.add(_weights(tmp_path / "w.npz", None), zoo.Weights(TINY, (32, 32)), name="tiny")
    assert told == ["14 of 14 layers taken", "assumed: pixels as of imagenet (--pixels says otherwise)"]
    assert entry.gives == "features"
    found = run.features(Path("tiny"), [pictures], out=tmp_path / "f.csv")
    assert (found.layer, found.width) == ("global_pool1", 32)
    assert found.table.column_names[:3] == ["id", "category", "feature_00"]
    assert (tmp_path / "f.csv").read_text(encoding="utf-8").count("\n") == found.table.num_rows + 1
    wanted = spec.load(f"{{data: {{path: {pictures}}}, outputs: [category], training: {{stop: {{epochs: 1}}}}}}")
    outcome = run.train(wanted, out=tmp_path / "run", base=Path("tiny"))
    assert netwright.load(outcome.model).inputs["image"].shape == (32, 32, 3)


def test_a_model_of_ones_own_is_kept_with_its_examples(tmp_path: Path) -> None:
    wanted = spec.load("{data: {path: sklearn:iris}, outputs: [category], training: {stop: {epochs: 2}}}")
    trained = run.train(wanted, out=tmp_path / "run").run
    entry, told = zoo.add(trained / "model.netwright", name="flowers", licence="mine")
    assert told == ["the whole model, with what its own training knew"]
    before, after = netwright.load(trained / "model.netwright"), load_model(Path("flowers"))
    assert after.replayed == before.replayed
    assert after.replayed is not None
    assert after.replayed.total > 0
    assert entry.licence == "mine"
    assert [each.name for each in zoo.entries()] == ["flowers"]
    assert zoo.show("flowers")[1].outputs == before.outputs


def test_nothing_is_replaced_unasked_and_names_stay_in_the_folder(tmp_path: Path, own_zoo: Path) -> None:
    file = _weights(tmp_path / "w.npz", 3)
    given = zoo.Weights(TINY, (32, 32))
    zoo.add(file, given, name="tiny")
    with pytest.raises(SpecError, match='the zoo has a "tiny" already'):
        zoo.add(file, given, name="tiny")
    zoo.add(file, given, name="tiny", accept=True)
    for name in ("../tiny", "a/b", ".hidden", "x" * 65):
        with pytest.raises(SpecError, match="cannot be a name in the zoo"):
            zoo.add(file, given, name=name)
    assert [path.name for path in own_zoo.iterdir()] == ["tiny.netwright"]
    assert zoo.find(Path("../zoo/tiny.netwright")) == Path("../zoo/tiny.netwright")


def test_what_is_missing_is_said(tmp_path: Path, own_zoo: Path) -> None:
    file = _weights(tmp_path / "w.npz", 3)
    with pytest.raises(SpecError, match="holds weights, and does not say of which network"):
        zoo.add(file)
    with pytest.raises(SpecError, match="2 class names, and the last layer of the file gives 3"):
        zoo.add(file, zoo.Weights(TINY, (32, 32), classes=["a", "b"]), name="tiny")
    with pytest.raises(ModelFileError, match="the weights do not fit the network"):
        zoo.add(file, zoo.Weights(PartSpec(name="lenet"), (32, 32)), name="tiny")
    with pytest.raises(ModelFileError, match="there is no file"):
        zoo.add(tmp_path / "gone.npz", zoo.Weights(TINY), name="tiny")
    assert not list(own_zoo.glob("*"))
    zoo.add(file, zoo.Weights(TINY, (32, 32)), name="tiny")
    with pytest.raises(SpecError, match=r'the zoo has no "tinny" \(did you mean "tiny"\?\)'):
        zoo.show("tinny")
    with pytest.raises(SpecError, match="the zoo has none of this name"):
        load_model(Path("tinny"))


def test_a_damaged_model_is_listed_with_its_reason(tmp_path: Path, own_zoo: Path) -> None:
    zoo.add(_weights(tmp_path / "w.npz", 3), zoo.Weights(TINY, (32, 32)), name="tiny")
    whole = (own_zoo / "tiny.netwright").read_bytes()
    (own_zoo / "tiny.netwright").write_bytes(whole[: len(whole) // 2])
    (entry,) = zoo.entries()
    assert "damaged or cut short" in entry.problem
    with pytest.raises(ModelFileError, match="damaged or cut short"):
        zoo.show("tiny")


def test_a_class_of_the_zoo_is_never_grown_into_ones_own(tmp_path: Path, pictures: Path) -> None:
    zoo.add(_weights(tmp_path / "w.npz", 3), zoo.Weights(TINY, (32, 32), classes=["ant", "bee", "cow"]), name="tiny")
    wanted = spec.load(f"{{data: {{path: {pictures}}}, outputs: [category], training: {{stop: {{epochs: 1}}}}}}")
    model = netwright.load(run.train(wanted, out=tmp_path / "run", base=Path("tiny")).model)
    assert len(model.outputs["category"].vocabulary) == 2
    before = load_model(Path("tiny")).network.module("conv1").weight
    assert before.shape == model.network.module("conv1").weight.shape
    assert isinstance(before, torch.nn.Parameter)
