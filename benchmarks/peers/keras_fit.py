"""Keras's `fit`, on the backend that KERAS_BACKEND names."""

from __future__ import annotations

import os

import child
import keras
import numpy as np
from keras import layers

BACKEND = keras.backend.backend()
if BACKEND == "jax":
    child.pin()
STEPS_AT_ONCE = 32


def network() -> keras.Model:
    """The network that all peers train, giving logits."""
    return keras.Sequential(
        [keras.Input((child.WIDTH,)), layers.Dense(child.HIDDEN, activation="relu"), layers.Dense(child.CLASSES)]
    )


def quick(x: np.ndarray, y: np.ndarray) -> child.Peer:
    """`compile` with a metric and `fit` as they come.

    Source: https://keras.io/getting_started/intro_to_keras_for_engineers/
    """
    net = network()
    net.compile(
        optimizer=keras.optimizers.SGD(child.LR),
        loss=keras.losses.SparseCategoricalCrossentropy(from_logits=True),
        metrics=[keras.metrics.SparseCategoricalAccuracy(name="acc")],
    )

    def train(epochs: int) -> None:
        net.fit(x, y, batch_size=child.BATCH, epochs=epochs)

    return child.Peer(train, lambda images: net.predict(images, verbose=0).argmax(1))


def fast(x: np.ndarray, y: np.ndarray) -> child.Peer:
    """Silent, without metrics; on JAX many steps for each call, which the torch backend does not know.

    Source: https://keras.io/api/models/model_training_apis/
    """
    net = network()
    net.compile(
        optimizer=keras.optimizers.SGD(child.LR),
        loss=keras.losses.SparseCategoricalCrossentropy(from_logits=True),
        steps_per_execution=STEPS_AT_ONCE if BACKEND == "jax" and len(x) > child.BATCH else 1,
    )

    def train(epochs: int) -> None:
        net.fit(x, y, batch_size=child.BATCH, epochs=epochs, verbose=0)

    return child.Peer(train, lambda images: net.predict(images, verbose=0).argmax(1))


if __name__ == "__main__":
    child.serve(["keras", os.environ["KERAS_BACKEND"]], quick=quick, fast=fast)
