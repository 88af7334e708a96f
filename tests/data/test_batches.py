from pathlib import Path

import numpy as np
import pytest
import torch
from PIL import Image

from netwright import spec
from netwright.data import batches, dataset


@pytest.fixture(scope="module")
def table() -> dataset.Dataset:
    random = np.random.default_rng(0)
    rows = {
        "a": random.normal(size=103),
        "town": np.array(["x", "y", "z"])[random.integers(0, 3, 103)],
        "b": random.normal(size=103),
        "price": random.normal(size=103),
        "label": np.array(["no", "yes"])[random.integers(0, 2, 103)],
    }
    return dataset.prepare(spec.load("{outputs: [price, label]}"), data=rows)


@pytest.fixture
def mixed(tmp_path: Path) -> dataset.Dataset:
    random = np.random.default_rng(0)
    pictures = random.integers(0, 256, (40, 6, 5, 3)).astype(np.uint8)
    rows = {"photo": pictures, "age": random.normal(size=40), "label": np.array(["no", "yes"] * 20)}
    return dataset.prepare(spec.load("{outputs: [label]}"), data=rows)


def feed(data: dataset.Dataset, **settings: object) -> batches.Batches:
    defaults = {"part": "train", "batch_size": 16, "seed": 0, "shuffle": True, "resident": True}
    return batches.Batches(data, **{**defaults, **settings})


def test_order_is_a_pure_function() -> None:
    assert batches.order(3, 5, 100).tolist() == batches.order(3, 5, 100).tolist()
    assert batches.order(3, 5, 100).tolist() != batches.order(3, 6, 100).tolist()
    assert batches.order(3, 5, 100).tolist() != batches.order(4, 5, 100).tolist()


def test_identities_stand_together_and_each_example_comes_once() -> None:
    codes = np.arange(3000) % 1000  # three of each
    order = batches.packed(3, 5, codes)
    assert sorted(order.tolist()) == list(range(3000))
    assert order.tolist() == batches.packed(3, 5, codes).tolist()
    assert order.tolist() != batches.packed(3, 6, codes).tolist()
    assert (codes[order].reshape(1000, 3) == codes[order].reshape(1000, 3)[:, :1]).all()
    assert len(set(codes[order][:64])) == 22
    few = np.array([0] * 11 + [1] + [2] * 4)
    for epoch in range(10):
        runs = "".join(map(str, few[batches.packed(0, epoch, few)]))
        assert "0" * 7 in runs  # four, and the rest of eleven
        assert "2222" in runs


def test_identities_that_come_out_are_packed_and_held_out_ones_are_not() -> None:
    rows = {"a": np.random.default_rng(0).normal(size=600), "who": np.array([f"p{k:03d}" for k in range(200)] * 3)}
    data = dataset.prepare(
        spec.load("{outputs: {who: {kind: identity}}, data: {split: {parts: [1, 0, 0]}}}"), data=rows
    )
    batch = next(feed(data, batch_size=30).epoch(0))
    assert batch.targets["who"].dtype == torch.int64
    assert sorted(np.bincount(batch.targets["who"])[np.unique(batch.targets["who"])].tolist()) == [3] * 10
    assert next(feed(data, shuffle=False).epoch(0)).index.tolist() == list(range(16))


def test_flat_fields_share_one_table_in_their_order(table: dataset.Dataset) -> None:
    groups = batches.groups(table.inputs)
    assert {name: [field.name for field in of] for name, of in groups.items()} == {"table": ["a", "town", "b"]}
    batch = next(feed(table).epoch(1))
    assert batch.inputs["table"].shape == (16, 5)
    assert batch.inputs["table"].dtype == torch.float32
    assert batch.inputs["table"][:, 1:4].sum(dim=1).tolist() == [1.0] * 16


def test_targets_come_in_their_own_units(table: dataset.Dataset) -> None:
    batch = next(feed(table).epoch(1))
    assert batch.targets["label"].dtype == torch.int64
    expected = np.asarray(table.arrays["price"])[batch.index.numpy()].astype(np.float32)
    assert batch.targets["price"].numpy().tolist() == expected.tolist()


def test_every_example_comes_once_and_the_last_batch_is_small(table: dataset.Dataset) -> None:
    source = feed(table)
    sizes = [len(batch.index) for batch in source.epoch(1)]
    seen = torch.cat([batch.index for batch in source.epoch(1)])
    assert len(sizes) == source.steps == -(-len(source) // 16)
    assert sizes[-1] == len(source) % 16
    assert sorted(seen.tolist()) == table.parts["train"].tolist()


def test_epoch_taken_up_in_the_middle_goes_on_alike(table: dataset.Dataset) -> None:
    for resident in (True, False):
        source = feed(table, resident=resident)
        whole = [batch.index.tolist() for batch in source.epoch(2)]
        assert [batch.index.tolist() for batch in source.epoch(2, start_step=3)] == whole[3:]


@pytest.mark.parametrize("shuffle", [True, False])
@pytest.mark.parametrize("channels_last", [True, False])
def test_memory_and_map_give_the_same_bits(mixed: dataset.Dataset, shuffle: bool, channels_last: bool) -> None:
    held = feed(mixed, shuffle=shuffle, channels_last=channels_last).epoch(1)
    streamed = feed(mixed, shuffle=shuffle, channels_last=channels_last, resident=False).epoch(1)
    for one, other in zip(held, streamed, strict=True):
        assert one.inputs.keys() == other.inputs.keys() == {"photo", "table"}
        assert all(torch.equal(one.inputs[name], other.inputs[name]) for name in one.inputs)
        assert torch.equal(one.targets["label"], other.targets["label"])
        assert torch.equal(one.index, other.index)


def test_channels_last_changes_only_the_layout(mixed: dataset.Dataset) -> None:
    plain, last = next(feed(mixed).epoch(1)), next(feed(mixed, channels_last=True).epoch(1))
    assert plain.inputs["photo"].shape == (16, 3, 6, 5)
    assert plain.inputs["photo"].is_contiguous()
    assert last.inputs["photo"].is_contiguous(memory_format=torch.channels_last)
    assert torch.equal(plain.inputs["photo"], last.inputs["photo"])


def test_without_shuffle_the_order_is_that_of_the_data(table: dataset.Dataset) -> None:
    seen = torch.cat([batch.index for batch in feed(table, part="test", shuffle=False).epoch(7)])
    assert seen.tolist() == table.parts["test"].tolist()


def test_all_examples_can_be_one_part(table: dataset.Dataset) -> None:
    assert len(feed(table, part="all")) == 103


def test_abandoned_epoch_stops_its_thread(mixed: dataset.Dataset) -> None:
    epoch = feed(mixed, resident=False, batch_size=4).epoch(1)
    next(epoch)
    epoch.close()
    assert len(list(feed(mixed, resident=False, batch_size=4).epoch(1))) == feed(mixed, batch_size=4).steps


def test_batch_size_below_one_is_refused(table: dataset.Dataset) -> None:
    with pytest.raises(ValueError, match="batch_size is 0, expected at least 1"):
        feed(table, batch_size=0)


def test_pictures_decoded_per_batch_equal_the_mapped_ones(tmp_path: Path) -> None:
    random = np.random.default_rng(0)
    for number in range(300):
        folder = tmp_path / "p" / "ab"[number % 2]
        folder.mkdir(parents=True, exist_ok=True)
        coarse = Image.fromarray(random.integers(0, 256, (4, 4, 3)).astype(np.uint8))
        coarse.resize((96, 96), Image.Resampling.NEAREST).save(folder / f"{number}.png")
    text = f"{{data: {{path: {tmp_path / 'p'}%s}}, inputs: {{image: {{size_px: [96, 96]}}}}, outputs: [category]}}"
    mapped = dataset.prepare(spec.load(text % ""))
    encoded = dataset.prepare(spec.load(text % ", cache_mb: 4"))
    assert type(encoded.arrays["image"]).__name__ == "Encoded"
    settings = {"resident": False, "batch_size": 64}
    for one, other in zip(feed(mapped, **settings).epoch(1), feed(encoded, **settings).epoch(1), strict=True):
        assert torch.equal(one.inputs["image"], other.inputs["image"])
