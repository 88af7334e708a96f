"""What a page sends is checked like any data, and what it is told is plain JSON."""

from __future__ import annotations

import asyncio
import base64
import io
import json
import math
from pathlib import Path

import numpy as np
import pyarrow as pa
import pyarrow.parquet as pq
import pytest
from PIL import Image
from starlette.types import Message

import netwright
from netwright import run, spec
from netwright.errors import DataError
from netwright.serve import answer
from netwright.serve.server import application

SENT = {"size": 3.0, "colour": "red"}


@pytest.fixture(scope="module")
def flowers(tmp_path_factory: pytest.TempPathFactory, session_cache: Path) -> netwright.Model:
    place, draw = tmp_path_factory.mktemp("flowers"), np.random.default_rng(0)
    rows = [f"{draw.uniform(0, 10):.2f},{draw.choice(['red', 'blue'])}" for _ in range(60)]
    told = [
        f"{row},{'tall' if float(row.split(',')[0]) > 5 else 'small'},{2 * float(row.split(',')[0])}" for row in rows
    ]
    (place / "flowers.csv").write_text("\n".join(["size,colour,class,weight", *told]) + "\n", encoding="utf-8")
    text = "{data: {path: %s}, outputs: [class, weight], training: {stop: {epochs: 2}}}"
    return netwright.load(run.train(spec.load(text % (place / "flowers.csv")), out=place / "run").model)


def test_classes_come_with_their_probabilities_and_numbers_as_numbers(flowers: netwright.Model) -> None:
    told = answer.answer(flowers, SENT)
    found = told["outputs"]
    assert isinstance(found, dict)
    of_class, of_weight = found["class"], found["weight"]
    assert isinstance(of_class, dict)
    assert isinstance(of_weight, dict)
    shares = dict(of_class["shares"])  # type: ignore[arg-type]
    assert set(shares) == {"tall", "small"}
    assert sum(shares.values()) == pytest.approx(1)
    assert of_class["words"] == max(shares, key=lambda name: shares[name])
    (value,) = of_weight["values"]  # type: ignore[misc]
    assert f"{value:.6g}" == of_weight["words"]
    same = flowers.predict([SENT])
    assert value == pytest.approx(float(same["weight"][0]))


def test_values_far_outside_of_what_was_learned_are_told(flowers: netwright.Model) -> None:
    notes = answer.answer(flowers, SENT | {"size": 5000})["notes"]
    assert any("outside of what training saw" in str(note) for note in notes)  # type: ignore[union-attr]
    assert answer.answer(flowers, SENT)["notes"] == []


@pytest.mark.parametrize(
    ("sent", "why"),
    [
        ([], "an example is an object"),
        ({"size": 3}, '"colour" is missing'),
        ({"size": "many", "colour": "red"}, "many"),
        ({"size": {"a": 1}, "colour": "red"}, "size: no value that can be read"),
        ({"size": {"base64": "%"}, "colour": "red"}, "size: is no base64"),
        ({"size": [{"a": 1}], "colour": "red"}, "holds more than texts and numbers"),
        ({"size": [[[[[1]]]]], "colour": "red"}, "holds more than texts and numbers"),
        ({"size": ["a", "b"], "colour": "red"}, "cannot be answered|size"),
        ({"size": {"base64": "é"}, "colour": "red"}, "size: is no base64"),
        ({"size": 10**310, "colour": "red"}, "cannot be answered|size"),
        ({"size": 3, "colour": "\ud800"}, "cannot be answered|colour"),
    ],
)
def test_e8_what_the_model_cannot_read_is_refused_with_the_reason(
    flowers: netwright.Model, sent: object, why: str
) -> None:
    with pytest.raises(DataError, match=why):
        answer.answer(flowers, sent)


def asked(model: netwright.Model, body: bytes, path: str = "/answer") -> tuple[int, dict]:
    """Status and JSON of what the application answers."""
    said: list[Message] = []

    async def receive() -> Message:
        return {"type": "http.request", "body": body, "more_body": False}

    async def send(message: Message) -> None:
        said.append(message)

    method = "POST" if path == "/answer" else "GET"
    scope = {"type": "http", "method": method, "path": path, "query_string": b"", "headers": [], "root_path": ""}
    asyncio.run(application(model, "flowers", [])(scope, receive, send))
    return said[0]["status"], json.loads(b"".join(each.get("body", b"") for each in said[1:]))


def test_e8_bad_requests_get_a_sentence_and_no_traceback(flowers: netwright.Model) -> None:
    for body in (b"", b"{", b"\xff", b"[" * 100_000):
        status, told = asked(flowers, body)
        assert (status, told["error"]) == (400, "this is no JSON.")
    status, told = asked(flowers, b'{"size": 3}')
    assert status == 422
    assert "Traceback" not in json.dumps(told)


def test_b9_what_is_no_number_is_null(flowers: netwright.Model) -> None:
    status, told = asked(flowers, json.dumps(SENT | {"size": 1e300}).encode())
    assert (status, "is too large" in json.dumps(told)) == (422, True)
    assert asked(flowers, json.dumps(SENT | {"size": 1e149}).encode())[0] == 200
    assert asked(flowers, b'{"size": 3, "colour": "\\ud800"}')[0] == 422
    assert answer._told(math.nan) == {"words": "nan", "values": [None]}
    status, told = asked(flowers, json.dumps(SENT | {"size": math.nan}).encode())
    assert status in {200, 422}
    assert "NaN" not in json.dumps(told)


def test_a_page_gets_every_input_with_its_kind(flowers: netwright.Model) -> None:
    status, told = asked(flowers, b"", "/model")
    assert status == 200
    names = [column for each in told["inputs"] for column in each["columns"]]
    assert sorted(names) == ["colour", "size"]
    (colour,) = (each for each in told["inputs"] if each["name"] == "colour")
    assert set(colour["choices"]) >= {"red", "blue"}
    assert [each["name"] for each in told["outputs"]] == ["class", "weight"]


def test_pictures_come_as_the_bytes_of_their_file(tmp_path: Path) -> None:
    draw = np.random.default_rng(0)
    for category, light in (("dark", 40), ("light", 200)):
        (tmp_path / "data" / category).mkdir(parents=True)
        for number in range(12):
            pixels = np.clip(draw.normal(light, 20, (8, 8, 3)), 0, 255).astype(np.uint8)
            Image.fromarray(pixels).save(tmp_path / "data" / category / f"{number}.png")
    text = f"{{data: {{path: '{tmp_path / 'data'}'}}, outputs: [category], training: {{stop: {{epochs: 8}}}}}}"
    outcome = run.train(spec.load(text), out=tmp_path / "run")
    model = netwright.load(outcome.model)
    (first, *_) = answer.kept(outcome.model, model)
    known = answer.facts(model, "light", [first])
    (example,) = known["examples"]  # type: ignore[misc]
    assert isinstance(example, dict)
    told = answer.answer(model, example)["outputs"]
    assert told["category"]["words"] in {"dark", "light"}  # type: ignore[index,call-overload]
    with pytest.raises(DataError, match="is no file"):  # a path would be read from this machine
        answer.answer(model, {"image": str(tmp_path / "data" / "dark" / "0.png")})
    file = io.BytesIO()
    Image.new("RGB", (9, 9), (250, 250, 250)).save(file, "PNG")
    sent = {"image": {"base64": base64.b64encode(file.getvalue()).decode()}}
    assert answer.answer(model, sent)["outputs"]["category"]["words"] == "light"  # type: ignore[index,call-overload]


def test_examples_in_any_form_of_data_can_be_sent_back_as_they_are_offered(tmp_path: Path, data_dir: Path) -> None:
    draw = np.random.default_rng(0)
    far = draw.uniform(0, 9, (60, 3))
    lists = pa.table({
        "tags": [["a", "b"] if row.sum() > 13 else ["c"] for row in far],
        "numbers": far.tolist(),
        "ink": [[[0.0, 0.0], [row[0], row[1]], [row[2], 5.0]][: 2 + at % 2] for at, row in enumerate(far.tolist())],
        "drawn": [f"[[0,0,1],[{a},{b},1],[5,5,0],[{c},5,1],[{c},6,1]]" for a, b, c in far.round(2).tolist()],
        "class": ["high" if row.sum() > 13 else "low" for row in far],
    })  # fmt: skip
    pq.write_table(lists, tmp_path / "lists.parquet")
    steps = [
        f"{k},{t},{v:.2f},{v * v:.2f},{k % 2}" for k in range(24) for t, v in enumerate(draw.normal(k % 2, 0.3, 5))
    ]
    (tmp_path / "steps.csv").write_text("\n".join(["who,t,signal,square,way", *steps]) + "\n", encoding="utf-8")
    wishes = [
        f"{{data: {{path: '{tmp_path / 'lists.parquet'}'}}, inputs: {{{names}}}, outputs: [class]}}"
        for names in ("tags: {}, numbers: {}", "ink: {}", "drawn: {kind: ink}")
    ]
    wishes.append(
        f"{{data: {{path: '{tmp_path / 'steps.csv'}', group: who, order: t}}, "
        "inputs: {signal: {from: [signal, square]}}, outputs: {way: category}}"
    )
    wishes.append("{data: {path: 'sklearn:digits'}, outputs: [category]}")
    for number, wish in enumerate(wishes):
        wanted = spec.override(spec.load(wish), {"training.stop.epochs": "1", "data.duplicates": "accept"})
        outcome = run.train(wanted, out=tmp_path / f"run-{number}")
        model = netwright.load(outcome.model)
        examples = answer.kept(outcome.model, model)
        known = json.loads(json.dumps(answer.facts(model, "any", examples)))
        reached = model.top(model.predict(examples), 1)
        for at, example in enumerate(known["examples"]):
            told = answer.answer(model, example)["outputs"]
            for name, found in reached.items():
                assert told[name]["words"] == found[at][0][0]  # type: ignore[index]


def test_a_language_model_goes_on_with_what_stands_there(tmp_path: Path) -> None:
    (tmp_path / "a.txt").write_text("abca\n" * 300)
    wanted = spec.load("{inputs: {text: {}}, outputs: {next: {of: text}}, model: {layers: 'lstm 4'}}")
    wanted = spec.override(wanted, {"data.path": f'"{tmp_path / "a.txt"}"', "training.stop.epochs": "1"})
    model = netwright.load(run.train(wanted, out=tmp_path / "run").model)
    answer.check(model)
    (told,) = answer.answer(model, {"text": "abZ"})["outputs"].values()  # type: ignore[attr-defined]
    assert told["words"] == "ab"
    assert len(told["written"]) == 400
    assert set(told["written"]) == set("abc\n")
    told = answer.answer(model, {"text": "abZ"})
    assert told["notes"] == ["The model never saw 'Z': left out of the prompt"]
    assert answer.answer(model, {"text": ""})["outputs"]
    with pytest.raises(DataError, match="knows nothing of it"):
        answer.answer(model, {"text": "XYZ"})
    with pytest.raises(DataError, match="the beginning of a text was expected"):
        answer.answer(model, {"text": 3})
