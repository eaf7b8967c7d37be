"""A device of which some networks were measured, in a space too large to list."""

from pathlib import Path

import numpy as np
import pytest

from surrogate_nas.errors import SettingsError
from surrogate_nas.hardware.beside_pieces import CorrectedPieces
from surrogate_nas.hardware.cost_models import cost_model
from surrogate_nas.hardware.measure.bench import Bench
from surrogate_nas.hardware.measure.piece_sums import PieceSums
from surrogate_nas.hardware.settings import HardwareSettings
from surrogate_nas.hardware.tables.partial import Rows, needs_pieces
from surrogate_nas.hardware.tables.predicted import write_predicted
from surrogate_nas.space.load import load_space
from surrogate_nas.space.network import NetworkSpec
from surrogate_nas.space.space import Codes, Space

# Nine and six layers of three kinds, of which the last ones may be missing, at two resolutions.
LARGE = """\
name = "large"
kind = "chain"
operations = ["mbconv_k3_e1", "mbconv_k3_e2", "mbconv_k3_e2_se"]

[[before]]
layer = "conv_bn_relu_k3"
width = 4

[[stages]]
layers = 9
least_layers = 1
width = 4

[[stages]]
layers = 6
least_layers = 1
width = 8
stride = 2

[elastic]
resolutions = [6, 8]

[network]
image_size = 8
"""
SIZES = NetworkSpec(4, 1, 8, 3, 5, stages=2)


@pytest.fixture(scope="module")
def large(tmp_path_factory: pytest.TempPathFactory) -> Space:
    path = tmp_path_factory.mktemp("spaces") / "large.toml"
    path.write_text(LARGE, encoding="utf-8")
    space = load_space(str(path))
    assert needs_pieces(space)
    return space


@pytest.fixture(scope="module")
def codes(large: Space) -> Codes:
    return large.effective(large.sample(60, np.random.default_rng(0)))


class Known:
    """Pieces that take known times here."""

    groups = ("layers", "others")
    machine = "any processor"

    def __init__(self, space: Space) -> None:
        self._space = space

    def group_ms(self, effective: Codes) -> np.ndarray:
        layers = self._space.nonlinear_count(effective).astype(float)
        return np.column_stack([1 + layers, 0.1 * effective.sum(axis=1)])

    def weights(self, effective: Codes) -> np.ndarray:
        return np.ones(len(effective))


def device_ms(space: Space, codes: Codes) -> np.ndarray:
    return np.asarray(Known(space).group_ms(space.effective(codes)) @ [3.0, 0.5])


def test_factors_of_the_device_are_found(large: Space, codes: Codes, tmp_path: Path) -> None:
    rows, others = codes[:40], codes[40:]
    path = tmp_path / "board.csv"
    model = CorrectedPieces(large, path, Rows("board", rows, device_ms(large, rows)), Known(large))  # type: ignore[arg-type]
    np.testing.assert_allclose(model.evaluate(others)["latency_ms"], device_ms(large, others), rtol=1e-6)
    assert len(model.held_out_errors("latency_ms")) == 38
    assert np.abs(model.held_out_errors("latency_ms")).max() < 1e-6
    described = model.describe()["latency_ms"]
    assert (described["kind"], described["device"], described["architectures"]) == ("table", "board", 40)
    slower = CorrectedPieces(large, path, Rows("board", rows, 2 * device_ms(large, rows)), Known(large))  # type: ignore[arg-type]
    assert slower.describe()["latency_ms"]["content"] != described["content"]
    with pytest.raises(SettingsError, match="choose from latency_ms"):
        model.relative_error("flops")


def test_a_study_s_costs_come_from_a_table_and_pieces(
    large: Space, codes: Codes, quick: HardwareSettings, tmp_path: Path
) -> None:
    # The device takes three times as long as this machine, and became five percent slower meanwhile.
    here = 3 * PieceSums(large, SIZES, Bench(large, SIZES, quick)).group_ms(codes).sum(axis=1)
    path = tmp_path / "board.parquet"
    write_predicted(path, large, {"board": here[:40]}, {}, {"network": SIZES.described(), "drift": 0.05}, codes[:40])
    settings = quick.model_copy(update={"latency_table": str(path), "device": "board"})
    model = cost_model(large, SIZES, settings, seed=0)
    assert not model.can_measure
    np.testing.assert_allclose(model.evaluate(codes)["latency_ms"], here, rtol=0.05)
    assert np.median(model.held_out_errors("latency_ms")) == pytest.approx(0.05, abs=0.02)
    again = cost_model(large, SIZES, settings, seed=0)
    assert again.describe()["latency_ms"]["content"] == model.describe()["latency_ms"]["content"]
    assert again.evaluate(codes)["latency_ms"].tolist() == model.evaluate(codes)["latency_ms"].tolist()
