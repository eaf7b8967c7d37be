"""A command line means the right study and the right folder."""

from pathlib import Path

import pytest

from surrogate_nas.errors import BudgetError, RunFolderError, SettingsError
from surrogate_nas.runs.study_file import read_study, write_study
from surrogate_nas.study.ask.request import Request, absolute_paths, names_space, resolve_request, resume_command


@pytest.fixture(autouse=True)
def _in_a_folder(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.chdir(tmp_path)


def test_a_study_runs_in_a_folder_of_its_name() -> None:
    assert resolve_request(None, {}, None, resume=False)[1] == Path("runs/quickstart")
    assert resolve_request("cifar10", {}, None, resume=True)[1] == Path("runs/cifar10")
    settings, output = resolve_request("cifar10", {"seed": 5}, Path("here"), resume=True)
    assert (settings.name, settings.seed, output) == ("cifar10", 5, Path("here"))


def test_resuming_without_a_name_takes_the_study_of_the_folder() -> None:
    write_study(Path("here/study.toml"), read_study("cifar10", {"seed": 5}))
    settings, _ = resolve_request(None, {"budget.latency": "3ms"}, Path("here"), resume=True)
    assert (settings.name, settings.seed, settings.budget.requests()[0].text) == ("cifar10", 5, "3ms")
    # Without a folder, it is the default study's.
    write_study(Path("runs/quickstart/study.toml"), read_study("quickstart", {"seed": 6}))
    assert resolve_request(None, {}, None, resume=True)[0].seed == 6
    assert resolve_request(None, {}, None, resume=False)[0].seed == 0


def test_resuming_nothing_begins_no_other_study() -> None:
    with pytest.raises(RunFolderError, match="there holds no run to continue: name the study"):
        resolve_request(None, {}, Path("there"), resume=True)


def test_budgets_on_devices_name_the_device_or_contradict_each_other() -> None:
    table = {"hardware.latency_table": "t.csv", "budget.latency": "phone=5ms, board=7ms"}
    assert resolve_request(None, table, None, resume=False)[0].hardware.device == "phone"
    with pytest.raises(BudgetError, match="the study's own device, twice"):
        resolve_request(
            None, table | {"hardware.device": "phone", "budget.latency": "5ms, phone=7ms"}, None, resume=False
        )


def test_paths_become_absolute(tmp_path: Path) -> None:
    overrides = {
        "data.source": "folder",
        "data.path": "images",
        "hardware.latency_table": "sub/../table.csv",
        "truth.file": str(tmp_path / "truth.csv"),
    }
    settings = absolute_paths(read_study("quickstart", overrides))
    assert settings.data.path == str(tmp_path / "images")
    assert settings.hardware.latency_table == str(tmp_path / "table.csv")
    assert settings.truth.file == str(tmp_path / "truth.csv")
    assert settings.space == "digits"
    assert absolute_paths(settings.model_copy(update={"space": "own.toml"})).space == str(tmp_path / "own.toml")
    assert absolute_paths(settings) == settings


def test_the_command_that_resumes_can_be_pasted() -> None:
    assert resume_command(Path("my runs/a")).endswith("--output-dir 'my runs/a' --resume")


@pytest.mark.parametrize(
    ("name", "what", "words"),
    [
        ("photos", "a folder", "images32 --data photos"),
        ("my photos/", "a folder", "images32 --data 'my photos/'"),
        ("cifar100", "a data set", "images32 --data cifar100"),
        ("nasbench201", "a search space", "--set space=nasbench201"),
    ],
)
def test_what_is_no_study_is_refused_with_the_option_that_takes_it(name: str, what: str, words: str) -> None:
    Path("photos").mkdir()
    Path("my photos").mkdir()
    with pytest.raises(SettingsError) as caught:
        resolve_request(name, {}, None, resume=False)
    assert str(caught.value) == f"{name!r} is {what}, not a study; use it with: python -m surrogate_nas.study {words}"


def test_a_run_folder_in_the_place_of_a_study_is_continued_by_another_option() -> None:
    write_study(Path("runs/mine/study.toml"), read_study("cifar10", {}))
    with pytest.raises(SettingsError, match=r"'runs/mine' is a run folder, not a study; continue it with: .*--resume"):
        resolve_request("runs/mine", {}, None, resume=False)


def test_a_folder_of_the_name_of_a_study_changes_nothing() -> None:
    Path("quickstart").mkdir()
    assert resolve_request("quickstart", {}, None, resume=False)[0].name == "quickstart"


def test_images_need_a_study_by_name() -> None:
    with pytest.raises(SettingsError, match=r"name a study for your images, such as: .* images32 --data photos$"):
        resolve_request(None, {"data.path": "photos"}, None, resume=False)


MARKS = (
    "environment.json state.json labels.h5 lookup.json lookup.parquet supernets/member-0.safetensors trainings.h5"
    " trainings/333123-9.safetensors report.json answers.json rivals.json storage.json model.json images/splits.json"
    " predictor/predictor.json best/architecture.json"
)


@pytest.mark.parametrize("mark", MARKS.split())
def test_a_study_or_a_space_in_a_run_folder_is_not_named_by_the_user(mark: str) -> None:
    Path("run/deep").mkdir(parents=True)
    for study in ("run/study.toml", "run/deep/mine.toml", "mine.toml"):
        Path(study).write_text("\nseed = 1\n", encoding="utf-8")  # without the first line of a run's own study
    assert names_space("run/study.toml", {}, "run/space.toml", resume=False)
    Path("run", mark).parent.mkdir(exist_ok=True)
    Path("run", mark).touch()
    assert not names_space("run/study.toml", {}, "elsewhere.toml", resume=False)
    assert not names_space("run/deep/mine.toml", {}, "elsewhere.toml", resume=True)
    assert not names_space("mine.toml", {}, "run/space.toml", resume=False)
    assert names_space("mine.toml", {}, "elsewhere.toml", resume=True)
    assert names_space("run/study.toml", {"space": "run/space.toml"}, "run/space.toml", resume=False)


def test_a_study_in_a_run_folder_below_the_home_folder_is_not_named_by_the_user(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    for variable in ("HOME", "USERPROFILE"):
        monkeypatch.setenv(variable, str(tmp_path))
    (tmp_path / "run").mkdir()
    for name in ("study.toml", "labels.h5"):
        (tmp_path / "run" / name).touch()
    assert not names_space("~/run/study.toml", {}, "elsewhere.toml", resume=False)


def test_a_study_beside_folders_of_its_person_is_theirs() -> None:
    for folder in ("mine/images/cats", "mine/models", "mine/plots", "mine/mlruns"):
        Path(folder).mkdir(parents=True)
    for name in ("study.toml", "space.toml", "space.py", "log.txt"):
        Path("mine", name).touch()
    assert names_space("mine/study.toml", {}, "mine/space.toml", resume=False)


def test_a_study_that_comes_with_the_project_names_its_space_also_inside_a_run_folder() -> None:
    Path("labels.h5").touch()
    assert names_space(None, {}, "digits", resume=False)
    assert names_space("cifar10", {}, "cifar10", resume=True)
    assert not names_space(None, {}, "digits", resume=True)


@pytest.mark.posix
def test_a_link_into_a_run_folder_is_not_named_by_the_user() -> None:
    Path("run").mkdir()
    for name in ("run/labels.h5", "run/study.toml"):
        Path(name).touch()
    Path("mine.toml").symlink_to("run/study.toml")
    assert not names_space("mine.toml", {}, "elsewhere.toml", resume=False)


def test_a_home_folder_is_put_into_the_run_folder_and_the_paths(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("HOME", str(tmp_path / "home"))
    monkeypatch.setenv("USERPROFILE", str(tmp_path / "home"))
    settings, output = resolve_request("cifar10", {"data.path": "~/photos"}, Path("~/run"), resume=False)
    assert output == tmp_path / "home" / "run"
    assert absolute_paths(settings).data.path == str(tmp_path / "home" / "photos")
    with pytest.raises(SettingsError, match="'~nosuchuser/photos' is not known"):
        absolute_paths(read_study("cifar10", {"data.path": "~nosuchuser/photos"}))
    with pytest.raises(SettingsError, match="'~nosuchuser/run' is not known"):
        resolve_request("quickstart", {}, Path("~nosuchuser/run"), resume=False)


def test_a_run_folder_does_not_choose_the_cluster() -> None:
    """A foreign one would run programs for this process, and send it pickles."""
    write_study(Path("here/study.toml"), read_study("cifar10", {"compute.cluster": "ray://theirs:10001"}))
    refusal = r"the run used the Ray cluster ray://theirs:10001.*; add --cluster ray://theirs:10001"
    for name, output in ((None, Path("here")), ("here/study.toml", Path("there"))):
        with pytest.raises(SettingsError, match=refusal):
            resolve_request(name, {}, output, resume=True)
        for cluster in ("", "auto"):
            settings, _ = resolve_request(name, {"compute.cluster": cluster}, output, resume=True)
            assert settings.compute.cluster == cluster
    Path("mine.toml").write_text('space = "nasbench201"\n[compute]\ncluster = "auto"\n', encoding="utf-8")
    assert resolve_request("mine.toml", {}, None, resume=False)[0].compute.cluster == "auto"
    assert resume_command(Path("here"), cluster="auto").endswith("--output-dir here --resume --cluster auto")


def test_the_database_is_no_setting_and_its_password_stays_out_of_sight() -> None:
    url = "postgresql://ada:s3cret@host/db"
    settings = read_study("quickstart", {})
    request = Request(settings, Path("here"), resume=False, overwrite=False, command="-", storage=url)
    assert "s3cret" not in repr(request)
    assert resume_command(Path("here"), storage=url).endswith("--resume --storage postgresql://ada@host/db")
    with pytest.raises(SettingsError, match="takes the URL of a database"):
        Request(settings, Path("here"), resume=False, overwrite=False, command="-", storage="here")
    with pytest.raises(SettingsError, match=r"unknown setting 'search\.storage'"):
        read_study("quickstart", {"search.storage": url})


def test_a_resumed_run_takes_its_device_from_the_budget_as_well() -> None:
    write_study(Path("here/study.toml"), read_study("quickstart", {}))
    asked = {"hardware.latency_table": "t.csv", "budget.latency": "phone=5ms, board=7ms"}
    assert resolve_request(None, asked, Path("here"), resume=True)[0].hardware.device == "phone"
    twice = asked | {"hardware.device": "phone", "budget.latency": "5ms, phone=7ms"}
    with pytest.raises(BudgetError, match="the study's own device, twice"):
        resolve_request(None, twice, Path("here"), resume=True)
