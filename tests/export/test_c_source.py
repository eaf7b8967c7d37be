"""A model file as C source, in real compilers."""

import re
import shutil
import subprocess
from pathlib import Path
from typing import Any

import numpy as np
import pytest

from surrogate_nas.export.c_source import write_c_source

needs_gcc = pytest.mark.skipif(shutil.which("gcc") is None or shutil.which("g++") is None, reason="needs gcc and g++")
STRICT = ["-Wall", "-Wextra", "-Werror", "-pedantic"]
NAMES = ["cat", 'a "quoted" */ dog', "K\u00e4fer??/"]
MAIN = """\
#include <stdio.h>
#include <stdint.h>
#include "model.h"

int main(void)
{
    unsigned int i;
    fwrite(surrogate_nas_model, 1, sizeof surrogate_nas_model, stdout);
    fprintf(stderr, "%d %d %d %d\\n", (int)((uintptr_t)surrogate_nas_model % 16), SURROGATE_NAS_IMAGE_SIDE,
            SURROGATE_NAS_CHANNELS, SURROGATE_NAS_MODEL_SIZE);
    for (i = 0; i < SURROGATE_NAS_CLASSES; i++)
        fprintf(stderr, "%s\\n", surrogate_nas_classes[i]);
    fprintf(stderr, "%.6f %.6f\\n", (double)surrogate_nas_mean[0], (double)surrogate_nas_std[2]);
    return 0;
}
"""


@pytest.fixture
def description() -> dict[str, Any]:
    return {
        "created_with": "0.1.0",
        "space": {"name": "quick"},
        "code": "2211",
        "class_names": NAMES,
        "preprocessing": {"size": 8, "channels": 3, "mean": [0.25, 0.5, 1.0], "std": [0.5, 1, 1e-7]},
    }


@needs_gcc
@pytest.mark.parametrize("words", [["gcc", "-std=c99"], ["gcc", "-std=c11"], ["g++", "-std=c++11", "-x", "c++"]])
@pytest.mark.parametrize("size", [1, 16, 1001])
def test_a_program_has_the_bytes_and_what_images_need(
    words: list[str], size: int, tmp_path: Path, description: dict[str, Any]
) -> None:
    content = np.random.default_rng(size).integers(0, 256, size, dtype=np.uint8).tobytes()
    (tmp_path / "model.int8.tflite").write_bytes(content)
    assert write_c_source(tmp_path, "model.int8.tflite", description) == ("model.c", "model.h")
    (tmp_path / "main.c").write_text(MAIN)
    subprocess.run([*words, *STRICT, "model.c", "main.c", "-o", "main"], cwd=tmp_path, check=True)
    done = subprocess.run([tmp_path / "main"], capture_output=True, check=True)
    assert done.stdout == content
    lines = done.stderr.decode().splitlines()
    assert lines == [f"0 8 3 {size}", *NAMES, "0.250000 0.000000"]


def test_the_same_file_gives_the_same_source(tmp_path: Path, description: dict[str, Any]) -> None:
    (tmp_path / "model.pte").write_bytes(bytes(40))
    write_c_source(tmp_path, "model.pte", description)
    first = (tmp_path / "model.c").read_bytes()
    write_c_source(tmp_path, "model.pte", description)
    assert (tmp_path / "model.c").read_bytes() == first
    assert len(re.findall(rb"^    (?:0, ?)+$", first, re.MULTILINE)) == 3
