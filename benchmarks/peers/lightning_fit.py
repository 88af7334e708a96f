"""Lightning's Trainer."""

from __future__ import annotations

import tempfile
import time

import child
import cpu_torchvision  # noqa: F401  (before Lightning, which imports torchvision where it is installed)
import lightning
import numpy as np
import torch
import torch_loader
from torch import Tensor
from torch.nn import functional


class Module(lightning.LightningModule):
    """The network as Lightning wants it, with a clock that leaves out how the Trainer gets ready.

    Args:
        work: What is trained.
        fast: Log nothing, and update with the fused optimizer.
    """

    def __init__(self, work: child.Work, *, fast: bool) -> None:
        super().__init__()
        self.net, self.fast, self.lr = torch_loader.network(work, fast=fast), fast, work.lr
        self.started = self.ended = 0.0

    def training_step(self, batch: tuple[Tensor, Tensor], batch_idx: int) -> Tensor:
        """The loss of one batch."""
        loss = functional.cross_entropy(self.net(batch[0]), batch[1])
        if not self.fast:
            self.log("train_loss", loss)
        return loss

    def configure_optimizers(self) -> torch.optim.Optimizer:
        """Plain gradient descent."""
        return torch.optim.SGD(self.parameters(), lr=self.lr, fused=True if self.fast else None)

    def on_train_start(self) -> None:
        """Starts the clock."""
        self.started = time.perf_counter()

    def on_train_end(self) -> None:
        """Stops it."""
        self.ended = time.perf_counter()


def quick(work: child.Work, x: np.ndarray, y: np.ndarray) -> child.Peer:
    """A Trainer as it comes, with its progress bar, its logger and its checkpoints.

    Source: https://lightning.ai/docs/pytorch/stable/starter/introduction.html
    """
    module, batches = Module(work, fast=False), torch_loader.loaded(work, x, y, fast=False)

    def train(epochs: int) -> float:
        with tempfile.TemporaryDirectory() as folder:
            trainer = lightning.Trainer(max_epochs=epochs, accelerator="cpu", default_root_dir=folder)
            trainer.fit(model=module, train_dataloaders=batches)
        return module.ended - module.started

    return child.Peer(train, lambda images: torch_loader.answers(module.net, images))


def fast(work: child.Work, x: np.ndarray, y: np.ndarray) -> child.Peer:
    """`barebones=True`, which leaves out all that slows the Trainer; batches and optimizer as in torch_loader.py.

    Source: https://lightning.ai/docs/pytorch/stable/common/trainer.html
    """
    torch.set_flush_denormal(True)
    precision = child.precision()
    fine = "bf16-mixed" if precision == "bfloat16" else "32-true"
    module, batches = Module(work, fast=True), torch_loader.loaded(work, x, y, fast=True)

    def train(epochs: int) -> float:
        lightning.Trainer(max_epochs=epochs, accelerator="cpu", precision=fine, barebones=True).fit(module, batches)
        return module.ended - module.started

    return child.Peer(train, lambda images: torch_loader.answers(module.net, images), precision)


if __name__ == "__main__":
    child.serve(["lightning"], quick=quick, fast=fast)
