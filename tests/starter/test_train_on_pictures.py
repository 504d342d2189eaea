"""The documented recipe: from a folder of pictures to an adapter that the engine serves."""

from __future__ import annotations

from pathlib import Path

import numpy as np
import pytest
from PIL import Image

from generation.starter.layout import MODEL
from generation.starter.training import train_on_pictures
from generation.starter.training.train_on_pictures import NoPictures, read_examples
from tests.starter import tiny_lesson

BLUEPRINTS = Path(__file__).parents[2] / "docs" / "use" / "blueprints"


def test_each_picture_is_called_what_its_file_or_its_text_says(tmp_path: Path) -> None:
    drawn = Image.new("RGBA", (60, 30), (200, 0, 0, 255))
    drawn.putpixel((0, 0), (0, 0, 0, 0))
    drawn.save(tmp_path / "a-red-flag.png")
    drawn.save(tmp_path / "2.png")
    (tmp_path / "2.txt").write_text("a wide\nred thing\n", "utf-8")
    (tmp_path / "notes.md").write_text("no picture", "utf-8")
    second, first = read_examples(tmp_path)
    assert (first.text, second.text) == ("a red flag", "a wide red thing")
    assert first.pixels.shape == (128, 128, 3)
    assert first.pixels[5, 64].tolist() == [255, 255, 255], "white above and below"
    assert first.pixels[64, 64].tolist() == [200, 0, 0]


@pytest.mark.parametrize(
    ("name", "sentence"),
    [("", "holds no picture"), ("torn.png", "torn.png cannot be read as a picture."),
     ("gone", "is no folder.")],
)  # fmt: skip
def test_a_folder_without_pictures_says_what_is_missing(
    tmp_path: Path, name: str, sentence: str, monkeypatch: pytest.MonkeyPatch
) -> None:
    if name == "torn.png":
        (tmp_path / name).write_bytes(b"\x89PNG\r\n\x1a\nand no more")
    folder = tmp_path / "gone" if name == "gone" else tmp_path
    with pytest.raises(NoPictures, match=sentence):
        read_examples(folder)
    monkeypatch.setattr("sys.argv", ["train", str(folder), str(tmp_path / "a.safetensors")])
    with pytest.raises(SystemExit, match=sentence):
        train_on_pictures.main()


def test_the_example_s_pictures_are_read() -> None:
    examples = read_examples(BLUEPRINTS)
    assert len(examples) == 10
    assert "a cup of coffee" in {each.text for each in examples}
    assert all(np.median(each.pixels[..., 2]) > 120 for each in examples), "on blue"


def test_some_steps_on_the_shipped_model_write_an_adapter(tmp_path: Path) -> None:
    file = tmp_path / "blueprint.safetensors"
    train_on_pictures.train(MODEL, read_examples(BLUEPRINTS), file, 4, tiny_lesson.plan(2))
    assert file.stat().st_size > 100_000
    assert not (tmp_path / "blueprint.part").exists()
