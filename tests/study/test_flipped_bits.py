"""A bit that flips in any file of a run is refused by name, or changes nothing; what can be made again is."""

import random
from collections.abc import Callable, Iterator
from pathlib import Path

import pytest

from surrogate_nas._support.files import read_json
from surrogate_nas.data.cache import load_splits
from surrogate_nas.errors import StoreError, SurrogateNasError
from surrogate_nas.hardware.tables.stored import read_costs
from surrogate_nas.labels.store import read_labels
from surrogate_nas.lookup.table_files import read_files
from surrogate_nas.predictor.predictor import load_predictor
from surrogate_nas.report.json_file import read_facts
from surrogate_nas.runs.study_file import read_resolved
from surrogate_nas.search.journal.journal import damaged_record, repair
from surrogate_nas.space.load import load_space
from surrogate_nas.study.problem.problem import Problem
from surrogate_nas.supernet.checkpoint import load_checkpoint
from tests.study.command_words import error_line

RunHere = Callable[..., tuple[int, str, str]]
Read = Callable[[Path], object]


def flipped(path: Path, places: int) -> Iterator[int]:
    """Yields as many places, at each of which a bit of the file is flipped meanwhile."""
    whole, draw = path.read_bytes(), random.Random(path.name)
    for place in sorted(draw.sample(range(len(whole)), min(places, len(whole)))):
        path.write_bytes(whole[:place] + bytes([whole[place] ^ 1 << draw.randrange(8)]) + whole[place + 1 :])
        yield place
    path.write_bytes(whole)


def journal_of(path: Path) -> list[bytes]:
    if (number := damaged_record(path)) is not None:
        raise StoreError(f"{path}: record {number}")
    repair(path)
    # Without the checksum, in which a flip is harmless.
    return [line[: -len(',"checksum":"01234567"}')] for line in path.read_bytes().splitlines()]


def refusal(read: Read, path: Path, before: object) -> str | None:
    """Returns why a file is refused; None where it still holds what it held."""
    try:
        found = read(path)
    except SurrogateNasError as error:
        return str(error)
    assert found == before
    return None


@pytest.fixture(scope="module")
def readers(problem: Problem) -> dict[str, Read]:
    """Returns the reader of each kind of file, as something that can be compared."""

    def checkpoint(path: Path) -> object:
        found = load_checkpoint(path, {})
        weights = {name: tensor.tolist() for name, tensor in found.weights.items()}
        return weights, found.step, found.samples, found.loss_sum.tolist()

    def images(path: Path) -> object:
        splits = load_splits(path.parent)
        parts = (splits.train, splits.validation, splits.recalibration)
        return [part.fingerprint() for part in parts], splits.mean, splits.std, splits.class_names, splits.fingerprint

    def costs(path: Path) -> object:
        stored = read_costs(path, problem.space, problem.deployed)
        values = {name: column.tolist() for name, column in stored.evaluate(problem.codes).items()}
        errors = {name: stored.held_out_errors(name).tolist() for name in stored.names}
        return values, errors, stored.describe()

    def labels(path: Path) -> object:
        found = read_labels(path)
        return {name: getattr(found, name).tolist() for name in vars(found)}

    def table(path: Path) -> object:
        columns, facts = read_files(path.parent)
        return columns.image, {name: facts[name] for name in ("answer", "budgets", "network", "rows", "sha256")}

    def predictor(path: Path) -> object:
        return load_predictor(path.parent, problem.space).predict(problem.codes[:50]).mean.tolist()

    def json_file(path: Path) -> object:
        content = read_json(path, "file", "do something")
        return [value for value in content.values() if not isinstance(value, str)]

    return {
        "labels.h5": labels,
        "costs.parquet": costs,
        "supernets/*.safetensors": checkpoint,
        "images/*.npy": images,
        "images/splits.json": images,
        "predictor/*": predictor,
        "lookup.parquet": table,
        "lookup.json": table,
        "report.json": read_facts,
        "study.toml": lambda path: read_resolved(path, {}),
        "space.toml": lambda path: load_space(str(path)).fingerprint,
        "search.journal": journal_of,
        "state.json": json_file,
        "answers.json": json_file,
        "environment.json": json_file,
        "best/architecture.json": json_file,
    }


KINDS = (
    "labels.h5",
    "costs.parquet",
    "supernets/*.safetensors",
    "images/*.npy",
    "images/splits.json",
    "predictor/*",
    "lookup.parquet",
    "lookup.json",
    "report.json",
    "study.toml",
    "search.journal",
    "state.json",
    "answers.json",
    "environment.json",
    "best/architecture.json",
)


@pytest.mark.filterwarnings("ignore::DeprecationWarning", "ignore::SyntaxWarning")
@pytest.mark.parametrize("places", [12, pytest.param(400, marks=pytest.mark.slow)])
@pytest.mark.parametrize("kind", KINDS)
def test_a_flipped_bit_is_refused_or_harmless(kind: str, places: int, run_copy: Path, readers: dict[str, Read]) -> None:
    paths, read = sorted(run_copy.glob(kind)), readers[kind]
    assert paths
    refused = 0
    for path in paths:
        before = read(path)
        for place in flipped(path, places):
            line = refusal(read, path, before)
            assert line is None or (str(run_copy) in line and "\n" not in line), (path, place)
            refused += line is not None
    assert refused


# Files that a resumed run goes on from, and of these what it makes again by itself.
USED = ("labels.h5", "costs.parquet", "supernets/*.safetensors", "images/*.npy", "predictor/*", "search.journal")
MADE_AGAIN = ("images/*.npy", "images/splits.json", "predictor/*", "search.journal")
ALL = [pytest.param(kind, 6, marks=pytest.mark.slow) for kind in (*KINDS, "space.toml", "lookup.csv")]


@pytest.mark.quick_cases(3)
@pytest.mark.parametrize(("kind", "places"), [*((kind, 1) for kind in (*USED, "state.json", "study.toml")), *ALL])
def test_a_resumed_run_refuses_the_file_or_ends_the_same(
    kind: str, places: int, run_copy: Path, finished: Path, here: RunHere
) -> None:
    path = sorted(run_copy.glob(kind))[0]
    words = ("--output-dir", run_copy, "--resume", "--quiet", "--set", "compute.processes=1")
    for place in flipped(path, places):
        code, _, errors = here(*words)
        if code:
            assert str(path) in error_line(errors), place
            assert code in (1, 2)
        else:
            assert (run_copy / "lookup.csv").read_bytes() == (finished / "lookup.csv").read_bytes(), place
            assert kind not in MADE_AGAIN or places > 1 or str(path.parent) in errors
