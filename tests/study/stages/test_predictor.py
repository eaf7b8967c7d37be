"""The predictor that a study keeps knows its trainings, and a resumed study keeps the same one."""

from collections.abc import Callable
from pathlib import Path

import numpy as np

from surrogate_nas.predictor.predictor import load_predictor
from surrogate_nas.space.load import load_space

RunHere = Callable[..., tuple[int, str, str]]
# Long enough for accuracies to differ.
SETTINGS = ("loop.stop_gain_percent=0", "training.epochs=8", "training.batch_size=32")
TRAININGS = ("--trainings", "8", *(word for setting in SETTINGS for word in ("--set", setting)))


def test_trainings_are_joined_kept_and_found_again(
    tiny: Path, budgets: tuple[str, ...], here: RunHere, tmp_path: Path
) -> None:
    space = load_space("nasbench201")
    code, _, errors = here(tiny, "--output-dir", tmp_path / "run", *budgets, *TRAININGS)
    assert code == 0, errors
    files = {path.name: path.stat().st_mtime_ns for path in (tmp_path / "run" / "predictor").iterdir()}
    first = load_predictor(tmp_path / "run" / "predictor", space).stack
    assert first is not None, errors
    assert len(first.codes) >= 5
    code, _, errors = here("--resume", "--output-dir", tmp_path / "run")
    assert code == 0, errors
    assert files == {path.name: path.stat().st_mtime_ns for path in (tmp_path / "run" / "predictor").iterdir()}
    (tmp_path / "run" / "predictor" / "predictor.json").unlink()
    code, _, errors = here("--resume", "--output-dir", tmp_path / "run")
    assert code == 0, errors
    again = load_predictor(tmp_path / "run" / "predictor", space).stack
    assert again is not None
    assert np.array_equal(again.predict(space.all_codes()).mean, first.predict(space.all_codes()).mean)
