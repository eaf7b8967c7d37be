"""A whole study on elastic depth and resolution, and the model that it ends in."""

import json
from collections.abc import Callable
from pathlib import Path

import pytest

from surrogate_nas._support.definitions import find_definition
from surrogate_nas.cli.train import main as train
from surrogate_nas.lookup.table import LookupTable
from surrogate_nas.space.load import load_space

RunHere = Callable[..., tuple[int, str, str]]


@pytest.fixture(scope="module")
def study(tiny: Path, tmp_path_factory: pytest.TempPathFactory) -> Path:
    """Returns the tiny study in this space."""
    path = tmp_path_factory.mktemp("studies") / "elastic.toml"
    path.write_text(f'space = "quick_elastic"\n{tiny.read_text(encoding="utf-8")}', encoding="utf-8")
    return path


@pytest.mark.slow
def test_a_study_goes_through_to_a_model_that_resizes_its_images(
    study: Path, faster: tuple[str, ...], here: RunHere, tmp_path: Path
) -> None:
    run = tmp_path / "run"
    code, output, errors = here(study, "--output-dir", run, "--flops-budget", "30%", *faster)
    assert code == 0, errors
    space, table = load_space("quick_elastic"), LookupTable.load(run)
    best = table.best(flops="30%")
    assert f"found     {best.code}: " in output
    assert space.format(space.parse(best.architecture)) == best.architecture
    report = (run / "report.html").read_text(encoding="utf-8")
    assert "resolution" in report
    assert best.architecture.partition("+")[0] in report
    small = next(row.code for row in map(table.entry, range(len(table))) if row.code.startswith("0"))
    assert train([str(run), "--arch", small, "--epochs", "1", "--quiet"]) == 0
    (folder,) = (run / "models").iterdir()
    card = (folder / "model-card.md").read_text(encoding="utf-8")
    assert "grey images of 8x8 pixels, which the model itself resizes to 6x6" in card
    results = json.loads((folder / "model.json").read_text())["results"]
    assert results["seen_size"] == 6
    assert results["onnx"]["float"]["agreement"]["largest_difference"] < 1e-3


def test_images_too_small_for_the_resolutions_are_refused(study: Path, here: RunHere, tmp_path: Path) -> None:
    space = tmp_path / "close.toml"
    text = find_definition("spaces", "quick_elastic").read_text(encoding="utf-8")
    space.write_text(text.replace("[6, 8]", "[7, 8]"), encoding="utf-8")
    words = ("--set", f'space="{space}"', "--set", "data.image_size=4", "--flops-budget", "30%")
    code, _, errors = here(study, "--output-dir", tmp_path / "run", *words)
    assert code == 2, errors
    assert "image_size must be at least 5 for the 2 resolutions of quick_elastic to differ (got 4: 4, 4" in errors
