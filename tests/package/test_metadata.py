"""The package's metadata agree wherever they stand, and the files that other services read are sound."""

import importlib.metadata
import re
import tomllib
from typing import Any

import pytest
import yaml
from packaging.requirements import Requirement
from packaging.utils import canonicalize_name

from surrogate_nas import __version__
from tests.fixtures.tiny_study import REPOSITORY

PROJECT = tomllib.loads((REPOSITORY / "pyproject.toml").read_text(encoding="utf-8"))["project"]
PYTHONS = ("3.11", "3.14")
SYSTEMS = {
    "linux": ("Linux", "posix", "x86_64"),
    "darwin": ("Darwin", "posix", "arm64"),
    "win32": ("Windows", "nt", "AMD64"),
}
# What a build of torch for NVIDIA's GPUs pins itself.
OF_TORCH = re.compile(r"nvidia-.*|cuda-.*|triton")


def text(name: str) -> str:
    return (REPOSITORY / name).read_text(encoding="utf-8")


def loaded(name: str) -> Any:  # noqa: ANN401 - whatever YAML holds
    return yaml.safe_load(text(name))


def test_versions_and_dates_agree() -> None:
    citation = loaded("CITATION.cff")
    assert citation["version"] == __version__
    heads = re.findall(r"^## \[(.+?)\](?: - (\S+))?$", text("CHANGELOG.md"), re.MULTILINE)
    assert heads[0] == ("Unreleased", "")
    assert heads[1] == (__version__, citation["date-released"])


def test_the_changelog_has_a_link_and_known_kinds_of_changes_for_each_version() -> None:
    changelog = text("CHANGELOG.md")
    heads = re.findall(r"^## \[(.+?)\]", changelog, re.MULTILINE)
    assert re.findall(r"^\[(.+?)\]: https://", changelog, re.MULTILINE) == heads
    kinds = set(re.findall(r"^### (.+)$", changelog, re.MULTILINE))
    assert kinds <= {"Added", "Changed", "Deprecated", "Removed", "Fixed", "Security"}


def test_the_citation_has_what_its_format_requires() -> None:
    citation = loaded("CITATION.cff")
    assert {"cff-version", "message", "title", "authors"} <= set(citation)
    assert all({"name"} <= set(author) or {"family-names"} <= set(author) for author in citation["authors"])
    assert (citation["license"], citation["repository-code"]) == (PROJECT["license"], PROJECT["urls"]["Repository"])
    assert re.fullmatch(r"\d{4}-\d\d-\d\d", citation["date-released"])


def test_addresses_are_of_one_repository() -> None:
    assert set(PROJECT["urls"]) == {"Repository", "Documentation", "Changelog", "Issues"}
    assert all(url.startswith(PROJECT["urls"]["Repository"]) for url in PROJECT["urls"].values())
    for name, url in PROJECT["urls"].items():
        path = re.sub(r"^.*/(?:tree|blob)/main/", "", url)
        assert name in ("Repository", "Issues") or (REPOSITORY / path).exists()


def test_the_console_command_is_a_function() -> None:
    module, _, function = PROJECT["scripts"]["surrogate-nas"].partition(":")
    assert callable(getattr(importlib.import_module(module), function))


def test_classifiers_are_known_ones() -> None:
    known = pytest.importorskip("trove_classifiers").classifiers
    assert set(PROJECT["classifiers"]) <= known
    assert len(set(PROJECT["classifiers"])) == len(PROJECT["classifiers"])


def test_continuous_integration_runs_the_checks_on_every_system_and_python_that_is_promised() -> None:
    workflow = loaded(".github/workflows/tests.yml")
    [job] = workflow["jobs"].values()
    matrix = job["strategy"]["matrix"]
    assert {name.partition("-")[0] for name in matrix["system"]} == {"ubuntu", "macos", "windows"}
    promised = re.findall(r"Python :: (3\.\d+)", "\n".join(PROJECT["classifiers"]))
    assert (promised[0], promised[-1]) == tuple(matrix["python"]) == PYTHONS
    assert PROJECT["requires-python"] == f">={promised[0]}"
    assert any(step.get("run", "") == ".ci/run" for step in job["steps"])
    assert re.search("^test:", text("Makefile"), re.MULTILINE)


def test_pythons_are_those_that_torch_has_packages_for() -> None:
    lines = importlib.metadata.metadata("torch").get_all("Classifier") or []
    minors = sorted(int(line.rpartition(".")[2]) for line in lines if re.search(r":: 3\.\d+$", line))
    assert PYTHONS[1] == f"3.{minors[-1]}"


@pytest.mark.parametrize("name", ["bug_report", "feature_request"])
def test_forms_of_issues_are_forms(name: str) -> None:
    form = loaded(f".github/ISSUE_TEMPLATE/{name}.yml")
    assert {"name", "description", "body"} <= set(form)
    assert all(field["type"] == "textarea" and field["attributes"]["label"] for field in form["body"])
    assert len({field["id"] for field in form["body"]}) == len(form["body"])


# The container


def copied() -> list[str]:
    """Returns the paths that the Dockerfile copies from the checkout."""
    lines = re.findall(r"^COPY (?!--from)(.+) \S+$", text("Dockerfile"), re.MULTILINE)
    return [word for line in lines for word in line.split()]


def test_the_container_is_built_of_files_that_there_are_and_that_are_let_in() -> None:
    let_in = re.findall(r"^!(\S+)$", text(".dockerignore"), re.MULTILINE)
    assert copied()
    assert all((REPOSITORY / name).exists() for name in copied())
    assert sorted(copied()) == sorted(let_in)
    needed = {PROJECT["readme"], *PROJECT["license-files"], "pyproject.toml", "surrogate_nas", "spaces", "studies"}
    assert needed <= set(copied())


def test_the_container_runs_the_quickstart_as_no_superuser() -> None:
    dockerfile = text("Dockerfile")
    assert re.findall(r"^USER (\S+)", dockerfile, re.MULTILINE)[-1] != "root"
    assert 'ENTRYPOINT ["surrogate-nas"]' in dockerfile
    assert 'CMD ["study", "quickstart", "--resume"]' in dockerfile
    assert 'ARG TORCH_INDEX=""' in dockerfile  # no host of an index stands in the repository
    version = re.search(r"^FROM python:(3\.\d+)", dockerfile, re.MULTILINE)
    assert version is not None
    assert f"Programming Language :: Python :: {version[1]}" in PROJECT["classifiers"]


# The versions that are tried


def pinned() -> dict[str, Requirement]:
    lines = [line for line in text("constraints.txt").splitlines() if line and not line.startswith("#")]
    return {canonicalize_name(one.name): one for one in map(Requirement, lines)}


@pytest.mark.quick_cases(2)
@pytest.mark.parametrize("system", SYSTEMS)
@pytest.mark.parametrize("python", PYTHONS)
def test_every_package_is_pinned_on_every_system(system: str, python: str) -> None:
    platform, name, machine = SYSTEMS[system]
    environment = {
        "sys_platform": system,
        "platform_system": platform,
        "os_name": name,
        "platform_machine": machine,
        "python_version": python,
        "python_full_version": f"{python}.0",
        "extra": "",
    }
    pins = pinned()
    here = {key for key, pin in pins.items() if pin.marker is None or pin.marker.evaluate(environment)}
    needed = {canonicalize_name(one.name) for one in map(Requirement, everything_asked_for())}
    for key in here:
        try:
            required = importlib.metadata.requires(key) or []
        except importlib.metadata.PackageNotFoundError:
            continue  # such as one of another system
        for one in map(Requirement, required):
            if one.marker is None or one.marker.evaluate(environment):
                needed.add(canonicalize_name(one.name))
    assert sorted(key for key in needed - here if not OF_TORCH.fullmatch(key)) == []


def everything_asked_for() -> list[str]:
    """Returns the requirements that `make test` installs."""
    extras = re.findall(r"\(PIP\) '\.\[(.+)\]'", text("Makefile"))[-1].split(",")
    return [*PROJECT["dependencies"], *(line for extra in extras for line in PROJECT["optional-dependencies"][extra])]


def test_pins_are_what_the_project_asks_for() -> None:
    pins = pinned()
    for one in map(Requirement, everything_asked_for()):
        [pin] = pins[canonicalize_name(one.name)].specifier
        assert one.specifier.contains(pin.version), one
