"""The benchmark of the predictor on made-up tables: definitions, keys and errors."""

import json
from pathlib import Path

import numpy as np
import pytest

from benchmarks import predictor as benchmark
from benchmarks.learned_votes import write_votes
from benchmarks.predictor import FIGURES, Tables, draw, figures, main, read_tables
from surrogate_nas.errors import SettingsError
from surrogate_nas.predictor.protocol import Codes, Floats
from surrogate_nas.predictor.settings import PredictorSettings
from surrogate_nas.predictor.training_set import SourceLabels
from surrogate_nas.space.class_table import ClassTable
from surrogate_nas.space.load import load_space
from surrogate_nas.space.space import Space


@pytest.fixture(scope="module")
def space() -> Space:
    return load_space("nasbench201")


@pytest.fixture(scope="module")
def files(space: Space, tmp_path_factory: pytest.TempPathFactory) -> tuple[Path, Path]:
    """Writes labels and truth of 600 architectures."""
    folder = tmp_path_factory.mktemp("tables")
    rng = np.random.default_rng(0)
    codes = space.sample(600, rng, replace=False)
    truth = 50 + 5 * space.nonlinear_count(codes) + rng.normal(size=600)
    labels, trained = folder / "labels.csv", folder / "truth.csv"
    rows = zip(space.digits(codes), truth.tolist(), rng.normal(0, 3, 600).tolist(), strict=True)
    made = [(code, test + noise, test - 1, test) for code, test, noise in rows]
    labels.write_text("code,one\n" + "".join(f"{code},{label:.3f}\n" for code, label, _, _ in made))
    trained.write_text(
        "code,cifar10_valid,cifar10_test\n"
        + "".join(f"{code},{valid:.3f},{test:.3f}\n" for code, _, valid, test in made)
    )
    return labels, trained


def run(files: tuple[Path, Path], *more: str) -> list[str]:
    labels, truth = files
    return ["--labels", str(labels), "--column", "one", "--truth", str(truth), "--seeds", "2", "--no-zero-cost", *more]


@pytest.mark.slow
def test_it_prints_the_figures_with_their_intervals(
    files: tuple[Path, Path], capsys: pytest.CaptureFixture[str]
) -> None:
    assert main(run(files, "--train", "100", "--model", "ridge", "--json")) == 0
    result = json.loads(capsys.readouterr().out)
    for name in FIGURES:
        assert result[f"{name}_low"] <= result[name] <= result[f"{name}_high"]
    assert result["model"] == "ridge"
    assert result["seconds"] > 0
    assert result["tau"] > 0.3


def test_the_table_has_a_line_per_figure(files: tuple[Path, Path], capsys: pytest.CaptureFixture[str]) -> None:
    assert main(run(files, "--train", "100", "--model", "ridge", "--recipe", "labels")) == 0
    assert [line.split()[0] for line in capsys.readouterr().out.splitlines()[1:]] == list(FIGURES)


def test_a_learned_order_votes(
    space: Space, files: tuple[Path, Path], tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    codes = np.unique(space.canonical(space.all_codes()), axis=0)
    codes = codes[space.is_connected(codes)]
    order = np.random.default_rng(0).normal(size=(len(codes), 1))
    write_votes(tmp_path / "votes.csv", ClassTable(space, ("learned",), codes, order))
    line = run(files, "--train", "100", "--model", "ridge", "--seeds", "1", "--json")
    found = []
    for more in ([], ["--votes", str(tmp_path / "votes.csv")]):
        assert main([*line, *more]) == 0
        found.append(json.loads(capsys.readouterr().out)["tau"])
    assert found[0] != found[1]
    assert main([*line, "--recipe", "labels", "--votes", str(tmp_path / "votes.csv")]) == 2
    assert "--votes needs --recipe fusion" in capsys.readouterr().err


def test_one_seed_has_no_interval(files: tuple[Path, Path], capsys: pytest.CaptureFixture[str]) -> None:
    assert main(run(files, "--train", "100", "--model", "ridge", "--seeds", "1", "--json")) == 0
    assert json.loads(capsys.readouterr().out)["tau_low"] is None


def test_truth_of_what_is_asked_never_reaches_the_fit(
    space: Space, files: tuple[Path, Path], monkeypatch: pytest.MonkeyPatch
) -> None:
    tables = read_tables(space, files[0], "one", files[1])
    drawn = draw(tables, 100, 30, seed=0)
    seen: dict[str, object] = {}

    class Fitted:
        ranking = None

        def with_trained(self, trained: SourceLabels, _seed: int) -> "Fitted":
            seen["trained"] = trained
            return self

    def fit(_space: Space, codes: Codes, targets: Floats, *_rest: object, **_: object) -> Fitted:
        seen["labels"] = SourceLabels(codes, targets)
        return Fitted()

    monkeypatch.setattr(benchmark, "fit_predictor", fit)
    benchmark.fit_draw(space, tables, drawn, PredictorSettings(), 0)
    labels, trained = seen["labels"], seen["trained"]
    assert np.array_equal(labels.values, tables.label_percent[drawn.supernet])  # type: ignore[attr-defined]
    assert np.array_equal(trained.values, tables.revealed_percent[drawn.trained])  # type: ignore[attr-defined]
    assert np.array_equal(space.index(trained.codes), drawn.trained)  # type: ignore[attr-defined]


def test_nothing_that_was_shown_is_asked(space: Space, files: tuple[Path, Path]) -> None:
    tables = read_tables(space, files[0], "one", files[1])
    drawn = draw(tables, 100, 30, seed=0)
    everything = np.concatenate([drawn.supernet, drawn.trained, drawn.asked])
    assert len(np.unique(everything)) == len(everything) == 600
    drawn = draw(tables, 100, 30, seed=0, new_networks=True)
    assert 0 < len(drawn.asked) < 470
    assert (len(drawn.supernet), len(drawn.trained)) == (100, 30)
    classes = space.index(space.canonical(space.all_codes()))
    shown = classes[np.concatenate([drawn.supernet, drawn.trained])]
    assert not np.isin(classes[drawn.asked], shown).any()


def test_missing_cells_are_neither_shown_nor_asked() -> None:
    nan = np.nan
    tables = Tables(
        np.array([1.0, 2.0, nan, nan, nan, nan]),
        np.array([nan, nan, 5.0, nan, nan, nan]),
        np.array([1.0, 2.0, 3.0, 4.0, 5.0, nan]),
        np.arange(6),
    )
    drawn = draw(tables, 2, 1, seed=0)
    assert sorted(drawn.supernet) == [0, 1]
    assert drawn.trained.tolist() == [2]
    assert sorted(drawn.asked) == [3, 4]
    with pytest.raises(SettingsError, match="there are 2"):
        draw(tables, 3, 0, seed=0)


def test_a_perfect_score_has_no_regret() -> None:
    truth = np.linspace(50, 90, 100)
    assert figures(truth, truth) == pytest.approx({"tau": 1, "top10_tau": 1, "regret_top1": 0, "regret_top10": 0})
    assert figures(-truth, truth)["regret_top1"] == pytest.approx(40)


@pytest.mark.parametrize(
    ("more", "message"),
    [
        (["--column", "two"], "'two'; choose from one"),
        (["--train", "5000"], "--train 5000 needs as many architectures with labels (there are 600)"),
        (["--train", "100", "--trained", "501"], "(there are 500)"),
        (["--train", "-1"], "--train must be at least 0 (got -1)"),
        (["--seeds", "0"], "--seeds must be at least 1"),
        (["--model", "oracle"], "'oracle'; choose from"),
        (["--recipe", "magic", "--train", "100"], "'magic'; choose from"),
        (["--labels", "missing.csv"], "missing.csv"),
    ],
)
def test_impossible_requests_end_with_an_error(
    files: tuple[Path, Path], capsys: pytest.CaptureFixture[str], more: list[str], message: str
) -> None:
    assert main(run(files, *more)) == 2
    assert message in capsys.readouterr().err


def test_labels_need_a_column_and_a_file(files: tuple[Path, Path], capsys: pytest.CaptureFixture[str]) -> None:
    labels, truth = map(str, files)
    assert main(["--truth", truth, "--labels", labels]) == 2
    assert "--labels needs --column" in capsys.readouterr().err
    assert main(["--truth", truth]) == 2
    assert "--train 1000 needs --labels" in capsys.readouterr().err
