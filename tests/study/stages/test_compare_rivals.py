"""A study names the winner between its answer and off-the-shelf networks; resuming repeats nothing of that."""

import json
import shutil
from collections.abc import Callable
from dataclasses import replace
from pathlib import Path
from types import SimpleNamespace
from typing import cast

import numpy as np
import pytest
import torch
from torch import nn

from surrogate_nas.costs.budget import Budget
from surrogate_nas.errors import SettingsError, TrainingError
from surrogate_nas.hardware.cost_models import CompositeCosts
from surrogate_nas.hardware.measurement import Measurement
from surrogate_nas.labels.records import NO_MEMBER, LabelBatch
from surrogate_nas.labels.store import LabelStore
from surrogate_nas.lookup.table import LookupTable
from surrogate_nas.nets.pretrained.first_weights import FirstWeights
from surrogate_nas.report.json_file import read_facts
from surrogate_nas.rivals.results_file import RivalRecords, TrainedRecord, read_rivals, write_rivals
from surrogate_nas.rivals.rival import Interface
from surrogate_nas.rivals.rival_network import RivalNetwork
from surrogate_nas.rivals.settings import RivalSettings
from surrogate_nas.runs.run_folder import RunFolder
from surrogate_nas.runs.settings import StudySettings
from surrogate_nas.study.findings import FinalistChoice, Findings, RivalFindings
from surrogate_nas.study.problem.problem import Problem
from surrogate_nas.study.running import Run as InProgress
from surrogate_nas.study.stages import compare_rivals
from surrogate_nas.study.stages.compare_rivals import CompareRivals, _inputs, _with_answer, forget_fitted
from surrogate_nas.study.stages.network_trainings import training_steps
from surrogate_nas.training.network_checkpoint import save_training
from surrogate_nas.training.settings import TrainingSettings
from surrogate_nas.training.train_network import NetworkJob

RunQuietly = Callable[..., str]
RunHere = Callable[..., tuple[int, str, str]]
RunOf = Callable[..., InProgress]
NAMES = '--set=rivals.names=["resnet20", "squeezenet1_1"]'


@pytest.fixture(scope="module")
def compared(finished: Path, run_quietly: RunQuietly, tmp_path_factory: pytest.TempPathFactory) -> Path:
    """Returns a run that trained a finalist and a rival."""
    folder = Path(shutil.copytree(finished, tmp_path_factory.mktemp("compared") / "run"))
    run_quietly(
        "--resume", "--output-dir", folder, "--trainings", "1", "--rivals", "1", NAMES, "--set=training.epochs=4"
    )
    return folder


@pytest.fixture
def compared_copy(compared: Path, tmp_path: Path) -> Path:
    return Path(shutil.copytree(compared, tmp_path / "run"))


def never(*_: object, **__: object) -> object:
    raise AssertionError("done a second time")


def test_the_report_has_the_table_and_the_winner(compared: Path) -> None:
    facts = read_facts(compared / "report.json")
    assert facts.rivals is not None
    fits, other = facts.rivals.rivals
    budgets = {cost.cost: cost for cost in fits.costs if cost.budget is not None}
    assert set(budgets) == {"latency_ms", "flops"}
    assert budgets["flops"].predicted is not None
    assert budgets["flops"].predicted <= budgets["flops"].budget  # type: ignore[operator]
    assert budgets["latency_ms"].measured is not None
    assert (fits.fits, other.fits) == (True, False)
    assert other.reason.startswith("over the budget: FLOPs")
    assert fits.accuracy_percent.value is not None
    assert facts.rivals.found.value is not None
    page = (compared / "report.html").read_text()
    assert "ResNet-20 at width" in page
    assert "of training each" in page


def test_the_lookup_table_says_which_is_better(compared: Path) -> None:
    metadata = LookupTable.load(compared).metadata
    (one,) = metadata.rivals
    assert one["budgets"] == metadata.budgets
    assert one["found"] == metadata.answer
    assert one["better"] in ("space", "rival", "undecided")


def test_resuming_neither_measures_nor_trains_again(
    compared_copy: Path, here: RunHere, monkeypatch: pytest.MonkeyPatch
) -> None:
    before = (compared_copy / "rivals.json").read_bytes()
    monkeypatch.setattr(CompositeCosts, "measure_modules", never)
    monkeypatch.setattr(compare_rivals, "train_or_say_why", never)
    code, out, errors = here("--resume", "--output-dir", compared_copy)
    assert code == 0, errors
    assert (compared_copy / "rivals.json").read_bytes() == before
    assert "of training each" in out


@pytest.mark.slow
def test_a_training_that_was_lost_gives_the_same(compared_copy: Path, here: RunHere) -> None:
    path = compared_copy / "rivals.json"
    before = read_rivals(path)
    write_rivals(path, replace(before, trained={}, comparisons=()))
    for checkpoint in (compared_copy / "trainings").glob("resnet20@*"):
        checkpoint.unlink()
    code, _, errors = here("--resume", "--output-dir", compared_copy)
    assert code == 0, errors
    assert read_rivals(path) == before


@pytest.mark.slow
def test_other_budgets_are_compared_anew_and_earlier_ones_kept(compared_copy: Path, here: RunHere) -> None:
    code, _, errors = here("--resume", "--output-dir", compared_copy, "--flops-budget", "80%")
    assert code == 0, errors
    limits = [one.budgets["flops"] for one in read_rivals(compared_copy / "rivals.json").comparisons]
    assert limits == sorted(set(limits))
    assert len(limits) == 2


def test_rivals_without_trainings_are_refused_in_one_line(tiny: Path, tmp_path: Path, here: RunHere) -> None:
    code, _, errors = here(tiny, "--rivals", "2", "--output-dir", tmp_path / "run")
    assert code == 2
    assert len(errors.splitlines()) == 1
    assert "--trainings" in errors
    assert not (tmp_path / "run").exists()


def settings_with(problem: Problem, **rivals: object) -> StudySettings:
    loop = problem.settings.loop.model_copy(update={"trainings": 1})
    return problem.settings.model_copy(update={"rivals": RivalSettings.model_validate(rivals), "loop": loop})


@pytest.mark.parametrize(
    ("rivals", "words"),
    [
        ({"names": ["lcnet"]}, r"lcnet, which needs timm"),
        ({"names": [], "train": 2}, r"--rivals 2 has no networks to train"),
    ],
)
def test_settings_that_do_not_fit_are_refused(
    problem: Problem, run_of: RunOf, rivals: dict[str, object], words: str, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr("surrogate_nas.rivals.rival.find_spec", lambda _: None)
    asked = replace(problem, settings=settings_with(problem, **rivals))
    with pytest.raises(SettingsError, match=words):
        CompareRivals().check(asked, run_of(Path("nowhere")))


def test_budgets_that_cannot_be_known_are_reported_and_nothing_is_trained(
    problem: Problem, run_of: RunOf, tmp_path: Path
) -> None:
    (tmp_path / "run").mkdir()
    settings = settings_with(problem, names=["resnet20"], train=1)
    asked = replace(problem, settings=settings, budgets=(Budget("latency_ms[pixel3]", 1.0),))
    choice = FinalistChoice("met", 0, problem.drawn[:1], ())
    found = CompareRivals().run(Findings(asked, choice), run_of(tmp_path / "run", settings))[RivalFindings]
    assert found.unknown == ("latency_ms[pixel3]",)
    assert found.trained == ()
    assert [one.network.width for one in found.records.fitted] == [1.0]


def test_rivals_of_a_pretrained_study_are_not_trained_by_its_recipe_of_fine_tuning(
    problem: Problem, run_of: RunOf, tmp_path: Path
) -> None:
    training = TrainingSettings(layer_decay=0.9, head_share=0.1)
    asked = replace(problem, settings=problem.settings.model_copy(update={"training": training}))
    choice = FinalistChoice("met", 0, problem.drawn[:1], ())
    (tmp_path / "run").mkdir()
    run = run_of(tmp_path / "run", asked.settings)
    network = RivalNetwork("resnet20", 0.125, Interface(1, 8, 10))
    for first, wanted in ((None, training), (SimpleNamespace(digest="-"), training.of_random_weights())):
        pretrained = replace(asked, first_weights=cast("FirstWeights | None", first))
        (_, own), (_, its) = compare_rivals._jobs([network], choice, pretrained, run)
        assert own.settings == training
        assert its.settings == wanted


def test_a_training_that_fails_ends_no_study(monkeypatch: pytest.MonkeyPatch) -> None:
    def fail(*_: object) -> None:
        raise TrainingError("the loss of ResNet-20 is nan")

    monkeypatch.setattr(compare_rivals, "train_network", fail)
    job: NetworkJob = None  # type: ignore[assignment]
    assert compare_rivals.train_or_say_why(job, print, bool) == "the loss of ResNet-20 is nan"


def test_a_full_disk_is_no_fault_of_a_rival(monkeypatch: pytest.MonkeyPatch, tmp_path: Path) -> None:
    (tmp_path / "file").touch()
    network = nn.Linear(1, 1)
    optimizer = torch.optim.SGD(network.parameters(), 0.1)

    def full(*_: object) -> None:
        save_training(tmp_path / "file" / "checkpoint.safetensors", network, optimizer, 1, {})

    monkeypatch.setattr(compare_rivals, "train_network", full)
    job: NetworkJob = None  # type: ignore[assignment]
    with pytest.raises(TrainingError, match="make room and continue"):
        compare_rivals.train_or_say_why(job, print, bool)


def test_an_answer_that_could_not_be_trained_counts_once_it_is(problem: Problem, run_copy: Path, run_of: RunOf) -> None:
    run, code = run_of(run_copy), problem.drawn[:1]
    choice = FinalistChoice("met", 0, code, ())
    digits = problem.space.digits(problem.space.effective(code))[0]
    records = RivalRecords().with_trained(digits, TrainedRecord(None, reason="no memory"))
    assert _with_answer(problem, choice, run, records) == records
    with LabelStore.open_or_create(run.folder.trainings, problem.label_identity) as store:
        steps = training_steps(problem, problem.settings.training.epochs)
        label = np.array([50.0]), np.array([1.0])
        store.append(
            LabelBatch(problem.space.effective(code), *label, "training", NO_MEMBER, problem.settings.seed, steps)
        )
    assert _with_answer(problem, choice, run, records).trained[digits].accuracy_percent == 50


def test_another_answer_is_measured_beside_rivals_again(problem: Problem) -> None:
    timed = Measurement(1.0, 0.0, 9, 0, False, "2026-01-01T00:00:00+00:00")
    measured = [FinalistChoice("met", 0, problem.drawn[[row]], (timed,)) for row in (0, 1, 0)]
    first, other, same = (_inputs(problem, one) for one in measured)
    assert first == same != other
    assert _inputs(problem, replace(measured[0], measured=())) == _inputs(problem, replace(measured[1], measured=()))


def test_rivals_in_another_precision_are_others(problem: Problem) -> None:
    hardware = problem.settings.hardware.model_copy(update={"precision": "int8"})
    other = replace(problem, settings=problem.settings.model_copy(update={"hardware": hardware}))
    choice = FinalistChoice("met", 0, problem.drawn[:1], ())
    assert _inputs(problem, choice) != _inputs(other, choice)


def test_damaged_records_are_reported_before_anything_changes(compared_copy: Path, here: RunHere) -> None:
    (compared_copy / "rivals.json").write_text("{")
    table = json.loads((compared_copy / "lookup.json").read_text())
    code, _, errors = here("--resume", "--output-dir", compared_copy)
    assert code == 1
    assert "remove the file" in errors
    assert json.loads((compared_copy / "lookup.json").read_text()) == table


def test_forgotten_fits_leave_the_trainings(tmp_path: Path) -> None:
    folder = RunFolder(tmp_path)
    forget_fitted(folder)
    assert not folder.rivals.exists()
    records = replace(RivalRecords(), inputs="before").with_trained("0", TrainedRecord(None, reason="no memory"))
    write_rivals(folder.rivals, records)
    forget_fitted(folder)
    assert read_rivals(folder.rivals) == replace(records, inputs="")
