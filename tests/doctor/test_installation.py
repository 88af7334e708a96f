"""The installation is looked at as it is; broken packages, folders and processes are really broken ones."""

import json
import os
import re
import subprocess
import sys
import tomllib
from pathlib import Path

import pytest

from netwright.doctor import installation
from netwright.doctor.installation import OPTIONAL, Optional


def test_this_installation_has_what_it_needs_and_looking_loads_no_optional_package(tmp_path: Path) -> None:
    code = (
        "import dataclasses, json, sys; from pathlib import Path; from netwright.doctor import installation; "
        f"found = installation.check(Path({str(tmp_path / 'cache')!r})); "
        "loaded = [m for m in ('torchvision', 'timm', 'onnx', 'sklearn', 'matplotlib') if m in sys.modules]; "
        "print(json.dumps([[dataclasses.asdict(each) for each in found], loaded]))"
    )
    environment = {**os.environ, "PYTHONPATH": str(Path(installation.__file__).parents[2])}
    done = subprocess.run([sys.executable, "-c", code], capture_output=True, text=True, env=environment, check=True)
    findings, loaded = json.loads(done.stdout)
    assert loaded == []
    found = {each["name"]: each for each in findings}
    for name in ("python", "torch", "packages", "cache"):
        assert found[name]["state"] == "good", found[name]
    assert set(found) >= {"cuda", "disk", "browser", *(each.package for each in OPTIONAL)}
    assert all(each["cure"] for each in findings if each["state"] == "bad")


def test_the_threads_and_version_of_torch_are_said() -> None:
    import torch

    message = installation.torch().message
    assert torch.__version__ in message
    assert f"{torch.get_num_threads()} thread" in message


def test_a_missing_package_names_its_feature_and_its_command() -> None:
    finding = installation.optional(Optional(("no_such_module",), "no-such-package", "the model zoo"))
    assert finding.state == "note"
    assert finding.message == "no_such_module is not installed. It costs the model zoo; everything else works."
    assert finding.cure.endswith("-m pip install no-such-package")


def test_what_installs_together_is_named_by_what_is_missing_and_a_quoted_command() -> None:
    finding = installation.optional(Optional(("numpy", "no_one", "no_other"), "netwright[zoo]", "weights of others"))
    assert finding.message.startswith("no_one, no_other are not installed. It costs weights of others")
    assert finding.cure.endswith("-m pip install 'netwright[zoo]'")


def test_the_extras_that_can_be_installed_are_those_that_are_looked_at() -> None:
    extras = tomllib.loads((Path(__file__).parents[2] / "pyproject.toml").read_text(encoding="utf-8"))["project"][
        "optional-dependencies"
    ]
    wanted = {f"netwright[{name}]": [re.split(r"[>=]", each)[0] for each in extras[name]] for name in extras}
    found = {each.package: list(each.modules) for each in installation.OPTIONAL if "[" in each.package}
    assert found == {name: packages for name, packages in wanted.items() if name != "netwright[dev]"}


def test_networks_of_others_are_looked_at_as_they_are_used() -> None:
    """Beside the CPU's torch torchvision cannot be imported before its operators are defined."""
    zoo = next(each for each in installation.OPTIONAL if each.package == "netwright[zoo]")
    assert installation.optional(zoo).state == "good"


def test_a_broken_extra_is_mended_by_its_parts_and_never_by_a_package_of_our_name(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    (tmp_path / "broken_part.py").write_text("raise RuntimeError")
    monkeypatch.setenv("PYTHONPATH", str(tmp_path))
    monkeypatch.syspath_prepend(str(tmp_path))
    finding = installation.optional(Optional(("broken_part", "numpy"), "netwright[zoo]", "weights of others"))
    assert finding.cure.endswith("-m pip install --force-reinstall broken_part numpy")


@pytest.mark.parametrize(
    ("source", "why"),
    [
        ("raise RuntimeError('operator torchvision::nms does not exist')", "operator torchvision::nms does not exist"),
        ("import os, signal; os.kill(os.getpid(), signal.SIGSEGV)", "ended by signal 11"),
    ],
)
def test_g2_a_broken_package_is_told_from_a_missing_one(
    source: str, why: str, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    (tmp_path / "broken_package.py").write_text(source)
    monkeypatch.setenv("PYTHONPATH", str(tmp_path))
    monkeypatch.syspath_prepend(str(tmp_path))
    finding = installation.optional(Optional(("broken_package",), "broken-package", "image models"))
    assert finding.state == "bad"
    assert why in finding.message
    assert "everything else works" in finding.message
    assert "--force-reinstall broken-package" in finding.cure


def test_a_file_named_like_a_package_beside_the_data_is_not_imported(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    (tmp_path / "numpy.py").write_text("from pathlib import Path\nPath('was-run').touch()")
    monkeypatch.chdir(tmp_path)
    assert installation.core().state == "good"
    assert not (tmp_path / "was-run").exists()


def test_a_cache_that_cannot_be_written_is_named(tmp_path: Path) -> None:
    (tmp_path / "file").write_text("")
    finding = installation.cache_folder(tmp_path / "file" / "cache")
    assert finding.state == "bad"
    assert str(tmp_path / "file" / "cache") in finding.message
    assert "NETWRIGHT_CACHE" in finding.cure


def test_the_size_of_the_cache_is_said_and_nothing_is_left_in_it(tmp_path: Path) -> None:
    (tmp_path / "entry").mkdir()
    (tmp_path / "entry" / "array.npy").write_bytes(bytes(3_000_000))
    assert "holds 3 MB" in installation.cache_folder(tmp_path).message
    assert [path.name for path in tmp_path.iterdir()] == ["entry"]


def test_free_disk_of_a_folder_that_is_not_there_yet_is_its_parents(tmp_path: Path) -> None:
    assert "GB free" in installation.free_disk(tmp_path / "not" / "yet").message


def test_a_browser_is_found_on_the_path_only_if_it_can_be_run(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("PATH", str(tmp_path))
    monkeypatch.setattr(installation, "_BROWSER_PATHS", ())
    assert installation.find_browser() is None
    assert installation.browser().state == "note"
    program = tmp_path / "chromium"
    program.write_text("#!/bin/sh\n")
    assert installation.find_browser() is None
    program.chmod(0o755)
    assert installation.find_browser() == program
