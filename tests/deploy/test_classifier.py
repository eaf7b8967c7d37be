"""What the model is shown and how its answer is read."""

from collections.abc import Callable
from pathlib import Path

import numpy as np
import pytest
import torch

from surrogate_nas._support.model_format import Preprocessing
from surrogate_nas.data.images import normalise
from surrogate_nas.deploy.classifier import Classifier, find_images, normalised, read_image
from surrogate_nas.errors import PredictionError, SettingsError, StoreError

Make = Callable[..., Path]


def test_images_of_any_size_and_colour_are_classified(make_model: Make, images: Path) -> None:
    classifier = Classifier.load(make_model())
    files = find_images([images])
    assert [file.name for file in files] == ["b.png", "a.jpg"]
    bright, dark = classifier.classify(files, batch_size=1)
    assert (bright.class_name, dark.class_name) == ("bright", "dark")
    score = 3 * (250 / 255 - 0.5) / 0.25
    assert bright.probability == pytest.approx(1 / (1 + np.exp(-2 * score)), rel=1e-5)
    assert sum(bright.probabilities.values()) == pytest.approx(1)
    assert list(classifier.classify(files)) == [bright, dark]


def test_inputs_are_those_that_torch_trained_with() -> None:
    rng = np.random.default_rng(0)
    pixels = rng.integers(0, 256, (5, 3, 8, 8), dtype=np.uint8)
    preprocessing = Preprocessing(8, 3, (0.31, 0.52, 0.47), (0.21, 0.19, 0.33))
    expected = normalise(torch.from_numpy(pixels), preprocessing.mean, preprocessing.std).numpy()
    np.testing.assert_array_equal(normalised(pixels, preprocessing), expected)


def test_what_cannot_be_read_is_said(make_model: Make, images: Path) -> None:
    preprocessing = Preprocessing(8, 3, (0.5,) * 3, (0.2,) * 3)
    with pytest.raises(PredictionError, match="no image that Pillow knows"):
        read_image(images / "notes.txt", preprocessing)
    with pytest.raises(PredictionError, match="No such file"):
        read_image(images / "missing.png", preprocessing)
    cut = (images / "b.png").read_bytes()[:60]
    (images / "cut.png").write_bytes(cut)
    with pytest.raises(PredictionError, match=r"cut\.png cannot be read"):
        read_image(images / "cut.png", preprocessing)
    with pytest.raises(SettingsError, match="no image or folder of images"):
        find_images([images / "missing"])
    (images / "empty").mkdir()
    with pytest.raises(SettingsError, match="holds no image"):
        find_images([images / "empty"])


def test_models_that_are_none_are_said(make_model: Make, tmp_path: Path) -> None:
    with pytest.raises(SettingsError, match="there is no model at"):
        Classifier.load(tmp_path)
    with pytest.raises(StoreError, match="written by another version"):
        Classifier.load(make_model(schema_version=2))
    with pytest.raises(StoreError, match="describes no model"):
        Classifier.load(make_model(format="other"))
    (tmp_path / "x.onnx").write_bytes(b"nothing")
    with pytest.raises(StoreError, match="damaged or no ONNX model"):
        Classifier.load(tmp_path / "x.onnx")


def test_a_model_of_other_images_is_said(make_model: Make) -> None:
    wrong = {"size": 8, "channels": 1, "mean": [0.5], "std": [0.25]}
    classifier = Classifier.load(make_model(preprocessing=wrong))
    with pytest.raises(PredictionError, match="cannot take images of shape"):
        classifier.probabilities(np.zeros((1, 1, 8, 8), dtype=np.uint8))
