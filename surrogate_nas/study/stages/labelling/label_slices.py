"""Labels architectures by a linear probe of their parts of the pretrained weights that supernets begin with."""

import numpy as np
from numpy.typing import NDArray

from surrogate_nas._support.words import count_of
from surrogate_nas.errors import Interrupted
from surrogate_nas.labels.records import NO_MEMBER, LabelBatch, Labels
from surrogate_nas.labels.store import LabelStore, read_labels
from surrogate_nas.space.space import Codes
from surrogate_nas.study.findings import StudyLabels
from surrogate_nas.study.problem.problem import Problem
from surrogate_nas.study.running import Run
from surrogate_nas.supernet.training import FIRST_WEIGHTS
from surrogate_nas.zero_cost.slice_probe import ProbeJob, ProbeLabels, probe_slices

_CODES_PER_JOB = 4


def label_slices(problem: Problem, run: Run) -> StudyLabels:
    """Labels each drawn architecture; equal computations once.

    Raises:
        Interrupted: If a stop was requested; labels made so far are kept.
        StoreError: If the label file or the pretrained weights are damaged.
        TrainingError: If pretrained weights give features that are not finite.
    """
    codes = problem.drawn
    different, of_each = np.unique(problem.space.effective(codes), axis=0, return_inverse=True)
    rows = _rows(problem, run, different)
    if (rows < 0).any():
        _label(problem, different[rows < 0], len(different), run)
        rows = _rows(problem, run, different)
        if (rows < 0).any():
            raise Interrupted("stopped while labelling")
    else:
        run.console.note(f"labels: all {len(different):,} are there already")
    mine = _stored(problem, run)[rows[of_each.reshape(-1)]]
    return StudyLabels(codes, mine.accuracy_percent, mine.loss, len(different))


def _stored(problem: Problem, run: Run) -> Labels:
    return read_labels(run.folder.labels, problem.label_identity)


def _rows(problem: Problem, run: Run, codes: Codes) -> NDArray[np.int64]:
    """Returns the row among stored labels of each code (W, D), shape (W,); -1 if absent."""
    if not run.folder.labels.exists():
        return np.full(len(codes), -1)
    stored, digits = _stored(problem, run), problem.space.digits
    probed = np.flatnonzero((stored.member == NO_MEMBER) & (stored.source == "supernet"))
    row_of = dict(zip(digits(stored.codes[probed]), probed.tolist(), strict=True))
    return np.array([row_of.get(text, -1) for text in digits(codes)], dtype=np.int64)


def _label(problem: Problem, missing: Codes, total: int, run: Run) -> None:
    """Labels effective codes (M, D), of a number of different ones in all."""
    settings, folder = problem.settings, run.folder
    jobs = [
        ProbeJob(
            problem.space,
            tuple(tuple(code) for code in missing[start : start + _CODES_PER_JOB].tolist()),
            problem.plan.network,
            folder.supernets / FIRST_WEIGHTS,
            folder.images,
            settings.labels.validation_images,
            settings.labels.images_at_once(problem.plan.network.image_size),
            settings.compute.device,
        )
        for start in range(0, len(missing), _CODES_PER_JOB)
    ]
    with (
        LabelStore.open_or_create(folder.labels, problem.label_identity) as labels,
        run.console.progress(f"labels ({count_of(total, 'architecture')}, a linear probe each)") as advance,
    ):
        advance(total - len(missing), total)

        def keep(position: int, result: ProbeLabels | None) -> None:
            if result is not None:  # it was not stopped
                codes = np.array(jobs[position].codes, dtype=np.int8)
                labels.append(LabelBatch(codes, result.accuracy_percent, result.loss, "supernet", NO_MEMBER))

        run.workers.run(
            probe_slices,
            jobs,
            on_result=keep,
            on_progress=lambda done: advance(total - len(missing) + done, total),
            should_stop=run.should_stop,
        )
