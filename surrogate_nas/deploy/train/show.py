"""What a final training came to, on the terminal."""

from pathlib import Path

from rich.text import Text

from surrogate_nas.deploy.train.card import accuracy_text, latency_text, predicted_text
from surrogate_nas.deploy.train.trained import Outcome
from surrogate_nas.runs.console import StudyConsole

_NAME_WIDTH = 16


def show_outcome(outcome: Outcome, run: Path, console: StudyConsole) -> None:
    """Prints accuracy and latency, measured beside predicted, and what can be done next."""
    for name, text in _rows(outcome):
        console.results.print(Text(f"{name.rjust(_NAME_WIDTH)}  {text}"), soft_wrap=True)
    for variant in outcome.onnx.values():
        if outcome.keeps_budget(variant) is False:
            console.warn(
                f"{variant.file} was measured over the latency budget; train another architecture by a tighter"
                " --latency-budget"
            )
    folder = run / "models" / outcome.code
    console.hint("model", str(folder))
    console.hint("classify", f"python -m surrogate_nas.predict {folder} IMAGE...")


def _rows(outcome: Outcome) -> list[tuple[str, str]]:
    rows = [
        ("architecture", f"{outcome.code}  {outcome.architecture}"),
        ("test accuracy", f"{accuracy_text(outcome.test)} on {outcome.test.images:,} images"),
        ("", outcome.test_origin),
        ("predicted", f"{predicted_text(outcome)} for shared weights, not after full training"),
    ]
    for name, one in outcome.onnx.items():
        equal = f"{one.agreement.equal_predictions:,} of {one.agreement.images:,}"
        difference = f"scores within {one.agreement.largest_difference:.2g}"
        rows.append((f"ONNX {name}", f"{accuracy_text(one.accuracy)}, {one.size_bytes / 1000:,.0f} KB"))
        rows.append(("", f"classes equal to torch's on {equal} images, {difference}"))
        rows.append(("latency", latency_text(outcome, one)))
    return rows
