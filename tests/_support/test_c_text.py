"""Texts of any content as C reads them."""

import shutil
import subprocess
from pathlib import Path

import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from surrogate_nas._support.c_text import c_comment, c_environment, c_string

LETTERS = st.characters(exclude_characters="\0", exclude_categories=["Cs"])


def test_a_comment_cannot_be_ended_and_is_one_line() -> None:
    assert c_comment("a */ b\n c") == "a * / b c"


def test_templates_know_the_filters_and_end_in_a_new_line() -> None:
    made = c_environment().from_string("{{ a | string }} /* {{ a | comment }} */\n").render(a="x*/")
    assert made == '"x*/" /* x* / */\n'


@pytest.mark.parametrize(
    ("text", "written"),
    [
        ("a\\u00e9b", '"a\\\\u00e9b"'),
        ("é", '"\\303\\251"'),
        ("???/", '"\\?\\?\\?/"'),
        ('"\n', '"\\"\\012"'),
    ],
)
def test_what_looks_like_an_escape_is_none(text: str, written: str) -> None:
    assert c_string(text) == written


@pytest.mark.skipif(shutil.which("gcc") is None, reason="needs gcc")
@settings(max_examples=3, deadline=None, suppress_health_check=[HealthCheck.function_scoped_fixture])
@given(
    texts=st.lists(st.text(st.characters(exclude_characters="\0", exclude_categories=["Cs"])), min_size=20, max_size=60)
)
def test_a_compiler_reads_back_any_text(texts: list[str], tmp_path: Path) -> None:
    lines = "\n".join(f"    fputs({c_string(text)}, stdout); putchar(0);" for text in texts)
    (tmp_path / "main.c").write_text(f"#include <stdio.h>\nint main(void) {{\n{lines}\n    return 0;\n}}\n")
    strict = ["-std=c99", "-Wall", "-Wextra", "-Werror", "-pedantic"]
    subprocess.run(["gcc", *strict, "main.c", "-o", "main"], cwd=tmp_path, check=True)
    done = subprocess.run([tmp_path / "main"], capture_output=True, check=True)
    assert done.stdout.decode().split("\0")[:-1] == texts
