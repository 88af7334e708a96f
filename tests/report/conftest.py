"""Facts of a small, thought-out run: ten held-out pictures, one mistake."""

import io

import pytest
from PIL import Image

from netwright.report.facts import (
    Baseline,
    CurvePoint,
    Facts,
    FindingFacts,
    GraphFacts,
    GraphNodeFacts,
    LayerFacts,
    LedgerFacts,
    LedgerReason,
    OutputFacts,
    SettingFacts,
    Shown,
    SmallNet,
    Template,
    Twins,
    VerdictFacts,
)
from netwright.report.values import png_text


@pytest.fixture
def picture() -> str:
    sink = io.BytesIO()
    Image.frombytes("L", (8, 8), bytes(range(0, 256, 4))).save(sink, "PNG")
    return png_text(sink.getvalue())


@pytest.fixture
def facts(picture: str) -> Facts:
    bars = [("cat", 0.75), ("dog", 0.25)]
    right = Shown(id="cats/1.png", picture=picture, truth="cat", bars=bars, right=True, confidence=0.75)
    wrong = Shown(id="dogs/7.png", picture=picture, truth="dog", bars=bars, right=False, confidence=0.75)
    output = OutputFacts(
        name="animal",
        kind="category",
        headline="accuracy",
        scores={"train": {"accuracy": 1.0}, "test": {"accuracy": 0.9}},
        intervals={"accuracy": (0.596, 0.982)},
        baselines=[
            Baseline(name="majority", scores={"accuracy": 0.5}, note='always "cat"'),
            Baseline(name="linear", scores={"accuracy": 0.7}, interval={"accuracy": (0.4, 0.89)}),
        ],
        classes=["cat", "dog"],
        confusion=[[5, 0], [1, 4]],
        mistakes=[wrong],
        grid=[right, wrong],
    )
    return Facts(
        title="Cats and dogs",
        created_utc="2026-11-20T23:40:00+00:00",
        netwright_version="0.1.0",
        command="netwright train runs/cats-1/resolved.yaml",
        verdict=VerdictFacts(label="over-fitting", since_epoch=2, sentence="From epoch 2 on.", evidence=["it rose"]),
        findings=[
            FindingFacts(name="classes", state="good", message="2 classes with 50 to 50 examples"),
            FindingFacts(name="leaks", state="note", message="a column tells it", cure="Leave it out."),
            FindingFacts(name="contradictions", state="bad", message="two answers", cure="Correct one."),
        ],
        best_epoch=1,
        stopped_epoch=3,
        stop_reason="no better for 2 epochs",
        curves=[
            CurvePoint(epoch=k, train={"loss": 1 / k, "accuracy": 0.9}, validation={"loss": 0.5 + k / 10}, lr=0.1)
            for k in (1, 2, 3)
        ],
        ledger=LedgerFacts(
            counts={"used": 40, "refused": 1},
            reasons=[LedgerReason(state="refused", reason="cut off", count=1, where=["cats/9.png"])],
            splits={"train": 20, "validation": 10, "test": 10},
            policy="stratified",
        ),
        twins=[Twins(first="cats/1.png", second="cats/2.png", parts=("train", "test"), similarity=0.99)],
        layers=[
            LayerFacts(layer="dense1", text="dense 4", shape=(4,), parameters=260, multiply_adds=256),
            LayerFacts(layer="animal", text="dense 2", shape=(2,), parameters=10, multiply_adds=8),
        ],
        parameters=270,
        graph=GraphFacts(
            nodes=[GraphNodeFacts(name="in", text="image"), GraphNodeFacts(name="animal", text="dense 2", shape=(2,))],
            edges=[("in", "animal")],
        ),
        settings=[SettingFacts(path="training.optimizer", value="adam", why="robust without tuning")],
        versions={"torch": "2.13.0"},
        hardware={"device": "cpu"},
        seconds=75,
        test_reads=3,
        outputs=[output],
        templates=[Template(label="cat", png=picture)],
        small_net=SmallNet(units=[["a"], ["b"]], weights=[[[1.5]]], biases=[[0.5]]),
        notes=["a note"],
        noun="pictures",
    )
