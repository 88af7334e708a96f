"""JAX by itself: an update under `jit`, or a whole epoch of them under `lax.scan`."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from functools import partial

import child
import jax
import jax.numpy as jnp
import numpy as np

child.pin()
Weights = list[tuple[jax.Array, jax.Array]]
Update = Callable[[Weights, jax.Array, jax.Array], Weights]


def initial(work: child.Work) -> Weights:
    """Weights drawn as torch draws them; those of a convolution as (height, width, channel, filter)."""
    drawn: Weights = []
    steps = [step for step in work.steps() if step.word in ("conv", "dense")]
    for key, step in zip(jax.random.split(jax.random.key(0), len(steps)), steps, strict=True):
        out, *of = step.numbers
        sides = (of[0], of[0], step.shape[0]) if step.word == "conv" else (child.width(step.shape),)
        bound = child.width(sides) ** -0.5
        first, second = jax.random.split(key)
        drawn.append(
            (
                jax.random.uniform(first, (*sides, out), minval=-bound, maxval=bound),
                jax.random.uniform(second, (out,), minval=-bound, maxval=bound),
            )
        )
    return drawn


def logits(work: child.Work, weights: Weights, x: jax.Array) -> jax.Array:
    """What the network gives for a batch."""
    left = iter(weights)
    for step in work.steps():
        match step.word, step.numbers:
            case "conv", (_, _, pad):
                kernel, bias = next(left)
                order, rims = ("NHWC", "HWIO", "NHWC"), ((pad, pad), (pad, pad))
                x = jax.lax.conv_general_dilated(x, kernel, (1, 1), rims, dimension_numbers=order) + bias
            case "pool", (size,):
                # The derivative of a maximum over an axis is faster on a CPU than that of `lax.reduce_window`.
                count, height, width, channel = x.shape
                x = x.reshape(count, height // size, size, width // size, size, channel).max((2, 4))
            case "dense", _:
                kernel, bias = next(left)
                x = x.reshape(len(x), -1) @ kernel + bias
            case _:
                x = jax.nn.relu(x)
    return x


def update_of(work: child.Work) -> Update:
    """One step of gradient descent on the mean cross-entropy of a batch."""

    def loss(weights: Weights, x: jax.Array, y: jax.Array) -> jax.Array:
        return -jnp.mean(jnp.take_along_axis(jax.nn.log_softmax(logits(work, weights, x)), y[:, None], axis=1))

    def update(weights: Weights, x: jax.Array, y: jax.Array) -> Weights:
        return jax.tree.map(lambda weight, slope: weight - work.lr * slope, weights, jax.grad(loss)(weights, x, y))

    return update


def quick(work: child.Work, x: np.ndarray, y: np.ndarray) -> child.Peer:
    """An update under `jit` for each batch of a torch DataLoader that stacks NumPy arrays.

    Source: https://docs.jax.dev/en/latest/notebooks/Neural_Network_and_Data_Loading.html
    """
    from torch.utils import data  # the scan does without it

    def stacked(batch: Sequence[tuple[np.ndarray, np.int64]]) -> tuple[np.ndarray, np.ndarray]:
        images, classes = data.default_collate(batch)
        return np.asarray(images), np.asarray(classes)

    pairs = list(zip(child.channels_last(x), y, strict=True))
    batches = data.DataLoader(pairs, batch_size=work.batch, shuffle=True, collate_fn=stacked)  # type: ignore[arg-type]
    step, held = jax.jit(update_of(work)), [initial(work)]

    def train(epochs: int) -> None:
        for _ in range(epochs):
            for images, classes in batches:
                held[0] = step(held[0], images, classes)
        jax.block_until_ready(held[0])

    return child.Peer(train, _answering(work, held))


def fast(work: child.Work, x: np.ndarray, y: np.ndarray) -> child.Peer:
    """An epoch is one call: `lax.scan` over the batches of a permutation, and the smaller last batch after it.

    Convolutions are many times as slow within a scan on a CPU (docs/log.md): they have a call for each batch, which is
    gathered within it.

    Source: https://docs.jax.dev/en/latest/_autosummary/jax.lax.scan.html
    """
    images, classes = jnp.asarray(child.channels_last(x)), jnp.asarray(y)
    held, random, update = [initial(work)], np.random.default_rng(0), update_of(work)

    def one(weights: Weights, images: jax.Array, classes: jax.Array, pick: jax.Array) -> Weights:
        return update(weights, images[pick], classes[pick])

    whole = len(x) // work.batch * work.batch

    @jax.jit
    def scanned(weights: Weights, images: jax.Array, classes: jax.Array, order: jax.Array) -> Weights:
        picks = order[:whole].reshape(-1, work.batch)
        weights, _ = jax.lax.scan(lambda now, pick: (one(now, images, classes, pick), None), weights, picks)
        return one(weights, images, classes, order[whole:]) if whole < len(x) else weights

    step = jax.jit(one)

    def called(weights: Weights, images: jax.Array, classes: jax.Array, order: np.ndarray) -> Weights:
        for start in range(0, len(order), work.batch):
            weights = step(weights, images, classes, order[start : start + work.batch])
        return weights

    epoch = called if x.ndim == 4 else scanned

    def train(epochs: int) -> None:
        for _ in range(epochs):
            held[0] = epoch(held[0], images, classes, random.permutation(len(x)))
        jax.block_until_ready(held[0])

    return child.Peer(train, _answering(work, held))


def _answering(work: child.Work, held: list[Weights]) -> Callable[[np.ndarray], np.ndarray]:
    answer = jax.jit(partial(logits, work))
    return lambda images: np.asarray(answer(held[0], child.channels_last(images)).argmax(1))


if __name__ == "__main__":
    child.serve(["jax"], quick=quick, fast=fast)
