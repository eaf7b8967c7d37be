"""The command: answers, errors in one line, and no torch."""

import json
import subprocess
import sys
from collections.abc import Callable
from pathlib import Path

import pytest

from surrogate_nas.cli.predict import main

Make = Callable[..., Path]


def test_a_line_per_image(make_model: Make, images: Path, capsys: pytest.CaptureFixture[str]) -> None:
    assert main([str(make_model()), str(images / "b.png"), str(images / "inner")]) == 0
    lines = capsys.readouterr().out.splitlines()
    assert lines[0].split() == ["100.0%", "bright", str(images / "b.png")]
    assert lines[1].split()[1:] == ["dark", str(images / "inner" / "a.jpg")]


def test_a_class_makes_no_line_of_its_own(make_model: Make, images: Path, capsys: pytest.CaptureFixture[str]) -> None:
    model = make_model(class_names=["dark", "bright\n100.0%  \x1b[2Jdark"])
    assert main([str(model), str(images / "b.png")]) == 0
    (line,) = capsys.readouterr().out.splitlines()
    assert "bright\ufffd100.0%  \ufffd[2Jdark" in line


def test_json(make_model: Make, images: Path, capsys: pytest.CaptureFixture[str]) -> None:
    model = make_model() / "model.onnx"
    assert main([str(model), str(images), "--json"]) == 0
    answer = json.loads(capsys.readouterr().out)
    assert [one["class"] for one in answer["predictions"]] == ["bright", "dark"]
    assert answer["predictions"][0]["probabilities"]["bright"] == answer["predictions"][0]["probability"]


def test_errors_are_one_line(
    make_model: Make, images: Path, capsys: pytest.CaptureFixture[str], monkeypatch: pytest.MonkeyPatch
) -> None:
    def fails(code: int, message: str, *words: Path) -> None:
        assert main([str(word) for word in words]) == code
        error = capsys.readouterr().err
        assert message in error
        assert error.count("\n") == 1

    model = make_model()
    fails(2, "there is no image", model, images / "none")
    fails(2, "there is no model at", images, images)
    fails(1, "the program is older than the file", make_model(schema_version=3), images)
    monkeypatch.setitem(sys.modules, "onnxruntime", None)
    assert main([str(model), str(images)]) == 1
    assert "pip install onnxruntime" in capsys.readouterr().err


def test_a_broken_image_ends_nothing_but_is_an_error(
    make_model: Make, images: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    model = make_model()
    (images / "broken.png").write_bytes(b"x")
    for words, code in ([], 1), (["--skip-unreadable"], 0):
        assert main([str(model), str(images), *words]) == code
        captured = capsys.readouterr()
        assert [line.split()[1] for line in captured.out.splitlines()] == ["bright", "dark"]
        warning, *error = captured.err.splitlines()
        assert warning == f"warning: the image {images / 'broken.png'} cannot be read: unknown image format"
        assert error == [] if code == 0 else error[0].startswith("error: 1 of 3 images could not be read")
    assert main([str(model), str(images), "--json"]) == 1
    answer = json.loads(capsys.readouterr().out)
    assert len(answer["predictions"]) == 2
    assert answer["unreadable"] == [{"image": str(images / "broken.png"), "reason": "unknown image format"}]


def test_nothing_heavy_is_imported(make_model: Make, images: Path) -> None:
    script = (
        "import sys; from surrogate_nas.cli.predict import main; main(sys.argv[1:]);"
        "heavy = ('torch', 'torchvision', 'scipy', 'sklearn', 'pyarrow', 'h5py', 'onnx');"
        "print([name for name in heavy if name in sys.modules])"
    )
    done = subprocess.run(
        [sys.executable, "-c", script, str(make_model()), str(images)], capture_output=True, text=True, check=True
    )
    assert done.stdout.splitlines()[-1] == "[]"
    assert done.stderr == ""
