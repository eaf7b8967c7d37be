"""Every file of a trained model, and that all of them give the same answers."""

import json
import shutil
from pathlib import Path

import numpy as np
import pytest
import torch
from PIL import Image
from safetensors.torch import load_file

from surrogate_nas._support.model_format import MODEL_FILES, SPACE_PROGRAM
from surrogate_nas.data.digits import open_digits
from surrogate_nas.deploy.classifier import Classifier, normalised
from surrogate_nas.deploy.train import deliver
from surrogate_nas.errors import ExportError
from surrogate_nas.export.model_folder import load_model, read_model
from surrogate_nas.runs.study_file import read_resolved, write_study
from tests.fixtures.finished_run import Train


def test_the_answer_s_model_lies_beside_the_answer(trained_run: Path) -> None:
    folder, best = trained_run / "models" / "333123", trained_run / "best"
    assert not (folder / SPACE_PROGRAM).exists()  # the space has no operations of its own
    for name in set(MODEL_FILES) - {SPACE_PROGRAM}:
        assert (best / name).read_bytes() == (folder / name).read_bytes()
    assert json.loads((best / "architecture.json").read_text())["code"] == "333123"
    assert not list(best.glob("training*"))


def test_torch_and_onnx_classify_alike(trained_run: Path, tmp_path: Path) -> None:
    described, module = read_model(trained_run / "best"), load_model(trained_run / "best")
    source = open_digits()
    files = []
    for index in range(40):
        files.append(tmp_path / f"{index}.png")
        with source.open_image(index) as image:
            image.save(files[-1])
    pixels = np.stack([np.asarray(Image.open(file))[None] for file in files])
    with torch.no_grad():
        scores = module(torch.from_numpy(normalised(pixels, described.preprocessing)))
    predictions = Classifier.load(trained_run / "best").predict(files)
    expected = [described.class_names[row] for row in scores.argmax(dim=1).tolist()]
    assert [one.class_name for one in predictions] == expected
    probabilities = torch.tensor([list(one.probabilities.values()) for one in predictions])
    torch.testing.assert_close(probabilities, scores.softmax(dim=1), rtol=1e-3, atol=1e-5)


def test_results_are_in_the_description_and_the_card(trained_run: Path) -> None:
    results = read_model(trained_run / "best").content["results"]
    assert results["test"]["images"] == 1497
    assert sum(results["trained_on"].values()) == results["train_images"] == 300
    assert sum(one["images"] for one in results["classes"].values()) == 1497
    right = sum(one["percent"] * one["images"] for one in results["classes"].values())
    assert right / 1497 == pytest.approx(results["onnx"]["float"]["accuracy"]["percent"])
    named = [images for row in results["confusion"].values() for images in row.values()]
    assert sum(named) == 1497
    mean = sum(one["percent"] for one in results["classes"].values()) / 10
    assert results["balanced"]["percent"] == pytest.approx(mean)
    assert results["test"]["percent"] == results["onnx"]["float"]["accuracy"]["percent"]
    assert results["onnx"]["float"]["agreement"]["equal_predictions"] == 1000
    assert results["onnx"]["int8"]["size_bytes"] < results["onnx"]["float"]["size_bytes"]
    card = (trained_run / "best" / "model-card.md").read_text()
    assert f"{results['test']['percent']:.2f}%" in card
    assert "images that data.max_images left out" in card


def test_an_export_that_fails_leaves_the_model_that_was_there(
    trained_run: Path, train: Train, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    run = Path(shutil.copytree(trained_run, tmp_path / "run"))
    folders = (run / "best", run / "models" / "333123")
    before = [
        {name: (folder / name).read_bytes() for name in MODEL_FILES if (folder / name).exists()} for folder in folders
    ]

    def fail(*_: object) -> None:
        raise ExportError("the disk is full")

    monkeypatch.setattr(deliver, "write_program", fail)
    code, _, errors = train(run, "--resume", "--epochs", "8", "--int8")
    assert code != 0
    assert "the disk is full" in errors
    for folder, files in zip(folders, before, strict=True):
        assert {name: (folder / name).read_bytes() for name in files} == files
        assert not (folder / "unfinished").exists()


@pytest.mark.slow
def test_a_study_of_8_bits_delivers_them_without_being_asked(digits_copy: Path, train: Train) -> None:
    study = digits_copy / "study.toml"
    asked = read_resolved(study, {"hardware.precision": "int8", "hardware.activations": "signed"})
    write_study(study, asked)
    code, out, _ = train(digits_copy, "--epochs", "1", "--json")
    assert code == 0
    assert json.loads(out)["numbers"] == "int8 with signed activations"
    assert list(json.loads(out)["onnx"]) == ["float", "int8"]
    assert b"surrogate_nas model" in (digits_copy / "best" / "model.int8.onnx").read_bytes()


@pytest.mark.slow
def test_a_training_for_8_bits_changes_8_bit_files_alone(digits_copy: Path, train: Train) -> None:
    """A finished training goes on; the float model stays, and the card has all three accuracies."""
    words = (digits_copy, "--epochs", "2", "--int8", "--json")
    code, out, _ = train(*words)
    assert code == 0
    plain, folder = json.loads(out), digits_copy / "models" / "333123"
    before = load_file(folder / "model.safetensors")
    code, out, errors = train(*words, "--resume", "--set", "training.quantisation_epochs=2")
    assert code == 0
    tuned = json.loads(out)
    assert "training for 8 bits (2 epochs)" in errors
    assert tuned["plain_int8"] == plain["onnx"]["int8"]["accuracy"]
    assert tuned["onnx"]["float"]["accuracy"] == plain["onnx"]["float"]["accuracy"]
    assert all(torch.equal(tensor, before[name]) for name, tensor in load_file(folder / "model.safetensors").items())
    assert tuned["onnx"]["int8"]["agreement"] != plain["onnx"]["int8"]["agreement"]
    card = (folder / "model-card.md").read_text()
    assert "| test images, 8 bits without quantisation-aware training |" in card
    assert f"{tuned['onnx']['int8']['accuracy']['percent']:.2f}% in 8 bits after 2 epochs of it" in card
    assert "8-bit files: 2 epochs of quantisation-aware training after it" in card
    # What was trained for 8 bits goes when the training does.
    assert (folder / "int8-training.safetensors").exists()
    assert train(*words, "--overwrite", "--quiet")[0] == 0
    assert not (folder / "int8-training.safetensors").exists()
