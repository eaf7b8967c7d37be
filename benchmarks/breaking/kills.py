"""Kills a study, and the training of its answer, at random times, resumes it, and compares with an undisturbed run."""

import json
import random
import re
import shutil
import signal
import time
from collections import Counter
from collections.abc import Mapping
from dataclasses import asdict, dataclass, field
from pathlib import Path
from typing import Any

from benchmarks.breaking.processes import Group
from surrogate_nas._support.cache_folder import FOLDER_VARIABLE
from surrogate_nas._support.files import parse_json, write_text
from surrogate_nas._support.model_format import DESCRIPTION, ONNX, WEIGHTS
from surrogate_nas.errors import TrainingError
from surrogate_nas.labels.store import read_labels

# Every stage, each as short as it can be.
STUDY = """\
space = "quick"
[data]
source = "digits"
max_images = 400
validation_fraction = 0.4
recalibration_images = 60
[budget]
params = "90%"
[supernet]
channels = 4
steps = 20
replicas = 2
batch_size = 32
checkpoint_seconds = 0.001
[labels]
count = 40
[predictor]
zero_cost = false
steps = 10
ensemble = 1
layers = 1
[search]
trials = 20
finalists = 1
[loop]
trainings = 2
rounds = 1
[training]
epochs = 2
[rivals]
names = []
[compute]
processes = 2
[hardware]
whole_networks = 6
[hardware.timing]
seconds = 0.01
min_repeats = 3
attempts = 1
"""
KILL = "SIGKILL"
# What ends a process, and which: SIGKILL is half of all, since nothing can be done about it.
INTERRUPTIONS = (
    (KILL, "parent"),
    (KILL, "worker"),
    (KILL, "group"),
    (KILL, "parent"),
    (KILL, "worker"),
    (KILL, "group"),
    ("SIGTERM", "parent"),
    ("SIGTERM", "group"),
    ("SIGINT", "parent"),
    ("SIGINT", "group"),
)
EPOCHS = 4
_MOST_IN_A_ROW = 5
_START_SECONDS = 1.0  # before which a command only imports
_SHARE = 0.8  # of the undisturbed time, since the end is mostly the report
_GRACE_SECONDS = 30.0
_LONGEST_SECONDS = 900.0
_LEFTOVER = re.compile(r"\..+\.[0-9a-f]{8}(\.[^.]*)?")  # the names of what a killed writer did not complete
_BEGINNING = "=== the command begins\n"
_FINISHED = 0
_INTERRUPTED = 130


@dataclass(frozen=True)
class Interruption:
    """A signal that arrived: which, where, when, after which stage, and with what exit code the command ended."""

    signal: str
    victim: str
    seconds: float
    after: str
    exit_code: int
    seconds_to_end: float


@dataclass
class Cycle:
    """A command that was interrupted and resumed until it was done.

    Attributes:
        index: Number of the cycle, which with the seed decides everything that is drawn.
        command: ``"study"`` or ``"train"``.
        interruptions: In order.
        faults: Sentences on everything that differs from the undisturbed run.
    """

    index: int
    seed: int
    command: str
    interruptions: list[Interruption] = field(default_factory=list)
    faults: list[str] = field(default_factory=list)

    def as_json(self) -> dict[str, Any]:
        """As JSON holds it."""
        return asdict(self)

    @classmethod
    def from_json(cls, content: Mapping[str, Any]) -> "Cycle":
        """Reads what ``as_json`` made."""
        return cls(**{**content, "interruptions": [Interruption(**one) for one in content["interruptions"]]})


class Campaign:
    """Cycles in a folder, which also keeps the undisturbed run, its measurements and the results.

    Args:
        folder: The folder.
        seed: Decides times and victims.
    """

    def __init__(self, folder: Path, seed: int) -> None:
        self.folder, self.seed = folder.absolute(), seed
        self.results = self.folder / "kills.jsonl"
        self._study = self.folder / "study.toml"
        self.reference = self.folder / "reference"
        self.trained = self.folder / "trained"

    def prepare(self) -> None:
        """Makes the undisturbed study and training, unless they are there.

        Raises:
            TrainingError: If one of them fails.
        """
        if not self._study.exists():
            write_text(self._study, STUDY)
        for folder, words in ((self.reference, self._study_words), (self.trained, self._train_words)):
            if (folder / "done").exists():
                continue
            if folder == self.trained:
                shutil.rmtree(folder, ignore_errors=True)
                shutil.copytree(self.reference, folder)
            began = time.monotonic()
            code = self._group(words(folder), folder).wait(_LONGEST_SECONDS)
            if code != _FINISHED:
                raise TrainingError(f"the undisturbed run ended with exit code {code}: see {self._log(folder)}")
            write_text(folder / "done", f"{time.monotonic() - began:.1f}")

    def cycles(self) -> list[Cycle]:
        """Returns the results so far."""
        if not self.results.exists():
            return []
        return [Cycle.from_json(parse_json(line)) for line in self.results.read_text(encoding="utf-8").splitlines()]

    def run(self, index: int) -> Cycle:
        """Runs one cycle and keeps its result; the folder of a cycle without a fault is removed."""
        draw = random.Random(f"{self.seed}-{index}")
        cycle = Cycle(index, self.seed, draw.choice(("study", "study", "train")))
        run = self.folder / f"cycle-{self.seed}-{index}"
        shutil.rmtree(run, ignore_errors=True)
        is_study = cycle.command == "study"
        undisturbed = self.reference if is_study else self.trained
        if not is_study:
            shutil.copytree(self.reference, run)
        words = self._study_words(run) if is_study else self._train_words(run)
        longest = float((undisturbed / "done").read_text(encoding="utf-8"))
        before = _labels(run)
        for _ in range(draw.randint(1, _MOST_IN_A_ROW)):
            if not self._interrupted(cycle, run, words, draw, longest):
                break
            after = _labels(run)
            if lost := (before - after).total():
                cycle.faults.append(f"{lost} of {before.total()} labels lost")
            before = after
        self._finish(cycle, run, words)
        with self.results.open("a", encoding="utf-8") as file:
            file.write(json.dumps(cycle.as_json()) + "\n")
        if not cycle.faults:
            shutil.rmtree(run, ignore_errors=True)
            self._log(run).unlink(missing_ok=True)
        return cycle

    def _interrupted(self, cycle: Cycle, run: Path, words: list[str], draw: random.Random, longest: float) -> bool:
        """Begins the command and interrupts it after a random time; returns whether it was still running."""
        name, victim = draw.choice(INTERRUPTIONS)
        wait = draw.uniform(_START_SECONDS, _SHARE * longest)
        group = self._group(words, run)
        if group.wait(wait) is not None or not group.interrupt(victim, signal.Signals[name], longest):
            group.wait(_LONGEST_SECONDS)
            return False
        sent = time.monotonic()
        code = group.wait(_LONGEST_SECONDS if victim == "worker" else _GRACE_SECONDS)
        took = time.monotonic() - sent
        if code is None:
            cycle.faults.append(f"{name} to the {victim}: still running after {took:.0f} s")
        elif name != KILL and code not in (_FINISHED, _INTERRUPTED, -signal.Signals[name]):
            cycle.faults.append(f"{name} to the {victim}: exit code {code}")
        if orphans := group.orphans(_GRACE_SECONDS):
            cycle.faults.append(f"{name} to the {victim}: {orphans} processes outlived it")
        if name != KILL or victim == "worker":
            self._look_for_tracebacks(cycle, run)
        cycle.interruptions.append(Interruption(name, victim, sent - group.began, _last_stage(run), code or 0, took))
        return True

    def _finish(self, cycle: Cycle, run: Path, words: list[str]) -> None:
        """Resumes to the end and compares."""
        code = self._group(words, run).wait(_LONGEST_SECONDS)
        if code != _FINISHED:
            cycle.faults.append(f"resumed: exit code {code}")
        elif cycle.command == "study":
            cycle.faults += different_study(self.reference, run)
        else:
            cycle.faults += different_model(self.trained, run)
        self._look_for_tracebacks(cycle, run)

    def _look_for_tracebacks(self, cycle: Cycle, run: Path) -> None:
        """Looks at what the last command printed; where a parent was killed, Python itself complains in its workers."""
        text = self._log(run).read_text(encoding="utf-8", errors="replace")
        if "Traceback (most recent call last)" in text.rpartition(_BEGINNING)[2]:
            cycle.faults.append(f"a traceback: see {self._log(run).name}")

    def _group(self, words: list[str], run: Path) -> Group:
        environment = {FOLDER_VARIABLE: str(self.folder / "cache"), "OMP_NUM_THREADS": "1"}
        with self._log(run).open("ab") as output:
            output.write(_BEGINNING.encode())
            output.flush()
            return Group(words, output, environment)

    def _log(self, run: Path) -> Path:
        return self.folder / f"{run.name}.log"

    def _study_words(self, run: Path) -> list[str]:
        return ["study", str(self._study), "--output-dir", str(run), "--resume"]

    def _train_words(self, run: Path) -> list[str]:
        return ["train", str(run), "--epochs", str(EPOCHS), "--batch-size", "8", "--threads", "1", "--resume"]


def _labels(run: Path) -> Counter[tuple[Any, ...]]:
    """Returns the acknowledged labels; none where there is no file yet."""
    path = run / "labels.h5"
    if not path.exists():
        return Counter()
    labels = read_labels(path)
    columns = (labels.accuracy_percent, labels.loss, labels.member, labels.seed, labels.steps)
    return Counter(zip(map(tuple, labels.codes.tolist()), *(column.tolist() for column in columns), strict=True))


def _last_stage(run: Path) -> str:
    """Returns the last stage that is recorded as done."""
    path = run / "state.json"
    if not path.exists():
        return "-"
    stages = list(parse_json(path.read_bytes())["stages"])
    return stages[-1] if stages else "-"


def different_study(reference: Path, run: Path) -> list[str]:
    """Returns a sentence on each difference between two runs of one study, and on what a killed writer left behind."""
    found = []
    if _labels(reference) != _labels(run):
        found.append("other labels")
    for name in ("lookup.csv", "space.toml"):
        if (reference / name).read_bytes() != (run / name).read_bytes():
            found.append(f"another {name}")
    winners = [parse_json((one / "best" / "architecture.json").read_bytes())["code"] for one in (reference, run)]
    if winners[0] != winners[1]:
        found.append(f"the winner {winners[1]} instead of {winners[0]}")
    leftovers = [path.name for path in run.rglob(".*") if _LEFTOVER.fullmatch(path.name)]
    return found + [f"left behind: {name}" for name in leftovers]


def different_model(reference: Path, run: Path) -> list[str]:
    """Returns a sentence on each difference between two trainings of one answer."""
    found = []
    for name in (WEIGHTS, ONNX):
        contents = {(one / "best" / name).read_bytes() for one in (reference, run)}
        contents |= {path.read_bytes() for path in run.glob(f"models/*/{name}")}
        if len(contents) > 1:
            found.append(f"another {name}")
    if not (run / "best" / DESCRIPTION).exists():
        found.append(f"no {DESCRIPTION} in best/")
    return found
