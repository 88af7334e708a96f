"""Weights in and out: a network of torch gives the same answers in netwright, one of netwright in torch and ONNX."""

from __future__ import annotations

import json
import sys
import tarfile
from functools import partial
from pathlib import Path

import numpy as np
import onnxruntime
import torch
from photos import laid_out
from PIL import Image
from proof import Plain, Proof, data
from safetensors import safe_open
from safetensors.torch import save_file
from torch import Tensor, nn

IN = "--in image --out category"
ASKED = 100  # photographs
LAYERS = {0: "conv1", 3: "conv2", 6: "conv3", 10: "head:category"}  # of torch and of netwright


def main() -> int:
    """Trains the same network on either side and asks both the same photographs."""
    proof = Proof(__file__, "weights of torch, safetensors and npz in and out, answers compared on photographs", (4, 4))
    archive = data("cifar10_jpeg", "cifar10_jpeg.tar.xz")
    proof.part("photos", partial(laid_out, archive, 200))
    photos = proof.folder / "photos"
    into = proof.part("in", lambda place: _into(proof, photos, place))
    worst = max(into["off"].values())  # type: ignore[union-attr]
    proof.check(f"{into['taken']}", "4 of 4 layers taken" in str(into["taken"]))
    proof.check(f"of {into['asked']} photographs no share differs by more than {worst:.0e}", worst < 1e-5)
    out = proof.part("out", lambda place: _out(proof, photos, place))
    proof.check(f"in onnxruntime no share differs by more than {out['onnx']:.0e}", float(out["onnx"]) < 1e-5)  # type: ignore[arg-type]
    proof.check(f"in torch no share differs by more than {out['off']:.0e}", float(out["off"]) < 1e-5)  # type: ignore[arg-type]
    proof.check(f"a state dict holds the same {out['written']} tensors", out["written"] == 2 * len(LAYERS))
    old = proof.part("legacy", lambda place: _legacy(proof, archive, place))
    told = ", ".join(f"{name} {right:.1f} %" for name, right in old["right"].items())  # type: ignore[union-attr]
    proof.check(f"published weights know the test pictures: {told}", min(old["right"].values()) > 75)  # type: ignore[union-attr]
    keras = proof.part("keras", lambda place: _keras(proof, place))
    proof.check(
        f"MobileNet's file of Keras, {keras['said']}: {keras['same']} tensors are those of its npz",
        keras["same"] == keras["of"] and int(keras["of"]) > 0,
    )  # type: ignore[call-overload]
    proof.row(
        "K01",
        "Packages and interchange",
        "netwright zoo add weights.pth --net convnetjs --size-px 32 32 --pixels 0..1 --classes classes.txt",
        f"a network trained in plain torch, as {', '.join(into['off'])}, gives {into['asked']} photographs the same "  # type: ignore[arg-type]
        f"probabilities within {worst:.0e}; a model file opened with safetensors alone does so in torch within "
        f"{out['off']:.0e}, and the state dict that `netwright export RUN --save model.pth` writes holds the same; "
        f"written as model.onnx, onnxruntime within {out['onnx']:.0e}, given raw pixels; published weights in torch's "
        f"old form know of 10,000 test pictures, which are JPEGs here, {told}; MobileNet's h5 of Keras gives the "
        f"{keras['of']} tensors of its npz",
    )
    return proof.end()


def _network() -> nn.Sequential:
    """ConvNetJS's network for CIFAR-10 as one writes it in torch."""
    return nn.Sequential(
        *(nn.Conv2d(3, 16, 5, padding=2), nn.ReLU(), nn.MaxPool2d(2)),
        *(nn.Conv2d(16, 20, 5, padding=2), nn.ReLU(), nn.MaxPool2d(2)),
        *(nn.Conv2d(20, 20, 5, padding=2), nn.ReLU(), nn.MaxPool2d(2)),
        nn.Flatten(),
        nn.Linear(320, 10),
    )


def _pixels(files: list[Path]) -> Tensor:
    """Photographs between 0 and 1, (photograph, 3, 32, 32)."""
    pixels = np.stack([np.asarray(Image.open(path).convert("RGB")) for path in files])
    return torch.from_numpy(pixels).permute(0, 3, 1, 2).float() / 255


def _shares(network: nn.Module, pixels: Tensor) -> np.ndarray:
    with torch.no_grad():
        return network.eval()(pixels).softmax(dim=1).numpy()


def _answered(proof: Proof, model: str, files: list[Path], classes: list[str]) -> np.ndarray:
    """Probabilities that netwright gives, (photograph, class)."""
    named = " ".join(f"'{path}'" for path in files)
    rows = json.loads(proof.say(f"netwright predict '{model}' {named} --json").text)
    return np.array([[row[f"category:{label}"] for label in classes] for row in rows])


def _some(photos: Path) -> list[Path]:
    every = sorted(photos.rglob("*.jpg"))
    return every[:: len(every) // ASKED][:ASKED]


def _into(proof: Proof, photos: Path, place: Path) -> Plain:
    place.mkdir(parents=True)
    classes = sorted(path.name for path in photos.iterdir())
    files = sorted(photos.rglob("*.jpg"))
    pixels, labels = _pixels(files), torch.tensor([classes.index(path.parent.name) for path in files])
    torch.manual_seed(0)
    network = _network()
    optimizer = torch.optim.Adam(network.parameters(), 0.003)
    for _ in range(5):
        for some in torch.randperm(len(files)).split(50):
            optimizer.zero_grad()
            nn.functional.cross_entropy(network(pixels[some]), labels[some]).backward()
            optimizer.step()
    weights = network.state_dict()
    torch.save(weights, place / "weights.pth")
    save_file(weights, place / "weights.safetensors")
    np.savez(place / "weights.npz", **{name: value.numpy() for name, value in weights.items()})
    (place / "classes.txt").write_text("\n".join(classes), encoding="utf-8")
    example = (torch.zeros(2, 3, 32, 32),)
    torch.onnx.export(network.eval(), example, str(place / "weights.onnx"), dynamo=True, external_data=False)
    wanted = _shares(network, _pixels(_some(photos)))
    off, taken, zoo = {}, "", {"NETWRIGHT_ZOO": str(place / "zoo")}
    for form in ("pth", "safetensors", "npz", "onnx"):
        words = f"--net convnetjs --size-px 32 32 --pixels 0..1 --classes '{place / 'classes.txt'}' --name {form}"
        taken = proof.say(f"netwright zoo add '{place / f'weights.{form}'}' {words}", env=zoo).text.splitlines()[0]
        model = str(place / "zoo" / f"{form}.netwright")
        off[form] = float(np.abs(_answered(proof, model, _some(photos), classes) - wanted).max())
    return {"off": off, "taken": taken, "asked": len(wanted)}


def _out(proof: Proof, photos: Path, place: Path) -> Plain:
    """A trained model file's tensors in the network of torch, its preprocessing read from the same file."""
    proof.train(f"'{photos}' {IN} --net convnetjs --epochs 3", place)
    network = _network()
    with safe_open(place / "model.netwright", "pt") as file:
        header = json.loads(file.metadata()["netwright"])
        network.load_state_dict(
            {
                f"{at}.{kind}": file.get_tensor(f"weights/parts.{layer}.{kind}")
                for at, layer in LAYERS.items()
                for kind in ("weight", "bias")
            }
        )
    proof.say(f"netwright export '{place}' --save '{place / 'model.pth'}'")
    written = torch.load(place / "model.pth", weights_only=True)
    alike = all(
        torch.equal(written[f"{layer.removeprefix('head:')}.{kind}"], network.state_dict()[f"{at}.{kind}"])
        for at, layer in LAYERS.items()
        for kind in ("weight", "bias")
    )
    (image,), (category,) = header["inputs"], header["outputs"]
    mean, std = (torch.tensor(image[key])[:, None, None] for key in ("mean", "std"))
    wanted = _shares(network, (_pixels(_some(photos)) - mean) / std)
    answered = _answered(proof, str(place), _some(photos), category["vocabulary"])
    proof.say(f"netwright export '{place}' --save '{place / 'model.onnx'}'")
    session = onnxruntime.InferenceSession(str(place / "model.onnx"))
    raw = np.stack([np.asarray(Image.open(path).convert("RGB")) for path in _some(photos)])
    (elsewhere,) = session.run(None, {"image": raw})
    return {
        "off": float(np.abs(answered - wanted).max()),
        "onnx": float(np.abs(answered - elsewhere).max()),
        "written": len(written) if alike else 0,
    }


def _legacy(proof: Proof, archive: Path, place: Path) -> Plain:
    """Residual networks that somebody trained on CIFAR-10 and kept with torch's old pickles, on its test pictures."""
    test = place / "test"
    with tarfile.open(archive) as opened:
        for member in opened:
            stream = opened.extractfile(member)
            if stream is not None and member.name.startswith("test/"):
                file = place / member.name
                file.parent.mkdir(parents=True, exist_ok=True)
                file.write_bytes(stream.read())
    names = place / "classes.txt"
    names.write_text("\n".join(sorted(path.name for path in test.iterdir())), encoding="utf-8")
    zoo, right = {"NETWRIGHT_ZOO": str(place / "zoo")}, {}
    for name, depth in (("resnet20-12fca82f", 20), ("resnet32-d509ac18", 32)):
        words = f"--net '{{name: cifar_resnet, depth: {depth}}}' --size-px 32 32 --pixels imagenet --classes '{names}'"
        weights = data("weights_cifar_resnet", f"{name}.th")
        proof.say(f"netwright zoo add '{weights}' {words} --name resnet{depth}", env=zoo)
        found = json.loads(proof.say(f"netwright evaluate resnet{depth} --data '{test}' --json", env=zoo).text)
        right[f"ResNet-{depth}"] = 100 * found["scores"]["category"]["accuracy"]
    return {"right": right}


def _keras(proof: Proof, place: Path) -> Plain:
    """MobileNet as Keras keeps it, beside the same weights as arrays of numpy."""
    zoo, said, held = {"NETWRIGHT_ZOO": str(place / "zoo")}, "", []
    for name in ("mobilenet_2_5_224_tf_no_top.h5", "mobilenet_v1_025_224_notop.npz"):
        file = data("weights_mobilenet025", name)
        words = f"--net '{{name: mobilenet, width: 0.25}}' --pixels=-1..1 --name {file.suffix[1:]}"
        said = proof.say(f"netwright zoo add '{file}' {words}", env=zoo).text.splitlines()[0]
        with safe_open(place / "zoo" / f"{file.suffix[1:]}.netwright", "pt") as opened:
            names = [each for each in opened.keys() if each.startswith("weights/")]  # noqa: SIM118
            held.append({each: opened.get_tensor(each) for each in names})
    ours, theirs = held
    same = sum(name in theirs and torch.equal(tensor, theirs[name]) for name, tensor in ours.items())
    return {"said": said, "same": same, "of": len(theirs)}


if __name__ == "__main__":
    sys.exit(main())
