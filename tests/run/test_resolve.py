"""Every setting left open gets a value and a reason; what cannot be is refused before anything is trained."""

from pathlib import Path

import pytest

from netwright import spec
from netwright.data.dataset import Dataset, prepare
from netwright.errors import SpecError
from netwright.run import resolve


@pytest.fixture
def data(flowers: Path) -> Dataset:
    return prepare(spec.load(f"{{data: {{path: {flowers}}}, outputs: [class]}}"))


def _wanted(training: str = "{}", model: str = "{}") -> spec.Spec:
    return spec.load(f"{{outputs: [class], model: {model}, training: {training}}}")


def test_nothing_is_left_open_and_every_default_has_a_reason(data: Dataset) -> None:
    settled, reasons = resolve.settle(_wanted(), data)
    training = settled.training
    assert settled.model.layers is not None
    assert None not in (
        training.batch_size,
        training.optimizer,
        training.schedule,
        training.stop.epochs,
        training.stop.patience,
    )
    told = {reason.path for reason in reasons}
    assert told >= {
        "training.batch_size", "training.optimizer", "training.schedule",
        "training.stop.epochs", "training.stop.patience",
    }  # fmt: skip
    assert all(reason.why for reason in reasons)


def test_what_is_said_is_kept_and_needs_no_reason(data: Dataset) -> None:
    stop = "{epochs: 3, patience: 0, watch: class}"
    said = f"{{batch_size: all, optimizer: {{name: sgd, lr: 0.5}}, schedule: constant, stop: {stop}}}"
    settled, reasons = resolve.settle(_wanted(said, "{layers: ''}"), data)
    assert settled == _wanted(said, "{layers: ''}")
    assert reasons == []


def test_settling_twice_changes_nothing(data: Dataset) -> None:
    settled, _ = resolve.settle(_wanted(), data)
    assert resolve.settle(settled, data) == (settled, [])


@pytest.mark.parametrize(
    ("examples", "size"), [(1, 16), (105, 16), (1257, 16), (1600, 32), (51_000, 128), (10**9, 128)]
)
def test_batches_are_powers_of_two_between_16_and_128(examples: int, size: int) -> None:
    assert resolve.batch_size(examples) == size


def test_a_decoder_where_nothing_is_written_is_refused(data: Dataset) -> None:
    wish = spec.override(_wanted("{}"), {"model.decoder.beam": "3"})
    with pytest.raises(SpecError, match=r"model\.decoder: no output is written by a decoder"):
        resolve.settle(wish, data)


@pytest.mark.parametrize(
    ("stop", "epochs"),
    [("{}", 200), ("{steps: 84}", 14), ("{steps: 1}", 1), ("{minutes: 5}", 1_000_000), ("{epochs: 7}", 7)],
)
def test_most_epochs_follow_from_the_budget(data: Dataset, stop: str, epochs: int) -> None:
    settled, _ = resolve.settle(_wanted(f"{{batch_size: 16, stop: {stop}}}"), data)  # 84 examples, 6 steps an epoch
    assert settled.training.stop.epochs == epochs


def test_all_wrong_parts_are_named_at_once(data: Dataset) -> None:
    with pytest.raises(SpecError, match="Correct these") as caught:
        resolve.settle(_wanted("{optimizer: {name: adam, lr: -1, betta1: 2}, schedule: {name: cosine, flor: 0}}"), data)
    for said in ('no option "betta1" (did you mean "beta1"?)', 'no option "flor"', "training.optimizer.lr is -1"):
        assert said in caught.value.message


@pytest.mark.parametrize(
    ("optimizer", "says"),
    [
        ("{name: adam, beta1: 2.0}", r"training\.optimizer: Invalid beta"),
        ("{name: sgd, momentum: -1.0}", r"training\.optimizer: Invalid momentum"),
        ("{name: adam, eps: -1.0}", r"training\.optimizer: Invalid epsilon"),
        ("adm", 'unknown optimizer "adm"'),
    ],
)
def test_a_value_an_optimizer_cannot_take_is_no_accident(data: Dataset, optimizer: str, says: str) -> None:
    with pytest.raises(SpecError, match=says):
        resolve.settle(_wanted(f"{{optimizer: {optimizer}}}"), data)


def test_balanced_class_weights_are_written_out_so_that_every_class_counts_alike(data: Dataset) -> None:
    wanted = spec.load("{outputs: {class: {class_weights: balanced}}}")
    settled, reasons = resolve.settle(wanted, data)
    weights = settled.outputs["class"].class_weights
    assert isinstance(weights, dict)
    codes = data.arrays["class"][data.parts["train"]]
    sums = [weights[label] * (codes == code).sum() for code, label in enumerate(data.outputs["class"].vocabulary)]
    assert sums == pytest.approx([len(codes) / 2] * 2, rel=1e-4)
    assert any(reason.path == "outputs.class.class_weights" for reason in reasons)
    assert resolve.settle(settled, data)[0] == settled


def test_class_weights_of_a_number_are_refused(flowers: Path) -> None:
    wanted = spec.load(f"{{data: {{path: {flowers}}}, outputs: {{size: {{kind: number, class_weights: balanced}}}}}}")
    with pytest.raises(SpecError, match="size is a number and has no classes"):
        resolve.settle(wanted, prepare(wanted))


def _fraud(path: Path, rare: int) -> Path:
    rows = [f"{(k * 37) % 101},{'yes' if k % (400 // rare) == 0 else 'no'}" for k in range(400)]
    path.write_text("amount,fraud\n" + "\n".join(rows) + "\n", encoding="utf-8")
    return path


def test_a_very_rare_class_of_two_is_what_is_sought(tmp_path: Path) -> None:
    path = _fraud(tmp_path / "f.csv", 20)
    wanted = spec.load(f"{{data: {{path: {path}, duplicates: accept}}, outputs: [fraud]}}")
    settled, reasons = resolve.settle(wanted, prepare(wanted))
    assert (settled.outputs["fraud"].positive, settled.outputs["fraud"].threshold) == ("yes", "f1")
    why = next(reason.why for reason in reasons if reason.path == "outputs.fraud.positive")
    assert why.startswith("the rarer class, ")


def test_classes_of_like_size_are_left_alone_unless_one_is_asked_for(tmp_path: Path) -> None:
    path = _fraud(tmp_path / "f.csv", 200)
    text = f"{{data: {{path: {path}, duplicates: accept}}, outputs: {{fraud: %s}}}}"
    data = prepare(spec.load(text % "{}"))
    assert resolve.settle(spec.load(text % "{}"), data)[0].outputs["fraud"].positive is None
    costly = resolve.settle(spec.load(text % "{positive: no, cost: {missed: 9}}"), data)[0].outputs["fraud"]
    assert (costly.positive, costly.threshold) == ("no", "cost")


def test_a_threshold_where_nothing_can_be_sought_is_refused(flowers: Path) -> None:
    wanted = spec.load(f"{{data: {{path: {flowers}}}, outputs: {{size: {{kind: number, threshold: 0.3}}}}}}")
    with pytest.raises(SpecError, match=r"outputs.size.threshold: size has not two classes"):
        resolve.settle(wanted, prepare(wanted))
