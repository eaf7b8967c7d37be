"""Costs of a run: made once, and never of another device."""

from collections.abc import Callable
from pathlib import Path

import numpy as np
import pytest

from surrogate_nas.errors import Interrupted, RunFolderError, StoreError
from surrogate_nas.hardware.measure import bench
from surrogate_nas.hardware.tables.stored import write_costs
from surrogate_nas.runs.run_folder import RunFolder
from surrogate_nas.runs.settings import StudySettings
from surrogate_nas.study.problem.deployed_costs import deployed_costs, makes_costs_anew, wants_latency
from surrogate_nas.study.problem.problem import Problem
from surrogate_nas.study.running import Run
from tests.hardware.planned.known_planner import use_known_planner

RunOf = Callable[..., Run]
CostsOf = Callable[[StudySettings, RunFolder], dict[str, np.ndarray]]


def with_hardware(problem: Problem, **changes: object) -> StudySettings:
    settings = problem.settings
    return settings.model_copy(update={"hardware": settings.hardware.model_copy(update=changes)})


@pytest.fixture
def costs_of(problem: Problem, run_of: RunOf) -> CostsOf:
    """Returns the costs of a run that is resumed in a folder."""

    def costs(settings: StudySettings, folder: RunFolder) -> dict[str, np.ndarray]:
        _, table = deployed_costs(problem.pool, problem.deployed, run_of(folder.path, settings))
        return table.evaluate(problem.codes)

    return costs


@pytest.fixture
def table_of(problem: Problem, tmp_path: Path) -> Callable[[float], str]:
    """Writes a latency table of which every value is multiplied by a factor."""

    def write(factor: float) -> str:
        rows = [f"{code},{factor * (1 + row) / 1000}" for row, code in enumerate(problem.space.digits(problem.codes))]
        path = tmp_path / f"table{factor}.csv"
        path.write_text("\n".join(["code,board", *rows]) + "\n", encoding="utf-8")
        return str(path)

    return write


def test_a_run_keeps_its_costs(problem: Problem, costs_of: CostsOf, tmp_path: Path) -> None:
    folder = RunFolder(tmp_path)
    first = costs_of(problem.settings, folder)
    scaled = problem.table
    scaled = type(scaled)(
        problem.pool,
        {name: 2 * values for name, values in first.items()},
        {},
        scaled.describe(),
    )
    write_costs(folder.costs, problem.deployed, scaled)
    kept = costs_of(problem.settings, folder)
    np.testing.assert_array_equal(kept["latency_ms"], 2 * first["latency_ms"])


def test_measuring_again_gives_new_costs(
    problem: Problem, costs_of: CostsOf, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("SURROGATE_NAS_CACHE", str(tmp_path / "cache"))  # of which nobody else sees what is replaced
    folder = RunFolder(tmp_path / "run")
    write_costs(folder.costs, problem.deployed, problem.table)
    again = costs_of(with_hardware(problem, remeasure=True), folder)
    assert not np.array_equal(again["latency_ms"], problem.costs["latency_ms"])
    np.testing.assert_array_equal(again["flops"], problem.costs["flops"])


def test_latencies_of_another_kind_or_machine_are_refused(
    problem: Problem,
    costs_of: CostsOf,
    tmp_path: Path,
    table_of: Callable[[float], str],
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    folder = RunFolder(tmp_path)
    write_costs(folder.costs, problem.deployed, problem.table)
    with pytest.raises(RunFolderError, match=r"latencies of 'measured', not 'table' \(hardware\.latency_table\)"):
        costs_of(with_hardware(problem, latency_table=table_of(1), device="board"), folder)
    monkeypatch.setattr(bench, "machine_name", lambda _: "Another CPU")
    with pytest.raises(
        RunFolderError, match=r"not 'Another CPU' \(hardware\.device\); measure .* --set hardware\.remeasure"
    ):
        costs_of(problem.settings, folder)


@pytest.mark.slow
def test_a_table_may_move_but_not_change(
    problem: Problem, costs_of: CostsOf, run_of: RunOf, tmp_path: Path, table_of: Callable[[float], str]
) -> None:
    folder = RunFolder(tmp_path / "run")
    settings = with_hardware(problem, latency_table=table_of(1), device="board")
    _, table = deployed_costs(problem.pool, problem.deployed, run_of(folder.path, settings))
    write_costs(folder.costs, problem.deployed, table)
    moved = Path(table_of(1)).rename(tmp_path / "moved.csv")
    for same in (str(moved), table_of(1 + 1e-12)):  # sums come out so by the number of threads
        costs_of(with_hardware(problem, latency_table=same, device="board"), folder)
    with pytest.raises(RunFolderError, match=r"with other latencies than hardware\.latency_table has now"):
        costs_of(with_hardware(problem, latency_table=table_of(1 + 1e-6), device="board"), folder)


def test_a_changed_column_of_flash_is_refused(
    problem: Problem, costs_of: CostsOf, run_of: RunOf, tmp_path: Path, table_of: Callable[[float], str]
) -> None:
    header, *rows = Path(table_of(1)).read_text().split()

    def with_flash(more: int) -> str:
        lines = [f"{row},{1000 + more + n}" for n, row in enumerate(rows)]
        (tmp_path / "flash.csv").write_text("\n".join([f"{header},board_flash_bytes", *lines]))
        return str(tmp_path / "flash.csv")

    folder = RunFolder(tmp_path / "run")
    settings = with_hardware(problem, latency_table=with_flash(0), device="board")
    _, table = deployed_costs(problem.pool, problem.deployed, run_of(folder.path, settings))
    write_costs(folder.costs, problem.deployed, table)
    costs_of(settings, folder)
    with pytest.raises(RunFolderError, match=r"with other numbers of .* than hardware\.latency_table has now; use an"):
        costs_of(with_hardware(problem, latency_table=with_flash(9), device="board"), folder)


def test_damaged_costs_are_named_with_the_remedy(problem: Problem, costs_of: CostsOf, tmp_path: Path) -> None:
    folder = RunFolder(tmp_path)
    folder.costs.write_bytes(b"PAR1")
    with pytest.raises(StoreError, match="remove the file, and the costs are computed again"):
        costs_of(problem.settings, folder)


def test_measuring_stops_when_asked(
    problem: Problem, run_of: RunOf, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("SURROGATE_NAS_CACHE", str(tmp_path / "cache"))
    run = run_of(tmp_path / "run", problem.settings, stop=True)
    with pytest.raises(Interrupted, match="stopped while measuring costs"):
        deployed_costs(problem.pool, problem.deployed, run)


def test_a_table_that_does_not_say_its_sizes_gets_a_note(
    problem: Problem, run_of: RunOf, table_of: Callable[[float], str], tmp_path: Path, caplog: pytest.LogCaptureFixture
) -> None:
    settings = with_hardware(problem, latency_table=table_of(1.0), device="board")
    with caplog.at_level("INFO"):
        deployed_costs(problem.pool, problem.deployed, run_of(tmp_path / "run", settings))
    sizes = problem.deployed
    assert f"does not say which networks were measured; the study takes them to have channels {sizes.channels}," in (
        caplog.text
    )


def asking(problem: Problem, **budgets: str) -> StudySettings:
    """Returns the settings of a run with budgets, in 8 bits."""
    content = problem.settings.model_dump(mode="json")
    content["budget"], content["hardware"]["precision"] = budgets, "int8"
    return StudySettings.model_validate(content)


@pytest.mark.slow
def test_ram_and_flash_are_known_where_they_are_asked_for(
    problem: Problem, costs_of: CostsOf, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("SURROGATE_NAS_CACHE", str(tmp_path / "cache"))
    without = costs_of(asking(problem, flops="50%"), RunFolder(tmp_path / "without"))
    counted = costs_of(asking(problem, ram="256KB"), RunFolder(tmp_path / "counted"))
    assert not {"ram_bytes", "flash_bytes"} & set(without)
    assert (counted["flash_bytes"] > counted["params"]).all()
    use_known_planner(monkeypatch)
    settings = asking(problem, flops="50%")
    planner = settings.hardware.model_copy(update={"planner": "vela", "whole_networks": 8})
    planned = costs_of(settings.model_copy(update={"hardware": planner}), RunFolder(tmp_path / "planned"))
    assert np.median(planned["flash_bytes"] / planned["params"]) == pytest.approx(2, rel=0.1)


def test_a_run_that_asks_for_ram_later_makes_its_costs_anew(problem: Problem, run_of: RunOf, tmp_path: Path) -> None:
    folder = RunFolder(tmp_path)
    folder.write_settings(asking(problem, flops="50%"))
    assert not makes_costs_anew(run_of(tmp_path, asking(problem, params="50%")))
    assert makes_costs_anew(run_of(tmp_path, asking(problem, ram="256KB")))
    folder.write_settings(asking(problem, ram="256KB"))
    assert not makes_costs_anew(run_of(tmp_path, asking(problem, flash="1MB")))


def test_latency_is_wanted_where_anything_is_about_it(problem: Problem) -> None:
    def changed(section: str, **values: object) -> StudySettings:
        content = asking(problem, flops="50%").model_dump(mode="json")
        content[section] |= values
        return StudySettings.model_validate(content)

    assert not wants_latency(asking(problem, ram="256KB", flops="50%"))
    assert wants_latency(asking(problem))  # without a budget, one on latency is the default
    assert wants_latency(asking(problem, ram="256KB", latency="5ms"))
    assert wants_latency(changed("budget", also=["latency=3ms; flops=40%"]))
    assert wants_latency(changed("search", traded=["flops", "latency_ms"]))
    assert wants_latency(changed("hardware", latency="always"))
    assert wants_latency(changed("hardware", latency_table="table.csv", device="board"))


def test_nothing_is_profiled_where_no_latency_is_asked_for(
    problem: Problem, run_of: RunOf, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("SURROGATE_NAS_CACHE", str(tmp_path / "cache"))
    run = run_of(tmp_path / "run", asking(problem, flops="50%"))
    model, table = deployed_costs(problem.pool, problem.deployed, run)
    assert table.names == ("flops", "params", "memory_bytes")
    assert not (tmp_path / "cache").exists()  # nothing was measured
    write_costs(run.folder.costs, problem.deployed, table)
    assert deployed_costs(problem.pool, problem.deployed, run)[1].names == table.names
    # Finalists can be measured all the same, and are described by what they are measured on.
    assert model.can_measure
    (measured,) = model.measure_architectures(problem.codes[[-1]])
    assert measured.median_ms > 0
    assert table.describe()["latency_ms"]["device"] == "cpu"


def test_a_run_that_asks_for_latency_later_makes_its_costs_anew(
    problem: Problem, run_of: RunOf, tmp_path: Path
) -> None:
    folder = RunFolder(tmp_path)
    folder.write_settings(asking(problem, flops="50%"))
    _, table = deployed_costs(problem.pool, problem.deployed, run_of(tmp_path, asking(problem, flops="50%")))
    write_costs(folder.costs, problem.deployed, table)
    assert not makes_costs_anew(run_of(tmp_path, asking(problem, params="50%")))
    assert makes_costs_anew(run_of(tmp_path, asking(problem, latency="5ms")))


def test_a_run_that_has_latency_keeps_it(problem: Problem, run_of: RunOf, tmp_path: Path) -> None:
    folder = RunFolder(tmp_path)
    write_costs(folder.costs, problem.deployed, problem.table)
    settings = problem.settings.model_copy(update={"budget": asking(problem, flops="50%").budget})
    assert not makes_costs_anew(run_of(tmp_path, settings))
    model, table = deployed_costs(problem.pool, problem.deployed, run_of(tmp_path, settings))
    assert "latency_ms" in table.names
    assert "latency_ms" in model.names
