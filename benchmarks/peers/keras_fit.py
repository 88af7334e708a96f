"""Keras's `fit`, on the backend that KERAS_BACKEND names."""

from __future__ import annotations

import os
from itertools import pairwise

import child
import keras
import numpy as np
from keras import layers

BACKEND = keras.backend.backend()
if BACKEND == "jax":
    child.pin()
STEPS_AT_ONCE = 32
OPTIMIZERS = {"sgd": keras.optimizers.SGD, "adam": keras.optimizers.Adam}


def network(work: child.Work) -> keras.Model:
    """The network that all peers train, giving logits; pictures come channels last, as is Keras's default.

    Recurrent layers begin with zeros in each window, as they do unless they are made stateful.

    Source: https://keras.io/guides/sequential_model/; https://keras.io/guides/working_with_rnns/.
    """
    if work.layers == "resnet18":
        return resnet18(work)
    steps = list(work.steps())
    made = [layer for step, after in pairwise([*steps, None]) for layer in _layers(step, after)]
    codes = "int32" if steps[0].word == "one_hot" else None
    return keras.Sequential([keras.Input((*work.shape[1:], work.shape[0]), dtype=codes), *made])


def resnet18(work: child.Work) -> keras.Model:
    """ResNet-18 for small pictures in the functional form of the guide, weights drawn as Keras draws them.

    Source: https://keras.io/guides/functional_api/; He, Zhang, Ren, Sun 2015, arXiv:1512.03385, table 1.
    """

    def norm(x: keras.KerasTensor) -> keras.KerasTensor:
        return layers.BatchNormalization(momentum=0.9, epsilon=1e-5)(x)

    def conv(x: keras.KerasTensor, filters: int, size: int, stride: int = 1) -> keras.KerasTensor:
        return norm(layers.Conv2D(filters, size, stride, padding="same", use_bias=False)(x))

    images = keras.Input((*work.shape[1:], work.shape[0]))
    x = layers.ReLU()(conv(images, 64, 3))
    for filters, stride in ((64, 1), (64, 1), (128, 2), (128, 1), (256, 2), (256, 1), (512, 2), (512, 1)):
        around = x if x.shape[-1] == filters else conv(x, filters, 1, stride)
        x = layers.ReLU()(conv(x, filters, 3, stride))
        x = layers.ReLU()(layers.add([conv(x, filters, 3), around]))
    return keras.Model(images, layers.Dense(work.classes)(layers.GlobalAveragePooling2D()(x)))


def _layers(step: child.Step, after: child.Step | None) -> list[keras.Layer]:
    """A relu is its layer's own activation, as the guide writes it."""
    activation = "relu" if after and after.word == "relu" else None
    match step.word, step.numbers:
        case "conv", (filters, size, pad) if size == 2 * pad + 1:
            return [layers.Conv2D(filters, size, padding="same", activation=activation)]
        case "pool", (size,):
            return [layers.MaxPooling2D(size)]
        case "dense", (width,):
            flat = [layers.Flatten()] if len(step.shape) == 3 else []
            return [*flat, layers.Dense(width, activation=activation)]
        case "one_hot", (classes,):
            return [layers.CategoryEncoding(num_tokens=classes, output_mode="one_hot")]
        case "lstm", (units,):
            return [layers.LSTM(units, return_sequences=True)]
        case "relu", ():
            return []
    raise ValueError(
        f"{step.word} {step.numbers} is no layer of Keras: a convolution there keeps the size or has no rim"
    )


def answers(net: keras.Model, images: np.ndarray) -> np.ndarray:
    """The class that a network gives each image, or each step of each text."""
    return net.predict(child.channels_last(images), verbose=0).argmax(-1)


def quick(work: child.Work, x: np.ndarray, y: np.ndarray) -> child.Peer:
    """`compile` with a metric and `fit` as they come.

    Source: https://keras.io/getting_started/intro_to_keras_for_engineers/
    """
    net, x = network(work), child.channels_last(x)
    net.compile(
        optimizer=OPTIMIZERS[work.optimizer](work.lr),
        loss=keras.losses.SparseCategoricalCrossentropy(from_logits=True),
        metrics=[keras.metrics.SparseCategoricalAccuracy(name="acc")],
    )

    def train(epochs: int) -> None:
        net.fit(x, y, batch_size=work.batch, epochs=epochs)

    return child.Peer(train, lambda images: answers(net, images))


def fast(work: child.Work, x: np.ndarray, y: np.ndarray) -> child.Peer:
    """Silent, without metrics; on JAX many steps for each call, which the torch backend does not know.

    Source: https://keras.io/api/models/model_training_apis/
        https://keras.io/api/mixed_precision/
    """
    precision = child.precision()
    if precision == "bfloat16":
        keras.mixed_precision.set_global_policy("mixed_bfloat16")
    net, x = network(work), child.channels_last(x)
    net.compile(
        optimizer=OPTIMIZERS[work.optimizer](work.lr),
        loss=keras.losses.SparseCategoricalCrossentropy(from_logits=True),
        steps_per_execution=STEPS_AT_ONCE if BACKEND == "jax" and len(x) > work.batch else 1,
    )

    def train(epochs: int) -> None:
        net.fit(x, y, batch_size=work.batch, epochs=epochs, verbose=0)

    return child.Peer(train, lambda images: answers(net, images), precision)


if __name__ == "__main__":
    child.serve(["keras", os.environ["KERAS_BACKEND"]], quick=quick, fast=fast)
