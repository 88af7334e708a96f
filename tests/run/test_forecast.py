"""A table of dates and numbers to its next steps: from the file to answers."""

import json
from pathlib import Path

import numpy as np
import pytest

from netwright import model_file, recipes, run, spec
from netwright.data import ahead
from netwright.errors import DataError, SpecError
from netwright.readers import Arrays, find
from netwright.run.continued import load_model
from netwright.run.prediction import answers

QUICK = {"training.stop.epochs": "3", "training.threads": "1"}


def months(folder: Path, count: int = 120) -> Path:
    """Sales with a season of twelve months, which grow."""
    chance, step = np.random.default_rng(0), np.arange(count)
    values = (100 + step) * (1 + 0.3 * np.sin(step * np.pi / 6)) + chance.normal(0, 1, count)
    rows = [f"{2000 + k // 12}-{k % 12 + 1:02d},{value:.2f}" for k, value in enumerate(values)]
    (folder / "sales.csv").write_text("\n".join(["month,sales", *rows]))
    return folder / "sales.csv"


def working_days(folder: Path, count: int = 200) -> Path:
    """Prices of working days, dearer towards the end of each week; three days before a year's last are holidays."""
    days = [day for day in np.arange("2019-01-01", "2021-01-01", dtype="datetime64[D]") if np.is_busday(day)]
    days = [day for day in days if str(day)[5:] not in {"12-28", "12-29", "12-30"}][-count:]
    rows = [f"{day},{100 + (int(day.astype(int)) + 3) % 7 + k / 10}" for k, day in enumerate(days)]
    (folder / "prices.csv").write_text("\n".join(["date,price", *rows]))
    return folder / "prices.csv"


def shops(folder: Path, *, names: tuple[str, ...] = ("north", "south"), count: int = 90) -> Path:
    """Sales of shops month by month, a row for each shop and month; those of each shop are a thousand more."""
    rows = [
        f"{2010 + k // 12}-{k % 12 + 1:02d},{name},{1000 * place + k + 10 * (k % 12)}"
        for k in range(count)
        for place, name in enumerate(names)
    ]
    (folder / "shops.csv").write_text("\n".join(["month,shop,sales", *rows]))
    return folder / "shops.csv"


def wanted(path: Path, **values: str) -> spec.Spec:
    given = {name.replace("__", "."): value for name, value in values.items()}
    return spec.override(recipes.load("forecast"), {"data.path": f'"{path}"', **QUICK, **given})


def test_what_comes_then_is_forecast_from_origins_of_the_last_part(tmp_path: Path) -> None:
    outcome = run.train(wanted(months(tmp_path)), out=tmp_path / "run")
    facts = json.loads((outcome.run / "facts.json").read_text())
    (output,) = facts["outputs"]
    baselines = {each["name"]: each["scores"]["rmse"] for each in output["baselines"]}
    assert set(baselines) == {"last_value", "season_ago", "season_and_growth"}
    assert outcome.scores["next"]["test"]["rmse"] < baselines["season_ago"]
    assert len(output["tracks"]) == 6
    assert "How it went on" in outcome.report.read_text()
    assert "match" in str(model_file.load(outcome.model).replayed)
    (answer,) = run.predict(outcome.run, [months(tmp_path)]).to_pylist()
    assert answer["id"] == "2009-12-01"
    assert len([name for name in answer if name.startswith("next_sales_")]) == 12
    assert 150 < answer["next_sales_1"] < 300


def test_steps_to_come_lie_in_one_part_and_what_was_seen_may_lie_before_it(tmp_path: Path) -> None:
    found = ahead.cut(find(months(tmp_path), "timed_tables"), wanted(tmp_path))
    assert found.official is not None
    assert found.cut is not None
    assert (found.cut.season, found.cut.divided, found.cut.columns) == (12, "time", ("sales",))
    origins = dict.fromkeys(("train", "validation", "test"), 0)
    for part in found.official.to_pylist():
        origins[part] += 1
    assert origins == {"train": 84 - 24 - 12 + 1, "validation": 18 - 12 + 1, "test": 18 - 12 + 1}
    assert "22 windows whose steps to come lie in two parts are left out" in " ".join(found.notes)


@pytest.mark.parametrize(("step", "season"), [("D", 7), ("h", 24), ("M", 12), ("W", 52)])
def test_the_season_follows_from_the_distance_of_the_dates(tmp_path: Path, step: str, season: int) -> None:
    days = np.datetime64("2020-01", step) + np.arange(60)
    text = "\n".join(
        ["date,value", *(f"{str(day).replace('T', ' ')}{':00' * (step == 'h')},{k}" for k, day in enumerate(days))]
    )
    (tmp_path / "a.csv").write_text(text)
    found = ahead.cut(find(tmp_path / "a.csv", "timed_tables"), wanted(tmp_path, outputs__next__horizon="2"))
    assert found.cut is not None
    assert found.cut.season == season


def test_rows_of_working_days_are_the_steps_by_themselves(tmp_path: Path) -> None:
    path = working_days(tmp_path)
    outcome = run.train(wanted(path), out=tmp_path / "run")
    facts = json.loads((outcome.run / "facts.json").read_text())
    told = {each["path"]: (each["value"], each["why"]) for each in facts["settings"]}
    why = "no row lies on a Saturday or Sunday: the rows themselves are the steps"
    assert told["data.window.gaps"] == ("ignore", why)
    assert told["inputs.series: season"][0] == "5 steps"
    assert facts["ledger"]["splits"]["train"] == 140 - 24 - 12 + 1
    (answer,) = run.predict(outcome.run, [path]).to_pylist()
    assert answer["id"] == "2020-12-31"
    lines = path.read_text().splitlines()
    (tmp_path / "week.csv").write_text("\n".join([lines[0], *lines[-6:]]))  # a table too short to tell
    (few,) = run.predict(outcome.run, [tmp_path / "week.csv"]).to_pylist()
    assert few["id"] == "2020-12-31"


def test_how_much_time_the_rows_pass_over_is_told(tmp_path: Path) -> None:
    path = working_days(tmp_path)
    found = ahead.cut(find(path, "timed_tables"), wanted(path))
    assert "40 gaps in 1 track, 83 steps (after 2020-03-27 first): passed over" in " ".join(found.notes)
    assert "5 steps after 2020-12-25 in the longest" in " ".join(found.notes)
    assert not found.refused
    with pytest.raises(DataError, match="no track has 36 steps in a row") as raised:
        ahead.cut(find(path, "timed_tables"), wanted(path, data__window="{past: 24, gaps: cut}"))
    assert "data.window.gaps: ignore" in str(raised.value.cure)


def test_days_of_the_week_decide_nothing_where_each_has_a_row_or_few_weeks_are_there(tmp_path: Path) -> None:
    path = working_days(tmp_path)
    lines = path.read_text().splitlines()
    for text in ([*lines[:60], "2020-06-20,1", "2020-06-21,1"], lines[:12]):
        (tmp_path / "other.csv").write_text("\n".join(text))
        asked = wanted(tmp_path, data__window="2", outputs__next__horizon="1")
        found = ahead.cut(find(tmp_path / "other.csv", "timed_tables"), asked)
        assert any(each.reason.startswith("steps are missing") for each in found.refused)
    asked = wanted(tmp_path, data__window="{past: 2, gaps: ignore}", outputs__next__horizon="1")
    found = ahead.cut(find(tmp_path / "other.csv", "timed_tables"), asked)
    assert found.cut is not None
    assert (found.cut.season, found.cut.as_rows, len(found)) == (5, "", 11 - 2)


def test_numbered_steps_have_no_season(tmp_path: Path) -> None:
    (tmp_path / "a.csv").write_text("\n".join(["t,value", *(f"{k},{k % 5}" for k in range(80))]))
    found = ahead.cut(find(tmp_path / "a.csv", "timed_tables"), wanted(tmp_path, outputs__next__horizon="2"))
    assert found.cut is not None
    assert found.cut.season == 0


def test_airline_passengers_are_forecast_better_than_a_season_ago(data_dir: Path, tmp_path: Path) -> None:
    path = data_dir / "tables" / "airline-passengers.csv"
    outcome = run.train(wanted(path, training__stop__epochs="20"), out=tmp_path / "run")
    assert outcome.scores["next"]["test"]["rmse"] < 30  # a season ago: 53.9


def test_columns_are_known_by_their_names_in_other_tables(tmp_path: Path) -> None:
    whole = months(tmp_path).read_text().splitlines()
    two = ["month,sales,staff", *(f"{line},{k % 7}" for k, line in enumerate(whole[1:]))]
    (tmp_path / "two.csv").write_text("\n".join(two))
    outcome = run.train(wanted(tmp_path / "two.csv"), out=tmp_path / "run")
    turned = ["staff,extra,month,sales", *(f"{k % 7},{k * k},{line}" for k, line in enumerate(whole[1:]))]
    (tmp_path / "turned.csv").write_text("\n".join(turned))
    answers = [run.predict(outcome.run, [tmp_path / name]).to_pylist()[0] for name in ("two.csv", "turned.csv")]
    assert answers[0] == answers[1]
    (tmp_path / "short.csv").write_text("\n".join(two[:2]))
    with pytest.raises(SpecError, match="goes on from where the whole of a track ends"):
        list(run.stream(outcome.run, tmp_path / "two.csv"))
    with pytest.raises(DataError, match="nothing can be answered"):
        run.predict(outcome.run, [tmp_path / "short.csv"])
    years = ["year,month,v", *(f"{2000 + k // 12},{k % 12},{k}" for k in range(99))]
    (tmp_path / "years.csv").write_text("\n".join(years))
    with pytest.raises(SpecError, match="holds the same value in many rows"):
        run.train(wanted(tmp_path / "years.csv"), out=tmp_path / "years")


def test_every_group_is_a_series_of_its_own_and_time_is_divided_alike_for_all(tmp_path: Path) -> None:
    path = shops(tmp_path, names=tuple("abcdefg"))
    found = ahead.cut(find(path, "timed_tables"), wanted(path, data__group="shop"))
    column, parts = found.columns["series"], found.official
    assert isinstance(column, Arrays)
    assert parts is not None
    assert found.cut is not None
    assert (found.cut.divided, found.cut.columns, found.cut.season) == ("time", ("sales",), 12)
    assert len({float(np.floor(np.asarray(row)[0, 0] / 1000)) for row in column.values}) == 7
    assert all(np.ptp(np.floor(np.asarray(row) / 1000)) == 0 for row in column.values)  # no window spans two shops
    origins: dict[str, set[str]] = {}
    for name, part in zip(found.ids.to_pylist(), parts.to_pylist(), strict=True):
        origins.setdefault(name.split(" at ")[1], set()).add(part)
    assert all(len(each) == 1 for each in origins.values())
    assert not found.refused
    assert "630 steps of 7 series" in found.notes[-1]
    assert found.groups is not None
    two = shops(tmp_path)  # too few to be drawn anew for an interval
    assert ahead.cut(find(two, "timed_tables"), wanted(two, data__group="shop")).groups is None


def test_each_group_is_gone_on_with_from_its_own_end(tmp_path: Path) -> None:
    path = shops(tmp_path)
    outcome = run.train(wanted(path, data__group="shop"), out=tmp_path / "run")
    north, south = run.predict(outcome.run, [path]).to_pylist()
    assert (north["id"], south["id"]) == ("north at 2017-06-01", "south at 2017-06-01")
    assert abs(south["next_sales_1"] - north["next_sales_1"] - 1000) < 1


def test_rows_of_several_series_are_refused_with_the_column_that_tells_them_apart(tmp_path: Path) -> None:
    path = shops(tmp_path)
    with pytest.raises(SpecError, match="month holds the same value in several rows, which shop tells apart") as raised:
        ahead.cut(find(path, "timed_tables"), wanted(path))
    assert "data.group=shop" in str(raised.value.cure)
    again = [*path.read_text().splitlines(), *path.read_text().splitlines()[1:], *path.read_text().splitlines()[1:]]
    path.write_text("\n".join(again))
    with pytest.raises(SpecError, match="month holds the same value in many rows of one shop"):
        ahead.cut(find(path, "timed_tables"), wanted(path, data__group="shop"))


def test_files_that_hold_the_same_months_are_series_of_their_own(tmp_path: Path) -> None:
    (tmp_path / "all").mkdir()
    for place in range(3):
        months(tmp_path).rename(tmp_path / "all" / f"{place}.csv")
    found = ahead.cut(find(tmp_path / "all", "timed_tables"), wanted(tmp_path))
    assert "360 steps of 3 series" in found.notes[-1]


def by_first_of_month(folder: Path, template: str, count: int = 60) -> Path:
    """Sales of months, each dated by its first day."""
    rows = [f"{template.format(year=2010 + k // 12, month=k % 12 + 1)},{k % 12 + k}" for k in range(count)]
    (folder / "dates.csv").write_text("\n".join(["when,sales", *rows]))
    return folder / "dates.csv"


def test_a_setting_decides_dates_that_can_be_read_two_ways(tmp_path: Path) -> None:
    path = by_first_of_month(tmp_path, "01/{month:02d}/{year}")
    with pytest.raises(DataError, match='"01/02/2010" is 2010-02-01 day first and 2010-01-02 month first') as raised:
        ahead.cut(find(path, "timed_tables"), wanted(path))
    assert "data.day_first=true or false" in str(raised.value.cure)
    found = ahead.cut(find(path, "timed_tables"), wanted(path, data__day_first="true"))
    assert found.cut is not None
    assert (found.cut.season, found.cut.day_first) == (12, None)
    assert found.ids.to_pylist()[0] == "2011-12-01"
    path = by_first_of_month(tmp_path, "{year}-{month:02d}")  # the year stands first: nothing to decide
    assert ahead.cut(find(path, "timed_tables"), wanted(path, data__day_first="true")).ids == found.ids


def test_dates_are_read_as_the_model_learned_them(tmp_path: Path) -> None:
    path = by_first_of_month(tmp_path, "28/{month:02d}/{year}")
    outcome = run.train(wanted(path), out=tmp_path / "run")
    settings = json.loads((outcome.run / "facts.json").read_text())["settings"]
    assert ("data.day_first", "true") in [(each["path"], each["value"]) for each in settings]
    (answer,) = run.predict(outcome.run, [by_first_of_month(tmp_path, "01/{month:02d}/{year}")]).to_pylist()
    assert answer["id"] == "2014-12-01"


def test_the_order_of_dates_is_said_where_it_is_read() -> None:
    with pytest.raises(SpecError, match=r"data\.day_first is for dates that order steps; "):
        spec.load("{data: {path: a.csv, day_first: true}, outputs: {y: {}}}")


def test_numbers_may_be_as_large_as_they_are(tmp_path: Path) -> None:
    rows = (f"{2000 + k // 12}-{k % 12 + 1:02d},{1e12 * (1 + k % 12)}" for k in range(96))
    (tmp_path / "gdp.csv").write_text("\n".join(["month,gdp", *rows]))
    outcome = run.train(wanted(tmp_path / "gdp.csv"), out=tmp_path / "run")
    assert json.loads((outcome.run / "facts.json").read_text())["ledger"]["splits"]["train"] > 20


def test_a_model_that_goes_on_takes_rows_as_it_did_before(tmp_path: Path) -> None:
    path = working_days(tmp_path)
    base = run.train(wanted(path), out=tmp_path / "base").run
    fields = load_model(base).inputs
    lines = path.read_text().splitlines()
    path.write_text("\n".join([lines[0], *lines[-11:]]))  # too short to tell
    short = wanted(path, data__window="{past: 4}", outputs__next__horizon="2")
    with pytest.raises(DataError, match="no track has 6 steps in a row"):
        ahead.cut(find(path, "timed_tables"), short)
    found = ahead.cut(find(path, "timed_tables"), ahead.as_given(short, fields))
    assert len(found.ids) > 0


def test_numbers_and_names_are_read_as_the_model_learned_them(tmp_path: Path) -> None:
    days = [f"{np.datetime64('2023-01-01') + k}" for k in range(90)]
    values = [1 + 0.3 * np.sin(k) for k in range(90)]
    rows = [f'{day},"{value:.2f}"'.replace(".", ",") for day, value in zip(days, values, strict=True)]
    (tmp_path / "sales.csv").write_text("\n".join(['date,"sold, net"', *rows]))
    outcome = run.train(wanted(tmp_path / "sales.csv"), out=tmp_path / "run")
    assert "fits every number of the table" in (tmp_path / "run" / "report.html").read_text()
    open_ones = [f'{day},"{value:.3f}"'.replace(".", ",") for day, value in zip(days, values, strict=True)]
    (tmp_path / "new.csv").write_text("\n".join(['date,"sold, net"', *open_ones]))
    found = run.predict(outcome.run, [tmp_path / "new.csv"])
    assert 0 < found.column("next_sold, net_1")[0].as_py() < 3


def test_steps_that_lie_elsewhere_apart_than_in_training_are_told(tmp_path: Path) -> None:
    outcome = run.train(wanted(months(tmp_path)), out=tmp_path / "run")
    rows = [f"{np.datetime64('2023-01-01') + k},{100 + k}" for k in range(60)]
    (tmp_path / "daily.csv").write_text("\n".join(["month,sales", *rows]))
    told = answers(outcome.run, [tmp_path / "daily.csv"]).remarks
    assert told[0] == (
        "from one step to the next it is 1 day here, and was 31 days in training. Such answers are guesses."
    )
    assert answers(outcome.run, [tmp_path / "sales.csv"]).remarks == []
