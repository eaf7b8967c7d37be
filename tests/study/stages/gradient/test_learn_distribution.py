"""The distribution of a study votes in its predictor, and what it derives is in the report."""

import json
import re
from collections.abc import Callable, Mapping
from dataclasses import replace
from pathlib import Path

import numpy as np
import pytest

from surrogate_nas.errors import Interrupted, RunFolderError, SettingsError
from surrogate_nas.gradient.learned import VOTE, Learned
from surrogate_nas.predictor.predictor import load_predictor
from surrogate_nas.report.truth.truth import Truth
from surrogate_nas.space.load import load_space
from surrogate_nas.study.findings import Findings, LearnedOrder
from surrogate_nas.study.problem.problem import Problem
from surrogate_nas.study.running import Run
from surrogate_nas.study.stages.gradient import learn_distribution
from surrogate_nas.study.stages.gradient.learn_distribution import LearnDistribution, Search
from tests.fixtures.one_process import one_process

RunHere = Callable[..., tuple[int, str, str]]
RunOf = Callable[..., Run]
MEMBER = Path("supernets") / "gradient" / "member-0.safetensors"


def asking(problem: Problem, **settings: object) -> Problem:
    """Returns the problem with a search by gradients."""
    known = problem.settings
    given = known.gradient.model_validate({"method": "darts", "steps": 3, "votes": True} | settings)
    return replace(problem, settings=known.model_copy(update={"gradient": given}))


@pytest.mark.slow
def test_a_study_has_the_vote_and_the_derived_architecture(
    tiny: Path, budgets: tuple[str, ...], faster: tuple[str, ...], tmp_path: Path, here: RunHere
) -> None:
    folder = tmp_path / "run"
    words = (
        *budgets,
        *faster,
        "--set",
        "gradient.method=snas",
        "--set",
        "gradient.steps=4",
        "--set",
        "gradient.votes=true",
    )
    code, _, errors = here(tiny, "--output-dir", folder, *words)
    assert code == 0, errors
    assert "gradient.method = 'snas' derives" in errors
    report = (folder / "report.json").read_text()
    assert "snas' derives" in report
    assert "decisions skip" in report
    predictor = load_predictor(folder / "predictor", load_space("nasbench201"))
    assert predictor.fusion is not None
    assert predictor.fusion.prior.extra is not None
    assert predictor.fusion.prior.extra.weights == {VOTE: 1.0}
    learned = (folder / MEMBER).read_bytes()
    # The distribution proposes to the search, and its architecture is trained beside the finalists.
    more = ("--set", "search.sampler=learned", "--trainings", "2", "--set", "loop.stop_gain_percent=0")
    code, _, errors = here("--resume", "--output-dir", folder, *more)
    assert code == 0, errors
    assert "predictor: already fitted" in errors
    assert (folder / MEMBER).read_bytes() == learned
    fate = r"derived by gradients: \d{6} (has [\d.]+% after \d+ epochs?, place [12] of 2 |was not trained, since)"
    assert re.search(fate, errors)
    facts = json.loads((folder / "report.json").read_text())
    assert any(re.search(fate, note) for note in facts["made"]["notes"])
    assert "gradient" in [stage["name"] for stage in facts["made"]["stages"]]
    assert '"learned"' in (folder / "search.journal").read_text()
    code, _, errors = here("--resume", "--output-dir", folder, "--set", "gradient.method=gdas")
    assert code == 2
    assert "gradient.method" in errors


def test_a_stop_keeps_what_is_learnt(problem: Problem, run_copy: Path, run_of: RunOf) -> None:
    asked, run = asking(problem), run_of(run_copy, stop=True)
    LearnDistribution().check(asked, run)
    with pytest.raises(Interrupted, match="stopped while learning a distribution"):
        LearnDistribution().run(Findings(asked), run)
    with one_process():
        order = LearnDistribution().run(Findings(asked), run_of(run_copy))[LearnedOrder]
    assert order.votes is not None
    assert np.isfinite(order.votes.columns(problem.drawn)).all()
    assert len(order.votes.codes) == len(np.unique(problem.space.canonical(problem.codes[problem.connected]), axis=0))


def test_every_subspace_has_an_architecture_and_validation_chooses(
    problem: Problem, run_copy: Path, run_of: RunOf
) -> None:
    accuracy = np.arange(problem.space.size) * 100.0 / problem.space.size
    asked = replace(asking(problem, split="edge"), truth=Truth("truth.csv", "accuracy", accuracy))
    LearnDistribution().check(asked, run_of(run_copy))
    with one_process():
        order = LearnDistribution().run(Findings(asked), run_of(run_copy))[LearnedOrder]
    assert {code[0] for code in order.derived} == set(range(5))
    assert order.votes is not None
    said = " ".join(order.notes)
    assert "gradient.split = 'edge' has 5 subspaces, of which the least validation loss chooses:" in said
    assert said.count(", nearly uniform") == 5
    assert all(f"({name} on 1<-0)" in said for name in problem.space.decisions[0].choices)
    losses = [float(loss) for loss in re.findall(r"with loss ([\d.]+)", said)]
    assert losses == sorted(losses)
    assert len(losses) == 5
    # Of every subspace with an architecture that keeps the budgets, such a one is derived.
    derived = np.array(order.derived, dtype=np.int8)
    kept = problem.feasible[problem.space.index(derived)]
    assert len(derived) > 5
    assert set(derived[kept, 0]) == set(problem.codes[problem.feasible, 0])
    assert isinstance(order.distribution, Learned)
    codes = np.array([leaf.code for leaf in order.distribution.best_first])
    truth = accuracy[problem.space.index(codes)]
    assert f"the chosen subspace's architecture has {truth[0]:.2f}%, and the best of all" in said
    assert f"subspaces {truth.max():.2f}%" in said
    with pytest.raises(RunFolderError, match=r"was made with gradient = \w+, not"):
        LearnDistribution().check(asking(problem, split="edge", steps=4), run_of(run_copy))


def test_subspaces_that_the_space_does_not_have_are_refused(problem: Problem, finished: Path, run_of: RunOf) -> None:
    with pytest.raises(SettingsError, match=r"^gradient\.split_edge must be one of 1<-0, .* \(got '9<-0'\)"):
        LearnDistribution().check(asking(problem, split="edge", split_edge="9<-0"), run_of(finished))


def test_nothing_is_learnt_unless_asked_for(problem: Problem, finished: Path, run_of: RunOf) -> None:
    found = LearnDistribution().reuse(Findings(problem), run_of(finished))
    assert found is not None
    assert found[LearnedOrder] == LearnedOrder()


def test_costs_that_decisions_do_not_add_up_to_are_refused(problem: Problem, finished: Path, run_of: RunOf) -> None:
    with pytest.raises(SettingsError, match=r"gradient\.cost_weight needs a cost that is a sum over decisions"):
        LearnDistribution().check(asking(problem, cost_weight=0.1), run_of(finished))


def test_distributions_of_another_budget_are_named_with_the_way_on(
    problem: Problem, finished: Path, run_of: RunOf, monkeypatch: pytest.MonkeyPatch
) -> None:
    def refused(_plan: object, _folder: Path, identity: Mapping[str, str]) -> None:
        if "costs" in identity:
            raise RunFolderError("was made with costs = 1a, not 2b")

    search = Search.of(asking(problem), run_of(finished))
    place = replace(search.place, identity={**search.place.identity, "costs": "2b"})
    monkeypatch.setattr(learn_distribution, "check_stage", refused)
    search.check()
    with pytest.raises(RunFolderError, match=r"learnt for another first budget, .*; remove .* to learn them again"):
        replace(search, place=place).check()


def test_channels_that_do_not_divide_are_refused(problem: Problem, finished: Path, run_of: RunOf) -> None:
    with pytest.raises(SettingsError, match=r"gradient\.partial_channels = 3 does not fit supernet\.channels"):
        LearnDistribution().check(asking(problem, partial_channels=3), run_of(finished))


def test_half_of_the_images_must_fill_a_batch(problem: Problem, run_of: RunOf, tmp_path: Path) -> None:
    images = len(problem.splits.train)
    supernet = problem.settings.supernet.model_copy(update={"batch_size": images // 2 + 1})
    asked = asking(problem)
    large = replace(asked, settings=asked.settings.model_copy(update={"supernet": supernet}))
    with pytest.raises(SettingsError, match=rf"half of the {images} training images, .*batch_size={images // 2} at"):
        LearnDistribution().check(large, run_of(tmp_path))
