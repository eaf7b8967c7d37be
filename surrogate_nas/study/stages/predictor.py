"""What a study that trains finalists keeps of them: its predictor, joined with the trained networks."""

import numpy as np

from surrogate_nas.errors import SettingsError
from surrogate_nas.labels.store import read_labels
from surrogate_nas.predictor.fusion.recipes import SourceLabels
from surrogate_nas.predictor.predictor import FittedPredictor
from surrogate_nas.runs.console import StudyConsole
from surrogate_nas.runs.run_folder import RunFolder
from surrogate_nas.study.stages.learn import label_identity
from surrogate_nas.study.stages.prepare import Prepared
from surrogate_nas.study.stages.trainings import known_trainings


def keep_trained(
    prepared: Prepared, predictor: FittedPredictor, folder: RunFolder, console: StudyConsole
) -> FittedPredictor:
    """Joins the predictor with the trainings of the run folder and saves it; what was joined already is left alone.

    The answer of the study does not come from it but from the residual process (``search.residual``), which was
    measured for a few trainings near a budget; the stack orders the whole space, for whoever loads the predictor.

    Returns:
        The predictor as it is kept; without a stack where the study trains nothing, or too little to learn from.
    """
    if prepared.settings.loop.trainings == 0 or not folder.trainings.exists():
        return predictor
    known = known_trainings(prepared, read_labels(folder.trainings, label_identity(prepared)))
    digits = sorted(known)
    if not digits:
        return predictor
    codes = np.stack([prepared.space.parse(code) for code in digits])
    trained = SourceLabels(codes, np.array([known[code] for code in digits]))
    try:
        joined = predictor.with_trained(trained, prepared.settings.seed)
    except SettingsError as error:
        console.note(f"predictor: kept without the trained networks: {error}")
        return predictor
    if joined is not predictor:
        joined.save(folder.predictor)
    return joined
