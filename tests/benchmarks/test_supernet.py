"""The benchmark of labels against trained networks, on made-up images and accuracies."""

import json
from pathlib import Path

import numpy as np
import pytest
from PIL import Image

from benchmarks import supernet
from benchmarks.supernet import PARTS, chosen_rows, figures, known_truth, main
from surrogate_nas.space.class_table import ClassTable
from surrogate_nas.space.kinds.cell.space import CellSpace
from surrogate_nas.space.load import load_space
from surrogate_nas.zero_cost.cached import distinct_codes
from tests.fixtures.one_process import OneProcess

TINY = [
    "--labels",
    "12",
    "--validation-images",
    "8",
    "--image-size",
    "8",
    "--channels",
    "2",
    "--processes",
    "1",
    "--set",
    "batch_size=8",
]


@pytest.fixture(scope="module")
def space() -> CellSpace:
    loaded = load_space("nasbench201")
    assert isinstance(loaded, CellSpace)
    return loaded


@pytest.fixture(scope="module")
def inputs(tmp_path_factory: pytest.TempPathFactory, space: CellSpace) -> list[str]:
    folder = tmp_path_factory.mktemp("inputs")
    rng = np.random.default_rng(0)
    for kind in ("dark", "light"):
        (folder / "images" / kind).mkdir(parents=True)
        for number in range(40):
            pixels = rng.integers(0, 128, (8, 8, 3)) + (120 if kind == "light" else 0)
            Image.fromarray(pixels.astype(np.uint8)).save(folder / "images" / kind / f"{number}.png")
    codes = space.all_codes()
    percent = 50 + 5 * space.nonlinear_count(codes) + rng.random(len(codes))
    rows = zip(space.digits(codes), percent.tolist(), strict=True)
    text = "code,cifar10_test\n" + "".join(f"{code},{value:.4f}\n" for code, value in rows)
    (folder / "truth.csv").write_text(text)
    return ["--data", str(folder / "images"), "--truth", str(folder / "truth.csv"), *TINY]


@pytest.fixture(autouse=True)
def one_process(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(supernet, "Workers", OneProcess)


@pytest.mark.slow
def test_a_preset_gives_a_row_for_each_kind_of_label(inputs: list[str], capsys: pytest.CaptureFixture[str]) -> None:
    assert main([*inputs, "--preset", "auto", "--steps", "3", "--seeds", "2", "--json"]) == 0
    rows = [json.loads(line) for line in capsys.readouterr().out.splitlines()]
    assert [row["labels"] for row in rows] == ["minus loss", "accuracy"]
    for row in rows:
        assert row["seeds"] == 2
        assert row["steps"] == 3
        assert row["count"] == 12
        assert row["tau_low"] <= row["tau"] <= row["tau_high"]
        assert row["train_minutes"] > 0
        assert row["label_minutes"] > 0


@pytest.mark.slow
def test_a_soft_split_has_rows_of_the_sub_supernets_labels_alone(
    inputs: list[str], capsys: pytest.CaptureFixture[str]
) -> None:
    assert main([*inputs, "--preset", "soft", "--steps", "30", "--set", "replicas=2", "--json"]) == 0
    rows = [json.loads(text) for text in capsys.readouterr().out.splitlines()]
    kinds = ["minus loss", "accuracy"]
    assert [row["labels"] for row in rows] == [*kinds, *(f"{kind}, own alone" for kind in kinds)]
    # The parent's steps are counted once, and no step is spent on the subspace that keeps its weights.
    assert {row["steps"] for row in rows} == {60.0}


@pytest.mark.slow
def test_minutes_become_steps(
    inputs: list[str], capsys: pytest.CaptureFixture[str], monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(supernet, "_PILOT_STEPS", (5, 25))
    assert main([*inputs, "--preset", "spos", "--minutes", "0.01"]) == 0
    captured = capsys.readouterr().out
    assert captured.startswith("spos     minus loss")
    assert "processor min" in captured


def test_scores_without_training_need_no_steps(
    inputs: list[str], space: CellSpace, capsys: pytest.CaptureFixture[str], monkeypatch: pytest.MonkeyPatch
) -> None:
    codes = distinct_codes(space)
    values = np.random.default_rng(0).random((len(codes), 2))
    # Real ones take a minute; tests/zero_cost has them.
    monkeypatch.setattr(supernet, "cached_table", lambda *_: ClassTable(space, ("synflow", "naswot"), codes, values))
    assert main([*inputs, "--preset", "none", "--json"]) == 0
    rows = [json.loads(line) for line in capsys.readouterr().out.splitlines()]
    names = [row["labels"] for row in rows]
    assert names[:3] == ["parameters", "effective parameters", "nonlinear functions"]
    assert {"synflow", "naswot"} <= set(names)
    [count] = [row for row in rows if row["labels"] == "nonlinear functions"]
    assert count["tau"] > 0.5  # the made-up accuracies grow with it


@pytest.mark.quick_cases(3)
@pytest.mark.parametrize(
    ("arguments", "message"),
    [
        ([], "give either --steps or --minutes"),
        (["--steps", "3", "--minutes", "1"], "give either --steps or --minutes"),
        (["--steps", "3", "--part", "both"], "--part must be report, choose or all (got 'both')"),
        (["--steps", "3", "--truth-column", "mean_acc"], "has no accuracy column 'mean_acc'"),
        (["--steps", "3", "--set", "weights=nested"], "supernet.weights = 'nested' needs layers that choose a block"),
        (["--steps", "3", "--preset", "best"], "preset"),
        (["--steps", "3", "--set", "sampler"], "--set needs key=value"),
        (["--steps", "3", "--set", "sampler=often"], "sampler"),
        (["--steps", "3", "--labels", "15000"], "--labels must be 2 to"),
    ],
)
def test_impossible_requests_end_with_an_error(
    inputs: list[str], capsys: pytest.CaptureFixture[str], arguments: list[str], message: str
) -> None:
    assert main([*inputs, *arguments]) == 2
    assert message in capsys.readouterr().err


def test_the_two_parts_share_no_architecture(inputs: list[str], space: CellSpace) -> None:
    codes, percent = known_truth(space, Path(inputs[3]), "cifar10_test")
    assert space.is_connected(codes).all()
    assert len(codes) == len(percent) == space.is_connected(space.all_codes()).sum()
    report, choose = (chosen_rows(len(codes), 1000, part) for part in PARTS)
    assert len(np.intersect1d(report, choose)) == 0
    assert len(np.unique(report)) == len(np.unique(choose)) == 1000
    assert sorted(chosen_rows(len(codes), 2, "all")) == list(range(len(codes)))


@pytest.mark.slow
@pytest.mark.parametrize(
    ("name", "changes"),
    [
        ("nasbench_macro", []),
        ("nasbench_macro", ["--set", "weights=nested", "--set", "sampler=sandwich"]),
        ("ofa_mobilenetv3", ["--set", "weights=nested", "--set", "sampler=sandwich", "--set", "distillation=0.5"]),
    ],
)
def test_chains_have_their_own_truth(
    inputs: list[str], tmp_path: Path, capsys: pytest.CaptureFixture[str], name: str, changes: list[str]
) -> None:
    """A chain that can be listed, and one that cannot, of which the file has all that is known."""
    chain = load_space(name)
    codes = chain.sample(30, np.random.default_rng(0))
    rows = dict(zip(chain.digits(codes), np.linspace(50, 90, 30), strict=True))
    truth = tmp_path / "chain.csv"
    truth.write_text("code,mean_acc,other\n" + "".join(f"{code},{value},x\n" for code, value in rows.items()))
    at = inputs.index("--truth")
    given = [*inputs[:at], "--truth", str(truth), *inputs[at + 2 :], "--truth-column", "mean_acc", "--space", name]
    assert main([*given, "--steps", "2", "--part", "all", "--json", *changes]) == 0
    found = [json.loads(line) for line in capsys.readouterr().out.splitlines()]
    assert [row["count"] for row in found] == [len(rows)] * 2
    assert found[0]["train_minutes"] > 0


def test_a_column_that_is_not_there_is_refused(
    inputs: list[str], tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    (tmp_path / "chain.csv").write_text("code,accuracy\n")
    at = inputs.index("--truth")
    given = [*inputs[:at], "--truth", str(tmp_path / "chain.csv"), *inputs[at + 2 :], "--space", "ofa_mobilenetv3"]
    assert main([*given, "--steps", "2"]) == 2
    assert "--truth must have columns code and cifar10_test" in capsys.readouterr().err


def test_figures_of_a_perfect_score() -> None:
    truth = np.random.default_rng(0).random(200)
    assert figures(truth, truth) == {
        "tau": pytest.approx(1),
        "better_half_tau": pytest.approx(1),
        "top10_tau": pytest.approx(1),
        "regret_top1": 0,
        "regret_top10": 0,
    }


@pytest.mark.slow
def test_subnets_near_a_budget_are_of_all_depths() -> None:
    space = load_space("images32")
    codes = np.array(supernet.near_budget(space, "12M"), dtype=np.int8)
    flops = space.flops(codes, space.network)
    assert ((flops <= 12e6) & (flops >= 6e6)).all()
    assert len(np.unique(space.nonlinear_count(codes))) > 30


@pytest.mark.slow
def test_a_share_near_the_budget_needs_a_budget(inputs: list[str], capsys: pytest.CaptureFixture[str]) -> None:
    words = [*inputs, "--steps", "2", "--preset", "spos", "--set", "in_band=0.5"]
    assert main(words) == 2
    assert "give --flops-budget, such as 12M" in capsys.readouterr().err
    assert main([*words, "--flops-budget", "40M"]) == 0
    assert "2 steps" in capsys.readouterr().out
