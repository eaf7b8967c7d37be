"""A trained model in words, what it is, how good it is, what it costs: ``model-card.md``, and on the terminal."""

import re
from collections.abc import Sequence
from pathlib import Path

from rich.text import Text

from surrogate_nas._support.commands import shown
from surrogate_nas._support.model_format import INPUT, INT8, ONNX, OUTPUT, PROGRAM, WEIGHTS, Preprocessing
from surrogate_nas._support.streams import in_one_line
from surrogate_nas._support.words import count_of
from surrogate_nas.costs.cost import COSTS, format_cost
from surrogate_nas.deploy.accuracy import Accuracy
from surrogate_nas.deploy.confusion import mistakes
from surrogate_nas.deploy.train.hub import card_head
from surrogate_nas.deploy.train.model_facts import ModelFacts
from surrogate_nas.deploy.variant import Variant
from surrogate_nas.export.runtimes.table import CORTEX_M, EXPORTS
from surrogate_nas.report import formats
from surrogate_nas.report.comparison import fitting_text, winner_text
from surrogate_nas.report.facts.against_rivals import RivalsFacts
from surrogate_nas.report.terminal import rivals_table
from surrogate_nas.runs.console import StudyConsole

_NAME_WIDTH = 16
_MOST_COLUMNS = 12  # classes of a matrix that is still read
_MISTAKES_SHOWN = 10
_MARKS = re.compile(r"[|`*_\\[\]]")  # of Markdown
_SQUARE = {"crop": "the centre square", "pad": "the whole image in the centre of a black square"}
_PREPROCESSING = (
    "upright by EXIF; transparency on white; {square}; resized with antialiasing, by the mean of whole blocks"
    " of pixels where the sides divide and by Pillow's `BILINEAR` elsewhere; (value / 255 - mean) / std per channel"
)


def model_card(facts: ModelFacts, class_names: tuple[str, ...], preprocessing: Preprocessing, version: str) -> str:
    """Returns the card as Markdown."""
    one = preprocessing
    colour = "grey" if one.channels == 1 else "colour"
    seen = facts.seen_size
    resized = f", which the model itself resizes to {seen}x{seen}" if seen != one.size else ""
    prepared = _PREPROCESSING.format(square=_SQUARE[one.fit])
    sections = [
        f"{card_head(facts)}\n\n# Model card: {facts.code}",
        f"An image classifier of {count_of(len(class_names), 'class', 'classes')}, found by surrogate_nas {version}"
        f" under a budget and then trained {facts.start}.",
        "## What it is\n"
        f"- Architecture: `{facts.architecture}` (code {facts.code})\n"
        f"- Input: {colour} images of {one.size}x{one.size} pixels{resized}\n"
        f"- Preprocessing, which `Classifier` and `surrogate-nas predict` apply: {prepared}\n"
        f"- Any other program: input `{INPUT}`, float32 of shape (images, {one.channels}, {one.size}, {one.size}),"
        f" {'grey' if one.channels == 1 else 'RGB'}, mean {_numbers(one.mean)}, std {_numbers(one.std)}; output"
        f" `{OUTPUT}`, one score a class in the order below, whose largest is the answer. `model.json` has the same"
        " under `preprocessing`.\n"
        f"- Classes: {', '.join(map(_cell, class_names))}\n"
        f"- Files: {_files(facts)}",
        "## How to use\n```\nsurrogate-nas predict FOLDER IMAGE...\n```\nFOLDER is the folder of this card. In Python:"
        ' `surrogate_nas.Classifier.load("FOLDER").predict("IMAGE")`.',
        "## Data and training\n"
        f"- {count_of(facts.train_images, 'training image')}, {count_of(facts.test.images, 'test image')}\n"
        f"- Test images: {facts.test_origin}\n"
        f"- Recipe: {facts.recipe}\n"
        f"- Seed {facts.seed}, {count_of(facts.processes, 'process', 'processes')}"
        + "".join(f"\n- **Warning**: {warning}" for warning in facts.warnings),
        "## Accuracy\n" + _accuracy(facts),
        "## Costs\n" + _costs(facts),
        *([f"## Off-the-shelf networks\n{_rivals(facts, facts.rivals)}"] if facts.rivals is not None else []),
        "## Limits\n" + _limits(facts),
        f"## How to repeat\n```\n{facts.command}\n```",
    ]
    return "\n\n".join(sections) + "\n"


def _numbers(values: Sequence[float]) -> str:
    return ", ".join(f"{value:.6g}" for value in values)


def accuracy_text(accuracy: Accuracy) -> str:
    """Returns an accuracy with its interval."""
    return f"{accuracy.percent:.2f}% (95%: {accuracy.low:.2f} to {accuracy.high:.2f}%)"


def predicted_text(facts: ModelFacts) -> str:
    """Returns the predicted accuracy with its interval."""
    value, half = facts.predicted_percent, facts.predicted_half_width
    if half is None:
        return f"{value:.2f}%"
    return f"{value:.2f}% (95%: {max(0.0, value - half):.2f} to {min(100.0, value + half):.2f}%)"


def latency_text(facts: ModelFacts, variant: Variant) -> str:
    """Returns a measured latency next to its budget."""
    one = variant.latency
    noisy = ", noisy" if one.noisy else ""
    text = f"{one.median_ms:.3g} ms (IQR {one.iqr_ms:.2g} ms{noisy})"
    keeps = facts.keeps_budget(variant)
    if keeps is None:
        return text
    return f"{text}, {'within' if keeps else 'OVER'} the budget of {facts.latency_budget_ms:.3g} ms"


def show_model(facts: ModelFacts, run: Path, console: StudyConsole) -> None:
    """Prints accuracy and latency, measured next to predicted, and the commands for the next steps."""
    for name, text in _terminal_rows(facts):
        console.results.print(Text(f"{name.rjust(_NAME_WIDTH)}  {text}"), soft_wrap=True)
    if facts.rivals is not None:
        console.results.print(rivals_table(facts.rivals, facts.code, facts.own_costs))
        if facts.rivals.beside_ms is not None:
            console.note("latencies of this table were measured in turns by the study; the ones above are of now")
        if winner := winner_text(facts.rivals, facts.code):
            console.results.print(Text(f"{'rivals'.rjust(_NAME_WIDTH)}  {winner}"), soft_wrap=True)
    kept = [variant for variant in facts.onnx.values() if facts.keeps_budget(variant)]
    for variant in facts.onnx.values():
        if facts.keeps_budget(variant) is False:
            remedy = (
                f"deploy {kept[0].file}, which keeps it, or search with --precision int8"
                if kept
                else "train another architecture by a tighter --latency-budget, or where there is none, search smaller"
                " images or fewer channels"
            )
            console.warn(f"{variant.file} was measured over the latency budget; {remedy}")
    for note in filter(
        None, [facts.runtime_note(), facts.faster_note(), facts.overflow_note(), *facts.losses(), *facts.over_device()]
    ):
        console.warn(note)
    folder = run / "models" / facts.code
    console.hint("model", str(folder))
    console.hint("classify", shown("predict", folder, "IMAGE..."))


def _files(facts: ModelFacts) -> str:
    int8 = f", `{INT8}` (8 bits)" if "int8" in facts.onnx else ""
    others = "".join(
        f", `{'` and `'.join(EXPORTS[name].files(precision))}` ({EXPORTS[name].title})"
        for name, variants in facts.runtimes.variants.items()
        for precision in variants
    )
    file = facts.device_file
    if file is not None and file.file == CORTEX_M:
        others += f", `{file.file}` ({file.planner})"
    if file is not None and file.sources:
        others += f", `{'` and `'.join(file.sources)}` (the same as C source)"
    return f"`{WEIGHTS}` with `model.json` and `space.toml`, `{ONNX}` (opset {facts.opset}){int8}, `{PROGRAM}`{others}"


def _accuracy(facts: ModelFacts) -> str:
    rows = [
        "| what | accuracy |",
        "| --- | --- |",
        f"| test images, torch | {accuracy_text(facts.test)} |",
        *(f"| test images, `{one.file}` | {accuracy_text(one.accuracy)} |" for _, _, one in facts.variants),
        *(
            [f"| test images, 8 bits without quantisation-aware training | {accuracy_text(facts.plain_int8)} |"]
            if facts.plain_int8 is not None
            else []
        ),
        f"| test images, `{ONNX}`, mean over classes (balanced accuracy) | {accuracy_text(facts.balanced)} |",
        f"| predicted by the study, {facts.predicted_basis} | {predicted_text(facts)} |",
    ]
    agreement = [
        f"- `{one.file}` against torch on {one.agreement.images:,} test images: largest difference of a score"
        f" {one.agreement.largest_difference:.2g}, equal classes {one.agreement.equal_predictions:,}"
        for _, _, one in facts.variants
    ]
    tuning = [facts.tuning()] if facts.tuning() else []
    parts = ["\n".join(rows), *tuning, "\n".join(agreement), _per_class(facts), _confusion(facts)]
    return "\n\n".join(parts)


def _per_class(facts: ModelFacts) -> str:
    """Returns the accuracy on each class (its recall), the lowest first."""
    rows = [f"Accuracy of `{ONNX}` on the test images of each class (recall), the lowest first:\n"]
    rows += ["| class | training images | test images | recall |", "| --- | --- | --- | --- |"]
    for name, one in sorted(facts.classes.items(), key=lambda item: item[1].percent):
        trained_on = facts.trained_on.get(name, 0)
        rows.append(f"| {_cell(name)} | {trained_on:,} | {one.images:,} | {accuracy_text(one)} |")
    return "\n".join(rows)


def _confusion(facts: ModelFacts) -> str:
    """Returns the confusion matrix, or the most frequent mistakes where there are many classes."""
    if len(facts.trained_on) > _MOST_COLUMNS:
        return _mistakes(facts)
    names = list(facts.trained_on)
    rows = ["Test images of each class (rows) by the class that the model names (columns):\n"]
    rows += [_row(["", *map(_cell, names)]), _row(["---"] * (len(names) + 1))]
    rows += [
        _row([_cell(true), *(f"{row.get(named, 0):,}" for named in names)]) for true, row in facts.confusion.items()
    ]
    return "\n".join(rows)


def _mistakes(facts: ModelFacts) -> str:
    found = mistakes(facts.confusion)
    rows = ["The most frequent mistakes (`model.json` has all):\n", "| class | named | images |", "| --- | --- | --- |"]
    rows += [_row([_cell(one.true), _cell(one.named), f"{one.images:,}"]) for one in found[:_MISTAKES_SHOWN]]
    return "\n".join(rows)


def _row(cells: Sequence[str]) -> str:
    return f"| {' | '.join(cells)} |"


def _cell(name: str) -> str:
    """Returns a name, or a text, that Markdown shows as it is, in one line and in one cell of a table."""
    return _MARKS.sub(r"\\\g<0>", in_one_line(name)).replace("<", "&lt;")


def _costs(facts: ModelFacts) -> str:
    rows = ["| cost | by the study | budget |", "| --- | --- | --- |"]
    for cost, value in facts.costs.items():
        budget = format_cost(cost, facts.budgets[cost]) if cost in facts.budgets else ""
        rows.append(f"| {cost} | {format_cost(cost, value)} | {budget} |")
    measured = [
        f"- `{one.file}`, {one.size_bytes / 1000:,.0f} KB, measured in {title} on this machine's CPU, batch"
        f" {facts.batch}, {count_of(facts.threads, 'thread')}: {latency_text(facts, one)}"
        for title, _, one in facts.variants
    ]
    if facts.device_file is not None:
        file = facts.device_file
        planned = [f"{COSTS[cost].title} {file.words(cost, facts.budgets)}" for cost in file.costs]
        measured.append(f"- `{file.file}`, planned by {file.planner}: {'; '.join(planned)}")
    of = f"The study's latency is of {facts.conditions or facts.device}."
    if "latency_ms" not in facts.costs:
        of = "The study predicted no latency, as none of its budgets is on it."
    return "\n".join(rows) + f"\n\n{of}\n\n" + "\n".join(measured)


def _rivals(facts: ModelFacts, rivals: RivalsFacts) -> str:
    """Returns the off-the-shelf networks next to the model, and which is better where any was trained."""
    names = [cost.cost for cost in rivals.rivals[0].costs]
    own = facts.own_costs
    heads = ["network", *(formats.cost_name(name).lower() for name in names), "test accuracy", "note"]
    rows = [(f"**{facts.code}**", [own[name] for name in names], accuracy_text(facts.test), "this model")]
    for one in rivals.rivals:
        estimate = one.accuracy_percent
        between = f" (95%: {formats.percent_interval(estimate)})" if estimate.value is not None else ""
        rows.append((one.name, list(one.costs), f"{formats.percent(estimate.value)}{between}", one.reason))
    lines = [f"| {' | '.join(heads)} |", f"|{' --- |' * len(heads)}"]
    for name, costs, accuracy, note in rows:
        values = [formats.cost(one.cost, one.predicted if one.measured is None else one.measured) for one in costs]
        lines.append(f"| {' | '.join([name, *values, accuracy, _cell(note)])} |")
    winner = winner_text(rivals, facts.code)
    recipe = "" if rivals.rival_epochs else ", with the recipe above"
    return f"{f'{winner}{recipe}. ' if winner else ''}{fitting_text(rivals)}\n\n" + "\n".join(lines)


def _limits(facts: ModelFacts) -> str:
    lines = [
        f"The predicted accuracy, {facts.predicted_basis}, ranks architectures; it is not a forecast of the accuracy"
        " after full training.",
        "The interval of the test accuracy covers the random choice of test images; another seed gives another"
        " network, and other images give another accuracy.",
        "Probabilities are a softmax of the scores and were not calibrated.",
    ]
    if facts.latency_budget_ms is None and "latency_ms" in facts.budgets:
        lines.append(
            f"The latency budget is of {facts.conditions}, which is not this machine as it is now: measure there."
        )
    lines += filter(None, [facts.runtime_note(), facts.overflow_note(), *facts.losses(), *facts.over_device()])
    lines += [f"Not exported to {name}: {reason}" for name, reason in facts.runtimes.failures.items()]
    return "\n".join(f"- {line}" for line in lines)


def _terminal_rows(facts: ModelFacts) -> list[tuple[str, str]]:
    lowest = min(facts.classes, key=lambda name: facts.classes[name].percent)
    on = count_of(facts.classes[lowest].images, "image")
    rows = [
        ("architecture", f"{facts.code}  {facts.architecture}"),
        ("test accuracy", f"{accuracy_text(facts.test)} on {count_of(facts.test.images, 'image')}"),
        ("", facts.test_origin),
        ("balanced", f"{accuracy_text(facts.balanced)}, the mean over classes"),
        ("lowest class", f"{in_one_line(lowest)}: {accuracy_text(facts.classes[lowest])} on {on}"),
        ("predicted", f"{predicted_text(facts)} {facts.predicted_basis}, not after full training"),
    ]
    for title, precision, one in facts.variants:
        equal = f"{one.agreement.equal_predictions:,} of {one.agreement.images:,}"
        difference = f"scores within {one.agreement.largest_difference:.2g}"
        rows.append(
            (
                f"{title.removesuffix(' Runtime')} {precision}",
                f"{accuracy_text(one.accuracy)}, {one.size_bytes / 1000:,.0f} KB",
            )
        )
        rows.append(("", f"classes equal to torch's on {equal} images, {difference}"))
        rows.append(("latency", latency_text(facts, one)))
    if facts.plain_int8 is not None:
        rows.append(("8 bits", facts.tuning()))
    if facts.device_file is not None:
        file = facts.device_file
        rows.append(("for the device", f"{file.file}, by {file.planner}"))
        if file.sources:
            rows.append(("", f"as C source: {', '.join(file.sources)}"))
        rows += [(COSTS[cost].title, file.words(cost, facts.budgets)) for cost in file.costs]
    return rows
