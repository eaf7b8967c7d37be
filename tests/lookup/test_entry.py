"""An entry from a row of the table, and as JSON."""

import json

from surrogate_nas.lookup.entry import Entry

ROW = {
    "code": "01",
    "architecture": "|a~0|",
    "canonical": "00",
    "score": 1.5,
    "predicted_accuracy_percent": 80.0,
    "accuracy_std_percent": 0.5,
    "latency_ms": 2.5,
    "flops": 10,
    "label_accuracy_percent": 81.0,
    "label_short_percent": None,
    "pareto": True,
}


def test_a_row_is_parted_into_costs_and_labels_that_are_there() -> None:
    entry = Entry.from_row(ROW, ["latency_ms", "flops"], ["label_accuracy_percent", "label_short_percent"])
    assert entry == Entry(
        "01", "|a~0|", "00", 1.5, 80.0, 0.5, {"latency_ms": 2.5, "flops": 10}, {"label_accuracy_percent": 81.0}, True
    )
    assert Entry(**json.loads(json.dumps(entry.as_json()))) == entry
