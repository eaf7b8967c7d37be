"""The public names: each has an example that runs, and documents, README and notebook import nothing else."""

import doctest
import json
import re
import shutil
from collections.abc import Callable, Iterator
from pathlib import Path

import pytest

import surrogate_nas
from surrogate_nas.nets import own_operations
from surrogate_nas.space.operations.registry import forget_all
from surrogate_nas.testing.spaces import check_space
from tests.conftest import REPOSITORY

RUN = REPOSITORY / "tests" / "assets" / "run_0_1_0"
IMPORT = re.compile(r"^\s*(?:from\s+(surrogate_nas[\w.]*)\s+import\s+([^#\n]+)|import\s+(surrogate_nas[\w.]*))")
OPEN = ("surrogate_nas", "surrogate_nas.errors")


@pytest.fixture(scope="module")
def folder(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """Returns the run folder of a finished study whose answer was trained."""
    return Path(shutil.copytree(RUN, tmp_path_factory.mktemp("public") / "run"))


@pytest.fixture(autouse=True)
def _no_operations_left() -> Iterator[None]:
    yield
    forget_all()


@pytest.mark.parametrize("name", surrogate_nas.__all__)
def test_every_public_name_has_an_example_that_runs(name: str, folder: Path) -> None:
    public = getattr(surrogate_nas, name)
    docstring = public.__doc__ or ""
    assert ">>>" in docstring, f"{name} has no example"
    example = doctest.DocTestParser().get_doctest(docstring, {"folder": folder}, name, None, None)
    failures: list[str] = []
    doctest.DocTestRunner(optionflags=doctest.NORMALIZE_WHITESPACE).run(example, out=failures.append)
    assert failures == []


@pytest.mark.parametrize(
    "call",
    [
        surrogate_nas.LookupTable.load,
        surrogate_nas.StudyResult.load,
        surrogate_nas.Classifier.load,
        surrogate_nas.load_model,
        surrogate_nas.load_space,
        surrogate_nas.read_labels,
        surrogate_nas.train_model,
        surrogate_nas.measure,
        surrogate_nas.Study,
        lambda path: surrogate_nas.load_predictor(path, surrogate_nas.load_space("quick")),
    ],
)
def test_every_path_may_begin_with_the_home_folder(
    call: Callable[[str], object], tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    for variable in ("HOME", "USERPROFILE"):
        monkeypatch.setenv(variable, str(tmp_path))
    with pytest.raises(surrogate_nas.SurrogateNasError) as error:
        call("~/nothing.toml")
    assert str(tmp_path / "nothing.toml") in str(error.value)


def test_a_kit_has_an_example_that_runs() -> None:
    example = doctest.DocTestParser().get_doctest(check_space.__doc__ or "", {}, "check_space", None, None)
    assert example.examples
    assert doctest.DocTestRunner().run(example).failed == 0


def python_of(path: Path) -> list[str]:
    """Returns lines of Python in a page or a notebook."""
    text = path.read_text(encoding="utf-8")
    if path.suffix == ".ipynb":
        cells = [cell for cell in json.loads(text)["cells"] if cell["cell_type"] == "code"]
        return [line for cell in cells for line in "".join(cell["source"]).splitlines()]
    blocks = re.findall(r"^```python[^\n]*\n(.*?)^```", text, re.DOTALL | re.MULTILINE)
    return [line for block in blocks for line in block.splitlines()]


def private_imports(path: Path) -> list[str]:
    """Imports of names that are not public."""
    found = []
    for line in python_of(path):
        match = IMPORT.match(line)
        if match is None:
            continue
        module = match[1] or match[3]
        names = [name.strip(" ()").split(" as ")[0] for name in (match[2] or "").split(",") if name.strip(" ()")]
        if module.startswith("surrogate_nas.testing") or module == "surrogate_nas.errors":
            continue
        if module != "surrogate_nas" or any(name not in surrogate_nas.__all__ for name in names):
            found.append(line.strip())
    return found


PAGES = [
    *(page for page in REPOSITORY.glob("*.md") if page.name != "CONTRIBUTING.md"),  # it is about the inside
    *(REPOSITORY / "docs").rglob("*.md"),
    *(REPOSITORY / "examples").glob("*.ipynb"),
]


@pytest.mark.parametrize("page", PAGES, ids=lambda page: page.name)
def test_pages_import_public_names_alone(page: Path) -> None:
    assert private_imports(page) == []


def test_a_private_import_would_be_found(tmp_path: Path) -> None:
    page = tmp_path / "page.md"
    page.write_text(
        "```python\nfrom surrogate_nas import Study, Nothing\nfrom surrogate_nas.space.load import load_space\n"
        "from surrogate_nas.testing.spaces import CHECKS\nimport surrogate_nas\n```\n"
    )
    assert private_imports(page) == [
        "from surrogate_nas import Study, Nothing",
        "from surrogate_nas.space.load import load_space",
    ]


def test_type_checkers_see_types() -> None:
    assert (REPOSITORY / "surrogate_nas" / "py.typed").is_file()
    assert own_operations.__name__ == surrogate_nas.operation.__module__
