"""Connections to a Ray cluster: no package, no cluster, and what Ray would take from the process."""

import signal
import sys
from collections.abc import Callable

import pytest

from surrogate_nas._processes.cluster_connection import connected
from surrogate_nas._processes.ray_workers import RayWorkers
from surrogate_nas.errors import SettingsError

MakeRayWorkers = Callable[..., RayWorkers]


def test_a_missing_package_or_cluster_is_named(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setitem(sys.modules, "ray", None)
    with pytest.raises(SettingsError, match="ray is not installed"):
        connected("auto")


@pytest.mark.parametrize("address", ["ray://127.0.0.1:9", "ray://nobody.invalid:10001"])
def test_a_cluster_that_does_not_answer_is_named(address: str) -> None:
    pytest.importorskip("ray")
    with pytest.raises(SettingsError, match=f"no Ray cluster answers at '{address}' "):
        connected(address)


def test_the_address_of_the_environment_counts(monkeypatch: pytest.MonkeyPatch) -> None:
    pytest.importorskip("ray")
    monkeypatch.setenv("RAY_ADDRESS", "127.0.0.1:9")
    with pytest.raises(SettingsError, match=r"no Ray cluster answers at '127\.0\.0\.1:9'"):
        connected("auto")


@pytest.mark.slow
def test_a_request_to_stop_is_not_lost_to_ray(ray_workers: MakeRayWorkers) -> None:
    before = signal.getsignal(signal.SIGTERM)
    with ray_workers(1):
        assert signal.getsignal(signal.SIGTERM) is before


@pytest.mark.slow
def test_remarks_of_ray_go_to_standard_error(ray_workers: MakeRayWorkers, capsys: pytest.CaptureFixture[str]) -> None:
    with ray_workers(1):
        pass
    with ray_workers(1):  # a second connection changes nothing more
        from ray._private import worker

        worker.print_to_stdstream(
            {"pid": "raylet", "is_err": False, "lines": ["a machine died"], "ip": "1.2.3.4"}, True
        )
    said = capsys.readouterr()
    assert "a machine died" in said.err
    assert "a machine died" not in said.out
