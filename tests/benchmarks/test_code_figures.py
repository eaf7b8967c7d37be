"""Sizes of a made-up package, counted by hand."""

from pathlib import Path

import pytest

from benchmarks.code_figures import figures, main


def test_a_package_is_measured(tmp_path: Path) -> None:
    (tmp_path / "inner").mkdir()
    (tmp_path / "__init__.py").write_text("")
    (tmp_path / "inner" / "a.py").write_text('def f():\n    """>>> f()"""\n    x = 1\n\n    return x\n')
    (tmp_path / "inner" / "b.py").write_text('def g():\n    """Nothing."""\n')
    assert figures(tmp_path) == {
        "lines of a module": [5, 2],
        "lines of a body": [3, 0],
        "modules of a folder": [2],
        "levels of folders": [0, 1, 1],
        "lines of examples": [1],
        "lines in all": [7],
    }


@pytest.mark.slow
def test_the_command_prints_a_row_for_each_and_refuses_an_empty_folder(
    tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    assert main([]) == 0
    assert len(capsys.readouterr().out.splitlines()) == 7
    assert main([str(tmp_path)]) == 2
    assert "a folder of Python modules is needed" in capsys.readouterr().err
