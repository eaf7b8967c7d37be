"""The head of a model card is YAML that model hubs read."""

from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest

from surrogate_nas.data.final_images import TEST_ORIGINS
from surrogate_nas.deploy.train.hub import card_head
from surrogate_nas.deploy.train.model_facts import ModelFacts

yaml = pytest.importorskip("yaml")
Make = Callable[..., ModelFacts]


def read(text: str) -> dict[str, Any]:
    before, head, _ = text.split("---\n", 2)
    assert before == ""
    content: dict[str, Any] = yaml.safe_load(head)
    return content


def test_it_has_what_was_measured_and_claims_no_licence(facts_of: Make) -> None:
    head = read(card_head(facts_of()) + "\n\n# Model card")
    assert "license" not in head
    assert (head["library_name"], head["pipeline_tag"]) == ("surrogate_nas", "image-classification")
    assert "neural-architecture-search" in head["tags"]
    (model,) = head["model-index"]
    (result,) = model["results"]
    assert model["name"] == "333123"  # a text, though it looks like a number
    assert result["task"] == {"type": "image-classification"}
    assert result["dataset"] == {"type": "imagefolder", "name": "a folder of images", "split": "test"}
    assert result["metrics"] == [{"type": "accuracy", "value": 0.91, "name": "test accuracy"}]
    assert "datasets" not in head


def test_an_accuracy_on_validation_images_is_not_called_a_test(facts_of: Make) -> None:
    head = read(card_head(facts_of(test_origin=TEST_ORIGINS["validation"])) + "\n\n")
    (result,) = head["model-index"][0]["results"]
    assert (result["dataset"]["split"], result["metrics"][0]["name"]) == ("validation", "validation accuracy")


@pytest.mark.parametrize(("dataset", "named"), [("cifar10", ["cifar10"]), ("digits", None)])
def test_sets_that_hubs_have_are_named(facts_of: Make, dataset: str, named: list[str] | None) -> None:
    head = read(card_head(facts_of(dataset=dataset)) + "\n\n")
    assert head.get("datasets") == named
    assert head["model-index"][0]["results"][0]["dataset"]["name"] == dataset


def test_the_hub_s_own_reader_takes_the_card(trained_run: Path) -> None:
    hub = pytest.importorskip("huggingface_hub")
    data = hub.ModelCard.load(trained_run / "best" / "model-card.md").data
    assert data.eval_results[0].metric_type == "accuracy"


def test_a_trained_model_s_card_begins_with_it(trained_run: Path) -> None:
    head = read((trained_run / "best" / "model-card.md").read_text(encoding="utf-8"))
    assert head["model-index"][0]["results"][0]["dataset"]["name"] == "digits"
