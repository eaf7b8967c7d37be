"""A whole study on cells of node choices."""

from collections.abc import Callable
from pathlib import Path

import pytest

from surrogate_nas.lookup.table import LookupTable
from surrogate_nas.space.load import load_space

RunHere = Callable[..., tuple[int, str, str]]


@pytest.mark.slow
def test_a_study_of_nasbench1shot1_goes_through(
    tiny: Path, faster: tuple[str, ...], here: RunHere, tmp_path: Path
) -> None:
    study = tmp_path / "study.toml"
    study.write_text(f'space = "nasbench1shot1_1"\n{tiny.read_text(encoding="utf-8")}', encoding="utf-8")
    code, output, errors = here(study, "--output-dir", tmp_path / "run", "--flops-budget", "40%", *faster)
    assert code == 0, errors
    space = load_space("nasbench1shot1_1")
    table = LookupTable.load(tmp_path / "run")
    best = table.best(flops="40%")
    assert space.format(space.parse(best.architecture)) == best.architecture
    assert f"found     {best.code}: " in output
    assert (tmp_path / "run" / "report.html").exists()
