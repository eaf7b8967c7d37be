"""Ctrl-C, once and twice."""

import os
import signal
from enum import IntEnum

import pytest

from surrogate_nas.errors import Interrupted
from surrogate_nas.runs.interrupts import stop_if_asked, stop_on_interrupt, stop_signals, stoppable


@pytest.mark.posix
@pytest.mark.parametrize("number", [signal.SIGINT, signal.SIGTERM])
def test_the_first_signal_asks_and_the_second_stops(number: int) -> None:
    told = []
    before = signal.getsignal(number)
    with stop_on_interrupt(lambda: told.append("now")) as should_stop:
        assert not should_stop()
        os.kill(os.getpid(), number)
        assert told == []  # nothing is printed from within the handler
        assert should_stop()
        assert should_stop()
        assert told == ["now"]
        with pytest.raises(KeyboardInterrupt):
            os.kill(os.getpid(), number)
    assert signal.getsignal(number) is before


def test_progress_stops_once_asked() -> None:
    seen: list[tuple[int, int]] = []
    asked = False
    advance = stoppable(lambda done, total: seen.append((done, total)), lambda: asked, "counting")
    advance(1, 3)
    stop_if_asked(lambda: asked, "counting")
    asked = True
    with pytest.raises(Interrupted, match="stopped while counting"):
        advance(2, 3)
    assert seen == [(1, 3), (2, 3)]


@pytest.mark.parametrize(
    ("known", "expected"),
    [
        (["SIGINT", "SIGTERM"], ["SIGINT", "SIGTERM"]),
        (["SIGINT", "SIGTERM", "SIGBREAK"], ["SIGINT", "SIGTERM", "SIGBREAK"]),
        (["SIGINT"], ["SIGINT"]),
    ],
)
def test_only_signals_that_the_system_has_ask_for_a_stop(
    known: list[str], expected: list[str], monkeypatch: pytest.MonkeyPatch
) -> None:
    numbers = {"SIGINT": 2, "SIGTERM": 15, "SIGBREAK": 21}
    monkeypatch.setattr(signal, "Signals", IntEnum("Signals", {name: numbers[name] for name in known}))
    assert [one.name for one in stop_signals()] == expected
