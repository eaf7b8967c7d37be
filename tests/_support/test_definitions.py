"""Definitions by name and by path, in a checkout and in an installed package."""

import os
import re
import time
import tomllib
from pathlib import Path

import pytest

from surrogate_nas._support import definitions
from surrogate_nas._support.definitions import available, find_definition, read_toml
from surrogate_nas.errors import SettingsError

REPOSITORY = Path(__file__).resolve().parents[2]


@pytest.mark.parametrize("kind", ["spaces", "studies"])
def test_the_names_are_those_of_the_files_of_the_checkout(kind: str) -> None:
    names = sorted(path.stem for path in (REPOSITORY / kind).glob("*.toml"))
    assert available(kind) == names
    for name in names:
        assert find_definition(kind, name) == REPOSITORY / kind / f"{name}.toml"


def test_an_installed_package_has_its_own_copies(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """A wheel carries them in ``_definitions`` and has nothing next to the package."""
    package = tmp_path / "site-packages" / "surrogate_nas"
    (package / "_definitions" / "spaces").mkdir(parents=True)
    (package / "_definitions" / "spaces" / "mine.toml").write_text('name = "mine"\n')
    (package.parent / "spaces").mkdir()
    (package.parent / "spaces" / "another_package.toml").touch()
    monkeypatch.setattr(definitions, "_PACKAGE", package)
    assert available("spaces") == ["mine"]
    assert find_definition("spaces", "mine") == package / "_definitions" / "spaces" / "mine.toml"


def test_a_wheel_is_told_to_carry_the_definitions() -> None:
    project = tomllib.loads((REPOSITORY / "pyproject.toml").read_text(encoding="utf-8"))
    included = project["tool"]["hatch"]["build"]["targets"]["wheel"]["force-include"]
    assert included == {kind: f"surrogate_nas/_definitions/{kind}" for kind in ("spaces", "studies")}


# Names and paths


@pytest.mark.parametrize(
    "name",
    ["nil", "", "..", "../spaces/nasbench201", "spaces/nasbench201", "/etc/passwd", "NASBENCH201", "nas*", "a\0b"],
)
def test_a_name_that_is_not_there_is_refused_with_those_that_are(name: str) -> None:
    message = f"unknown space {name!r}; choose from {', '.join(available('spaces'))}, or give the path of a .toml file"
    with pytest.raises(SettingsError, match=re.escape(message)):
        find_definition("spaces", name)


def test_a_name_that_is_nearly_right_is_suggested() -> None:
    with pytest.raises(SettingsError, match=r"unknown study 'quikstart'; choose from .*; did you mean quickstart\?"):
        find_definition("studies", "quikstart")


def test_a_path_ends_in_toml(tmp_path: Path) -> None:
    path = tmp_path / "mine.toml"
    path.touch()
    assert find_definition("spaces", str(path)) == path


@pytest.mark.posix
@pytest.mark.parametrize(
    ("name", "message"),
    [
        ("nil.toml", "the study file does not exist: nil.toml"),
        (".toml", "the study file does not exist: .toml"),
        ("nasbench201.toml", "the study file does not exist: nasbench201.toml"),
        ("folder.toml", "the study file is a folder: folder.toml"),
        ("file.toml/inside.toml", "the study file does not exist: file.toml/inside.toml"),
        ("dangling.toml", "the study file does not exist: dangling.toml"),
        (f"{'x' * 300}.toml", "the study file cannot be read: xxx"),
        ("a\0b.toml", "the study file does not exist: a\0b.toml"),
    ],
)
def test_a_path_that_is_no_file_is_refused(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, name: str, message: str
) -> None:
    monkeypatch.chdir(tmp_path)
    Path("folder.toml").mkdir()
    Path("file.toml").touch()
    Path("dangling.toml").symlink_to("gone.toml")
    with pytest.raises(SettingsError, match=re.escape(message)):
        find_definition("studies", name)


# Reading


def test_toml_reads_with_or_without_a_byte_order_mark(tmp_path: Path) -> None:
    path = tmp_path / "a.toml"
    for content in (b"x = 'caf\xc3\xa9'\r\n", b"\xef\xbb\xbfx = 'caf\xc3\xa9'"):
        path.write_bytes(content)
        assert read_toml(path) == {"x": "caf\u00e9"}


@pytest.mark.parametrize(
    ("content", "message"),
    [
        (b"x = 1\ny = \n", "is not valid TOML: Invalid value (at line 2, column 5)"),
        (b"x = 1\nx = 2\n", "is not valid TOML: Cannot overwrite a value (at line 2"),
        (b"x = 2026-02-30", "is not valid TOML: Invalid date or datetime (at line 1"),
        (b"x = " + b"9" * 5000, "is not valid TOML: Exceeds the limit"),
        (b"x = " + b"[" * 20_000, "is not valid TOML: maximum recursion depth exceeded"),
        (b"x = 'caf\xe9'", "is not UTF-8 text: 'utf-8' codec can't decode byte 0xe9 in position 8"),
    ],
)
def test_what_is_not_toml_is_refused_by_file_and_place(tmp_path: Path, content: bytes, message: str) -> None:
    path = tmp_path / "a.toml"
    path.write_bytes(content)
    with pytest.raises(SettingsError, match=re.escape(f"{path} {message}")):
        read_toml(path)


@pytest.mark.parametrize(
    ("content", "message"),
    [
        ("a" + ".a" * 50_000 + " = 1", "is not valid TOML: line 1: a key of more than 20 parts"),
        ("x = 1\n[" + '"a" . ' * 20_000 + "a]", "is not valid TOML: line 2: a key of more than 20 parts"),
        (".".join(['"!"'] * 20_000) + " = 1", "is not valid TOML: line 1: a key of more than 20 parts"),
        (".".join(["'\u00e9 #'"] * 20_000) + " = 1", "is not valid TOML: line 1: a key of more than 20 parts"),
        ("x = {" + ".".join([r'"\"["'] * 20_000) + " = 1}", "is not valid TOML: line 1: a key of more than 20 parts"),
        ("# it's\n[" + ".".join(["''"] * 20_000) + "]", "is not valid TOML: line 2: a key of more than 20 parts"),
        ('x = \'a\' # "\ny = """\'""""\n' + ".a" * 20_000, "is not valid TOML: "),
        ('x = """"\n\'"""\na' + " . a" * 20_000, "is not valid TOML: line 3: a key of more than 20 parts"),
        ('"""\n\\' * 40_000, "is not valid TOML: "),
        ("'\\\n" * 70_000, "is not valid TOML: "),
        ("#" * 1_200_004, "is too long for a definition: more than 1,200,003 bytes"),
        ("a" * 290_000, "is not valid TOML: "),
        ("a " * 140_000, "is not valid TOML: "),
        ("#" * 300_001, "is too long for a definition: 300,001 letters"),
    ],
    ids=lambda text: text[:20],
)
def test_what_would_take_minutes_is_refused_at_once(tmp_path: Path, content: str, message: str) -> None:
    path = tmp_path / "a.toml"
    path.write_text(content)
    begun = time.process_time()
    with pytest.raises(SettingsError, match=re.escape(f"{path} {message}")) as caught:
        read_toml(path)
    assert time.process_time() - begun < 2
    assert len(str(caught.value)) < 300 + len(str(path))


def test_texts_with_many_dots_are_no_keys(tmp_path: Path) -> None:
    path = tmp_path / "a.toml"
    path.write_text("x = 'wait" + "." * 50 + "'\n# " + ". " * 50)
    assert read_toml(path) == {"x": "wait" + "." * 50}
    parts = "a" + ".a" * 50
    path.write_text(f'x = [\'{parts}\', "\\"{parts}", """\n{parts}""""] # {parts}\n\'{parts}\'."{parts}" = 1\n')
    assert read_toml(path) == {"x": [parts, f'"{parts}', f'{parts}"'], parts: {parts: 1}}


def test_a_file_that_cannot_be_read_is_refused(tmp_path: Path) -> None:
    with pytest.raises(SettingsError, match=re.escape(f"{tmp_path} cannot be read: Is a directory")):
        read_toml(tmp_path)
    with pytest.raises(SettingsError, match=re.escape("nil.toml cannot be read: No such file or directory")):
        read_toml(tmp_path / "nil.toml")


@pytest.mark.skipif(not hasattr(os, "geteuid") or os.geteuid() == 0, reason="nothing is forbidden to root")
def test_a_file_that_may_not_be_read_is_refused(tmp_path: Path) -> None:
    path = tmp_path / "a.toml"
    path.touch(mode=0o000)
    with pytest.raises(SettingsError, match=re.escape(f"{path} cannot be read: Permission denied")):
        read_toml(path)
