"""A new device is predicted from ten measurements, with made-up devices and with the devices of HELP."""

from pathlib import Path

import numpy as np
import pytest
from scipy.stats import spearmanr

from surrogate_nas.errors import MeasurementError
from surrogate_nas.hardware.regression.features import View, latency_views
from surrogate_nas.hardware.tables.text_columns import read_columns
from surrogate_nas.hardware.transfer.from_devices import Transfer
from surrogate_nas.space.load import load_space
from surrogate_nas.space.space import Space


@pytest.fixture(scope="module")
def views() -> tuple[View, ...]:
    space = load_space("nasbench201")
    return latency_views(space, space.all_codes())


def device(space: Space, *operations: float) -> np.ndarray:
    return np.asarray(1 + np.array([0.05, *operations])[space.all_codes()].sum(axis=1))


def test_another_device_of_the_same_make_is_ranked_from_ten_measurements(space: Space, views: tuple[View, ...]) -> None:
    known = np.stack([device(space, 0.1, 1.0, 3.0, 0.5), device(space, 0.2, 0.5, 1.0, 1.5)], axis=1)
    truth = 3 * device(space, 0.15, 0.8, 2.0, 0.9)
    transfer = Transfer(views, known)
    rows = transfer.choose(10, space.is_connected(space.all_codes()))
    assert len(set(rows.tolist())) == 10
    assert space.is_connected(space.all_codes()[rows]).all()
    predicted = transfer.predict(rows, truth[rows])
    assert spearmanr(predicted, truth).statistic > 0.995
    assert np.median(np.abs(predicted / truth - 1)) < 0.05
    assert transfer.errors(rows, truth[rows]).shape == (10,)


def test_a_device_without_likeness_beats_what_the_known_ones_say(space: Space, views: tuple[View, ...]) -> None:
    known = device(space, 0.0, 1.0, 9.0, 0.0)[:, None]
    truth = device(space, 0.0, 0.1, 0.1, 2.0)  # one on which pooling is what takes time
    transfer = Transfer(views, known)
    rows = transfer.choose(10)
    assert (
        spearmanr(transfer.predict(rows, truth[rows]), truth).statistic > 0.9 > spearmanr(known[:, 0], truth).statistic
    )


def test_recorded_devices(shared_data: Path, views: tuple[View, ...]) -> None:
    columns = read_columns(shared_data / "nasbench201_latency_ms.csv")
    names = ("1080ti_1", "1080ti_256", "silver_4210r", "pixel3")
    known = np.stack([np.array(columns.texts(name), dtype=float) for name in names], axis=1)
    transfer = Transfer(views, known)
    rows = transfer.choose(10)
    for name in ("eyeriss", "fpga"):
        truth = np.array(columns.texts(name), dtype=float)
        assert spearmanr(transfer.predict(rows, truth[rows]), truth).statistic > 0.98


@pytest.mark.parametrize("known", [np.ones((15625, 0)), np.zeros((15625, 2)), np.full((15625, 1), np.nan)])
def test_impossible_known_devices_are_refused(views: tuple[View, ...], known: np.ndarray) -> None:
    with pytest.raises(MeasurementError):
        Transfer(views, known)


def test_impossible_measurements_are_refused(views: tuple[View, ...]) -> None:
    transfer = Transfer(views, np.ones((15625, 1)))
    with pytest.raises(MeasurementError, match="at least one measurement"):
        transfer.predict(np.zeros(0, dtype=int), np.zeros(0))
    with pytest.raises(MeasurementError, match="above zero"):
        transfer.predict(np.array([3]), np.array([-1.0]))
