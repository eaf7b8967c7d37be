"""A stranger finds the place of a thing by its name: folders are small, and names say what is apart."""

from collections import Counter
from pathlib import Path

import pytest

REPOSITORY = Path(__file__).resolve().parents[1]
PACKAGE = REPOSITORY / "surrogate_nas"
MOST_MODULES = 13
# What every package may have, and what kinds of spaces and command lines have each.
ROLES = {"settings", "protocol", "table"}
PARALLEL = {"space", "definition", "text", "counts", "forward"}


def modules(folder: Path) -> list[str]:
    return sorted(path.stem for path in folder.glob("*.py") if not path.stem.startswith("__"))


def folders(root: Path) -> list[Path]:
    return sorted({path.parent for path in root.rglob("*.py")})


def crowded(root: Path) -> list[str]:
    """Folders with too many modules, and folders in which three modules share a prefix."""
    found = []
    for folder in folders(root):
        names = modules(folder)
        where = str(folder.relative_to(root.parent))
        if len(names) > MOST_MODULES:
            found.append(f"{where} has {len(names)} modules")
        prefixes = Counter(name.split("_")[0] for name in names)
        found += [f"{where} has {count} modules {prefix}*" for prefix, count in prefixes.items() if count > 2]
    return found


def repeated(root: Path) -> list[str]:
    """Returns base names that two folders have, apart from roles; command lines and kits are named after their part."""
    places: dict[str, list[str]] = {}
    for folder in folders(root):
        where = folder.relative_to(root)
        if where.parts[:1] in (("cli",), ("testing",)):
            continue
        same = ROLES | PARALLEL if where.parts[:1] == ("space",) else ROLES
        for name in set(modules(folder)) - same:
            places.setdefault(name, []).append(str(where))
    return [f"{name} in {', '.join(where)}" for name, where in sorted(places.items()) if len(where) > 1]


def test_folders_are_small_and_names_say_what_is_apart() -> None:
    assert crowded(PACKAGE) == []
    assert repeated(PACKAGE) == []


@pytest.mark.parametrize(
    ("made", "finds"),
    [
        ([f"a/m{number}.py" for number in range(14)], "a has 14 modules"),
        (["a/node_x.py", "a/node_y.py", "a/node_z.py"], "a has 3 modules node*"),
    ],
)
def test_a_crowded_folder_is_found(tmp_path: Path, made: list[str], finds: str) -> None:
    for name in made:
        (tmp_path / "p" / name).parent.mkdir(parents=True, exist_ok=True)
        (tmp_path / "p" / name).touch()
    assert any(finds in line for line in crowded(tmp_path / "p"))


def test_a_repeated_name_is_found(tmp_path: Path) -> None:
    for name in ("a/run.py", "b/run.py", "a/settings.py", "b/settings.py"):
        (tmp_path / name).parent.mkdir(exist_ok=True)
        (tmp_path / name).touch()
    assert repeated(tmp_path) == ["run in a, b"]
