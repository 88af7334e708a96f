"""Command lines to specs, with answers that can be read off the words."""

from pathlib import Path

import pytest

from netwright import recipes, run
from netwright.cli.arguments import PATHS, Settings, Wanted, repeated, spec_from, varied
from netwright.errors import DataError, SpecError
from netwright.spec import PartSpec, Spec


def spec(
    source: str | None, *, inputs: str = "", outputs: str = "", data: str | None = None, **settings: object
) -> Spec:
    wanted = Wanted(inputs=(inputs,) if inputs else (), outputs=(outputs,) if outputs else (), data=data)
    return spec_from(source, wanted, Settings(**settings))


@pytest.fixture
def table(tmp_path: Path) -> Path:
    path = tmp_path / "houses.csv"
    path.write_text("rooms,place,price\n3,town,200\n4,land,150\n", encoding="utf-8")
    return path


def test_a_table_with_an_output_is_a_spec(table: Path) -> None:
    made = spec(str(table), outputs="price")
    assert made.data.path == str(table)
    assert list(made.outputs) == ["price"]
    assert made.inputs == {}


def test_names_and_kinds_are_split_at_the_comma_and_the_colon(table: Path) -> None:
    made = spec(str(table), inputs="rooms:number, place", outputs="price:number")
    assert {name: field.kind for name, field in made.inputs.items()} == {"rooms": "number", "place": None}
    assert made.outputs["price"].kind == "number"


def test_every_shorthand_reaches_its_path(table: Path) -> None:
    values = {
        "depth": 2, "width": 7, "activation": "tanh", "batch_size": "all", "optimizer": "sgd", "lr": "0.5",
        "schedule": "cosine", "epochs": 3, "minutes": 1.5, "patience": 4, "seed": 9, "restarts": 2,
        "freeze": "all",
    }  # fmt: skip
    made = spec(str(table), outputs="price", **values)
    assert made.model.depth == 2
    assert made.model.width == 7
    assert made.model.activation == "tanh"
    assert made.training.batch_size == "all"
    assert made.training.optimizer
    assert (made.training.optimizer.name, made.training.optimizer.options) == ("sgd", {"lr": 0.5})
    assert made.training.schedule
    assert made.training.schedule.name == "cosine"
    stop = made.training.stop
    assert (stop.epochs, stop.minutes, stop.patience, made.training.seed) == (3, 1.5, 4, 9)
    assert made.training.freeze == "all"
    assert spec(str(table), outputs="price", net="lenet").model.net == PartSpec(name="lenet")
    assert set(PATHS) == {*values, "layers", "net"}


@pytest.mark.parametrize("text", ["{dense 8 | same} add, relu", "x3 {dense 64, relu}", "", "dense 8, relu"])
def test_layers_are_text_whatever_they_look_like(table: Path, text: str) -> None:
    assert spec(str(table), outputs="price", layers=text).model.layers == text
    assert spec(str(table), outputs="price", overrides=(f"model.layers={text}",)).model.layers == text


def test_a_learning_rate_without_an_optimizer_belongs_to_adam(table: Path) -> None:
    optimizer = spec(str(table), outputs="price", lr="1e-3").training.optimizer
    assert optimizer
    assert (optimizer.name, optimizer.options["lr"]) == ("adam", 0.001)


def test_a_learning_rate_keeps_the_optimizer_of_the_recipe(table: Path) -> None:
    optimizer = spec("cifar-linear", data=str(table), lr="0.5").training.optimizer
    assert optimizer
    assert (optimizer.name, optimizer.options) == ("sgd", {"lr": 0.5, "momentum": 0.9})


def test_depth_replaces_the_layers_of_a_recipe() -> None:
    made = spec("iris", depth=3)
    assert (made.model.depth, made.model.layers) == (3, None)


def test_a_recipe_takes_other_data(table: Path) -> None:
    made = spec("iris", data=str(table), outputs="price")
    assert made.data.path == str(table)
    assert list(made.outputs) == ["price"]


def test_data_of_a_spec_lies_beside_it(tmp_path: Path, table: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    folder = tmp_path / "elsewhere"
    folder.mkdir()
    (tmp_path / "own.yaml").write_text("{data: {path: houses.csv}, outputs: [price]}", encoding="utf-8")
    monkeypatch.chdir(folder)
    assert Path(str(spec("../own.yaml").data.path)).resolve() == table


def test_named_data_is_found_in_the_shared_folder(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    (tmp_path / "mnist").mkdir()
    monkeypatch.setenv("NETWRIGHT_DATA", str(tmp_path))
    assert spec("mnist").data.path == str(tmp_path / "mnist")


def test_a_recipe_is_meant_beside_its_data_although_a_folder_has_its_name(
    table: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    (tmp_path / "ink").mkdir()
    (tmp_path / "ink" / "a.csv").write_text("x,y\n1,2\n")
    monkeypatch.chdir(tmp_path)
    assert spec_from("ink", Wanted(data=str(table)), Settings()).outputs == recipes.load("ink").outputs
    with pytest.raises(SpecError, match=r"nothing says what comes out.*For the recipe ink, say with --data"):
        spec_from("ink", Wanted(), Settings())
    with pytest.raises(SpecError, match=r"both .* and --data say where the examples are"):
        spec_from(str(tmp_path / "ink"), Wanted(data=str(table)), Settings())


def test_a_mistyped_source_names_the_nearest_recipe_or_file(
    tmp_path: Path, table: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.chdir(tmp_path)
    with pytest.raises(SpecError, match=r'called "dgits" \(did you mean "digits"\?\)'):
        spec("dgits")
    with pytest.raises(SpecError, match=r'called "house.csv" \(did you mean "houses.csv"\?\)'):
        spec("house.csv")


def test_nothing_at_all_names_the_recipes() -> None:
    with pytest.raises(
        SpecError, match=r"nothing says where the examples are.*digit-strings, digits, forecast, hello, ink, ink-images"
    ):
        spec(None)


def test_all_wrong_overrides_are_named_at_once() -> None:
    with pytest.raises(SpecError, match=r"(?s)--set seed: expected PATH=VALUE.*training.seed is given twice"):
        spec("iris", seed=1, overrides=("seed", "training.seed=2"))


def test_a_mistyped_path_names_the_nearest_setting() -> None:
    with pytest.raises(SpecError, match=r'batchsize.*did you mean "batch_size"'):
        spec("iris", overrides=("training.batchsize=3",))


def test_varied_needs_two_values() -> None:
    with pytest.raises(SpecError, match=r"--vary depth=1: expected PATH=A,B"):
        varied(["depth=1"])


def test_own_parts_run_before_the_spec_is_read(tmp_path: Path) -> None:
    with pytest.raises(SpecError, match=r"gone.py: no such Python file"):
        spec("iris", own_parts=(tmp_path / "gone.py",))


def test_a_recipe_whose_data_is_missing_says_how_to_get_it(monkeypatch: pytest.MonkeyPatch, tmp_path: Path) -> None:
    monkeypatch.setenv("XDG_DATA_HOME", str(tmp_path))
    monkeypatch.delenv("NETWRIGHT_DATA", raising=False)
    with pytest.raises(DataError, match=r"nothing\.csv: no such file"):  # and not that the recipe's own is missing
        run.plan(spec("iris", data=str(tmp_path / "nothing.csv")))
    with pytest.raises(DataError, match=r"recipe mnist is not here.*netwright data get mnist.*--data"):
        spec("mnist")


def test_a_resolved_spec_takes_no_settings(tmp_path: Path) -> None:
    with pytest.raises(SpecError, match=r"resolved.yaml repeats a run as it was.*start from .*spec.yaml"):
        repeated(str(tmp_path / "resolved.yaml"), Wanted(), Settings(seed=3))
    assert repeated("iris", Wanted(), Settings(seed=3)) is None


@pytest.mark.parametrize("name", recipes.names())
def test_every_recipe_is_a_whole_spec_with_a_sentence(name: str) -> None:
    made = recipes.load(name)
    assert made.outputs
    assert made.data.path
    assert recipes.summary(name).endswith(".")


def test_a_setting_that_lies_elsewhere_or_is_called_differently_is_named_by_its_path() -> None:
    for wrong in ("training.learnrate=3", "learning_rate=3", "lr=3", "model.lr=3"):
        with pytest.raises(SpecError, match=r'unknown setting \(did you mean "training\.optimizer\.lr"\?\)'):
            spec("iris", overrides=(wrong,))
    with pytest.raises(SpecError, match=r'did you mean "training\.stop\.patience"'):
        spec("iris", overrides=("training.early_stopping=3",))


def test_a_value_out_of_range_is_told_by_the_option_that_was_written() -> None:
    with pytest.raises(
        SpecError, match=r"command line: 2 problems found:\n  --depth: .*, not -1\.\n  --epochs: .*, not -3"
    ):
        spec("iris", epochs=-3, depth=-1)


def test_a_varied_value_that_cannot_be_is_named() -> None:
    with pytest.raises(SpecError, match=r'--vary lr=abc: "abc" is no learning rate: a number above 0, or auto'):
        varied(["lr=abc"])
    with pytest.raises(SpecError, match=r'"x", "-1" are no learning rates'):
        varied(["lr=x,-1,0.1,auto"])
    with pytest.raises(SpecError, match=r'--vary depth=1: expected PATH=A,B.*but there is one value, "1"'):
        varied(["depth=1"])
