"""Names of studies, default budgets, and which settings a run cannot change."""

import re

import pytest
from pydantic import ValidationError

from surrogate_nas.errors import SettingsError
from surrogate_nas.runs.settings import StudySettings, is_fixed
from surrogate_nas.runs.study_file import flattened, read_study


@pytest.mark.parametrize("name", ["", "..", ".", "-x", "a/b", "a b", "../x"])
def test_a_name_that_could_be_another_folder_is_refused(name: str) -> None:
    with pytest.raises(ValidationError, match="a name has letters"):
        StudySettings(name=name)


def test_what_finished_stages_depend_on_is_fixed() -> None:
    free = {key for key in flattened(StudySettings(name="any")) if not is_fixed(key)}
    assert free == {
        "space",  # compared by its content
        "data.path",  # likewise
        "data.memory_gb",
        "data.on_two_classes",  # either leaves the images as they are
        "supernet.preset",  # by the settings that it stands for
        "gradient.votes",
        "supernet.checkpoint_seconds",
        "labels.count",
        "labels.draws",
        "labels.in_band",
        "labels.band",
        "pool.kept",
        "pool.steps",
        *(key for key in flattened(StudySettings(name="any")) if key.startswith("hardware.")),  # costs are made again
        *(f"compute.{name}" for name in ("processes", "cluster", "gpus")),
        *(f"predictor.{name}" for name in StudySettings(name="any").predictor.model_dump()),
        *(f"search.{name}" for name in StudySettings(name="any").search.model_dump()),
        *(f"segments.{name}" for name in StudySettings(name="any").segments.model_dump()),
        *(f"budget.{name}" for name in ("latency", "flops", "params", "memory", "ram", "flash", "energy", "also")),
        *(key for key in flattened(StudySettings(name="any")) if key.startswith(("loop.", "rivals."))),
        "training.checkpoint_seconds",
        *(f"truth.{name}" for name in ("file", "column")),
    }


@pytest.mark.parametrize("value", [float("inf"), float("-inf"), float("nan"), 2**63, -(2**63), -1.5])
def test_numbers_that_make_no_sense_are_refused_in_every_setting(value: float) -> None:
    numbers = {key: held for key, held in flattened(read_study("quickstart", {})).items() if type(held) in (int, float)}
    assert len(numbers) > 80
    for key in numbers:
        with pytest.raises(SettingsError) as caught:
            read_study("quickstart", {key: value})
        assert "\n" not in str(caught.value), key


@pytest.mark.parametrize("key", ["space", "data.path", "hardware.latency_table", "truth.file", "truth.column"])
def test_a_letter_that_no_path_has_is_refused(key: str) -> None:
    others = {"data.source": "folder"} if key == "data.path" else {}
    with pytest.raises(SettingsError, match=f"{key}: a text has no letter NUL"):
        read_study("quickstart", {**others, key: "a\0b.toml"})


@pytest.mark.parametrize(
    ("method", "message"),
    [
        ("none", r"search\.sampler = 'learned' .* gradient\.method = 'none' learns none: set .* darts, .* proxyless"),
        ("rsps", r"search\.sampler = 'learned' .* gradient\.method = 'rsps' leaves it uniform"),
    ],
)
def test_a_sampler_of_a_distribution_needs_one_that_learns(method: str, message: str) -> None:
    given = {"name": "a", "search": {"sampler": "learned"}, "gradient": {"method": method}}
    with pytest.raises(ValidationError, match=message):
        StudySettings.model_validate(given)
    assert StudySettings.model_validate(given | {"gradient": {"method": "gdas"}}).search.sampler == "learned"


@pytest.mark.parametrize(
    ("changes", "message"),
    [
        ({"gradient": {"method": "darts"}}, "data.balance = 'weights' does not go with gradient.method = 'darts'"),
        ({"supernet": {"split": "gradient", "sampler": "uniform"}}, "does not go with supernet.split = 'gradient'"),
    ],
)
def test_class_weights_are_refused_where_a_loss_knows_none(changes: dict[str, object], message: str) -> None:
    with pytest.raises(ValidationError, match=re.escape(message)):
        StudySettings.model_validate({"name": "x", "data": {"balance": "weights"}} | changes)
    StudySettings.model_validate({"name": "x", "data": {"balance": True}} | changes)
    assert StudySettings.model_validate({"name": "x", "data": {"balance": "weights"}}).data.balance == "weights"


def test_each_process_that_shares_a_supernet_needs_two_images_of_a_batch() -> None:
    given = {"name": "a", "supernet": {"batch_size": 7}}
    match = r"processes_per_supernet = 4 needs supernet\.batch_size >= 8 \(got 7\)"
    with pytest.raises(ValidationError, match=match):
        StudySettings.model_validate(given | {"compute": {"processes_per_supernet": 4}})
    assert StudySettings.model_validate(given | {"compute": {"processes_per_supernet": 3}})
    assert StudySettings.model_validate({"name": "a", "supernet": {"batch_size": 2}})
