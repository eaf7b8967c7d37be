"""``model-card.md``: what a trained model is, how good it is, what it costs, and where that ends."""

from surrogate_nas._support.model_format import INT8, ONNX, PROGRAM, WEIGHTS, Preprocessing
from surrogate_nas.costs.cost import format_cost
from surrogate_nas.deploy.train.trained import Accuracy, Outcome, Variant


def model_card(outcome: Outcome, class_names: tuple[str, ...], preprocessing: Preprocessing, version: str) -> str:
    """The card as Markdown."""
    one = preprocessing
    colour = "grey" if one.channels == 1 else "colour"
    seen = outcome.seen_size
    resized = f", which the model itself resizes to {seen}x{seen}" if seen != one.size else ""
    sections = [
        f"# Model card: {outcome.code}",
        f"An image classifier of {len(class_names)} classes, found by surrogate_nas {version} under a budget and then"
        f" trained {outcome.start}.",
        "## What it is\n"
        f"- Architecture: `{outcome.architecture}` (code {outcome.code})\n"
        f"- Input: {colour} images of {one.size}x{one.size} pixels{resized}; `model.json` has the preprocessing\n"
        f"- Classes: {', '.join(class_names)}\n"
        f"- Files: {_files(outcome)}",
        "## Data and training\n"
        f"- {outcome.train_images:,} training images, {outcome.test.images:,} test images\n"
        f"- Test images: {outcome.test_origin}\n"
        f"- Recipe: {outcome.recipe}\n"
        f"- Seed {outcome.seed}, {outcome.processes} process{'es' if outcome.processes > 1 else ''}",
        "## Accuracy\n" + _accuracy(outcome),
        "## Costs\n" + _costs(outcome),
        "## Limits\n" + _limits(outcome),
        f"## How to repeat\n```\n{outcome.command}\n```",
    ]
    return "\n\n".join(sections) + "\n"


def accuracy_text(accuracy: Accuracy) -> str:
    """An accuracy with its interval."""
    return f"{accuracy.percent:.2f}% (95%: {accuracy.low:.2f} to {accuracy.high:.2f}%)"


def predicted_text(outcome: Outcome) -> str:
    """The predicted accuracy with its interval."""
    value, half = outcome.predicted_percent, outcome.predicted_half_width
    if half is None:
        return f"{value:.2f}%"
    return f"{value:.2f}% (95%: {max(0.0, value - half):.2f} to {min(100.0, value + half):.2f}%)"


def latency_text(outcome: Outcome, variant: Variant) -> str:
    """A measured latency beside its budget."""
    one = variant.latency
    noisy = ", noisy" if one.noisy else ""
    text = f"{one.median_ms:.3g} ms (IQR {one.iqr_ms:.2g} ms{noisy})"
    keeps = outcome.keeps_budget(variant)
    if keeps is None:
        return text
    return f"{text}, {'within' if keeps else 'OVER'} the budget of {outcome.latency_budget_ms:.3g} ms"


def _files(outcome: Outcome) -> str:
    int8 = f", `{INT8}` (8 bits)" if "int8" in outcome.onnx else ""
    return f"`{WEIGHTS}` with `model.json` and `space.toml`, `{ONNX}` (opset {outcome.opset}){int8}, `{PROGRAM}`"


def _accuracy(outcome: Outcome) -> str:
    rows = [
        "| what | accuracy |",
        "| --- | --- |",
        f"| test images, torch | {accuracy_text(outcome.test)} |",
        *(f"| test images, `{one.file}` | {accuracy_text(one.accuracy)} |" for one in outcome.onnx.values()),
        f"| predicted by the study, for shared weights | {predicted_text(outcome)} |",
    ]
    agreement = [
        f"- `{one.file}` against torch on {one.agreement.images:,} test images: largest difference of a score"
        f" {one.agreement.largest_difference:.2g}, equal classes {one.agreement.equal_predictions:,}"
        for one in outcome.onnx.values()
    ]
    return "\n".join(rows) + "\n\n" + "\n".join(agreement)


def _costs(outcome: Outcome) -> str:
    rows = ["| cost | predicted | budget |", "| --- | --- | --- |"]
    for cost, value in outcome.costs.items():
        budget = format_cost(cost, outcome.budgets[cost]) if cost in outcome.budgets else ""
        rows.append(f"| {cost} | {format_cost(cost, value)} | {budget} |")
    measured = [
        f"- `{one.file}`, {one.size_bytes / 1000:,.0f} KB, measured in ONNX Runtime on this machine's CPU, batch"
        f" {outcome.batch}, {outcome.threads} thread{'s' if outcome.threads > 1 else ''}: {latency_text(outcome, one)}"
        for one in outcome.onnx.values()
    ]
    return "\n".join(rows) + f"\n\nPredicted latency holds for {outcome.device}.\n\n" + "\n".join(measured)


def _limits(outcome: Outcome) -> str:
    lines = [
        "The predicted accuracy ranks architectures by shared weights; it is not a forecast of the trained accuracy.",
        "The interval of the test accuracy is what the number of test images leaves open; another seed gives another"
        " network, and other images than those of the test another accuracy.",
        "Probabilities are a softmax of the scores and were not calibrated.",
    ]
    if outcome.latency_budget_ms is None and "latency_ms" in outcome.budgets:
        lines.append(f"The latency budget is of {outcome.device}, which is not this machine: measure there.")
    return "\n".join(f"- {line}" for line in lines)
