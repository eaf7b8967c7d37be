"""Defaults that suit the source, and mistakes that are named before anything is read."""

import re
import subprocess
import sys

import pytest
from pydantic import ValidationError

from surrogate_nas.data.settings import DataSettings


def test_nothing_but_the_defaults_needs_no_file() -> None:
    settings = DataSettings()
    assert (settings.source, settings.path, settings.image_size) == ("digits", None, None)
    assert (settings.validation_fraction, settings.recalibration_images) == (0.4, 1000)


@pytest.mark.parametrize(("source", "flip", "shift"), [("digits", False, 1), ("mnist", False, 2), ("cifar10", True, 2)])
def test_characters_are_not_mirrored_unless_asked(source: str, flip: bool, shift: int) -> None:
    settings = DataSettings(source=source)
    assert (settings.flip, settings.shift) == (flip, shift)
    asked = DataSettings(source=source, flip=True, shift=0)
    assert (asked.flip, asked.shift) == (True, 0)


def test_settings_written_and_read_again_are_equal() -> None:
    settings = DataSettings(source="folder", path="photos", image_size=32, max_images=500)
    assert DataSettings.model_validate(settings.model_dump(mode="json")) == settings


@pytest.mark.parametrize(
    ("fields", "message"),
    [
        ({"source": "cifar"}, "no image source is called 'cifar'; choose one of: digits, folder, cifar10, cifar100"),
        ({"source": "folder"}, "the source 'folder' needs the path of a folder"),
        (
            {"source": "digits", "path": "photos"},
            "the source 'digits' takes no path (got 'photos'); for your own images set",
        ),
        ({"path": "photos"}, 'set source = "folder"'),
        ({"source": "folder", "path": " "}, "the path is empty"),
        ({"image_size": 0}, "greater than or equal to 4"),
        ({"image_size": 1025}, "less than or equal to 1024"),
        ({"validation_fraction": 1.0}, "less than or equal to 0.9"),
        ({"recalibration_images": 0}, "greater than or equal to 1"),
        ({"channels": "bgr"}, "'auto', 'grey' or 'rgb'"),
        ({"shift": -1}, "greater than or equal to 0"),
        ({"memory_gb": 0}, "greater than 0"),
        ({"source": ["digits"]}, "valid string"),
        ({"source": "folder", "path": "wei\udcdf"}, "the path is no valid UTF-8; rename the folder"),
        ({"folder": "photos"}, "Extra inputs are not permitted"),
    ],
)
def test_a_wrong_setting_is_one_error_that_says_what_would_be_right(fields: dict[str, object], message: str) -> None:
    with pytest.raises(ValidationError, match=re.escape(message)) as caught:
        DataSettings.model_validate(fields)
    assert caught.value.error_count() == 1


def test_settings_load_neither_torch_nor_scikit_learn() -> None:
    code = (
        "import sys, surrogate_nas.data.settings; print(sorted({'torch', 'torchvision', 'sklearn'} & set(sys.modules)))"
    )
    assert subprocess.run([sys.executable, "-c", code], capture_output=True, text=True, check=True).stdout == "[]\n"
