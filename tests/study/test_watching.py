"""A dashboard runs together with a run."""

import time
import urllib.request
from collections.abc import Callable
from pathlib import Path

import pytest

from surrogate_nas.study.running import Run

RunOf = Callable[..., Run]


@pytest.mark.slow
def test_a_dashboard_is_served_on_the_loopback_address_and_ends(run_copy: Path, run_of: RunOf) -> None:
    pytest.importorskip("optuna_dashboard")
    before = (run_copy / "search.journal").read_bytes()
    with run_of(run_copy, dashboard=True).watch as watch:
        watch.open()
        assert watch.url is not None
        assert watch.url.startswith("http://127.0.0.1:")
        for _ in range(400):
            try:
                answer = urllib.request.urlopen(watch.url.replace("dashboard/", "api/studies"), timeout=5).read()
                break
            except OSError:
                time.sleep(0.3)
        else:
            pytest.fail("the dashboard did not answer")
        assert b"nasbench201-tiny" in answer
    with pytest.raises(OSError, match="refused"):
        urllib.request.urlopen(watch.url, timeout=5)
    assert (run_copy / "search.journal").read_bytes() == before


def test_none_is_made_unless_asked_for(run_copy: Path, run_of: RunOf) -> None:
    watch = run_of(run_copy).watch
    watch.open()
    watch.show()
    assert watch.url is None
