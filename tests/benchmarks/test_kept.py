"""Files that a benchmark keeps between two calls."""

from pathlib import Path

import pytest

from benchmarks.kept import minutes_of, processor_minutes, require_same_options
from surrogate_nas.errors import SettingsError


def test_results_of_other_options_are_not_gone_on_with(tmp_path: Path) -> None:
    path = tmp_path / "made" / "options.json"
    require_same_options(path, {"epochs": 8, "share": (0.5, 1.0), "data": Path("a").name})
    require_same_options(path, {"epochs": 8, "share": [0.5, 1.0], "data": "a"})
    with pytest.raises(SettingsError, match=r"made has results of epochs = 8, not 9: give the same"):
        require_same_options(path, {"epochs": 9, "share": [0.5, 1.0], "data": "a"})


def test_the_time_of_every_attempt_counts_and_what_is_done_is_not_done_again(tmp_path: Path) -> None:
    path = tmp_path / "minutes.json"

    def busy(seconds: float) -> None:
        until = processor_minutes() + seconds / 60
        while processor_minutes() < until:
            pass

    def fails() -> None:
        busy(0.1)
        raise KeyboardInterrupt

    with pytest.raises(KeyboardInterrupt):
        minutes_of(path, fails)
    taken = minutes_of(path, lambda: busy(0.1))
    assert 0.2 <= 60 * taken < 1
    assert minutes_of(path, lambda: pytest.fail("it was done again")) == taken
