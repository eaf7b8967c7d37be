"""The dashboard's command, and a real dashboard over a real journal."""

import io
import json
import shutil
import subprocess
import time
import urllib.request
from collections.abc import Callable, Iterable
from pathlib import Path
from typing import IO, Any
from wsgiref.util import setup_testing_defaults

import numpy as np
import pytest
from PIL import Image

from surrogate_nas.costs.budget import Budget
from surrogate_nas.costs.protocol import CostModel
from surrogate_nas.errors import StoreError
from surrogate_nas.search.journal.dashboard import Dashboard, annotate, dashboard_command
from surrogate_nas.search.protocol import Predictor
from surrogate_nas.search.result import SearchResult
from surrogate_nas.search.run_search import run_search
from surrogate_nas.search.settings import SearchSettings
from surrogate_nas.space.space import Space

CHROMIUM = shutil.which("chromium") or shutil.which("chromium-browser")


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
    """Returns the JSON that a dashboard answers with, without a server between."""
    request: dict[str, Any] = {"PATH_INFO": path}
    setup_testing_defaults(request)
    answer: dict[str, Any] = json.loads(b"".join(dashboard(request, lambda *_: None)))
    return answer


def test_a_dashboard_knows_what_is_infeasible(
    space: Space, predictor: Predictor, costs: CostModel, tmp_path: Path
) -> None:
    optuna_dashboard = pytest.importorskip("optuna_dashboard")
    journal = tmp_path / "search.journal"
    budgets = [Budget("latency_ms", 4.0), Budget("params", 6e5)]
    result = run_search(
        space, predictor, costs, budgets, SearchSettings(trials=40), seed=0, journal=journal, study="seen", inputs="-"
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


def write_note(dashboard: Callable[..., Iterable[bytes]], version: int) -> None:
    """Does the same as the page when a user types a note."""
    body = json.dumps({"body": "seen", "version": version}).encode()
    request: dict[str, Any] = {"PATH_INFO": "/api/studies/0/note", "REQUEST_METHOD": "PUT"}
    request |= {"CONTENT_TYPE": "application/json", "CONTENT_LENGTH": str(len(body)), "wsgi.input": io.BytesIO(body)}
    setup_testing_defaults(request)
    answer: list[str] = []
    b"".join(dashboard(request, lambda status, *_: answer.append(status)))
    assert answer == ["204 No Content"]


@pytest.mark.parametrize("typing", [False, True])
def test_a_run_does_not_notice_that_it_is_watched(
    space: Space, predictor: Predictor, costs: CostModel, tmp_path: Path, typing: bool
) -> None:
    optuna_dashboard = pytest.importorskip("optuna_dashboard")
    settings = SearchSettings(trials=60, batch=4)
    counts: list[int] = []

    def run(name: str, progress: Callable[[int, int], None] | None) -> SearchResult:
        return run_search(
            space,
            predictor,
            costs,
            [Budget("latency_ms", 4.0)],
            settings,
            seed=0,
            journal=tmp_path / name,
            study="seen",
            inputs="-",
            progress=progress,
        )

    alone = run("alone", None)
    dashboards: list[Callable[..., Iterable[bytes]]] = []
    readers: list[IO[bytes]] = []

    def look(done: int, _: int) -> None:
        if not dashboards:
            dashboards.append(optuna_dashboard.wsgi(str(tmp_path / "watched")))
            readers.append(
                (tmp_path / "watched").open("rb")
            )  # another process keeps it open, in the middle of a record
            readers[0].read(100)
        counts.append(len(fetch(dashboards[0], "/api/studies/0")["trials"]))
        if typing:
            write_note(dashboards[0], len(counts))

    watched = run("watched", look)
    readers[0].close()
    assert len(counts) == 15  # each of them answered, if not with the latest: a dashboard remembers for some seconds
    assert (watched.opened, watched.notes) == ("created", ())
    assert np.array_equal(watched.codes, alone.codes)
    assert not (tmp_path / "watched.lock").exists()
    stored = [
        len(fetch(optuna_dashboard.wsgi(str(tmp_path / name)), "/api/studies/0")["trials"])
        for name in ("alone", "watched")
    ]
    assert stored == [60, 60]


def screenshot(journal: Path, folder: Path) -> Any:  # noqa: ANN401 - an array of pixels
    """Returns the upper part of the study's page as a browser draws it, shape (H, W, 3)."""
    dashboard = Dashboard(journal, folder / "artifacts")
    dashboard.start()
    try:
        for _ in range(400):
            try:
                urllib.request.urlopen(dashboard.url, timeout=5).read()
                break
            except OSError:
                time.sleep(0.3)
        picture = folder / "page.png"
        flags = ("headless", "no-sandbox", "disable-gpu", "no-first-run", "disable-background-networking")
        more = ("disable-component-update", "disable-sync", f"user-data-dir={folder / 'profile'}")
        view = ("window-size=1400,640", "virtual-time-budget=20000", f"screenshot={picture}")
        words = [f"--{flag}" for flag in (*flags, *more, *view)]
        subprocess.run(
            [str(CHROMIUM), *words, f"{dashboard.url}studies/0"], capture_output=True, check=True, timeout=180
        )
    finally:
        dashboard.stop()
    # Left of the colour bars and below the buttons: the Pareto plot.
    return np.asarray(Image.open(picture).convert("RGB"))[190:600, 430:1070]


@pytest.mark.slow
@pytest.mark.skipif(CHROMIUM is None, reason="needs chromium")
def test_a_browser_draws_infeasible_trials_in_grey(
    space: Space, predictor: Predictor, costs: CostModel, tmp_path: Path
) -> None:
    pytest.importorskip("optuna_dashboard")
    grey = []
    for share in (0.0, 0.5):
        folder = tmp_path / str(share)
        folder.mkdir()
        settings = SearchSettings(trials=60, infeasible_share=share)
        budgets = [Budget("latency_ms", 4.0)]
        journal = folder / "search.journal"
        run_search(space, predictor, costs, budgets, settings, seed=0, journal=journal, study="seen", inputs="-")
        pixels = screenshot(journal, folder).astype(int)
        assert (np.ptp(pixels, axis=2) > 60).sum() > 100  # coloured: the feasible trials
        grey.append(int((abs(pixels - 204).max(axis=2) <= 6).sum()))
    assert grey[1] > grey[0] + 100


def test_notes_and_files_replace_their_namesakes(
    space: Space, predictor: Predictor, costs: CostModel, tmp_path: Path
) -> None:
    journal, artifacts, file = tmp_path / "j", tmp_path / "artifacts", tmp_path / "report.html"
    run_search(space, predictor, costs, [], SearchSettings(trials=5), seed=0, journal=journal, study="a", inputs="-")
    for text in ("first", "second"):
        file.write_text(text)
        annotate(journal, f"{space.name}-a", f"note: {text}", [file], artifacts)
    [kept] = artifacts.iterdir()
    assert kept.read_text() == "second"
    size = journal.stat().st_size
    annotate(journal, f"{space.name}-a", "note: second", [file], artifacts)
    assert journal.stat().st_size == size
    result = run_search(
        space, predictor, costs, [], SearchSettings(trials=5), seed=0, journal=journal, study="a", inputs="-"
    )
    assert (result.opened, result.notes) == ("resumed", ())


@pytest.mark.parametrize("identifier", ["../victim", "/victim", "victim", "5f2a", ""])
def test_a_journal_names_no_place_to_write_to(
    space: Space, predictor: Predictor, costs: CostModel, tmp_path: Path, identifier: str
) -> None:
    journal, artifacts, file = tmp_path / "j", tmp_path / "artifacts", tmp_path / "report.html"
    run_search(space, predictor, costs, [], SearchSettings(trials=5), seed=0, journal=journal, study="a", inputs="-")
    victim = tmp_path / "victim"
    victim.write_text("as it was")
    file.write_text("new")
    meta = {"artifact_id": identifier or str(victim), "filename": "report.html", "mimetype": "-", "encoding": None}
    attribute(journal, {"artifacts:1": json.dumps(meta)})
    annotate(journal, f"{space.name}-a", "note", [file], artifacts)
    assert victim.read_text() == "as it was"
    [kept] = artifacts.iterdir()
    assert kept.read_text() == "new"


@pytest.mark.parametrize("attributes", [{"dashboard:note_ver": "x"}, {"artifacts:1": "[5]"}, {"artifacts:1": "{"}])
def test_notes_that_make_no_sense_are_an_error_of_ours(
    space: Space, predictor: Predictor, costs: CostModel, tmp_path: Path, attributes: dict[str, str]
) -> None:
    journal = tmp_path / "j"
    run_search(space, predictor, costs, [], SearchSettings(trials=5), seed=0, journal=journal, study="a", inputs="-")
    attribute(journal, attributes)
    with pytest.raises(StoreError, match=r"notes and files in .* are damaged"):
        annotate(journal, f"{space.name}-a", "note", [], tmp_path / "artifacts")


def attribute(journal: Path, attributes: dict[str, str]) -> None:
    """Appends a record to a journal that gives its study system attributes, as Optuna writes it."""
    record = {"op_code": 3, "worker_id": "x", "study_id": 0, "system_attr": attributes}
    with journal.open("a", encoding="utf-8") as records:
        records.write(json.dumps(record) + "\n")
