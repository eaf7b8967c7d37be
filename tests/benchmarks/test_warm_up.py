"""The first passes after another network ran are told from later ones."""

import pytest

from benchmarks import warm_up
from benchmarks.warm_up import alone, in_turns, main


class Caches:
    """Two networks, which are three times as slow in the first pass after the other one ran."""

    def __init__(self) -> None:
        self.now_, self.last = 0.0, ""

    def pass_of(self, name: str) -> None:
        self.now_ += 1.0 if self.last == name else 3.0
        self.last = name

    def now(self) -> float:
        return self.now_


def test_cold_passes_show_without_untimed_ones(monkeypatch: pytest.MonkeyPatch) -> None:
    machine = Caches()
    monkeypatch.setattr(warm_up, "THREAD", machine)
    passes = [lambda: machine.pass_of("a"), lambda: machine.pass_of("b")]
    assert in_turns(passes, 0, 5).tolist() == [3.0, 3.0]
    assert in_turns(passes, 1, 5).tolist() == [1.0, 1.0]
    assert alone(passes).tolist() == [1.0, 1.0]


def test_the_command(capsys: pytest.CaptureFixture[str]) -> None:
    assert main(["--space", "quick", "--side", "8", "--networks", "2", "--rounds", "3"]) == 0
    out = capsys.readouterr().out
    assert out.startswith("quick, 8 pixels, 2 networks; alone ")
    assert [line.split(" |")[0] for line in out.splitlines()[4:]] == ["| 0", "| 1", "| 2", "| 3", "| 5", "| 10"]
