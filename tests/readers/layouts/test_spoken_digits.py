from pathlib import Path

import numpy as np
import soundfile

from netwright.readers import Cells, find


def test_names_say_digit_speaker_and_part(tmp_path: Path) -> None:
    folder = tmp_path / "recordings"
    folder.mkdir()
    for digit in (3, 7):
        for speaker in ("theo", "lucas"):
            for take in (0, 4, 5, 12, 13):
                soundfile.write(folder / f"{digit}_{speaker}_{take}.wav", np.zeros(80), 8000)
    found = find(tmp_path)
    assert found.layout == "spoken_digits"
    assert sorted(found.columns) == ["audio", "category", "speaker"]
    assert found.official is not None
    by_part = dict(zip(found.ids.to_pylist(), found.official.to_pylist(), strict=True))
    assert by_part["3_theo_4.wav"] == "test"
    assert by_part["7_lucas_12.wav"] == "train"
    assert sum(part == "test" for part in by_part.values()) == 8
    speaker = found.columns["speaker"]
    assert isinstance(speaker, Cells)
    assert set(speaker.values.to_pylist()) == {"theo", "lucas"}
    (folder / "notes.txt").write_text("something else")
    assert find(tmp_path, "spoken_digits").refused[0].reason.startswith("not a sound")
