"""Names of formats are known ones whose packages are installed."""

import importlib.util

import pytest

from surrogate_nas._support.model_format import MODEL_FILES
from surrogate_nas.errors import SettingsError
from surrogate_nas.export.runtimes.table import EXPORTS, RUNTIME_FILES, asked_runtimes
from tests.package.test_metadata import PROJECT


@pytest.fixture
def _everything_is_installed(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(importlib.util, "find_spec", lambda name: name)


@pytest.mark.usefixtures("_everything_is_installed")
def test_runtimes_are_found_among_the_formats_that_always_are_written() -> None:
    assert asked_runtimes("") == ()
    assert asked_runtimes("onnx,pt2") == ()
    assert asked_runtimes(" openvino, onnx,openvino ") == ("openvino",)


def test_an_unknown_format_is_refused_with_the_known_ones() -> None:
    with pytest.raises(SettingsError, match=r"--export takes onnx, pt2, openvino.* \(got 'tensorrt'\)"):
        asked_runtimes("onnx,tensorrt")


@pytest.mark.parametrize("name", EXPORTS)
def test_a_missing_package_is_refused_with_its_extra(name: str, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(importlib.util, "find_spec", lambda _: None)
    with pytest.raises(SettingsError, match=rf"pip install 'surrogate_nas\[{name}\]'"):
        asked_runtimes(name)
    assert name in PROJECT["optional-dependencies"]


def test_no_two_files_of_a_model_share_a_name() -> None:
    names = [*MODEL_FILES, *RUNTIME_FILES]
    assert len(set(names)) == len(names)
    assert EXPORTS["openvino"].files("int8") == ("model.int8.xml", "model.int8.bin")
