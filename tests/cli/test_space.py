"""The command line of spaces."""

from pathlib import Path

import pytest

from surrogate_nas._support.definitions import find_definition
from surrogate_nas.cli.space import main
from surrogate_nas.space.load import load_space


def test_a_space_is_counted_run_and_drawn(tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    drawing = tmp_path / "drawn.svg"
    assert main(["check", "quick", "--drawing", str(drawing)]) == 0
    said = capsys.readouterr().out
    assert "quick: 54 architectures of 4 decisions" in said
    assert "nonlinear functions: 2: 1, 4: 4, 6: 9, 8: 13," in said
    assert drawing.read_text(encoding="utf-8").startswith("<svg")


def test_a_mistake_is_told_by_file_line_and_key(tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    path = tmp_path / "mine.toml"
    text = find_definition("spaces", "quick").read_text(encoding="utf-8")
    path.write_text(text.replace("width = 8", "width = 0"), encoding="utf-8")
    assert main(["check", str(path)]) == 2
    line = text.splitlines().index("width = 8") + 1
    assert f"error: {path}: line {line}: stages.1.width.0: input should be" in capsys.readouterr().err


def test_a_name_in_a_definition_makes_no_line_of_its_own(tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    path = tmp_path / "mine.toml"
    text = find_definition("spaces", "quick").read_text(encoding="utf-8")
    code = load_space("quick").digits(load_space("quick").all_codes()[-1:])[0]
    known = f'[[known]]\nname = "a\\nran: everything"\narchitecture = "{code}"\n'
    path.write_text(f"{text}\n{known}", encoding="utf-8")
    assert main(["check", str(path)]) == 0
    lines = capsys.readouterr().out.splitlines()
    assert sum(line.startswith("ran: ") for line in lines) == 1
    assert sum(line.startswith("with a name: a\ufffdran: everything") for line in lines) == 1
