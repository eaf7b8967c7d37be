"""The worked example of a space does what its page says: its files and commands as they are printed there."""

import re
import shutil
import subprocess
import sys
from pathlib import Path

import pytest
from PIL import Image
from sklearn.datasets import load_digits

from surrogate_nas.cli.space import main as space
from surrogate_nas.runs.study_file import read_study
from surrogate_nas.space.load import load_space
from tests.docs.snippets import DOCS, commands

PAGE = DOCS / "how-to" / "own-space.md"
TEXT = PAGE.read_text(encoding="utf-8")
EXAMPLE = TEXT[TEXT.index("## Worked example") : TEXT.index("## Rules to know")]
FILES = dict(re.findall(r"`(my_\w+\.(?:py|toml))`:\n```\w+\n(.*?)```", EXAMPLE, re.DOTALL))
COMMANDS = [
    command for command in commands(PAGE) if any(word.startswith(("my_", "runs/my_")) for word in command.words)
]
QUICKER = ("--set", "supernet.steps=30", "--set", "data.max_images=600", "--set", "predictor.zero_cost=false")


@pytest.fixture
def example(tmp_path: Path, monkeypatch: pytest.MonkeyPatch, own_cache: Path) -> Path:
    """Returns the folder of the example, as the working directory."""
    assert not own_cache.exists()
    for name, content in FILES.items():
        (tmp_path / name).write_text(content, encoding="utf-8")
    monkeypatch.chdir(tmp_path)
    return tmp_path


@pytest.mark.usefixtures("example")
def test_its_files_are_a_space_and_a_study(capsys: pytest.CaptureFixture[str]) -> None:
    assert sorted(FILES) == ["my_operations.py", "my_space.toml", "my_study.toml"]
    assert [command.name for command in COMMANDS] == ["space", "study", "train", "predict"]
    assert space(COMMANDS[0].arguments) == 0
    assert "my_space: 3,072 architectures of 6 decisions" in capsys.readouterr().out
    loaded = load_space("my_space.toml")
    assert "ghost_k3" in loaded.decisions[0].choices
    study = read_study("my_study.toml", {})
    assert study.space == "my_space.toml"
    sizes, small = study.network, study.supernet
    assert (sizes.channels, sizes.cells, small.cells) == (loaded.network.channels, 1, 1)


@pytest.mark.slow
def test_the_study_ends_and_its_model_classifies(example: Path) -> None:
    digits = load_digits()
    for number, (pixels, label) in enumerate(zip(digits.images[:900], digits.target, strict=False)):
        path = example / "images" / f"digit {label}" / f"{number}.png"
        path.parent.mkdir(parents=True, exist_ok=True)
        Image.fromarray((pixels * 15).astype("uint8")).resize((32, 32)).convert("RGB").save(path)
    shutil.copyfile(next(example.glob("images/*/*.png")), example / "my_picture.png")
    for command in COMMANDS:
        words = ["-m", f"surrogate_nas.{command.name}", *command.arguments]
        more = QUICKER if command.name == "study" else ()
        done = subprocess.run([sys.executable, *words, *more], capture_output=True, text=True, check=False)
        assert done.returncode == 0, done.stderr
    assert "digit" in done.stdout
    assert (example / "runs" / "my_study" / "report.html").exists()
