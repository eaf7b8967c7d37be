"""Predicted latency on a made-up machine whose latencies are known, and once for real."""

from collections.abc import Mapping
from dataclasses import replace
from pathlib import Path

import numpy as np
import pytest

from surrogate_nas.errors import SpaceError
from surrogate_nas.hardware.measure.bench import Bench, Candidate
from surrogate_nas.hardware.measure.profile import ProfiledLatency
from surrogate_nas.hardware.measurement import Measurement
from surrogate_nas.hardware.protocol import Progress
from surrogate_nas.hardware.settings import HardwareSettings
from surrogate_nas.space.load import load_space
from surrogate_nas.space.network import NetworkSpec
from surrogate_nas.space.space import Space

OF_PIECE = {
    "stem": 0.2,
    "reduction": 0.5,
    "head": 0.1,
    "skip_connect": 0.01,
    "nor_conv_1x1": 0.3,
    "nor_conv_3x3": 0.9,
    "avg_pool_3x3": 0.25,
    "addition": 0.05,
}
IN_NETWORK = {"skip_connect": 1.0, "nor_conv_1x1": 1.5, "nor_conv_3x3": 1.1, "avg_pool_3x3": 0.8, "addition": 2.0}


class MadeUpBench(Bench):
    """A machine without noise on which pieces inside a network take longer than alone, each kind by its factor."""

    def measure(
        self,
        what: str,  # noqa: ARG002
        candidates: Mapping[str, Candidate],
        on_progress: Progress | None = None,  # noqa: ARG002
    ) -> dict[str, Measurement]:
        return {
            name: Measurement(self.milliseconds(name), 0.0, 15, 0, noisy=False, measured_at="2026-11-22T08:00:00+00:00")
            for name in candidates
        }

    @staticmethod
    def milliseconds(name: str) -> float:
        kind, rest = name.split(":", 1)
        if kind not in ("network", "anchor"):
            return OF_PIECE[rest.split(":")[0]]
        names = ("none", "skip_connect", "nor_conv_1x1", "nor_conv_3x3", "avg_pool_3x3")
        live = [names[int(digit)] for digit in rest]
        cell = sum(OF_PIECE[name] * IN_NETWORK[name] for name in live if name != "none")
        inputs = [sum(name != "none" for name in live[start:stop]) for start, stop in ((0, 1), (1, 3), (3, 6))]
        cell += sum(max(count - 1, 0) for count in inputs) * OF_PIECE["addition"] * IN_NETWORK["addition"]
        return 1.3 * (0.2 + 2 * 0.5 + 0.1) + 3 * cell


@pytest.fixture
def predicted(space: Space, network: NetworkSpec, quick: HardwareSettings) -> ProfiledLatency:
    return ProfiledLatency(space, network, MadeUpBench(space, network, quick), whole_networks=20, seed=1)


def test_every_architecture_is_predicted_where_pieces_add_up(space: Space, predicted: ProfiledLatency) -> None:
    codes = space.sample(300, np.random.default_rng(0))
    expected = [MadeUpBench.milliseconds(f"network:{digits}") for digits in space.digits(space.effective(codes))]
    np.testing.assert_allclose(predicted.evaluate(codes)["latency_ms"], expected, rtol=1e-6)
    assert predicted.relative_error("latency_ms") == pytest.approx(0, abs=1e-6)
    assert predicted.correction.kind == "factor per group"


def test_dead_operations_take_no_time(predicted: ProfiledLatency) -> None:
    # Node 1 leads nowhere in the first, and is fed by nothing in the second.
    dead = predicted.evaluate([[3, 3, 0, 0, 0, 3], [0, 3, 4, 0, 2, 3], [0, 3, 0, 0, 0, 3]])["latency_ms"]
    assert dead[0] == dead[1] == dead[2]


def test_measured_whole_networks_are_the_fastest_the_slowest_and_others_chosen_by_the_seed(
    space: Space, network: NetworkSpec, quick: HardwareSettings
) -> None:
    class Listening(MadeUpBench):
        def measure(
            self, what: str, candidates: Mapping[str, Candidate], on_progress: Progress | None = None
        ) -> dict[str, Measurement]:
            asked.append(list(candidates))
            return super().measure(what, candidates, on_progress)

    chosen = []
    for seed in (1, 1, 2):
        asked: list[list[str]] = []
        ProfiledLatency(space, network, Listening(space, network, quick), whole_networks=12, seed=seed)
        chosen.append(asked[1])
    assert chosen[0] == chosen[1] != chosen[2]
    for names in chosen:
        assert len(set(names)) == 12
        assert names[0] == "network:000000"
        assert names[-1] == "network:333333"


def test_a_space_smaller_than_the_set_to_measure_is_measured_whole(tmp_path: Path, quick: HardwareSettings) -> None:
    path = tmp_path / "tiny.toml"
    path.write_text(
        'name = "tiny"\nkind = "cell"\noperations = ["none", "nor_conv_1x1"]\n'
        '[cell]\nnodes = 3\nedges = ["1<-0", "2<-0", "2<-1"]\n'
        "[network]\nchannels = 2\ncells = 1\nstages = 2\nimage_size = 4\n"
    )
    tiny = load_space(str(path))
    costs = ProfiledLatency(tiny, tiny.network, Bench(tiny, tiny.network, quick), whole_networks=16, seed=0)
    assert costs.describe()["latency_ms"]["networks_measured"] == 4
    assert (costs.evaluate(tiny.all_codes())["latency_ms"] > 0).all()


def test_for_real_it_is_the_same_twice_and_nothing_is_measured_twice(
    space: Space, network: NetworkSpec, quick: HardwareSettings, monkeypatch: pytest.MonkeyPatch
) -> None:
    codes = space.sample(5, np.random.default_rng(0))

    def run() -> tuple[list[float], list[Measurement], object]:
        costs = ProfiledLatency(space, network, Bench(space, network, quick), whole_networks=6, seed=3)
        return costs.evaluate(codes)["latency_ms"].tolist(), costs.measure_architectures(codes), costs.describe()

    first = run()
    monkeypatch.setattr(Bench, "_measure_now", None)
    assert run() == first


def test_architectures_that_are_one_network_are_measured_once(
    space: Space, network: NetworkSpec, quick: HardwareSettings
) -> None:
    bench = Bench(space, network, quick)
    costs = ProfiledLatency(space, network, bench, whole_networks=4, seed=3)
    before = len(bench.cache.read())
    measured = costs.measure_architectures([[3, 3, 0, 0, 0, 2], [0, 3, 4, 0, 2, 2], [0, 1, 0, 0, 0, 2]])
    assert measured[0] == measured[1] != measured[2]
    assert len(bench.cache.read()) == before + 2


def test_codes_of_another_space_are_refused(predicted: ProfiledLatency) -> None:
    with pytest.raises(SpaceError):
        predicted.measure_architectures([[0, 1, 2]])


def test_the_description_says_how_it_was_measured(predicted: ProfiledLatency) -> None:
    said = predicted.describe()["latency_ms"]
    wanted = {"kind": "measured", "device": "cpu", "threads": 1, "batch": 1, "dtype": "float32", "noisy": 0}
    assert wanted.items() <= said.items()
    assert (said["operations_measured"], said["networks_measured"]) == (19, 20)
    assert said["measured_from"].startswith("2026-11-22")
    assert said["coefficients"]["nor_conv_3x3"] == pytest.approx(1.1, rel=1e-6)


@pytest.mark.parametrize(("times", "factor"), [(10.0, "12"), (0.1, "0.12"), (1.0, None)])
def test_pieces_that_say_little_about_networks_are_noted(
    space: Space, network: NetworkSpec, quick: HardwareSettings, times: float, factor: str | None
) -> None:
    class Slow(MadeUpBench):
        def measure(
            self, what: str, candidates: Mapping[str, Candidate], on_progress: Progress | None = None
        ) -> dict[str, Measurement]:
            measured = super().measure(what, candidates, on_progress)
            by = {name: times if name.startswith(("network:", "anchor:")) else 1.0 for name in measured}
            return {name: replace(one, median_ms=by[name] * one.median_ms) for name, one in measured.items()}

    said = ProfiledLatency(space, network, Slow(space, network, quick), whole_networks=12, seed=1).describe()
    notes = said["latency_ms"]["notes"]
    if factor is None:
        assert not notes
    else:
        assert notes[0].startswith(f"whole networks take {factor} times as long as the sum of their operations alone")
        assert "measure more of them (hardware.whole_networks, --networks of hardware profile)" in notes[0]


def test_bounds_do_not_follow_from_the_ends_of_the_range(
    space: Space, network: NetworkSpec, quick: HardwareSettings
) -> None:
    class OddSmallest(MadeUpBench):
        @staticmethod
        def milliseconds(name: str) -> float:
            return 9.0 if name.endswith(":000000") else MadeUpBench.milliseconds(name)

        def measure(
            self, what: str, candidates: Mapping[str, Candidate], on_progress: Progress | None = None
        ) -> dict[str, Measurement]:
            measured = super().measure(what, candidates, on_progress)
            return {name: replace(one, median_ms=self.milliseconds(name)) for name, one in measured.items()}

    def model(whole_networks: int) -> ProfiledLatency:
        bench = OddSmallest(space, network, quick)
        return ProfiledLatency(space, network, bench, whole_networks=whole_networks, seed=1)

    many, few = model(12), model(6)
    assert (len(many.held_out_errors("latency_ms")), len(few.held_out_errors("latency_ms"))) == (10, 6)
    # Left out, it is predicted far off; no architecture between the ends is.
    assert np.abs(many.correction.errors[0]) > 0.5
    inner = 1 / (1 + many.correction.errors[1:-1]) - 1
    np.testing.assert_allclose(many.held_out_errors("latency_ms"), inner + many.drift)
