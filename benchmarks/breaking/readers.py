"""Reads a folder in which one file is hostile, as the commands read it, and uses what was read a little."""

import hashlib
import json
from collections.abc import Callable
from functools import cache
from pathlib import Path

import numpy as np
import torch

from surrogate_nas._support.files import parse_json
from surrogate_nas._support.stored.checksums import KEY
from surrogate_nas.data.cache import load_splits
from surrogate_nas.data.settings import DataSettings
from surrogate_nas.deploy.classifier import Classifier
from surrogate_nas.deploy.train.chosen import choose
from surrogate_nas.errors import CostTableError
from surrogate_nas.export.model_folder import load_model
from surrogate_nas.gradient.craft import craft
from surrogate_nas.gradient.job import LearningJob, learning_plan
from surrogate_nas.gradient.learned import read_learned
from surrogate_nas.gradient.learning import Learner
from surrogate_nas.gradient.settings import GradientSettings
from surrogate_nas.hardware.tables.partial import read_latencies
from surrogate_nas.hardware.tables.stored import read_costs
from surrogate_nas.hardware.tables.table_check import check_table
from surrogate_nas.hardware.transfer.device_results import read_results
from surrogate_nas.hardware.transfer.remote_runner import read_kept
from surrogate_nas.hardware.transfer.tool_logs import read_log
from surrogate_nas.labels.store import read_labels
from surrogate_nas.lookup.table import LookupTable
from surrogate_nas.nets.pretrained.weight_sources import read_source
from surrogate_nas.predictor.predictor import load_predictor
from surrogate_nas.report.json_file import read_facts
from surrogate_nas.report.truth.truth import read_truth
from surrogate_nas.rivals.results_file import read_rivals
from surrogate_nas.runs.state import RunState
from surrogate_nas.runs.study_file import is_resolved, read_resolved, read_study
from surrogate_nas.search.journal.study_journal import JournalHeader, StudyJournal
from surrogate_nas.search.trainings.shared_trials import SharedTrials
from surrogate_nas.search.trainings.trial_places import TrialFolder
from surrogate_nas.space.load import load_space, load_stored_space
from surrogate_nas.space.network import NetworkSpec
from surrogate_nas.space.space import Space
from surrogate_nas.study.ask.request import names_space
from surrogate_nas.study.problem.finalist_latencies import read_finalist_latencies
from surrogate_nas.supernet.checkpoint import load_checkpoint
from surrogate_nas.supernet.settings import SupernetSettings
from surrogate_nas.supernet.stage import Workplace
from surrogate_nas.training.network_checkpoint import load_training, stored_identity
from surrogate_nas.zero_cost.table import read_table

SPACE = "quick"
_REMEDY = "read it first"


@cache
def the_space() -> Space:
    """Returns the space of all good files."""
    return load_space(SPACE)


@cache
def the_network() -> NetworkSpec:
    """Returns the deployed network of all good files."""
    return NetworkSpec(4, 1, 8, 1, 10, the_space().network.stages)


def a_study(at: Path) -> None:
    """Reads a study, and its space as far as it may be trusted."""
    path = at / "study.toml"
    settings = read_resolved(path, {}) if is_resolved(path) else read_study(str(path), {})
    if settings.space.endswith(".toml"):
        named = names_space(str(path), {}, str(at / settings.space), resume=False)
        load_space(str(at / settings.space), named_by_user=named)


def a_space(at: Path) -> None:
    """Reads a space in the folder of a run, and lists some of its architectures."""
    space = load_stored_space(at, _REMEDY)
    codes = space.sample(4, np.random.default_rng(0))
    for code, digits in zip(codes, space.digits(codes), strict=True):
        space.parse(digits)
        space.parse(space.format(code))
    space.effective(codes)
    space.is_connected(codes)
    space.parameters(codes, space.network)


def some_labels(at: Path) -> None:
    """Reads labels."""
    read_labels(at / "labels.h5")


def a_lookup(at: Path) -> None:
    """Reads a lookup table, and asks it as ``lookup`` and ``train`` do."""
    table = LookupTable.load(at)
    entry = table.best(params="90%")
    table.top(3)
    table.pareto()
    table.near(entry.code)
    choose(at, {"params": "50%"})
    choose(at)


def a_model(at: Path) -> None:
    """Reads the folder of a model, with and without torch."""
    folder = at / "best"
    load_model(folder)
    _ = Classifier.load(folder).accuracy


def an_onnx(at: Path) -> None:
    """Classifies a picture by an ONNX file alone."""
    repr(Classifier.load(at / "best" / "model.onnx").predict(np.zeros((12, 9, 3), np.uint8)))


def a_picture(at: Path) -> None:
    """Classifies a picture."""
    _classifier(at).predict([at / "picture.png"])


@cache
def _classifier(at: Path) -> Classifier:
    return Classifier.load(at / "best")


def a_supernet(at: Path) -> None:
    """Reads the checkpoint of a supernet."""
    load_checkpoint(at / "supernets" / "member-0.safetensors", {})


def a_training(at: Path) -> None:
    """Reads the checkpoint of a final training into a network."""
    path = at / "training.safetensors"
    stored_identity(path)
    network = load_model(at / "best")
    load_training(path, network, torch.optim.SGD(network.parameters(), 0.1), {})


def a_predictor(at: Path) -> None:
    """Reads a predictor and predicts."""
    predictor = load_predictor(at / "predictor", the_space())
    predictor.predict(the_space().all_codes())
    predictor.rank_interval(the_space().all_codes())


def cached_images(at: Path) -> None:
    """Opens decoded images."""
    load_splits(at / "images")


def some_costs(at: Path) -> None:
    """Reads the costs of a pool."""
    costs = read_costs(at / "costs.parquet", the_space(), the_network())
    for name in costs.names:
        costs.held_out_errors(name)


def an_accuracy_table(at: Path) -> None:
    """Reads true accuracies."""
    read_truth(_table(at), the_space())


def a_latency_table(at: Path) -> None:
    """Reads latencies, and checks their table."""
    check_table(_table(at), the_space())
    read_latencies(the_space(), _table(at), "auto").held_out_errors("latency_ms")


def _table(at: Path) -> Path:
    return next(path for path in at.iterdir() if path.stem == "table")


def device_results(at: Path) -> None:
    """Reads what was measured on another device."""
    read_results(at / "results.csv", the_space(), fewest=2)


def kept_measurements(at: Path) -> None:
    """Reads what an interrupted measurement on a device kept, as the runner there does.

    Raises:
        CostTableError: If the runner would end with its line.
    """
    rows = the_space().digits(the_space().all_codes())
    try:
        read_kept(str(at / "results.csv.part"), {"device": "phone", "threads": 1}, list(rows))
    except SystemExit as error:
        raise CostTableError(str(error)) from None


def a_tool_log(at: Path) -> None:
    """Reads what a benchmark program printed."""
    read_log(at / "000123.txt")


def weights_of_others(at: Path) -> None:
    """Reads the weights of a pretrained network."""
    read_source(str(next(at.glob("weights.*"))))


def latencies_of_finalists(at: Path) -> None:
    """Reads measured latencies of finalists."""
    for one in read_finalist_latencies(at / "finalist_latencies.json", "x").found.values():
        str(one)


@cache
def the_learning_job(at: Path) -> LearningJob:
    """Returns a search by gradients on the images of the folder, which was made in two steps."""
    settings, supernet = GradientSettings(method="darts", steps=2), SupernetSettings(channels=2, batch_size=8)
    plan = learning_plan(the_space(), the_network(), settings, supernet, 0)
    place = Workplace(at / "supernets" / "gradient", at / "images", DataSettings(), {}, craft=craft(settings))
    return LearningJob(place.job(plan, plan.phases[-1][0]), settings)


def a_distribution(at: Path) -> None:
    """Reads the state of a search by gradients, and what it learnt."""
    job = the_learning_job(at)
    Learner(job)
    read_learned([job], 10, 10)


def zero_cost_scores(at: Path) -> None:
    """Reads zero-cost scores."""
    read_table(at / "scores.safetensors", the_space())


def a_journal(at: Path) -> None:
    """Opens the journal of a search."""
    name, _, attributes = _study_of(at / "good.journal")
    header = JournalHeader(name, attributes["space"], attributes["inputs"], ("accuracy", "params"))
    StudyJournal(at / "search.journal", header)


def trained_finalists(at: Path) -> None:
    """Opens the journal of trainings."""
    name, key, attributes = _study_of(at / "good.journal")
    place = TrialFolder(at / "trainings.journal", at / "trainings", the_space(), name, attributes[key])
    place.prepare()
    SharedTrials(place).outcomes()


def _study_of(path: Path) -> tuple[str, str, dict[str, str]]:
    """Returns the study's name in a good journal, the key of its inputs, and its attributes."""
    records = [json.loads(line) for line in path.read_text(encoding="utf-8").splitlines()]
    name = next(record["study_name"] for record in records if "study_name" in record)
    attributes: dict[str, str] = {}
    for record in records:
        attributes |= record.get("user_attr", {})
    return name, next(key for key in attributes if "inputs" in key), attributes


def a_state(at: Path) -> None:
    """Reads which stages are done."""
    RunState(at / "state.json").check()


def a_report(at: Path) -> None:
    """Reads the facts of a report, as ``report`` and ``train`` do."""
    choose(at)
    read_facts(at / "report.json")


def some_rivals(at: Path) -> None:
    """Reads records of off-the-shelf networks."""
    read_rivals(at / "rivals.json")


def seal_lookup(at: Path) -> None:
    """Makes the metadata vouch for whatever the Parquet file holds."""
    image = (at / "lookup.parquet").read_bytes()
    facts = parse_json((at / "lookup.json").read_bytes())
    facts.pop(KEY, None)
    facts["sha256"] = hashlib.sha256(image).hexdigest()
    try:
        import pyarrow as pa
        import pyarrow.parquet as pq

        file = pq.ParquetFile(pa.BufferReader(image))
        facts |= {"rows": file.metadata.num_rows, "columns": file.schema_arrow.names}
    except Exception:
        pass
    (at / "lookup.json").write_text(json.dumps(facts), encoding="utf-8")


def seal_predictor(at: Path) -> None:
    """Makes the description vouch for whatever the numbers are."""
    path = at / "predictor" / "predictor.json"
    description = json.loads(path.read_bytes())
    description.pop(KEY, None)
    data = (path.parent / description["arrays"]["file"]).read_bytes()
    description["arrays"]["sha256"] = hashlib.sha256(data).hexdigest()
    path.write_text(json.dumps(description), encoding="utf-8")


Read = Callable[[Path], None]
