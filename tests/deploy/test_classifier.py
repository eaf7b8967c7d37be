"""The model gets its images in the right form, and its answer is read rightly."""

import json
from collections.abc import Callable
from pathlib import Path

import numpy as np
import onnx
import pytest
import torch
from PIL import Image

from surrogate_nas._support.model_format import Preprocessing
from surrogate_nas._support.stored.checksums import sealed_onnx
from surrogate_nas.data.images import normalise
from surrogate_nas.deploy.classifier import Classification, Classifier, Unreadable, normalised
from surrogate_nas.deploy.pictures import Picture, find_images
from surrogate_nas.errors import PredictionError, SettingsError, StoreError

Make = Callable[..., Path]


def test_images_of_any_size_and_colour_are_classified(make_model: Make, images: Path) -> None:
    classifier = Classifier.load(make_model())
    files = find_images([images])
    assert [file.name for file in files] == ["b.png", "a.jpg"]
    bright, dark = classifier.predict(files, batch_size=1)
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


def test_every_kind_of_image_gives_the_answer_of_its_pixels(make_model: Make, images: Path) -> None:
    model = Classifier.load(make_model())
    with Image.open(images / "b.png") as image:
        pixels = np.asarray(image)
        given: list[str | Picture] = [str(images / "b.png"), images / "b.png", image, pixels]
        answers = model.predict(given)
    assert [one.image for one in answers] == [str(images / "b.png")] * 2 + ["image 2", "image 3"]
    assert len({one.probability for one in answers}) == 1
    assert [one.class_name for one in model.predict(images)] == ["bright", "dark"]
    assert [one.class_name for one in model.predict(pixels)] == ["bright"]
    assert [one.class_name for one in model.predict(np.stack([pixels, pixels]), batch_size=1)] == ["bright"] * 2
    assert model.predict([]) == []
    assert repr(answers[0]).startswith(f"Classification(image='{images / 'b.png'}', class_name='bright', probability=")


def test_an_unreadable_image_is_an_error_or_left_out(make_model: Make, images: Path) -> None:
    model = Classifier.load(make_model())
    given = [images / "b.png", images / "notes.txt", images / "inner" / "a.jpg"]
    with pytest.raises(PredictionError, match=r"the image .*notes\.txt cannot be read: unknown image format"):
        model.predict(given)
    assert [one.class_name for one in model.predict(given, skip_unreadable=True)] == ["bright", "dark"]
    kinds = [type(one) for one in model.classify(given, batch_size=2)]
    assert kinds == [Classification, Unreadable, Classification]
    assert list(model.classify(given[1:2])) == [Unreadable(str(given[1]), "unknown image format")]


def test_a_model_says_what_it_is(make_model: Make, trained_run: Path) -> None:
    alone = Classifier.load(make_model())
    assert (alone.results, alone.accuracy, alone.class_names) == ({}, None, ("dark", "bright"))
    assert repr(alone) == f"<Classifier {alone.path}: 2 classes, colour images of 8x8>"
    results = json.loads((trained_run / "best" / "model.json").read_text())["results"]
    model, small = (Classifier.load(trained_run / "best" / name) for name in ("model.onnx", "model.int8.onnx"))
    assert model.folder == trained_run / "best"
    assert model.accuracy is not None
    assert small.accuracy is not None
    assert model.accuracy.percent == results["onnx"]["float"]["accuracy"]["percent"]
    assert small.accuracy.percent == results["onnx"]["int8"]["accuracy"]["percent"]
    assert f"10 classes, grey images of 8x8, {model.accuracy.percent:.2f}% (95%: " in repr(model)


def test_models_that_are_none_are_said(make_model: Make, tmp_path: Path) -> None:
    with pytest.raises(SettingsError, match="there is no model at"):
        Classifier.load(tmp_path)
    (tmp_path / "run" / "best").mkdir(parents=True)
    (tmp_path / "run" / "best" / "model.onnx").touch()
    with pytest.raises(SettingsError, match=r"is a run folder: its model is in .*best$"):
        Classifier.load(tmp_path / "run")
    (tmp_path / "model.pt2").touch()
    with pytest.raises(SettingsError, match=r"model\.pt2 is not an ONNX file; name the folder of the model"):
        Classifier.load(tmp_path / "model.pt2")
    with pytest.raises(StoreError, match="the program is older than the file"):
        Classifier.load(make_model(schema_version=3))
    with pytest.raises(StoreError, match="describes no model"):
        Classifier.load(make_model(format="other"))
    (tmp_path / "x.onnx").write_bytes(b"nothing")
    with pytest.raises(StoreError, match="damaged or not an ONNX model"):
        Classifier.load(tmp_path / "x.onnx")


@pytest.mark.parametrize("results", [True, {"onnx": []}, {"onnx": {"x": {"file": "model.onnx"}}}, {"onnx": {"x": 1}}])
def test_damaged_figures_of_a_model_are_said(make_model: Make, results: object) -> None:
    folder = make_model()
    model = Classifier.load(folder)
    (folder / "model.json").write_text(json.dumps({**model.described.content, "results": results}))
    with pytest.raises(StoreError, match=r"is damaged: .*model\.json: .*; export the model again"):
        _ = model.accuracy


def test_a_model_of_other_images_is_said(make_model: Make) -> None:
    wrong = {"size": 8, "channels": 1, "mean": [0.5], "std": [0.25]}
    classifier = Classifier.load(make_model(preprocessing=wrong))
    with pytest.raises(PredictionError, match="cannot take images of shape"):
        classifier.probabilities(np.zeros((1, 1, 8, 8), dtype=np.uint8))


def test_a_model_that_was_cut_short_while_it_was_replaced_is_not_used(make_model: Make) -> None:
    folder = make_model()
    Classifier.load(folder)  # an ONNX file alone is a model
    (folder / "space.toml").touch()
    with pytest.raises(StoreError, match=r"was cut short while it was replaced; finish it with: .*--resume"):
        Classifier.load(folder)
    (folder / "model.json").touch()
    Classifier.load(folder)


@pytest.mark.parametrize("names", [["one"], ["one", "two", "three"]])
def test_scores_that_do_not_belong_to_the_class_names_are_said(make_model: Make, names: list[str]) -> None:
    model = Classifier.load(make_model(class_names=names))
    with pytest.raises(PredictionError, match=r"gives scores of shape \(\d+, 2\) for its \d class names"):
        model.predict(np.zeros((8, 8, 3), dtype=np.uint8))


@pytest.mark.parametrize("text", ["[" * 100_000, "{", '{"x": 1e999}'], ids=len)
def test_a_description_that_is_no_json_is_said(make_model: Make, text: str) -> None:
    path = make_model() / "model.onnx"
    model = onnx.load(str(path))
    onnx.helper.set_model_props(model, {"surrogate_nas": text})
    onnx.save(model, str(path))
    with pytest.raises(StoreError, match="the description of the model is damaged"):
        Classifier.load(path)


def test_a_flipped_bit_in_a_model_is_refused(make_model: Make, images: Path) -> None:
    path = make_model() / "model.onnx"
    before = Classifier.load(path).predict(find_images([images]))
    path.write_bytes(sealed_onnx(path.read_bytes()))
    assert Classifier.load(path).predict(find_images([images])) == before
    weight = np.float32(-1.0).tobytes()
    path.write_bytes(path.read_bytes().replace(weight, np.float32(-1.5).tobytes(), 1))
    with pytest.raises(StoreError, match=rf"{path} is damaged .*checksum.*; export the model again"):
        Classifier.load(path)


def test_probabilities_are_of_pixels_alone(make_model: Make) -> None:
    model = Classifier.load(make_model())
    size, channels = model.described.preprocessing.size, model.described.preprocessing.channels
    pixels = np.zeros((1, channels, size, size), np.uint8)
    assert model.probabilities(pixels).shape == (1, 2)
    for wrong in (pixels / 255.0, pixels[0], pixels.tolist()):
        with pytest.raises(PredictionError, match=r"probabilities takes uint8 pixels of shape \(N, C, S, S\)"):
            model.probabilities(wrong)  # type: ignore[arg-type]


@pytest.mark.parametrize("threads", [0, "2", 1.5, True])
def test_impossible_threads_are_no_damaged_model(make_model: Make, threads: object) -> None:
    with pytest.raises(SettingsError, match="threads must be a whole number from 1 on"):
        Classifier.load(make_model(), threads)  # type: ignore[arg-type]
