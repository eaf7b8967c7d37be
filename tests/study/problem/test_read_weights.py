"""A whole study from pretrained weights, the model that it ends in, and weights that do not fit."""

import json
from collections.abc import Callable
from pathlib import Path

import pytest
import torch
from safetensors.torch import load_file, save_file

from surrogate_nas.cli.train import main as train
from surrogate_nas.labels.records import NO_MEMBER
from surrogate_nas.labels.store import read_labels
from surrogate_nas.nets.standalone import build_network
from surrogate_nas.space.extremes import HasLargest
from surrogate_nas.space.load import load_space
from surrogate_nas.space.network import NetworkSpec
from surrogate_nas.supernet.training import FIRST_WEIGHTS
from tests.fixtures.known_space import KNOWN_SPACE
from tests.study.command_words import error_line

RunHere = Callable[..., tuple[int, str, str]]


@pytest.fixture(scope="module")
def words(tmp_path_factory: pytest.TempPathFactory) -> tuple[str, ...]:
    """A space with a known network of colour images, and weights of it."""
    folder = tmp_path_factory.mktemp("known")
    (folder / "known.toml").write_text(KNOWN_SPACE, encoding="utf-8")
    space = load_space(str(folder / "known.toml"))
    assert isinstance(space, HasLargest)
    with torch.random.fork_rng():
        torch.manual_seed(0)
        network = build_network(space, space.largest(), NetworkSpec(4, 1, 8, 3, 5, stages=2))
    [names] = space.part_names
    weighted = [part for part in network.modules() if list(part.parameters(recurse=False))]
    flat = [name for layer in names.layers for name in layer]
    tensors = {
        f"{name}.{key}": one
        for name, part in zip(flat, weighted, strict=True)
        for key, one in part.state_dict().items()
    }
    save_file(tensors, folder / "known.safetensors")
    given = {"space": folder / "known.toml", "supernet.weights": "nested", "supernet.preset": "spos"}
    return (
        *("--weights", str(folder / "known.safetensors")),
        *(word for key, value in given.items() for word in ("--set", f"{key}={value}")),
    )


@pytest.mark.slow
def test_a_study_goes_through_to_a_fine_tuned_model(
    tiny: Path, faster: tuple[str, ...], words: tuple[str, ...], here: RunHere, tmp_path: Path
) -> None:
    run, study = tmp_path / "run", tmp_path / "tiny.toml"
    text = tiny.read_text(encoding="utf-8")
    study.write_text(text.replace('split = "nonlinear"\ngroups = 2\n', ""), encoding="utf-8")
    asked = ("--output-dir", run, "--flops-budget", "60%", *faster, "--set", "labels.judge=both")
    code, _, errors = here(study, *asked, *words, "--trainings", "2")
    assert code == 0, errors
    assert "a linear probe each" in errors
    members = read_labels(run / "labels.h5").member
    assert (members == NO_MEMBER).sum() == (members != NO_MEMBER).sum() > 0
    report = json.loads((run / "report.json").read_text(encoding="utf-8"))
    assert report["answer"]["chosen"]
    for start, words_of_start in (
        (None, "from the weights of the supernet, which began with pretrained weights (known.safetensors)"),
        ("pretrained", "from pretrained weights (known.safetensors)"),
    ):
        begun = () if start is None else ("--from", start, "--overwrite")
        assert train([str(run), "--epochs", "1", "--quiet", *begun]) == 0
        [described] = (run / "models").glob("*/model.json")
        results = json.loads(described.read_text(encoding="utf-8"))["results"]
        assert results["start"] == words_of_start
        assert "the last layer alone for 10% of the steps" in results["recipe"]
    # The run goes on without the file, and not with other weights.
    original, kept = Path(words[1]), run / "supernets" / FIRST_WEIGHTS
    source, content = original.read_bytes(), kept.read_bytes()
    original.unlink()
    code, _, errors = here("--output-dir", run, "--resume")
    assert (code, kept.read_bytes()) == (0, content), errors
    assert "supernets: already trained" in errors
    kept.write_bytes(content[:100])
    save_file({name: tensor + 1e-3 for name, tensor in _floats(source, tmp_path).items()}, original)
    code, _, errors = here("--output-dir", run, "--resume")
    original.write_bytes(source)
    assert code == 2, errors
    assert "was made with pretrained = " in errors


def _floats(content: bytes, folder: Path) -> dict[str, torch.Tensor]:
    (folder / "copy.safetensors").write_bytes(content)
    return load_file(folder / "copy.safetensors")


@pytest.mark.parametrize(
    ("more", "message"),
    [
        (("--set", "supernet.channels=8"), "need 4 channels in the first stage and 1 cell (got 8 and 1)"),
        (("--set", "supernet.weights=own"), "weights_from needs weights = 'nested'"),
        (("--set", "space=digits"), "digits says no names of weights"),
        (("--weights", "nothing.pth"), "there is no file of weights"),
    ],
)
def test_what_does_not_fit_leaves_no_folder(
    more: tuple[str, ...], message: str, tiny: Path, words: tuple[str, ...], here: RunHere, tmp_path: Path
) -> None:
    run = tmp_path / "run"
    reset = ("--set", "supernet.split=none")
    code, _, errors = here(tiny, "--output-dir", run, "--flops-budget", "60%", *words, *reset, *more)
    assert code == 2, errors
    assert message in error_line(errors)
    assert not run.exists()


@pytest.mark.parametrize(
    ("more", "message"),
    [
        (("--weights", "nothing.pth"), "there is no file of weights"),
        (("--weights", "torchvision:mobilenet_v9"), "torchvision has no network 'mobilenet_v9'"),
        (("--set", "space=digits"), "digits says no names of weights"),
    ],
)
def test_a_typing_error_is_said_before_images_are_read(
    more: tuple[str, ...],
    message: str,
    tiny: Path,
    words: tuple[str, ...],
    here: RunHere,
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    monkeypatch.setattr("surrogate_nas.study.problem.prepare.read_images", None)
    reset = ("--set", "supernet.split=none")
    code, _, errors = here(tiny, "--output-dir", "run", "--flops-budget", "60%", *words, *reset, *more)
    assert code == 2, errors
    assert message in error_line(errors)


def test_weights_of_another_network(tiny: Path, words: tuple[str, ...], here: RunHere, tmp_path: Path) -> None:
    tensors = load_file(words[1])
    save_file({**tensors, "2.1.weight": torch.ones(3, 4, 1, 1)}, tmp_path / "other.safetensors")
    reset = ("--set", "supernet.split=none")
    given = (*words, *reset, "--weights", tmp_path / "other.safetensors")
    code, _, errors = here(tiny, "--output-dir", tmp_path / "run", "--flops-budget", "60%", *given)
    assert code == 2
    assert "of another network: 2.1.weight has shape (3, 4, 1, 1), here (8, 4, 1, 1);" in error_line(errors)
