"""Sounds, pen strokes and texts of the user to answers: what `train` does with each, from files to a model file."""

import io
import json
from pathlib import Path

import numpy as np
import pyarrow.parquet as pq
import pytest
import soundfile

from netwright import model_file, run, spec
from netwright.cli import main
from netwright.data.dataset import prepare
from netwright.errors import DataError, SpecError
from netwright.model_file import assemble
from netwright.models.decoders import Decoder
from netwright.models.decoding import Sampling
from netwright.progress import Silent
from netwright.run import scoring
from netwright.run.answering import answer
from netwright.run.prediction import answers
from netwright.run.resolve import settle

RATE = 8000
QUICK = "training: {threads: 1, optimizer: {lr: 0.01}, stop: {epochs: 15}}"
PITCHES = {"a": 300.0, "b": 900.0, "c": 2500.0}


def tone(hertz: float, seconds: float, chance: np.random.Generator) -> np.ndarray:
    sound = np.sin(2 * np.pi * hertz * np.arange(round(seconds * RATE)) / RATE)
    return (0.5 * sound + 0.02 * chance.normal(size=len(sound))).astype(np.float32)


def wav(sound: np.ndarray) -> bytes:
    file = io.BytesIO()
    soundfile.write(file, sound, RATE, format="WAV")
    return file.getvalue()


def trained(text: str, folder: Path, **values: str) -> run.Outcome:
    return run.train(
        spec.override(spec.load(text), {name.replace("__", "."): v for name, v in values.items()}), out=folder
    )


def checked(outcome: run.Outcome) -> str:
    """How the model file answered its examples."""
    return str(model_file.load(outcome.model).replayed)


def test_sounds_in_folders_are_told_apart(tmp_path: Path) -> None:
    chance = np.random.default_rng(0)
    for name, hertz in PITCHES.items():
        (tmp_path / "data" / name).mkdir(parents=True)
        for place in range(24):
            sound = tone(hertz * chance.uniform(0.9, 1.1), chance.uniform(0.1, 0.4), chance)
            (tmp_path / "data" / name / f"{place}.wav").write_bytes(wav(sound))
    text = f"{{outputs: {{category: {{}}}}, inputs: {{audio: {{augment: {{name: mask, bands: 2}}}}}}, {QUICK}}}"
    outcome = trained(text, tmp_path / "run", data__path=f'"{tmp_path / "data"}"', model__layers='"gru 8, last"')
    assert "without end" in (outcome.run / "resolved.yaml").read_text(encoding="utf-8").replace("\n", " ")
    assert outcome.scores["category"]["test"]["accuracy"] == 1
    assert checked(outcome).startswith("11 of 11 match") or "match" in checked(outcome)
    answers = run.predict(outcome.run, [tmp_path / "data" / "b"])
    assert set(answers.column("category").to_pylist()) == {"b"}


def test_what_is_said_is_read_off_without_marks_in_time(tmp_path: Path) -> None:
    chance = np.random.default_rng(0)
    (tmp_path / "data").mkdir()
    lines = ["file,said"]
    for place in range(160):
        said = "".join(chance.choice(list(PITCHES), int(chance.integers(1, 4))))
        parts = [np.concatenate([tone(PITCHES[letter], 0.12, chance), np.zeros(400, np.float32)]) for letter in said]
        (tmp_path / "data" / f"{place}.wav").write_bytes(wav(np.concatenate(parts)))
        lines.append(f"{place}.wav,{said}")
    (tmp_path / "data" / "table.csv").write_text("\n".join(lines))
    text = (
        "{inputs: {file: {}}, outputs: {said: {kind: text, tokens: characters, align: ctc}}, "
        "training: {threads: 1, batch_size: 16, optimizer: {lr: 0.01}, stop: {epochs: 25}}}"
    )
    values = {"data__path": f'"{tmp_path / "data"}"', "model__layers": '"conv1d 16x5 stride 2, relu, gru 16 both yes"'}
    outcome = trained(text, tmp_path / "run", **values)
    scores = outcome.scores["said"]["test"]
    assert scores["error"] < 0.15
    assert scores["exact"] > 0.6
    assert "match" in checked(outcome)
    answers = run.predict(outcome.run, [tmp_path / "data" / "0.wav"])
    assert answers.column("said").to_pylist() == [lines[1].partition(",")[2]]
    facts = json.loads((outcome.run / "facts.json").read_text(encoding="utf-8"))
    shown = facts["outputs"][0]["grid"]
    assert len(shown) == 24
    assert all(each["right"] == (each["answer"] == each["truth"]) for each in shown)
    true = [line.partition(",")[2] for line in lines[1:]]
    assert [each["truth"] for each in shown] == [true[int(each["id"].removeprefix("row ")) - 1] for each in shown]


def test_pen_strokes_in_a_table_are_told_apart(tmp_path: Path) -> None:
    chance, rows = np.random.default_rng(0), ["ink,shape"]
    for place in range(120):
        turn = np.linspace(0, (2 if place % 2 else 1) * np.pi, int(chance.integers(8, 20)))
        points = np.column_stack([np.cos(turn), np.sin(turn)]) * chance.uniform(5, 50) + chance.normal(size=2) * 100
        ink = json.dumps(points.round(2).tolist())
        rows.append(f'"{ink}",{"ring" if place % 2 else "bow"}')
    (tmp_path / "ink.csv").write_text("\n".join(rows))
    text = f"{{inputs: {{ink: {{kind: ink}}}}, outputs: {{shape: {{}}}}, {QUICK}}}"
    outcome = trained(text, tmp_path / "run", data__path=f'"{tmp_path / "ink.csv"}"', model__layers='"lstm 8, last"')
    assert outcome.scores["shape"]["test"]["accuracy"] > 0.9
    own = [json.loads(row.rpartition(",")[0].strip('"')) for row in rows[1:5]]
    traces = [", ".join(f"{x} {y}" for x, y in points) for points in own]
    (tmp_path / "own").mkdir()
    for place, trace in enumerate(traces):
        (tmp_path / "own" / f"{place}.inkml").write_text(f"<ink><trace>{trace}</trace></ink>")
    table = run.predict(outcome.run, {"ink": [json.dumps(points) for points in own]}).select(["shape", "shape:ring"])
    folder = run.predict(outcome.run, [tmp_path / "own"])
    assert folder["id"].to_pylist() == [f"{place}.inkml" for place in range(4)]
    assert folder.select(["shape", "shape:ring"]).equals(table)
    (tmp_path / "one.json").write_text(json.dumps(own[0]))
    assert run.predict(outcome.run, [tmp_path / "one.json"])["shape"].to_pylist() == [table["shape"][0].as_py()]
    (tmp_path / "own" / "names.csv").write_text("id,ink\na,0.inkml\nb,1.inkml\nc,gone.inkml\nd,\n")
    named = run.predict(outcome.run, [tmp_path / "own" / "names.csv"])
    assert named["shape"].to_pylist()[:2] == table["shape"].to_pylist()[:2]
    assert "gone.inkml" in named["problem"].to_pylist()[2] or "no such file" in named["problem"].to_pylist()[2]


def test_texts_in_folders_are_told_apart_and_a_text_file_is_answered(tmp_path: Path) -> None:
    chance, words = np.random.default_rng(0), {"good": ["fine", "warm", "bright"], "bad": ["dull", "cold", "grey"]}
    for name, of in words.items():
        (tmp_path / "data" / name).mkdir(parents=True)
        for place in range(40):
            said = " ".join([*chance.choice(of, 3), *chance.choice(["film", "the", "was"], int(chance.integers(3, 9)))])
            (tmp_path / "data" / name / f"{place}.txt").write_text(said)
    text = f"{{data: {{duplicates: accept}}, inputs: {{text: {{}}}}, outputs: {{category: {{}}}}, {QUICK}}}"
    outcome = trained(text, tmp_path / "run", data__path=f'"{tmp_path / "data"}"', model__layers='"gru 8, last"')
    assert outcome.scores["category"]["test"]["accuracy"] > 0.9
    (tmp_path / "own.txt").write_text("the film was dull, grey and cold\n")
    found = answers(outcome.run, [tmp_path / "own.txt", tmp_path / "data" / "good"])
    assert found.full["category"].to_pylist() == ["bad", *["good"] * 40]
    assert [said.partition("; ")[2] for said in found.remarks] == [
        "2 of 8 tokens are none of them and count as one unknown: ,, and"
    ]
    (tmp_path / "other.txt").write_text("title,stars\ndull and grey,3\n")
    found = answers(outcome.run, [tmp_path / "other.txt"])
    assert (found.full.num_rows, found.remarks[0]) == (1, "other.txt was read as one text")
    (tmp_path / "data" / "loose.txt").write_text("dull grey film")
    assert run.predict(outcome.run, [tmp_path / "data"]).num_rows == 81
    (tmp_path / "other.csv").write_text("title,stars\ndull and grey,3\n")
    with pytest.raises(DataError, match="The model needs the column text"):
        run.predict(outcome.run, [tmp_path / "other.csv"])
    (tmp_path / "table.csv").write_text("text\nfine and warm\n")
    assert run.predict(outcome.run, [tmp_path / "table.csv"])["category"].to_pylist() == ["good"]


def test_a_language_whose_order_is_turned_round_is_translated(
    tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    chance = np.random.default_rng(0)
    words = {"dog": "hund", "cat": "katze", "sees": "sieht", "hears": "hört", "bird": "vogel", "today": "heute"}
    german = {**words, "fox": "fuchs"}
    (tmp_path / "texts").mkdir()
    for part, count in (("train", 500), ("val", 60), ("test", 60)):
        lines = [list(chance.choice(list(words), int(chance.integers(4, 7)))) for _ in range(count)]
        lines = [["fox", *line] for line in lines[:9]] + lines[9:] if part == "test" else lines  # never learned
        (tmp_path / "texts" / f"{part}.en").write_text("\n".join(" ".join(line) for line in lines) + "\n")
        turned = [" ".join(german[word] for word in reversed(line)) for line in lines]
        (tmp_path / "texts" / f"{part}.de").write_text("\n".join(turned) + "\n", encoding="utf-8")
    text = (
        "{data: {duplicates: accept}, inputs: {en: {kind: text, embed: 16}}, outputs: {de: {kind: text}}, "
        "model: {layers: 'lstm 24 both yes', decoder: {dim: 32, embed: 16, dropout: 0, beam: 3}}, "
        "training: {threads: 1, batch_size: 32, optimizer: {lr: 0.01}, stop: {epochs: 12}}}"
    )
    outcome = trained(text, tmp_path / "run", data__path=f'"{tmp_path / "texts"}"', training__scheduled_sampling="0.2")
    scores = outcome.scores["de"]["test"]
    assert scores["bleu"] > 80
    assert scores["loss_alone"] > scores["loss"]
    assert "behind its own guesses: a gap of" in " ".join(outcome.text)
    facts = json.loads((outcome.run / "facts.json").read_text(encoding="utf-8"))
    beside = {each["name"]: each["scores"]["bleu"] for each in facts["outputs"][0]["baselines"]}
    assert beside["copy"] == 0
    assert beside["dictionary"] < 60  # every word is right, and stands in the wrong place
    assert "match" in checked(outcome)
    for each in facts["outputs"][0]["grid"]:
        turned = " ".join(german[word] for word in reversed(each["text"].strip('"').split()))
        assert turned == each["truth"]
    right = [each["answer"] == each["truth"] for each in facts["outputs"][0]["grid"]]
    assert sum(right) > 12
    assert facts["outputs"][0]["grid"][0]["answer"] in (outcome.run / "report.html").read_text(encoding="utf-8")
    (tmp_path / "new.csv").write_text("en\ndog sees cat today\n")
    written = run.predict(outcome.run, [tmp_path / "new.csv"])
    assert written.column("de").to_pylist() == ["heute katze sieht hund"]
    for name, ids in (("new.en", ["new.en line 1", "new.en line 2"]), ("new.txt", ["new.txt"])):
        (tmp_path / name).write_text("dog sees cat today\ndog sees cat today\n")
        found = answers(outcome.run, [tmp_path / name])
        assert found.full["id"].to_pylist() == ids
    assert found.remarks[0] == "new.txt was read as one text; a file named NAME.en is read line by line"
    likeliest = run.sample(outcome.run, "dog sees cat today", sampling=Sampling(temperature=0.0))
    assert (likeliest.prompt, "".join(likeliest.pieces), likeliest.notes) == ("", "heute katze sieht hund", ())
    drawn = {
        "".join(run.sample(outcome.run, "dog sees", sampling=Sampling(9.0), seed=seed).pieces) for seed in range(9)
    }
    assert len(drawn) > 4
    assert {word for text in drawn for word in text.split()} <= {*words.values()}
    truths = pq.read_table(outcome.run / "predictions.parquet").column("de_truth").to_pylist()
    assert {word for text in truths for word in text.split()} == {*german.values()}
    asked = [
        "sample",
        str(outcome.run),
        "--prompt",
        "dog sees cat today",
        "--temperature",
        "0",
        "--length",
        "3",
        "--quiet",
    ]
    assert main(asked) == 0  # what a decoder writes ends by itself, and is cut nowhere
    assert capsys.readouterr().out == "heute katze sieht hund\n"
    strange = run.sample(outcome.run, "dog barks", seed=3)
    assert "".join(strange.pieces) == "".join(run.sample(outcome.run, "dog barks", seed=3).pieces)
    assert "1 of 2 tokens are none of them" in strange.notes[0]
    with pytest.raises(SpecError, match="--prompt: the model writes about en, and nothing was given"):
        run.sample(outcome.run)


@pytest.fixture
def told_back(tmp_path: Path) -> Path:
    """Sixty short texts, each with itself as the answer."""
    lines = [f"{'ab' * (k % 4)} {k},{'ab' * (k % 4)} {k}" for k in range(60)]
    (tmp_path / "table.csv").write_text("\n".join(["said,again", *lines]) + "\n")
    return tmp_path / "table.csv"


WRITTEN = (
    "{data: {path: %s}, inputs: {said: {kind: text}}, outputs: {again: {kind: text}}, "
    "model: {layers: 'gru 4', decoder: {dim: 4, embed: 4, beam: %d}}, training: {threads: 1, stop: {epochs: 1}}}"
)


class Remembers(Silent):
    """Keeps how far each stage came."""

    def __init__(self) -> None:
        self.stages: dict[str, tuple[int, int]] = {}
        self.name = ""

    def stage(self, name: str, total: int) -> None:
        self.name, self.stages[name] = name, (0, total)

    def advance(self, done: int) -> None:
        self.stages[self.name] = (done, self.stages[self.name][1])


@pytest.mark.parametrize("beam", [1, 3])
def test_texts_that_were_learned_from_are_scored_without_a_beam_and_that_is_said(told_back: Path, beam: int) -> None:
    show = Remembers()
    outcome = run.train(spec.load(WRITTEN % (told_back, beam)), out=told_back.parent / "run", show=show)
    scores = outcome.scores["again"]
    assert "loss_alone" in scores["test"]
    assert "loss_alone" not in scores["train"]
    assert {name: stage for name, stage in show.stages.items() if name.startswith("scoring the")} == {
        "scoring the training part": (42, 42),
        "scoring the validation part": (9, 9),
        "scoring the test part": (9, 9),
    }
    page = (outcome.run / "report.html").read_text(encoding="utf-8")
    assert ("of the training split were scored without a beam" in page) == (beam > 1)


def test_of_many_texts_that_were_learned_from_some_are_scored_and_that_is_said(
    told_back: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(scoring, "_TEXTS", 20)
    show = Remembers()
    outcome = run.train(spec.load(WRITTEN % (told_back, 1)), out=told_back.parent / "run", show=show)
    assert show.stages["scoring the training part"] == (20, 20)
    assert show.stages["scoring the test part"] == (9, 9)
    page = (outcome.run / "report.html").read_text(encoding="utf-8")
    assert "Of the training split 20 texts, drawn by the run's seed, were scored." in page


def test_a_quick_look_writes_without_a_beam_and_leaves_the_decoder_as_it_was(told_back: Path) -> None:
    wanted = spec.load(WRITTEN % (told_back, 3))
    data = prepare(wanted)
    model = assemble(settle(wanted, data)[0], data.inputs, data.outputs, 0)
    seen: set[int] = set()
    head = next(module for module in model.network.modules() if isinstance(module, Decoder))
    head.register_forward_hook(lambda module, *_: seen.add(module.beam))
    assert answer(model, data, "train", False, quick=True).quick
    assert (seen, head.beam) == ({1}, 3)
    assert not answer(model, data, "test", False).quick
    assert seen == {1, 3}


@pytest.mark.parametrize(
    ("text", "says"),
    [
        ("{inputs: {x: {kind: ink}}, outputs: {y: {}}}", "holds no point|is no JSON|no x, y and pen"),
        ("{inputs: {x: {kind: audio}}, outputs: {y: {}}}", "no such file"),
    ],
)
def test_other_columns_are_refused_with_what_is_wanted(tmp_path: Path, text: str, says: str) -> None:
    (tmp_path / "a.csv").write_text("x,y\nabc,1\ndef,2\n" * 20)
    with pytest.raises(Exception, match=says):
        trained(text, tmp_path / "run", data__path=f'"{tmp_path / "a.csv"}"')
