"""The dashboard's command, and a real dashboard over a real journal."""

import json
from collections.abc import Callable, Iterable
from pathlib import Path
from typing import Any
from wsgiref.util import setup_testing_defaults

import pytest

from surrogate_nas.budgets import Budget
from surrogate_nas.search.dashboard import dashboard_command
from surrogate_nas.search.protocol import CostModel, Scorer
from surrogate_nas.search.run import run_search
from surrogate_nas.search.settings import SearchSettings
from surrogate_nas.space.space import Space


@pytest.mark.parametrize(
    ("path", "command"),
    [
        ("runs/a/search.journal", "optuna-dashboard runs/a/search.journal"),
        ("my runs/search.journal", "optuna-dashboard 'my runs/search.journal'"),
        ("redis/search.journal", "optuna-dashboard ./redis/search.journal"),
        ("-x/search.journal", "optuna-dashboard ./-x/search.journal"),
    ],
)
def test_the_command_is_read_as_the_path_of_a_file(path: str, command: str) -> None:
    assert dashboard_command(Path(path)) == command


def fetch(dashboard: Callable[..., Iterable[bytes]], path: str) -> dict[str, Any]:
    """The JSON that a dashboard answers with, without a server between."""
    request: dict[str, Any] = {"PATH_INFO": path}
    setup_testing_defaults(request)
    answer: dict[str, Any] = json.loads(b"".join(dashboard(request, lambda *_: None)))
    return answer


def test_a_dashboard_knows_what_is_infeasible(space: Space, scorer: Scorer, costs: CostModel, tmp_path: Path) -> None:
    optuna_dashboard = pytest.importorskip("optuna_dashboard")
    journal = tmp_path / "search.journal"
    budgets = [Budget("latency_ms", 4.0), Budget("params", 6e5)]
    result = run_search(
        space, scorer, costs, budgets, SearchSettings(trials=40), seed=0, journal=journal, study="seen", inputs="-"
    )
    dashboard = optuna_dashboard.wsgi(str(journal))
    [study] = fetch(dashboard, "/api/studies")["study_summaries"]
    detail = fetch(dashboard, f"/api/studies/{study['study_id']}")
    assert study["study_name"] == "nasbench201-seen"
    assert study["directions"] == ["maximize", "minimize"]
    assert detail["objective_names"] == ["predicted accuracy", "latency_ms"]
    # The page calls a trial infeasible if an entry of this list is above zero.
    shown = [all(value <= 0 for value in trial["constraints"]) for trial in detail["trials"]]
    assert shown == result.feasible.tolist()
    assert not all(shown)
    first = {attribute["key"]: attribute["value"] for attribute in detail["trials"][0]["user_attrs"]}
    assert first["architecture"] == space.format(result.codes[0])
    assert {"code", "predicted_std", "latency_ms", "params"} <= first.keys()
    named = {parameter["name"]: parameter["param_external_value"] for parameter in detail["trials"][0]["params"]}
    assert named["3<-0"] == space.decisions[3].choices[result.codes[0][3]]
