"""Results of a device that does not exist, and a bench without models."""

import csv
import json
from pathlib import Path

import numpy as np

from surrogate_nas.hardware.transfer.remote import choose_to_measure
from surrogate_nas.space.space import Space

Rows = list[dict[str, str]]
SIZES = {"channels": 16, "cells": 5, "image_size": 32, "input_channels": 3, "classes": 10, "stages": 3}


def results(space: Space, count: int = 30) -> Rows:
    """Returns results of a device whose latency is the sum of its operations; it became two percent slower."""
    rows = []
    for code in choose_to_measure(space, count):
        median = 1 + np.array([0, 0.1, 0.5, 2, 0.7])[code].sum()
        facts = {"device": "phone", "batch": "1", "threads": "1", "provider": "P", "runtime": "R"}
        facts |= {"measured_at": "2026-11-22T08:00:00+00:00", "space": space.fingerprint, "network": json.dumps(SIZES)}
        numbers = {"median_ms": f"{median:.6f}", "iqr_ms": "0.1", "repeats": "15", "disturbed": "0"}
        rows.append({"code": space.digits(code[None])[0], **numbers, "noisy": "False", "again_ms": "", **facts})
    rows[3]["again_ms"] = str(1.02 * float(rows[3]["median_ms"]))
    return rows


def write(path: Path, rows: Rows, separator: str = ",") -> Path:
    with path.open("w", newline="") as file:
        writer = csv.DictWriter(file, list(rows[0]), delimiter=separator)
        writer.writeheader()
        writer.writerows(rows)
    return path


def made_bench(folder: Path, fingerprint: str, codes: list[str]) -> Path:
    """Returns a bench whose models are empty files."""
    folder.mkdir()
    models = {code: f"{code}.onnx" for code in codes}
    manifest = {"models": models, "input_shape": [1, 3, 32, 32], "space_fingerprint": fingerprint, "network": SIZES}
    (folder / "manifest.json").write_text(json.dumps(manifest))
    for name in ("measure.py", *models.values()):
        (folder / name).touch()
    return folder
