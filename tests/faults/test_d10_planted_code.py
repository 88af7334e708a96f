"""Python files that lie beside the data or the model file (D10) are never imported and never run."""

from __future__ import annotations

import subprocess
import sys
from pathlib import Path

import numpy as np
from PIL import Image

NAMES = ("sitecustomize", "usercustomize", "my", "my_parts", "netwright_parts", "conftest", "json", "torch", "category")
OPEN = """
from pathlib import Path
from netwright import model_file, readers
found = readers.find(Path("photos"))
model = model_file.load("iris.netwright")
print(len(found.ids), model.replayed)
"""


def test_d10_code_beside_data_and_model_is_never_imported(model_file: Path, tmp_path: Path) -> None:
    ran = tmp_path / "ran"
    planted = f"open({str(ran)!r}, 'a').write(__name__)\n"
    photos = tmp_path / "photos"
    for name in ("cat", "dog"):
        (photos / name).mkdir(parents=True)
        for number in range(3):
            Image.fromarray(np.full((9, 9), 40 * number, np.uint8)).save(photos / name / f"{number}.png")
    for folder in (model_file.parent, photos, photos / "cat"):
        for name in (*NAMES, "__init__"):
            (folder / f"{name}.py").write_text(planted)
        (folder / "evil.pth").write_text(f"import os; {planted}")
    (tmp_path / "netwright").mkdir()
    (tmp_path / "netwright" / "__init__.py").write_text(planted)
    script = tmp_path / "elsewhere" / "open.py"  # as the installed command, which does not lie beside the data
    script.parent.mkdir()
    script.write_text(OPEN)
    done = subprocess.run(
        [sys.executable, script], cwd=tmp_path, capture_output=True, text=True, check=False, timeout=180
    )
    assert done.returncode == 0, done.stderr
    assert done.stdout == "6 8 of 8 match, largest difference 0\n"
    assert not ran.exists()
    subprocess.run([sys.executable, "-c", "import my"], cwd=tmp_path, check=True, timeout=180)
    assert ran.read_text() == "my"  # the bait is live
