"""A plain PyTorch loop over a DataLoader."""

from __future__ import annotations

import child
import numpy as np
import resnet18
import torch
from torch import Tensor, nn
from torch.nn import functional
from torch.utils.data import BatchSampler, DataLoader, RandomSampler, TensorDataset

NETS = {"resnet18": resnet18.ResNet18}  # networks with branches
OPTIMIZERS = {"sgd": torch.optim.SGD, "adam": torch.optim.Adam}


class OneHot(nn.Module):
    """A column for each class, 1 in that of a step's own code.

    Args:
        classes: How many there are.
    """

    def __init__(self, classes: int) -> None:
        super().__init__()
        self.classes = classes

    def forward(self, x: Tensor) -> Tensor:
        """`(batch, step, class)` of codes `(batch, step)`."""
        return functional.one_hot(x, self.classes).float()


class Lstm(nn.Module):
    """An LSTM layer alone; it begins with zeros, as `nn.LSTM` does where no state is given.

    Args:
        width: Numbers that come in at each step.
        units: Of its state.

    Source: https://docs.pytorch.org/tutorials/beginner/nlp/sequence_models_tutorial.html
    """

    def __init__(self, width: int, units: int) -> None:
        super().__init__()
        self.cells = nn.LSTM(width, units, batch_first=True)

    def forward(self, x: Tensor) -> Tensor:
        """What the units say after every step."""
        return self.cells(x)[0]


def network(work: child.Work, *, fast: bool = False) -> nn.Module:
    """The network that all peers train; the weights of its convolutions channels last where it shall be fast.

    Of sequences it gives the logits of all steps end to end.

    Source: https://docs.pytorch.org/tutorials/intermediate/memory_format_tutorial.html
    """
    if work.layers in NETS:
        net: nn.Module = NETS[work.layers](work.shape[0], work.classes)
    else:
        net = nn.Sequential(*(module for step in work.steps() for module in _modules(step)))
    return net.to(memory_format=torch.channels_last) if fast else net  # type: ignore[call-overload]


def _modules(step: child.Step) -> list[nn.Module]:
    match step.word, step.numbers:
        case "conv", (filters, size, pad):
            return [nn.Conv2d(step.shape[0], filters, size, padding=pad)]
        case "pool", (size,):
            return [nn.MaxPool2d(size)]
        case "dense", (width,):
            steps = len(step.shape) == 2  # a layer at each of them
            flat: list[nn.Module] = [nn.Flatten(0, 1)] if steps else [nn.Flatten()] if len(step.shape) > 1 else []
            return [*flat, nn.Linear(child.width(step.shape[steps:]), width)]
        case "one_hot", (classes,):
            return [OneHot(classes)]
        case "lstm", (units,):
            return [Lstm(step.shape[1], units)]
        case _:
            return [nn.ReLU()]


def held(x: np.ndarray, y: np.ndarray, *, fast: bool) -> TensorDataset:
    """The examples as tensors; pictures channels last where it shall be fast."""
    images = torch.from_numpy(x)
    if fast and images.ndim == 4:
        images = images.contiguous(memory_format=torch.channels_last)
    return TensorDataset(images, torch.from_numpy(y))


def loaded(work: child.Work, x: np.ndarray, y: np.ndarray, *, fast: bool) -> DataLoader[tuple[Tensor, Tensor]]:
    """The examples in shuffled batches: one by one and stacked, or a whole batch gathered at once."""
    examples = held(x, y, fast=fast)
    if not fast:
        return DataLoader(examples, batch_size=work.batch, shuffle=True)
    picks = BatchSampler(RandomSampler(examples), work.batch, drop_last=False)
    return DataLoader(examples, batch_size=None, sampler=picks)


def answers(net: nn.Module, images: np.ndarray) -> np.ndarray:
    """The class that a network gives each image, or each step of each text."""
    net.eval()
    with torch.no_grad():
        found = net(torch.from_numpy(images)).argmax(1).numpy()
    net.train()
    return found


def quick(work: child.Work, x: np.ndarray, y: np.ndarray) -> child.Peer:
    """The tutorial's `fit`: every batch adds its `loss.item()`.

    Source: https://docs.pytorch.org/tutorials/beginner/nn_tutorial.html
    """
    net, batches = network(work), loaded(work, x, y, fast=False)
    optimizer = OPTIMIZERS[work.optimizer](net.parameters(), lr=work.lr)

    def train(epochs: int) -> None:
        for _ in range(epochs):
            net.train()
            total = 0.0
            for images, classes in batches:
                loss = functional.cross_entropy(net(images), classes.flatten())
                loss.backward()
                optimizer.step()
                optimizer.zero_grad()
                total += loss.item() * len(images)
            print(total / len(x))

    return child.Peer(train, lambda images: answers(net, images))


def fast(work: child.Work, x: np.ndarray, y: np.ndarray) -> child.Peer:
    """Batches that the sampler names and the data set gathers at once, a fused optimizer, and no `item()`.

    Source: https://docs.pytorch.org/docs/stable/data.html
        https://docs.pytorch.org/docs/stable/generated/torch.optim.SGD.html
        https://docs.pytorch.org/docs/stable/amp.html
    """
    torch.set_flush_denormal(True)
    precision = child.precision()
    net, batches = network(work, fast=True), loaded(work, x, y, fast=True)
    optimizer = OPTIMIZERS[work.optimizer](net.parameters(), lr=work.lr, fused=True)

    def train(epochs: int) -> None:
        for _ in range(epochs):
            for images, classes in batches:
                with torch.autocast("cpu", torch.bfloat16, enabled=precision == "bfloat16"):
                    loss = functional.cross_entropy(net(images), classes.flatten())
                optimizer.zero_grad(set_to_none=True)
                loss.backward()
                optimizer.step()

    return child.Peer(train, lambda images: answers(net, images), precision)


if __name__ == "__main__":
    child.serve(["torch"], quick=quick, fast=fast)
