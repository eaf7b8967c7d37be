"""Off-the-shelf networks are trained as the model is, at the widths that the study fitted."""

from dataclasses import replace
from pathlib import Path

import pytest

from surrogate_nas.deploy.accuracy import Accuracy
from surrogate_nas.deploy.train import train_run
from surrogate_nas.deploy.train.chosen import Choice, choose
from surrogate_nas.deploy.train.rival_models import chosen_rivals, compared_on_test, study_table
from surrogate_nas.deploy.train.train_request import TrainRequest
from surrogate_nas.errors import SettingsError
from surrogate_nas.report.comparison import winner_text
from surrogate_nas.report.facts.against_rivals import RivalFacts, RivalsFacts
from surrogate_nas.report.facts.architectures import CostFacts, Estimate
from surrogate_nas.rivals.fit import FittedRival
from surrogate_nas.rivals.results_file import RivalRecords, write_rivals
from surrogate_nas.rivals.rival import Interface
from surrogate_nas.rivals.rival_network import RivalNetwork, count_rival
from surrogate_nas.training.recipes import final_recipe
from tests.fixtures.finished_run import Train

SMALL = Interface(1, 8, 10)
FITS, WIDER = (RivalNetwork("resnet20", width, SMALL) for width in (0.125, 0.25))
OTHER, LARGE = RivalNetwork("resnet32", 0.125, SMALL), RivalNetwork("resnet18", 1.0, SMALL)


@pytest.fixture
def compared(digits_copy: Path) -> Choice:
    """Returns the answer of a run that fitted three rivals."""
    fitted = [FittedRival(one, count_rival(one)) for one in (FITS, OTHER)]
    fitted.append(FittedRival(LARGE, count_rival(LARGE), None, "over the budget: parameters 11.2 M"))
    write_rivals(digits_copy / "rivals.json", RivalRecords("a", tuple(fitted)))
    return choose(digits_copy)


def request(choice: Choice, **asked: object) -> TrainRequest:
    return TrainRequest(choice.run.path, **asked)  # type: ignore[arg-type]


def test_named_rivals_come_with_the_strongest(compared: Choice) -> None:
    assert chosen_rivals(request(compared), compared) == []
    assert chosen_rivals(request(compared, rivals=1), compared) == [OTHER]
    assert chosen_rivals(request(compared, rivals=1, rival=("resnet20",)), compared) == [FITS, OTHER]
    assert chosen_rivals(request(compared, rivals=9, rival=("resnet32",)), compared) == [OTHER, FITS]


@pytest.mark.parametrize(
    ("asked", "words"),
    [
        ({"rival": ("resnet18",)}, r"ResNet-18 is over the budget: parameters 11\.2 M"),
        ({"rival": ("mnasnet",)}, r"no rival 'mnasnet'; it has resnet20, resnet32, resnet18"),
    ],
)
def test_a_rival_that_was_not_fitted_is_refused(compared: Choice, asked: dict[str, object], words: str) -> None:
    with pytest.raises(SettingsError, match=words):
        chosen_rivals(request(compared, **asked), compared)


def test_other_budgets_and_runs_without_rivals_are_refused(compared: Choice) -> None:
    with pytest.raises(SettingsError, match="the study's own budgets"):
        chosen_rivals(request(compared, rivals=1), replace(compared, keeps_own_budgets=False))
    compared.run.rivals.unlink()
    with pytest.raises(SettingsError, match=r"the run has no rivals; .* --set 'rivals\.names"):
        chosen_rivals(request(compared, rivals=1), compared)
    assert study_table(compared) is None


def test_an_unknown_name_is_refused_with_the_known_ones(tmp_path: Path) -> None:
    with pytest.raises(SettingsError, match=r"--rival vgg16 is no known network; choose from "):
        TrainRequest(tmp_path, rival=("vgg16",))


RECIPE = final_recipe(flip=True, images=1000, image_size=64)


def test_accuracies_of_the_table_are_of_the_test_images() -> None:
    costs = (CostFacts("params", 1.0),)
    rows = tuple(RivalFacts(one.title, "A", costs, Estimate(50.0, 40.0, 60.0)) for one in (FITS, OTHER))
    table = RivalsFacts(rows, Estimate(55.0, 45.0, 65.0), 3, 100)
    found = Accuracy.of(900, 1000)
    made = compared_on_test(table, found, {FITS: Accuracy.of(800, 1000)}, RECIPE, RECIPE)
    assert made is not None
    assert [one.accuracy_percent.value for one in made.rivals] == [80.0, None]
    assert (made.found.value, made.epochs, made.images, made.rival_epochs) == (90.0, 200, 1000, None)
    untrained = compared_on_test(table, found, {}, RECIPE, RECIPE)
    assert untrained is not None
    assert {one.accuracy_percent.value for one in untrained.rivals} == {None}
    assert untrained.epochs is None


def test_rivals_of_a_tuned_model_have_a_recipe_of_their_own() -> None:
    row = RivalFacts(FITS.title, "A", (CostFacts("params", 1.0),), Estimate(50.0, 40.0, 60.0))
    table = RivalsFacts((row,), Estimate(55.0, 45.0, 65.0), 3, 100)
    tuned = final_recipe(flip=True, images=1000, image_size=64, tuned=True)
    made = compared_on_test(table, Accuracy.of(900, 1000), {FITS: Accuracy.of(800, 1000)}, tuned, RECIPE)
    assert made is not None
    assert (made.epochs, made.rival_epochs, made.pretrained) == (100, 200, True)
    assert "after 100 epochs for 12 and 200 for the others from pretrained and from random weights" in winner_text(
        made, "12"
    )


@pytest.mark.slow
def test_the_command_trains_rivals_and_continues_from_their_checkpoints(
    compared: Choice, train: Train, monkeypatch: pytest.MonkeyPatch
) -> None:
    # The report of this run was made by hand, without a table of rivals.
    costs = (CostFacts("params", 1.0), CostFacts("latency_ms", None, 1e3, 0.5, 0.1, 10))
    rows = tuple(RivalFacts(one.title, "ResNet", costs, Estimate(None)) for one in (OTHER, FITS))
    monkeypatch.setattr(train_run, "study_table", lambda _: RivalsFacts(rows, Estimate(None)))
    words = (compared.run.path, "--rivals", "1", "--epochs", "1")
    code, out, errors = train(*words)
    assert code == 0, errors
    assert "rival: ResNet-32 at width 0.125" in errors
    assert "of training each" in out
    card = (compared.run.path / "best" / "model-card.md").read_text()
    section = card.partition("## Off-the-shelf networks")[2].partition("## Limits")[0]
    assert section.count("(95%:") >= 2
    accuracies = [line for line in section.splitlines() if line.startswith("| ")]
    assert [line.split(" | ")[0] for line in accuracies[2:]] == [
        "| **333123**",
        "| ResNet-32 at width 0.125",
        "| ResNet-20 at width 0.125",
    ]
    monkeypatch.setattr("surrogate_nas.training.learner.Learner.step", None)  # nothing is trained a second time
    code, _, errors = train(*words, "--resume")
    assert code == 0, errors
    assert (compared.run.path / "best" / "model-card.md").read_text().partition("## Off")[2].startswith("-the-shelf")
