"""The head of a model card that model hubs read: YAML between two lines of dashes.

It names no licence: the model belongs to the person who trained it.
"""

import json

from surrogate_nas.data.final_images import TEST_ORIGINS
from surrogate_nas.deploy.train.model_facts import ModelFacts

_TASK = "image-classification"
_TAGS = (_TASK, "neural-architecture-search", "onnx", "surrogate_nas")
# Sets that hubs know by another name; they call folders of images a kind of their own.
_HUB_NAMES = {"folder": "imagefolder"}
_OFF_HUBS = frozenset({"folder", "digits"})


def card_head(facts: ModelFacts) -> str:
    """Returns the head, with the measured accuracy on the test images.

    Texts are written as JSON writes them, which is YAML too, whatever is in them.
    """
    known = [] if facts.dataset in _OFF_HUBS else [f"datasets: {_text([facts.dataset])}"]
    kind = _HUB_NAMES.get(facts.dataset, facts.dataset)
    name = "a folder of images" if facts.dataset == "folder" else facts.dataset
    value = round(facts.test.percent / 100, 6)
    split = "validation" if facts.test_origin == TEST_ORIGINS["validation"] else "test"
    lines = [
        "---",
        "library_name: surrogate_nas",
        f"pipeline_tag: {_TASK}",
        f"tags: {_text(list(_TAGS))}",
        *known,
        'metrics: ["accuracy"]',
        "model-index:",
        f"- name: {_text(facts.code)}",
        "  results:",
        f"  - task: {_text({'type': _TASK})}",
        f"    dataset: {_text({'type': kind, 'name': name, 'split': split})}",
        "    metrics:",
        f"    - {_text({'type': 'accuracy', 'value': value, 'name': f'{split} accuracy'})}",
        "---",
    ]
    return "\n".join(lines)


def _text(value: object) -> str:
    return json.dumps(value, ensure_ascii=False)
