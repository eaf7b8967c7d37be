"""Settings and results of a final training, as trackers take them."""

from surrogate_nas.deploy.train.chosen import Choice
from surrogate_nas.deploy.train.inheritance import start_of
from surrogate_nas.deploy.train.model_facts import ModelFacts
from surrogate_nas.deploy.train.train_request import TrainRequest
from surrogate_nas.training.recipes import Recipe


def tracked_settings(request: TrainRequest, recipe: Recipe, choice: Choice) -> dict[str, object]:
    """Returns the settings of a training."""
    one = recipe.settings
    return {
        "architecture": choice.entry.architecture,
        "code": choice.entry.code,
        "start": start_of(request, choice),
        "seed": choice.settings.seed if request.seed is None else request.seed,
        "epochs": one.epochs,
        "batch_size": one.batch_size,
        "learning_rate": one.learning_rate,
        "weight_decay": one.weight_decay,
        "data": choice.settings.data.path or choice.settings.data.source,
    }


def tracked_results(facts: ModelFacts) -> dict[str, float | None]:
    """Returns the figures of a trained model."""
    numbers: dict[str, float | None] = {
        "test/accuracy percent": facts.test.percent,
        "test/balanced accuracy percent": facts.balanced.percent,
        "test/lowest class percent": min(one.percent for one in facts.classes.values()),
        "predicted/accuracy percent": facts.predicted_percent,
        **{f"predicted/{cost}": value for cost, value in facts.costs.items()},
    }
    if facts.plain_int8 is not None:
        numbers["onnx int8 without quantisation-aware training/accuracy percent"] = facts.plain_int8.percent
    for runtime, variants in {"onnx": facts.onnx, **facts.runtimes.variants}.items():
        for precision, one in variants.items():
            numbers[f"{runtime} {precision}/accuracy percent"] = one.accuracy.percent
            numbers[f"{runtime} {precision}/latency ms"] = one.latency.median_ms
            numbers[f"{runtime} {precision}/bytes"] = one.size_bytes
    return numbers
