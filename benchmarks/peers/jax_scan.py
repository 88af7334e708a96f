"""JAX by itself: an update under `jit`, or a whole epoch of them under `lax.scan`."""

from __future__ import annotations

from collections.abc import Sequence

import child
import jax
import jax.numpy as jnp
import numpy as np

child.pin()
Weights = list[tuple[jax.Array, jax.Array]]


def initial() -> Weights:
    """Weights drawn as torch draws them."""
    drawn: Weights = []
    sizes = ((child.WIDTH, child.HIDDEN), (child.HIDDEN, child.CLASSES))
    for key, (wide, out) in zip(jax.random.split(jax.random.key(0), len(sizes)), sizes, strict=True):
        bound = wide**-0.5
        first, second = jax.random.split(key)
        drawn.append(
            (
                jax.random.uniform(first, (wide, out), minval=-bound, maxval=bound),
                jax.random.uniform(second, (out,), minval=-bound, maxval=bound),
            )
        )
    return drawn


def logits(weights: Weights, x: jax.Array) -> jax.Array:
    """What the network gives for a batch."""
    (first, bias), (second, shift) = weights
    return jax.nn.relu(x @ first + bias) @ second + shift


def loss(weights: Weights, x: jax.Array, y: jax.Array) -> jax.Array:
    """Mean cross-entropy of a batch."""
    return -jnp.mean(jnp.take_along_axis(jax.nn.log_softmax(logits(weights, x)), y[:, None], axis=1))


def update(weights: Weights, x: jax.Array, y: jax.Array) -> Weights:
    """One step of gradient descent."""
    return jax.tree.map(lambda weight, slope: weight - child.LR * slope, weights, jax.grad(loss)(weights, x, y))


def quick(x: np.ndarray, y: np.ndarray) -> child.Peer:
    """An update under `jit` for each batch of a torch DataLoader that stacks NumPy arrays.

    Source: https://docs.jax.dev/en/latest/notebooks/Neural_Network_and_Data_Loading.html
    """
    from torch.utils import data  # the scan does without it

    def stacked(batch: Sequence[tuple[np.ndarray, np.int64]]) -> tuple[np.ndarray, np.ndarray]:
        images, classes = data.default_collate(batch)
        return np.asarray(images), np.asarray(classes)

    pairs = list(zip(x, y, strict=True))
    batches = data.DataLoader(pairs, batch_size=child.BATCH, shuffle=True, collate_fn=stacked)  # type: ignore[arg-type]
    step, held = jax.jit(update), [initial()]

    def train(epochs: int) -> None:
        for _ in range(epochs):
            for images, classes in batches:
                held[0] = step(held[0], images, classes)
        jax.block_until_ready(held[0])

    return child.Peer(train, lambda images: np.asarray(logits(held[0], images).argmax(1)))


def fast(x: np.ndarray, y: np.ndarray) -> child.Peer:
    """An epoch is one call: `lax.scan` over the batches of a permutation, and the smaller last batch after it.

    Source: https://docs.jax.dev/en/latest/_autosummary/jax.lax.scan.html
    """
    images, classes, whole = jnp.asarray(x), jnp.asarray(y), len(x) // child.BATCH * child.BATCH
    held, random = [initial()], np.random.default_rng(0)

    @jax.jit
    def epoch(weights: Weights, images: jax.Array, classes: jax.Array, order: jax.Array) -> Weights:
        def one(weights: Weights, pick: jax.Array) -> tuple[Weights, None]:
            return update(weights, images[pick], classes[pick]), None

        weights, _ = jax.lax.scan(one, weights, order[:whole].reshape(-1, child.BATCH))
        return one(weights, order[whole:])[0] if whole < len(x) else weights

    def train(epochs: int) -> None:
        for _ in range(epochs):
            held[0] = epoch(held[0], images, classes, random.permutation(len(x)))
        jax.block_until_ready(held[0])

    return child.Peer(train, lambda images: np.asarray(logits(held[0], images).argmax(1)))


if __name__ == "__main__":
    child.serve(["jax"], quick=quick, fast=fast)
