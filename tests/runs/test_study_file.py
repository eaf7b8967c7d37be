"""Studies from TOML and the command line, and back."""

import re
from pathlib import Path

import pytest
from hypothesis import given
from hypothesis import strategies as st

from surrogate_nas._support.definitions import available
from surrogate_nas.errors import SettingsError
from surrogate_nas.runs.settings import StudySettings
from surrogate_nas.runs.study_file import (
    RESOLVED_HEADER,
    flattened,
    parse_assignments,
    read_resolved,
    read_study,
    settings_of,
    study_text,
    write_study,
)
from surrogate_nas.supernet.presets import PRESETS


@pytest.mark.parametrize("name", available("studies"))
def test_studies_that_come_with_the_project_are_sound(name: str) -> None:
    study = read_study(name, {})
    assert study.name == name
    assert study.budget.requests()


def test_a_resolved_study_is_read_back_as_it_was(tmp_path: Path) -> None:
    study = read_study("quickstart", {"budget.flops": "50M", "supernet.bands": [[0, 1], [2, 3]]})
    write_study(tmp_path / "study.toml", study)
    assert read_resolved(tmp_path / "study.toml", {}) == study
    assert read_resolved(tmp_path / "study.toml", {"seed": 3}).seed == 3
    assert (tmp_path / "study.toml").read_text(encoding="utf-8").startswith(RESOLVED_HEADER)
    assert read_study(str(tmp_path / "study.toml"), {}) == study


def test_a_resolved_study_without_a_section_is_cut_short(tmp_path: Path) -> None:
    path = tmp_path / "study.toml"
    path.write_text('name = "x"\n[data]\nsource = "digits"\n', encoding="utf-8")
    with pytest.raises(SettingsError, match=re.escape(f"{path} is cut short: it has no seed")):
        read_resolved(path, {})


def test_assignments_are_toml_or_bare_text() -> None:
    texts = ["a=3", "b=2.5", "c=true", "d=[1, 2]", "e=5ms", 'f="5"', "g=/a path/x=y", "h = none", "i="]
    assert parse_assignments(texts) == {
        "a": 3,
        "b": 2.5,
        "c": True,
        "d": [1, 2],
        "e": "5ms",
        "f": "5",
        "g": "/a path/x=y",
        "h": None,
        "i": "",
    }


@pytest.mark.parametrize("text", ["", "a", "=3", "a.=3", ".a=3", "a..b=3"])
def test_an_assignment_needs_a_key_and_a_value(text: str) -> None:
    with pytest.raises(SettingsError, match=re.escape(f"(got {text!r})")):
        parse_assignments([text])


@given(st.text(max_size=20), st.text(max_size=20))
def test_no_text_of_an_assignment_does_anything_but_an_error_of_ours(key: str, value: str) -> None:
    try:
        read_study("quickstart", parse_assignments([f"{key}={value}"]))
    except SettingsError as error:
        said = str(error)
    else:
        said = "fine"
    assert len(said.splitlines()) == 1


def test_errors_say_where_the_wrong_setting_stands(tmp_path: Path) -> None:
    path = tmp_path / "own.toml"
    path.write_text("[supernet]\nsteps = 0\n", encoding="utf-8")
    with pytest.raises(SettingsError, match=re.escape(f"(got 0) in {path}")):
        read_study(str(path), {})
    with pytest.raises(SettingsError, match=re.escape("(got -1) on the command line")):
        read_study(str(path), {"supernet.steps": -1})
    with pytest.raises(SettingsError, match=re.escape("(got {'x': 1}) on the command line")):
        read_study("quickstart", {"seed.x": 1})
    with pytest.raises(SettingsError, match="'name' has no settings of its own"):
        read_study("quickstart", {"name.x.y": 1})


def test_a_setting_of_several_kinds_says_all_that_it_takes() -> None:
    expected = "labels.folds: input should be 'auto' or greater than or equal to 1 (got 0) on the command line"
    with pytest.raises(SettingsError, match=re.escape(expected)):
        read_study("quickstart", {"labels.folds": 0})
    with pytest.raises(SettingsError, match=re.escape("labels.folds: input should be 'auto' or a valid integer")):
        read_study("quickstart", {"labels.folds": "many"})


def test_true_is_no_number(tmp_path: Path) -> None:
    path = tmp_path / "own.toml"
    path.write_text("[supernet]\nsteps = true\n", encoding="utf-8")
    with pytest.raises(
        SettingsError, match=re.escape(f"supernet.steps: input should be a number (got true) in {path}")
    ):
        read_study(str(path), {})
    with pytest.raises(SettingsError, match=re.escape("seed: input should be a number (got false) on the command")):
        read_study("quickstart", {"seed": False})
    assert read_study("quickstart", {"data.flip": True}).data.flip


def test_settings_of_a_search_by_gradients_need_a_method() -> None:
    with pytest.raises(SettingsError, match=re.escape("steps has no effect where nothing is learnt (method = 'none')")):
        read_study("quickstart", {"gradient.steps": 10})
    assert read_study("quickstart", {"gradient.steps": 10, "gradient.method": "darts"}).gradient.steps == 10


def test_settings_that_contradict_each_other_are_named_and_no_others() -> None:
    expected = "supernet: split = 'gradient' decides who shares weights with whom: it needs sharing = 'whole' on the"
    with pytest.raises(SettingsError, match=re.escape(expected)):
        read_study("quickstart", {"supernet.split": "gradient", "supernet.sharing": "one"})


def test_presets_give_way_to_the_study_and_unknown_ones_are_answered_with_those_that_there_are() -> None:
    settings = read_study("quickstart", {"supernet.preset": "dynas", "supernet.split": "nonlinear"}).supernet
    assert (settings.split, settings.schedule, settings.momentum_groups) == ("nonlinear", "complexity", "separated")
    assert read_study("quickstart", {"supernet.preset": "dynas"}).supernet.split == "none"
    expected = f"supernet.preset: a preset is one of {', '.join(PRESETS)} (got 'best')"
    with pytest.raises(SettingsError, match=re.escape(expected)):
        read_study("quickstart", {"supernet.preset": "best"})


def test_a_single_setting_that_replaces_a_rule_takes_along_what_belongs_to_it(tmp_path: Path) -> None:
    path = tmp_path / "mine.toml"
    path.write_text('space = "quick"\n[supernet]\nsplit = "nonlinear"\ngroups = 3\n', encoding="utf-8")
    assert read_study(str(path), {}).supernet.groups == 3
    assert read_study(str(path), {"supernet.sampler": "uniform"}).supernet.groups == 3
    for key, value in (("split", "none"), ("preset", "spos")):
        rules = {f"supernet.{key}": value} | ({"supernet.split": "none"} if key == "preset" else {})
        assert read_study(str(path), rules).supernet.groups == 2
        with pytest.raises(SettingsError, match="groups has no effect with split = 'none'"):
            read_study(str(path), rules | {"supernet.groups": 4})
    path.write_text('space = "quick"\n[supernet]\nsplit = "none"\ngroups = 3\n', encoding="utf-8")
    for overrides in ({}, {"supernet.sampler": "uniform"}):
        expected = f"groups has no effect with split = 'none'.* in {re.escape(str(path))}$"
        with pytest.raises(SettingsError, match=expected):
            read_study(str(path), overrides)


def test_a_study_that_dry_run_printed_takes_another_preset_or_split(tmp_path: Path) -> None:
    path = tmp_path / "mine.toml"
    path.write_text(study_text(read_study("cifar10", {})), encoding="utf-8")
    assert read_study(str(path), {}).supernet == read_study("cifar10", {}).supernet
    for changes in ({"supernet.preset": "fsnas"}, {"supernet.split": "none"}, {"supernet.sampler": "uniform"}):
        assert read_study(str(path), changes).supernet == read_study("cifar10", changes).supernet


def test_unknown_settings_are_answered_with_the_nearest(tmp_path: Path) -> None:
    with pytest.raises(SettingsError, match=re.escape("did you mean predictor.ensemble?")):
        read_study("quickstart", {"predictor.ensembles": 3})
    with pytest.raises(SettingsError, match="see the settings with --dry-run"):
        read_study("quickstart", {"zzzzzz": 3})


def test_a_long_list_of_choices_is_cut_and_begins_with_the_nearest() -> None:
    with pytest.raises(SettingsError, match=r"choose from efficientnet_lite0, .* and \d+ more$") as error:
        read_study("quickstart", parse_assignments(['rivals.names=["efficientnet_lite"]']))
    assert len(str(error.value)) < 300


def test_every_setting_has_a_key() -> None:
    assert set(flattened(read_study("quickstart", {}))) == set(settings_of(StudySettings))


def test_none_is_a_choice_where_a_setting_has_one() -> None:
    """Elsewhere it leaves a setting unset."""
    study = read_study("quickstart", parse_assignments(["supernet.split=none", "supernet.bands=none"]))
    assert study.supernet.split == "none"
    assert study.supernet.bands is None
    with pytest.raises(SettingsError, match=re.escape("supernet.sampler: input should be")):
        read_study("quickstart", parse_assignments(["supernet.sampler=none"]))


def test_a_resolved_study_that_was_changed_is_refused_until_its_checksum_is_removed(tmp_path: Path) -> None:
    path = tmp_path / "study.toml"
    write_study(path, read_study("quickstart", {}))
    text = path.read_text(encoding="utf-8")
    header, line, rest = text.split("\n", 2)
    changed = rest.replace("seed = 0", "seed = 8", 1)
    path.write_text(f"{header}\n{line}\n{changed}", encoding="utf-8")
    with pytest.raises(SettingsError, match=re.escape(f"{path} is damaged: its content does not have the checksum")):
        read_resolved(path, {})
    path.write_text(f"{header}\n{changed}", encoding="utf-8")
    assert read_resolved(path, {}).seed == 8
    # An editor of another system.
    path.write_bytes(text.replace("\n", "\r\n").encode())
    assert read_resolved(path, {}).seed == 0


def test_another_preset_of_a_resolved_study_brings_its_own_rules(tmp_path: Path) -> None:
    path = tmp_path / "study.toml"
    write_study(path, read_study("quickstart", {"supernet.steps": 123}))
    rules = read_study("quickstart", {"supernet.preset": "fairnas", "supernet.steps": 123}).supernet
    asked = {"supernet.preset": "fairnas"}
    for read in (read_resolved(path, asked), read_study(str(path), asked)):
        assert (read.supernet.split, read.supernet.sampler) == (rules.split, rules.sampler)
        assert (read.supernet.preset, read.supernet.steps) == ("fairnas", 123)
    same = read_resolved(path, {})
    assert read_resolved(path, {"supernet.preset": same.supernet.preset}) == same


def test_texts_that_look_like_numbers_stay_texts() -> None:
    words = ["supernet.split_edge=1.10", "truth.column = 2021", 'space="5"', "seed=7", "supernet.steps=1e3"]
    assert parse_assignments(words) == {
        "supernet.split_edge": "1.10",
        "truth.column": "2021",
        "space": "5",
        "seed": 7,
        "supernet.steps": 1000.0,
    }
