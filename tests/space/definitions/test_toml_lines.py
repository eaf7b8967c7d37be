"""Lines of keys in a file with everything a definition may have."""

import pytest

from surrogate_nas.space.definitions.toml_lines import line_of

TEXT = """\
name = "x"  # 1
operations = [
    "a = 1",
    "b",
]
[[stages]]
width = 4
[[stages]]
layers = 2
width = 8
[cell]
edges = ["1<-0"]
"""


@pytest.mark.parametrize(
    ("key", "line"),
    [
        ("name", 1),
        ("operations.1", 2),
        ("stages.0.width", 7),
        ("stages.1.width", 10),
        ("stages.1.stride", 8),
        ("stages.1", 8),
        ("cell.edges.0", 12),
        ("cell.nodes", 11),
        ("kind", None),
    ],
)
def test_the_line_is_that_of_the_key_or_of_what_is_around_it(key: str, line: int | None) -> None:
    assert line_of(TEXT, key) == line
