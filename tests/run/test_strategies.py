"""What a spec asks for is what a run trains under, in the right order and with its numbers in the history."""

from __future__ import annotations

from pathlib import Path

import pytest
import torch

from netwright import run, spec
from netwright.data.dataset import prepare
from netwright.errors import SpecError
from netwright.field import Field
from netwright.model_file import assemble
from netwright.report.facts import Facts
from netwright.run import inside
from netwright.run.folder import RunFolder
from netwright.run.resolve import settle
from netwright.run.strategies import chosen
from netwright.spec import ClipSpec, Spec, TrainingSpec
from netwright.tasks.category import Category
from netwright.tasks.task import task_for
from netwright.training import history
from netwright.training.strategies.finite import Finite
from netwright.training.strategies.noise import Noise

EVERYTHING = """
data: {path: %s}
outputs: [class]
model: {layers: "dense 8, relu", initialiser: orthogonal}
training:
  optimizer: {lr: 0.02}
  schedule: {name: plateau, factor: 0.3, patience: 1}
  clip: 0.5
  average: 0.9
  regularize: {l1: 0.0001, l2: 0.001, max_norm: 2.0, dropout: 0.2, noise: 0.05, label_smoothing: 0.1}
  stop: {epochs: 4}
"""


def _names(wanted: Spec, tmp_path: Path) -> list[str]:
    data = prepare(wanted)
    settled, _ = settle(wanted, data)
    model = assemble(settled, data.inputs, data.outputs, 0)
    return [strategy.name for strategy in chosen(settled, data, model, tmp_path, [])]


def test_a_plain_run_is_only_guarded(flowers: Path, tmp_path: Path) -> None:
    assert _names(spec.load(f"{{data: {{path: {flowers}}}, outputs: [class]}}"), tmp_path) == [
        "finite",
        "early_stopping",
        "controls",
    ]


@pytest.mark.parametrize(("layers", "measures"), [("dense 4, relu", False), ("lstm 4", True), ("rnn 4, last", True)])
def test_every_gradient_is_measured_where_layers_are_recurrent(tmp_path: Path, layers: str, measures: bool) -> None:
    kind, column = ("{words: {kind: text}}", "words") if measures else ("[size]", "size")
    rows = [f"{f'day {k}' if measures else k},m{k % 3}" for k in range(60)]
    (tmp_path / "said.csv").write_text("\n".join([f"{column},mood", *rows]))
    wish = (
        f"{{data: {{path: {tmp_path / 'said.csv'}}}, inputs: {kind}, outputs: [mood], model: {{layers: '{layers}'}}}}"
    )
    data = prepare(spec.load(wish))
    settled, _ = settle(spec.load(wish), data)
    guard = chosen(settled, data, assemble(settled, data.inputs, data.outputs, 0), tmp_path, [])[0]
    assert isinstance(guard, Finite)
    assert guard.measures is measures


def test_everything_asked_for_is_there_in_the_order_in_which_it_must_act(flowers: Path, tmp_path: Path) -> None:
    assert _names(spec.load(EVERYTHING % flowers), tmp_path) == [
        "finite",
        "noise",
        "penalty",
        "clipping",
        "max_norm",
        "early_stopping",
        "plateau",
        "averaging",
        "controls",
    ]


def test_noise_spares_the_columns_of_classes(flowers: Path, tmp_path: Path) -> None:
    data = prepare(spec.load(EVERYTHING % flowers))
    settled, _ = settle(spec.load(EVERYTHING % flowers), data)
    model = assemble(settled, data.inputs, data.outputs, 0)
    noise = next(s for s in chosen(settled, data, model, tmp_path, []) if isinstance(s, Noise))
    assert noise._quantities["table"].tolist() == [1, 1, 0, 0]  # size, age, colour = blue, colour = red


def test_a_run_with_everything_tells_all_its_numbers_and_can_be_repeated(flowers: Path, tmp_path: Path) -> None:
    wanted = spec.load(EVERYTHING % flowers)
    first, second = (run.train(wanted, out=tmp_path / name) for name in ("one", "two"))
    rows = [row for row in history.read(RunFolder(first.run).history) if row["kind"] == "epoch"]
    assert {
        "train/loss",
        "train/penalty/l1",
        "train/penalty/l2",
        "train/penalty/smoothing class",
        "train/clipped",
        "train/largest_gradient",
        "train/longest_weights",
        "validation/loss",
    } < set(rows[0])
    assert all(row["train/longest_weights"] <= 2.001 for row in rows)
    said = Facts.read(RunFolder(first.run).facts).clipped
    assert said == inside.clipped(rows, ClipSpec(norm=0.5))
    assert said in first.text
    assert said[1:] in first.report.read_text(encoding="utf-8")
    assert first.scores == second.scores
    assert RunFolder(first.run).history.read_bytes() == RunFolder(second.run).history.read_bytes()
    assert "dense 8, relu, dropout 0.2" in RunFolder(first.run).resolved.read_text(encoding="utf-8")


@pytest.mark.parametrize(
    ("clip", "share", "said"),
    [
        (ClipSpec(norm=1), 0.125, "12.5\u00a0% of the steps were cut to length 1; the longest gradient had length 8.4"),
        (ClipSpec(norm=0.5), 0.0, "no step was cut to length 0.5; the longest gradient had length 8.4"),
        (ClipSpec(value=2), 1.0, "100.0\u00a0% of the steps were cut to numbers of at most 2; the largest number"),
    ],
)
def test_how_often_gradients_were_cut_is_told_of_the_last_epoch(clip: ClipSpec, share: float, said: str) -> None:
    epochs = [
        {"kind": "epoch", "epoch": 1, "train/clipped": 0.9, "train/largest_gradient": 99.0},
        {"kind": "epoch", "epoch": 2, "train/clipped": share, "train/largest_gradient": 8.4},
        {"kind": "action", "epoch": 2},
    ]
    assert inside.clipped(epochs, clip).startswith(f"in the last epoch {said}")
    assert inside.clipped(epochs, None) == inside.clipped([], clip) == ""


def test_the_report_shows_examples_before_and_after_noise(flowers: Path, tmp_path: Path) -> None:
    outcome = run.train(spec.load(EVERYTHING % flowers), out=tmp_path / "run")
    found = Facts.read(RunFolder(outcome.run).facts).changed
    assert len(found) == 12
    assert all(each.before != each.after for each in found)
    assert found[0].before.startswith("size ")
    assert "colour" not in found[0].before  # a class is never changed
    assert "What training saw" in outcome.report.read_text(encoding="utf-8")


def test_dropout_follows_the_dense_layers_and_is_not_put_in_twice(flowers: Path) -> None:
    data = prepare(spec.load(f"{{data: {{path: {flowers}}}, outputs: [class]}}"))
    text = "{model: {depth: 2, width: 8}, outputs: [class], training: {regularize: {dropout: 0.5}}}"
    settled, reasons = settle(spec.load(text), data)
    assert settled.model.layers == "x2 {dense 8, relu, dropout 0.5}"
    assert any(reason.value == settled.model.layers for reason in reasons)
    assert settle(settled, data) == (settled, [])


@pytest.mark.parametrize(
    ("layers", "said"),
    [
        ("", "no layer is recurrent and none is dense with an activation"),
        ("dense 8", "no layer is recurrent and none is dense with an activation"),
        ("dense 8, relu, dropout 0.2", r"dropout of their own \(0\.2\), and no other is put in"),
    ],
)
def test_dropout_that_would_not_be_there_is_refused(flowers: Path, layers: str, said: str) -> None:
    data = prepare(spec.load(f"{{data: {{path: {flowers}}}, outputs: [class]}}"))
    text = f"{{model: {{layers: '{layers}'}}, outputs: [class], training: {{regularize: {{dropout: 0.5}}}}}}"
    with pytest.raises(SpecError, match=rf"training\.regularize\.dropout: 0\.5: .*{said}"):
        settle(spec.load(text), data)


@pytest.mark.parametrize(
    ("model", "layers"),
    [
        ("{}", "lstm 64 both yes, global_pool max, dropout 0.5"),
        ("{layers: 'x2 {gru 4}, last'}", "x2 {gru 4, dropout 0.5}, last"),
    ],
)
def test_dropout_of_a_net_of_sequences_is_written_into_it(tmp_path: Path, model: str, layers: str) -> None:
    path = tmp_path / "said.csv"
    path.write_text(
        "\n".join(["words,mood", *(f"day {k} was {'fine' if k % 3 else 'bad'},m{k % 3}" for k in range(60))])
    )
    wish = (
        f"{{data: {{path: {path}}}, inputs: {{words: {{kind: text}}}}, outputs: [mood], model: {model}, training: %s}}"
    )
    wanted = spec.load(wish % "{regularize: {dropout: 0.5}}")
    settled, reasons = settle(wanted, prepare(wanted))
    assert settled.model.layers == layers
    assert any(reason.why == "dropout 0.5 behind every recurrent layer" for reason in reasons)


@pytest.mark.parametrize("classes", [2, 5])
def test_label_smoothing_is_the_loss_against_softer_targets(classes: int) -> None:
    field = Field(name="c", kind="category", source="c", dtype="int32", vocabulary=tuple("abcde"[:classes]))
    task = task_for("c", field, spec.OutputSpec())
    assert isinstance(task, Category)
    generator = torch.Generator().manual_seed(0)
    outputs, targets = torch.randn(12, task.units, generator=generator), torch.arange(12) % classes
    found = task.loss(outputs, targets) + 0.2 * task.certainty(outputs, targets)
    if classes == 2:
        soft = (targets * 0.8 + 0.1)[:, None]
        expected = torch.nn.functional.binary_cross_entropy_with_logits(outputs, soft)
    else:
        expected = torch.nn.functional.cross_entropy(outputs, targets, label_smoothing=0.2)
    torch.testing.assert_close(found, expected)


@pytest.mark.parametrize(
    ("training", "told"),
    [
        ("{clip: {norm: 1, value: 2}}", "clip needs a norm or a value, one of the two"),
        ("{clip: -1}", "greater than 0"),
        ("{regularize: {dropout: 1}}", "less than 1"),
        ("{regularize: {dropuot: 0.1}}", 'unknown setting .did you mean "dropout"'),
        ("{average: 1.5}", "less than 1"),
    ],
)
def test_what_makes_no_sense_is_refused_with_its_place(training: str, told: str) -> None:
    with pytest.raises(SpecError, match=told):
        spec.load(f"{{outputs: [class], training: {training}}}")


@pytest.mark.parametrize(
    ("training", "told"),
    [
        ("{schedule: {name: plateau, factor: 2.0}}", "plateau needs factor and floor between 0 and 1"),
        ("{schedule: {name: plateau, watch: loss}}", 'has no option "watch"'),
        ("{schedule: cosine, stop: {minutes: 1}}", "cosine must know the last step"),
        ("{optimizer: {name: sgd, convention: average}}", "expected sum or mean"),
    ],
)
def test_what_a_part_cannot_do_is_refused_before_training(training: str, told: str, flowers: Path) -> None:
    data = prepare(spec.load(f"{{data: {{path: {flowers}}}, outputs: [class]}}"))
    with pytest.raises(SpecError, match=told):
        settle(spec.load(f"{{outputs: [class], training: {training}}}"), data)


def test_numbers_cannot_be_smoothed_as_labels_can(flowers: Path) -> None:
    data = prepare(spec.load(f"{{data: {{path: {flowers}}}, outputs: [size]}}"))
    with pytest.raises(SpecError, match="label_smoothing: size is no class and no text that is written"):
        settle(spec.load("{outputs: [size], training: {regularize: {label_smoothing: 0.1}}}"), data)


def test_sequences_are_not_blended() -> None:
    table = {"text": [f"a word and {k} more" for k in range(40)], "y": ["one", "two"] * 20}
    wanted = "{inputs: {text: {kind: text}}, outputs: [y], training: {regularize: {mixup: 0.2}}}"
    data = prepare(spec.load(wanted), data=table)
    with pytest.raises(SpecError, match=r"regularize\.mixup: text is a sequence, and two of them do not add up"):
        settle(spec.load(wanted), data)


def test_a_short_clip_is_a_length() -> None:
    clip = TrainingSpec.model_validate({"clip": 2}).clip
    assert clip is not None
    assert (clip.norm, clip.value) == (2.0, None)
