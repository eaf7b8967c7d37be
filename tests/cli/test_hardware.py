"""The command line of costs."""

import importlib
import json
from pathlib import Path
from typing import get_type_hints

import numpy as np
import pyarrow.parquet as pq
import pytest

from surrogate_nas.cli import hardware as command
from surrogate_nas.errors import CostTableError
from surrogate_nas.hardware import settings
from surrogate_nas.hardware.measure import bench
from surrogate_nas.hardware.settings import TimingSettings
from surrogate_nas.hardware.tables.predicted import read_drift, read_sizes, require_numbers
from surrogate_nas.space.load import load_space
from surrogate_nas.space.space import Space
from tests.hardware.transfer.made_results import SIZES, results, write

FIELDS = settings.HardwareSettings.model_fields
TINY = ["--channels", "2", "--cells", "1", "--image-size", "4"]


@pytest.fixture(autouse=True)
def quickly(monkeypatch: pytest.MonkeyPatch, tmp_path: Path) -> None:
    quick = TimingSettings(seconds=0.002, min_repeats=3, max_repeats=5, attempts=1)
    made = settings.HardwareSettings

    def fast(**values: object) -> settings.HardwareSettings:
        return made.model_validate({**values, "timing": quick})

    monkeypatch.setattr(settings, "HardwareSettings", fast)
    monkeypatch.chdir(tmp_path)
    assert bench


def test_a_profile_shows_the_range_beside_the_budget_and_writes_the_table(
    space: Space, capsys: pytest.CaptureFixture[str]
) -> None:
    words = ["profile", "nasbench201", "--device", "cpu", "--networks", "6", "--budget", "50%", *TINY]
    assert command.main(words) == 0
    said = capsys.readouterr().out
    assert "latency on cpu in float32: smallest" in said
    assert "of architectures meet it" in said
    table = pq.read_table("nasbench201-cpu.parquet")
    assert table.column_names == ["code", "cpu"]
    assert table.num_rows == space.size
    sizes = read_sizes(Path("nasbench201-cpu.parquet"))
    assert sizes is not None
    assert (sizes["channels"], sizes["cells"], sizes["image_size"]) == (2, 1, 4)
    facts = [pq.read_table("nasbench201-cpu.parquet").schema.metadata for _ in range(1) if not command.main(words)]
    assert facts == [table.schema.metadata]
    assert command.main([*words, "--remeasure"]) in (0, 3)
    assert pq.read_table("nasbench201-cpu.parquet").schema.metadata != table.schema.metadata


@pytest.mark.slow
def test_a_profile_of_8_bits_says_so(capsys: pytest.CaptureFixture[str]) -> None:
    words = ["profile", "quick", "--device", "cpu", "--networks", "4", "--precision", "int8", *TINY]
    assert command.main(words) == 0
    assert "latency on cpu in int8: smallest" in capsys.readouterr().out
    assert command.main([*words, "--backend", "eager"]) == 2
    assert "hardware.precision int8 is measured in ONNX Runtime" in capsys.readouterr().err


@pytest.mark.parametrize(
    ("option", "value", "message"),
    [
        ("--threads", "5000", "1024"),
        ("--batch", "100000", "65536"),
        ("--confidence", "7", "--confidence must be at least 0.5 and below 1 (got 7)"),
        ("--confidence", "nan", "--confidence must be at least 0.5 and below 1 (got nan)"),
        ("--networks", "100000000000000000000", "1000"),
        ("--classes", "10000000000", "100000"),
        ("--seed", "100000000000000000000", "2147483647"),
    ],
)
def test_a_number_out_of_range_is_one_line(
    capsys: pytest.CaptureFixture[str], option: str, value: str, message: str
) -> None:
    assert command.main(["profile", "quick", option, value]) == 2
    err = capsys.readouterr().err
    assert option in err
    assert message in err
    assert err.count("\n") == 1


def test_a_table_that_is_no_parquet_file_is_refused_before_anything_is_measured(
    monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    monkeypatch.setattr("surrogate_nas.cli.hardware.load_space", lambda _: pytest.fail("measures"))
    assert command.main(["profile", "quick", "--output", "t.csv"]) == 2
    assert "a table of predicted latencies is a .parquet file" in capsys.readouterr().err


def test_every_range_of_a_profile_is_that_of_the_settings() -> None:
    for option, name in (("batch", "batch"), ("threads", "threads"), ("networks", "whole_networks")):
        hint = get_type_hints(command.profile, include_extras=True)[option]
        info = hint.__metadata__[0]
        bounds = {type(one).__name__: one for one in FIELDS[name].metadata}
        assert (info.min, info.max) == (bounds["Ge"].ge, bounds["Le"].le)


def test_a_space_too_large_for_a_table_is_refused_before_anything_is_measured(
    capsys: pytest.CaptureFixture[str], monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr("surrogate_nas.hardware.measure.bench.Bench.__init__", None)
    assert command.main(["profile", "images32"]) == 2
    assert "error: images32 has too many architectures for a table of all of them" in capsys.readouterr().err


def test_a_budget_below_everything_is_an_outcome_of_its_own(capsys: pytest.CaptureFixture[str]) -> None:
    words = ["profile", "nasbench201", "--device", "cpu", "--networks", "6", "--budget", "0.001us", "--json", *TINY]
    assert command.main(words) == 3
    out, err = capsys.readouterr()
    assert json.loads(out)["share_within"] == 0
    assert "no architecture of nasbench201 meets 0.001us; the smallest stays below" in err


def test_a_table_is_checked(space: Space, tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    path = tmp_path / "t.csv"
    codes = space.digits(space.all_codes())
    path.write_text("code,phone,note\n" + "".join(f"{code},{1000 * (1 + n)},-\n" for n, code in enumerate(codes)))
    assert command.main(["check-table", "nasbench201", str(path), "--unit", "us"]) == 0
    out = capsys.readouterr().out
    assert "phone: 1 to 15,625, median 7,813: good" in out
    assert "not read, as they hold texts or numbers of rows: note" in out
    assert command.main(["check-table", "nasbench201", str(path)]) == 2
    assert "looks like microseconds" in capsys.readouterr().out
    path.write_text("code,phone\n" + "".join(f"{code},{1 + n}\n" for n, code in enumerate(codes[1:])))
    assert command.main(["check-table", "nasbench201", str(path), "--json"]) == 2
    out, err = capsys.readouterr()
    assert json.loads(out)["missing"] == 1
    assert "cannot be used yet" in err
    path.write_text("code,phone\n")
    assert command.main(["check-table", "nasbench201", str(path)]) == 2
    assert "phone: no rows" in capsys.readouterr().out


def test_results_of_a_device_become_a_table(space: Space, tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    rows = results(space, 20)
    write(tmp_path / "results.csv", rows)
    assert command.main(["import-bench", "nasbench201", "results.csv", "--budget", "3ms"]) == 0
    out, err = capsys.readouterr()
    assert "use it with --latency-table nasbench201-phone.parquet --device phone" in out
    assert not err
    assert read_sizes(Path("nasbench201-phone.parquet")) == SIZES
    for row in rows:
        row |= {name: row[name] and str(float(row[name]) / 1000) for name in ("median_ms", "again_ms")}
    write(tmp_path / "results.csv", rows)
    assert command.main(["import-bench", "nasbench201", "results.csv"]) == 0
    assert not capsys.readouterr().err  # the runner writes milliseconds
    write(tmp_path / "results.csv", [row | {"provider": "trtexec"} for row in rows])
    assert command.main(["import-bench", "nasbench201", "results.csv"]) == 0
    assert "if these are seconds, correct the columns median_ms, iqr_ms and again_ms" in capsys.readouterr().err


def test_results_of_a_space_too_large_to_list_become_a_table_of_them(
    tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    space = load_space("images32")
    codes = space.digits(space.effective(space.sample(30, np.random.default_rng(0))))
    rows = [
        row | {"code": code, "space": space.fingerprint}
        for row, code in zip(results(load_space("nasbench201")), codes, strict=True)
    ]
    write(tmp_path / "results.csv", rows)
    words = ["import-bench", "images32", "results.csv"]
    assert command.main([*words, "--budget", "3ms"]) == 0
    out, err = capsys.readouterr()
    assert "measured on phone in float32: 30 networks" in out
    assert "a study predicts the others from these" in out
    assert "use it with --latency-table images32-phone.parquet --device phone" in out
    assert not err
    path = Path("images32-phone.parquet")
    assert read_sizes(path) == SIZES
    assert read_drift(path) == pytest.approx(0.02, abs=1e-4)
    assert command.main(["check-table", "images32", str(path)]) == 0
    capsys.readouterr()
    assert command.main([*words, "--budget", "0.1ms"]) == 3
    assert "no measured network of images32 meets 0.1ms" in capsys.readouterr().err
    write(tmp_path / "results.csv", rows[:20])
    assert command.main([*words, "--json"]) == 0
    out, err = capsys.readouterr()
    assert json.loads(out)["facts"]["networks_measured"] == 20
    assert "warning: a study needs 30 calm measurements of images32" in err


def test_models_are_exported_or_the_remedy_is_said(tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    words = ["export-bench", "nasbench201", str(tmp_path / "bench"), "--networks", "10", *TINY]
    try:
        importlib.import_module("onnx")
    except ImportError:
        assert command.main(words) == 1
        assert "pip install onnx" in capsys.readouterr().err
    else:
        assert command.main(words) == 0
        assert len(list((tmp_path / "bench").glob("*.onnx"))) == 10


@pytest.mark.slow
def test_a_bench_in_8_bits_says_its_calibration(tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    words = ["export-bench", "quick", str(tmp_path / "bench"), "--networks", "10", *TINY]
    assert command.main([*words, "--activations", "signed"]) == 2
    assert "error: --activations signed is of int8; add --precision int8" in capsys.readouterr().err
    assert command.main([*words, "--precision", "int8"]) == 0
    assert "models are in int8; they were calibrated with one batch of random numbers" in capsys.readouterr().out
    assert json.loads((tmp_path / "bench" / "manifest.json").read_text())["precision"] == "int8"


@pytest.mark.slow
def test_results_in_8_bits_make_a_table_of_8_bits(
    space: Space, tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    write(tmp_path / "results.csv", [row | {"precision": "int8"} for row in results(space, 20)])
    assert command.main(["import-bench", "nasbench201", "results.csv"]) == 0
    assert "latency on phone in int8: smallest" in capsys.readouterr().out
    require_numbers(Path("nasbench201-phone.parquet"), "int8")
    with pytest.raises(CostTableError, match="networks in int8, but the study deploys float32"):
        require_numbers(Path("nasbench201-phone.parquet"), "float32")


@pytest.mark.parametrize("words", [["profile", "nowhere"], ["check-table", "nasbench201", "missing.csv"], ["profile"]])
def test_wrong_words_are_one_line(words: list[str], capsys: pytest.CaptureFixture[str]) -> None:
    assert command.main(words) == 2
    assert capsys.readouterr().err.startswith("error: ")


@pytest.mark.parametrize(
    ("words", "given"),
    [
        (["export-bench", "RUN", "bench", "--batch", "4", "--like-devices", "x"], "--like-devices, --batch"),
        (["import-bench", "RUN", "results.csv", "--output", "t.parquet"], "--output"),
    ],
)
def test_a_run_folder_takes_no_options_that_it_sets_itself(
    finished_run: Path,
    words: list[str],
    given: str,
    monkeypatch: pytest.MonkeyPatch,
    capsys: pytest.CaptureFixture[str],
) -> None:
    monkeypatch.setattr("surrogate_nas.deploy.winners.is_run", lambda _: True)
    assert command.main([str(finished_run) if word == "RUN" else word for word in words]) == 2
    line = capsys.readouterr().err
    assert "is a run folder, which sets networks, sizes, precision and budgets; leave out" in line
    assert line.rstrip().endswith(given)


def test_a_budget_of_another_device_is_refused(
    space: Space, tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    write(tmp_path / "results.csv", results(space, 20))
    assert command.main(["import-bench", "nasbench201", "results.csv", "--budget", "phone=50%"]) == 0
    assert command.main(["import-bench", "nasbench201", "results.csv", "--budget", "raspi4=50%"]) == 2
    assert "the latencies are of 'phone', and --budget names 'raspi4'; name none" in capsys.readouterr().err


@pytest.mark.parametrize(
    ("words", "message"),
    [
        (["profile", "nasbench201", "--budget", "5"], "--budget needs a unit, one of"),
        (["import-bench", "nasbench201", "none.csv", "--budget", "5"], "--budget needs a unit, one of"),
        (["profile", "nasbench201", "--activations", "signed"], "--activations signed is of int8"),
        (["import-bench", "nasbench201", "none.csv", "--like-devices", "pi"], "add --like TABLE"),
        (["export-bench", "images32", "bench", "--like", "none.csv"], "needs a space small enough to enumerate"),
        (["import-bench", "images32", "none.csv", "--seed", "3"], "--seed has no effect in images32"),
    ],
)
def test_options_without_effect_are_refused_before_anything_is_written(
    words: list[str], message: str, tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    assert command.main(words) == 2
    assert message in capsys.readouterr().err
    assert not list(tmp_path.iterdir())
