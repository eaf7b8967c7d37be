"""The estimate of a study on a cluster."""

import pytest

from benchmarks import scale


def test_the_estimate_follows_from_what_is_measured(
    monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    monkeypatch.setattr(scale, "_questions", lambda _: None)
    words = ["--space", "quick", "--images", "1000", "--pixels", "8", "--gpus", "4", "--trainings", "2"]
    assert scale.main([*words, "--epochs", "10", "--labels", "100", "--validation", "1000"]) == 0
    said = capsys.readouterr().out
    assert "| questions that a worker of a Ray cluster answers | no Ray here |" in said
    assert "| images, uint8: images x 3 x side^2 | 0 GB |" in said
    assert "| GPUs that train supernets: min(GPUs, 2 trainings) | 2 of 4 |" in said
    assert "| questions of the driver: 2 x GPUs | 8 a second |" in said
    assert "| one supernet, 10 epochs: images x epochs x 3 x work |" in said


def test_times_have_their_unit() -> None:
    assert [scale._time(seconds) for seconds in (2, 90, 5400, 172800)] == ["2.0 s", "1.5 min", "1.5 h", "2.0 days"]


@pytest.mark.slow
def test_workers_of_a_cluster_answer_more_often_than_they_are_asked(capsys: pytest.CaptureFixture[str]) -> None:
    pytest.importorskip("ray")
    assert scale.main(["--space", "quick", "--images", "1000", "--pixels", "8", "--gpus", "1"]) == 0
    [line] = [line for line in capsys.readouterr().out.splitlines() if "Ray cluster answers" in line]
    assert float(line.split("|")[2].split()[0].replace(",", "")) > 2
