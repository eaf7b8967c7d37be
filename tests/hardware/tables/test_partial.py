"""Latencies of chains from some of their architectures, against sums that are known and against a published table."""

import csv
from pathlib import Path

import numpy as np
import pytest
from sklearn.linear_model import Ridge

from surrogate_nas.errors import CostTableError, SettingsError
from surrogate_nas.hardware.tables.full import TableLatency
from surrogate_nas.hardware.tables.partial import (
    _RIDGE,
    LayerLatency,
    _fit,
    needs_pieces,
    read_latencies,
    read_rows,
    require_latencies,
)
from surrogate_nas.ranking import kendall_tau
from surrogate_nas.space.load import load_space
from surrogate_nas.space.space import Codes

FBNET = load_space("fbnet")


def cost(codes: Codes) -> np.ndarray:
    return np.asarray(5 + codes @ (1 + np.arange(22) / 10))


def write(path: Path, codes: Codes, values: np.ndarray) -> Path:
    with path.open("w", newline="") as file:
        csv.writer(file).writerows([["code", "phone"], *zip(FBNET.digits(codes), values, strict=True)])
    return path


def test_a_sum_over_layers_is_found_again(tmp_path: Path) -> None:
    codes = FBNET.sample(1200, np.random.default_rng(0))
    model = read_latencies(FBNET, write(tmp_path / "t.csv", codes, cost(codes)), "auto")
    assert isinstance(model, LayerLatency)
    others = FBNET.sample(50, np.random.default_rng(1))
    np.testing.assert_allclose(model.evaluate(others)["latency_ms"], cost(others), rtol=0.01)
    error = model.relative_error("latency_ms")
    assert error is not None
    assert error < 0.01
    assert model.describe()["latency_ms"]["architectures"] == 1200
    with pytest.raises(SettingsError, match="choose from latency_ms"):
        model.held_out_errors("flops")


def test_from_few_rows_layers_learn_from_each_other(tmp_path: Path) -> None:
    """Rows are fewer than choices, and the costs of an operation change slowly along the layers."""
    rng = np.random.default_rng(0)
    of_operation = rng.uniform(0.1, 2, 9)
    along = 1 + np.sin(np.arange(22) / 8)

    def slow(codes: Codes) -> np.ndarray:
        return np.asarray(5 + (of_operation[codes] * along).sum(axis=1))

    codes, others = FBNET.sample(80, rng), FBNET.sample(500, rng)
    model = read_latencies(FBNET, write(tmp_path / "t.csv", codes, slow(codes)), "auto")
    predicted = model.evaluate(others)["latency_ms"]
    assert np.median(np.abs(predicted / slow(others) - 1)) < 0.01
    assert kendall_tau(predicted, slow(others)) > 0.9
    assert model.held_out_errors("latency_ms").shape == (80,)
    again = read_latencies(FBNET, write(tmp_path / "t.csv", codes, slow(codes)), "auto")
    np.testing.assert_array_equal(again.evaluate(others)["latency_ms"], predicted)


@pytest.mark.quick_cases(1)
@pytest.mark.parametrize("device", ["raspi4", "fpga", "pixel3"])
def test_a_hundred_rows_of_the_published_table_predict_the_others(
    shared_data: Path, tmp_path: Path, device: str
) -> None:
    with (shared_data / "fbnet_latency_ms.csv").open(newline="") as file:
        rows = list(csv.DictReader(file))[:1500]
    codes, truth = np.array([FBNET.parse(row["code"]) for row in rows]), np.array([float(row[device]) for row in rows])
    model = read_latencies(FBNET, write(tmp_path / "t.csv", codes[:100], truth[:100]), "auto")
    predicted = model.evaluate(codes[100:])["latency_ms"]
    assert np.median(np.abs(predicted / truth[100:] - 1)) < 0.045
    assert kendall_tau(predicted, truth[100:]) > 0.75


def test_left_out_predictions_are_those_of_a_fit_without_the_row() -> None:
    rng = np.random.default_rng(0)
    features = np.hstack([np.ones((30, 1)), rng.normal(size=(30, 4))])
    values = rng.normal(size=30)
    _, left_out = _fit(features, values)
    for row in range(5):
        others = np.delete(np.arange(30), row)
        model = Ridge(_RIDGE).fit(features[others, 1:], values[others])
        assert model.predict(features[[row], 1:])[0] == pytest.approx(left_out[row])


@pytest.mark.parametrize("device", ["raspi4", "fpga", "pixel3"])
def test_the_published_table_is_one_of_our_space(shared_data: Path, tmp_path: Path, device: str) -> None:
    with (shared_data / "fbnet_latency_ms.csv").open(newline="") as file:
        rows = list(csv.DictReader(file))
    codes, truth = np.array([FBNET.parse(row["code"]) for row in rows]), np.array([float(row[device]) for row in rows])
    model = read_latencies(FBNET, write(tmp_path / "t.csv", codes[:2500], truth[:2500]), "auto")
    predicted = model.evaluate(codes[2500:])["latency_ms"]
    assert np.median(np.abs(predicted / truth[2500:] - 1)) < 0.035
    assert kendall_tau(predicted, truth[2500:]) > 0.83
    # A skip costs least, and of one kernel size the largest expansion most: the digits mean what they mean here.
    alike = np.tile(np.arange(9, dtype=np.int8)[:, None], (1, 22))
    order = model.evaluate(alike)["latency_ms"]
    assert order.argmin() == 8
    assert order[0] < order[2] < order[3]
    assert order[4] < order[6] < order[7]


def test_what_is_too_little_or_doubled_is_refused(tmp_path: Path) -> None:
    codes = FBNET.sample(400, np.random.default_rng(0))
    with pytest.raises(CostTableError, match=r"of fbnet need at least 30 architectures \(got 29\); measure more"):
        read_latencies(FBNET, write(tmp_path / "t.csv", codes[:29], cost(codes[:29])), "auto")
    with pytest.raises(CostTableError, match="appears twice"):
        read_latencies(FBNET, write(tmp_path / "t.csv", codes[[0, *range(399)]], cost(codes)), "auto")
    with pytest.raises(CostTableError, match="looks like seconds"):
        read_latencies(FBNET, write(tmp_path / "t.csv", codes, cost(codes) / 1e4), "auto")


def test_spaces_that_can_be_listed_need_every_row(tmp_path: Path) -> None:
    space = load_space("quick")
    path = tmp_path / "t.csv"
    rows = zip(space.digits(space.all_codes()), range(1, 55), strict=True)
    path.write_text("code,phone\n" + "".join(f"{code},{n}\n" for code, n in rows))
    assert isinstance(read_latencies(space, path, "auto"), TableLatency)


def test_a_space_that_chooses_sizes_takes_a_few_rows(tmp_path: Path) -> None:
    space, path = load_space("images32"), tmp_path / "t.csv"
    codes = space.sample(30, np.random.default_rng(0))
    lines = [f"{code},{5 + row}" for row, code in enumerate(space.digits(codes))]
    path.write_text("\n".join(["code,phone", *lines]) + "\n")
    assert [needs_pieces(load_space(name)) for name in ("images32", "fbnet", "nasbench201")] == [True, False, False]
    rows = read_rows(space, path, "auto")
    assert (rows.device, rows.ms.tolist()) == ("phone", [5.0 + row for row in range(30)])
    np.testing.assert_array_equal(rows.codes, codes)
    require_latencies(space, path, "phone")
    with pytest.raises(CostTableError, match="takes a table of one device, the study's own"):
        read_latencies(space, path, "phone")
    path.write_text("\n".join(["code,phone", *lines[:29]]) + "\n")
    with pytest.raises(CostTableError, match=r"latencies of images32 need at least 30 architectures \(got 29\)"):
        require_latencies(space, path, "phone")


ELASTIC = """
name = "deep"
kind = "chain"
operations = ["mbconv_k3_e1", "mbconv_k3_e3"]
[[before]]
layer = "conv_bn_relu_k3"
width = 4
[[stages]]
layers = 8
least_layers = 2
width = 4
[[stages]]
layers = 8
least_layers = 2
width = 8
stride = 2
[network]
image_size = 8
"""


def test_a_network_has_one_latency_whichever_of_its_codes_is_asked_for(tmp_path: Path) -> None:
    (tmp_path / "deep.toml").write_text(ELASTIC)
    space = load_space(str(tmp_path / "deep.toml"))
    codes = space.sample(150, np.random.default_rng(0))
    path = tmp_path / "t.csv"
    rows = zip(space.digits(codes), 1 + space.nonlinear_count(codes), strict=True)
    path.write_text("code,phone\n" + "".join(f"{code},{value}\n" for code, value in rows))
    table = LayerLatency(space, path, "phone")
    rng = np.random.default_rng(1)
    asked = np.stack([rng.integers(0, len(one.choices), 300) for one in space.decisions], axis=1).astype(np.int8)
    networks = space.effective(asked)
    assert (networks != asked).any()
    np.testing.assert_array_equal(table.evaluate(asked)["latency_ms"], table.evaluate(networks)["latency_ms"])
