"""The benchmark of exported files, on a tiny network."""

import importlib.util

import pytest
import torch

from benchmarks.exports import main, random_network


@pytest.mark.slow
def test_a_row_has_agreement_size_and_latency(capsys: pytest.CaptureFixture[str]) -> None:
    assert main(["--spaces", "quick", "--runtimes", "onnx", "--images", "20", "--int8"]) == 0
    rows = [line.split(" | ") for line in capsys.readouterr().out.splitlines()[2:]]
    assert [row[1] for row in rows] == ["`model.onnx`", "`model.int8.onnx`"]
    assert rows[0][2] == "20 of 20"
    differences = [float(row[3]) for row in rows]
    assert differences[0] < 1e-4 < differences[1]
    assert all(float(row[5].rstrip(" |")) > 0 for row in rows)


def test_images_are_of_several_classes_to_the_network() -> None:
    network, images = random_network("quick", 40, 0)
    assert len(set(images.test.labels.tolist())) > 3
    with torch.no_grad():
        scores = network(images.normalise(images.test.images[:]))
    assert torch.equal(scores.argmax(dim=1), images.test.labels)


def test_a_runtime_that_is_not_installed_is_refused(
    capsys: pytest.CaptureFixture[str], monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(importlib.util, "find_spec", lambda _: None)
    assert main(["--runtimes", "openvino"]) == 2
    assert "surrogate_nas[openvino]" in capsys.readouterr().err
