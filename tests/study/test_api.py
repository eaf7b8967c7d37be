"""A study from Python against the same one from the command line."""

import threading
from pathlib import Path

import pytest
import torch
from PIL import Image

from surrogate_nas import HardwareSettings, LookupTable, Study, StudyResult
from surrogate_nas.errors import InfeasibleBudgetError, RunFolderError, SettingsError
from surrogate_nas.runs.study_file import read_resolved
from tests.fixtures.one_process import one_process


@pytest.mark.slow
def test_python_and_the_command_line_do_the_same(
    tiny: Path, finished: Path, tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    folder = tmp_path / "run"
    threads = torch.get_num_threads()
    torch.set_num_threads(3)
    with one_process():
        result = Study(str(tiny), output_dir=folder, quiet=True, latency_budget="1s", flops_budget="40%").run()
    assert torch.get_num_threads() == 3
    torch.set_num_threads(threads)
    printed, said = capsys.readouterr()
    assert printed == ""
    assert all(line.startswith("warning: ") for line in said.splitlines())
    assert read_resolved(folder / "study.toml", {}) == read_resolved(finished / "study.toml", {})
    assert (folder / "lookup.csv").read_bytes() == (finished / "lookup.csv").read_bytes()
    assert result.best == LookupTable.load(finished).find(result.table.metadata.answer or "")
    assert result.report.answer.chosen is not None
    assert result.report.answer.chosen.digits == result.best.code
    assert result.page.read_text(encoding="utf-8").startswith("<!DOCTYPE html>")
    assert result.report.made.command.endswith(f"{folder}/study.toml --output-dir {folder}-again")


def test_a_finished_run_is_read_and_answered_again(finished: Path, run_copy: Path) -> None:
    result = StudyResult.load(finished)
    assert result.best.code == result.table.metadata.answer
    # From another thread, where no signals arrive: nothing is left to do but to search again.
    found: list[StudyResult] = []
    study = Study(output_dir=run_copy, resume=True, quiet=True, flops_budget="20%")
    thread = threading.Thread(target=lambda: found.append(study.run()))
    thread.start()
    thread.join()
    assert found[0].best.costs["flops"] <= result.best.costs["flops"]


def test_from_a_folder_of_images_to_a_classified_image(
    tiny: Path, mixed_images: Path, own_cache: Path, tmp_path: Path
) -> None:
    settings = {"supernet.steps": 10, "labels.validation_images": 40, "predictor.ensemble": 1}
    with one_process():
        study = Study(
            str(tiny),
            data=mixed_images,
            params_budget="60%",
            output_dir=tmp_path / "run",
            settings=settings,
            quiet=True,
        )
        assert repr(study) == f"<Study tiny of nasbench201, budget 60%, into {tmp_path / 'run'}>"
        result = study.run()
    with pytest.raises(SettingsError, match="there is no model at"):
        _ = result.model
    model = result.train(epochs=2, quiet=True)
    assert model.folder == result.folder / "models" / result.best.code
    assert model.class_names == ("bright", "dark")
    assert model.accuracy is not None
    assert sorted(model.results["classes"]) == ["bright", "dark"]
    one = next((mixed_images / "bright").iterdir())
    with Image.open(one) as image:
        by_path, by_image = model.predict([one, image])
    assert by_path.probabilities == by_image.probabilities
    # Opened again later, nothing is searched or trained.
    again = StudyResult.load(result.folder)
    assert repr(again).startswith(f"<StudyResult {result.folder}: {result.best.code}, predicted accuracy ")
    assert repr(again).endswith("; 15,284 architectures in the table>")
    assert repr(again.table).startswith("<LookupTable of nasbench201: 15,284 architectures, flops, ")
    assert again.model.predict(one)[0].probabilities == by_path.probabilities
    cheapest = again.table.best(params="10%")
    quick = HardwareSettings(device="cpu", timing={"seconds": 0.005, "min_repeats": 3, "attempts": 1})
    assert again.measure(cheapest.code, quick) == again.measure(cheapest.code, quick)
    assert again.measure(settings=quick).median_ms > 0


def test_a_budget_that_nothing_meets_still_leaves_a_report(run_copy: Path) -> None:
    with pytest.raises(InfeasibleBudgetError, match=r"see .*report\.html"):
        Study(output_dir=run_copy, resume=True, quiet=True, flops_budget="1K").run()


def test_what_is_wrong_is_said_before_anything_runs(tmp_path: Path, finished: Path) -> None:
    with pytest.raises(SettingsError, match="unknown study 'nosuch'"):
        Study("nosuch")
    with pytest.raises(SettingsError, match="needs a unit"):
        Study("quickstart", latency_budget="5")
    with pytest.raises(SettingsError, match="unknown option 'latency'"):
        Study("quickstart", latency="5ms")  # type: ignore[call-arg]
    with pytest.raises(SettingsError, match="--track must be tensorboard or mlflow"):
        Study("quickstart", track="wandb")
    with pytest.raises(SettingsError, match="exclude each other"):
        Study("quickstart", resume=True, overwrite=True)
    with pytest.raises(RunFolderError):
        Study("quickstart", output_dir=finished).run()
    with pytest.raises(RunFolderError):
        StudyResult.load(tmp_path)
