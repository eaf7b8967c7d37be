"""A stop at the very beginning ends as any later one does."""

import importlib
import os
import signal
import time
from collections.abc import Callable, Iterator
from types import SimpleNamespace

import pytest

from surrogate_nas.cli import start


@pytest.fixture(autouse=True)
def _same_handler_as_before() -> Iterator[None]:
    before = signal.getsignal(signal.SIGTERM)
    yield
    signal.signal(signal.SIGTERM, before)


def interrupted() -> int:
    raise KeyboardInterrupt


def ended_by_the_system() -> int:
    os.kill(os.getpid(), signal.SIGTERM)
    time.sleep(10)
    return 0


@pytest.mark.parametrize(
    ("main", "code", "words"),
    [
        (lambda: 3, 3, ""),
        (interrupted, 130, "stopped at once\n"),
        pytest.param(ended_by_the_system, 130, "stopped at once\n", marks=pytest.mark.posix),
    ],
)
def test_a_stop_has_its_exit_code_and_no_traceback(
    main: Callable[[], int], code: int, words: str, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    asked: list[str] = []

    def imported(name: str) -> SimpleNamespace:
        asked.append(name)
        return SimpleNamespace(main=main)

    monkeypatch.setattr(importlib, "import_module", imported)
    assert start.run("predict") == code
    assert capsys.readouterr().err == words
    assert start.main() == code
    assert asked == ["surrogate_nas.cli.predict", "surrogate_nas.cli.main"]
