"""The file of a whole space's costs is exact, and refused where it is damaged or foreign."""

import json
import re
from pathlib import Path

import numpy as np
import pyarrow as pa
import pyarrow.parquet as pq
import pytest

from surrogate_nas._support.stored.checksums import sealed
from surrogate_nas.errors import RunFolderError, StoreError, SurrogateNasError
from surrogate_nas.hardware.counted.analytic import AnalyticCosts
from surrogate_nas.hardware.tables.stored import StoredCosts, holds, read_costs, tabulate, write_costs
from surrogate_nas.space.network import NetworkSpec
from surrogate_nas.space.pool import Pool, whole_pool
from surrogate_nas.space.space import Space


@pytest.fixture
def written(space: Space, network: NetworkSpec, tmp_path: Path) -> Path:
    path = tmp_path / "costs.parquet"
    write_costs(path, network, tabulate(whole_pool(space), AnalyticCosts(space, network)))
    return path


def test_what_was_written_comes_back(space: Space, network: NetworkSpec, written: Path) -> None:
    model, stored = AnalyticCosts(space, network), read_costs(written, space, network)
    codes = space.sample(200, np.random.default_rng(0))
    for name, values in model.evaluate(codes).items():
        np.testing.assert_array_equal(stored.evaluate(codes)[name], values)
    assert stored.describe() == model.describe()
    assert stored.relative_error("params") == 0.0


def test_other_tools_can_read_it(space: Space, network: NetworkSpec, written: Path) -> None:
    table = pq.read_table(written)
    assert table.column_names == ["code", "flops", "params", "memory_bytes"]
    assert table["code"].to_pylist()[:2] == ["000000", "000001"]
    metadata = json.loads(table.schema.metadata[b"surrogate_nas.costs"])
    assert metadata["space_fingerprint"] == space.fingerprint
    assert metadata["network"]["channels"] == network.channels


def test_a_cost_is_looked_for_without_reading_rows(written: Path) -> None:
    assert holds(written, "flops")
    assert not holds(written, "latency_ms")
    written.write_bytes(b"PAR1")
    assert holds(written, "latency_ms")  # reading it explains what is wrong


def test_writing_again_replaces_it_and_leaves_nothing_else(space: Space, network: NetworkSpec, written: Path) -> None:
    before = written.read_bytes()
    write_costs(written, network, tabulate(whole_pool(space), AnalyticCosts(space, network)))
    assert written.read_bytes() == before
    assert [path.name for path in written.parent.glob("*costs*")] == ["costs.parquet"]


def test_a_table_larger_than_any_is_refused_before_it_is_decoded(
    space: Space, network: NetworkSpec, written: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr("surrogate_nas._support.stored.parquet_texts._MOST_BYTES", 10_000)
    with pytest.raises(StoreError, match=r"cannot be read: .* it holds .* cells of .* bytes; .*remove the file"):
        read_costs(written, space, network)


def test_a_file_that_cannot_be_read_is_not_to_be_removed(
    space: Space, network: NetworkSpec, written: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    def gone(_: Path) -> bytes:
        raise OSError(5, "Input/output error")

    monkeypatch.setattr(Path, "read_bytes", gone)
    with pytest.raises(StoreError, match=r"cannot be read: .*: Input/output error$"):
        read_costs(written, space, network)


def test_a_folder_whose_name_is_a_tilde_is_a_folder_like_any_other(
    space: Space, network: NetworkSpec, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("HOME", str(tmp_path / "home"))
    monkeypatch.chdir(tmp_path)
    path = Path("~/costs.parquet")
    write_costs(path, network, tabulate(whole_pool(space), AnalyticCosts(space, network)))
    assert holds(path, "flops")
    assert not holds(path, "latency_ms")
    assert len(read_costs(path, space, network).pool.codes) == space.size


def test_another_network_is_named(space: Space, written: Path) -> None:
    with pytest.raises(RunFolderError, match=re.escape("another network: {'channels': 4")):
        read_costs(written, space, NetworkSpec(8, 1, 8, 1, 5))


def test_a_missing_or_cut_off_file(space: Space, network: NetworkSpec, written: Path) -> None:
    written.write_bytes(written.read_bytes()[:-100])
    with pytest.raises(StoreError, match="cannot be read"):
        read_costs(written, space, network)
    written.unlink()
    with pytest.raises(StoreError, match="is missing"):
        read_costs(written, space, network)


def change_metadata(table: pa.Table, **changes: object) -> pa.Table:
    metadata = json.loads(table.schema.metadata[b"surrogate_nas.costs"]) | changes
    return table.replace_schema_metadata({b"surrogate_nas.costs": json.dumps(sealed(metadata)).encode()})


@pytest.mark.parametrize(
    ("damage", "kind", "message"),
    [
        (lambda table: table.replace_schema_metadata(None), RunFolderError, "not a table of costs of this project"),
        (
            lambda table: table.replace_schema_metadata({b"surrogate_nas.costs": b"{"}),
            StoreError,
            "its metadata: Expecting",
        ),
        (
            lambda table: change_metadata(table, schema=99),
            StoreError,
            "the program is older than the file",
        ),
        (lambda table: change_metadata(table, space_fingerprint="0" * 16), RunFolderError, "another space"),
        (lambda table: change_metadata(table, costs=["energy_mj"]), StoreError, "damaged"),
        (lambda table: change_metadata(table, costs=3), StoreError, "damaged"),
        (lambda table: change_metadata(table, costs=["code"]), StoreError, "damaged"),
        (lambda table: table.slice(1), StoreError, "they are of 15625 rows, not of 15624"),
        (lambda table: change_metadata(table, rows="x" * 5000), StoreError, f"they are of '{'x' * 39} rows"),
        (lambda table: change_metadata(table, costs=["x" * 5000]), StoreError, "x...; remove"),
        (
            lambda table: change_metadata(table.slice(1), rows=len(table) - 1),
            StoreError,
            "rows are not the architectures of nasbench201",
        ),
        (lambda table: table.drop(["code"]), StoreError, "damaged"),
        (
            lambda table: table.set_column(1, "flops", pa.nulls(len(table), pa.float64())),
            StoreError,
            "column flops has values that are not finite",
        ),
    ],
)
def test_a_table_that_is_damaged_or_not_ours_is_refused_and_left(
    space: Space,
    network: NetworkSpec,
    written: Path,
    damage: object,
    kind: type[SurrogateNasError],
    message: str,
) -> None:
    assert callable(damage)
    pq.write_table(damage(pq.read_table(written)), written)
    before = written.read_bytes()
    with pytest.raises(kind, match=re.escape(message)):
        read_costs(written, space, network)
    assert written.read_bytes() == before


def test_measured_latencies_replace_predictions_of_the_same_network(space: Space) -> None:
    latency = {"latency_ms": np.linspace(1, 2, space.size)}
    stored = StoredCosts(whole_pool(space), latency, {}, {})
    code = space.effective(space.parse("300400")[None])
    changed = stored.with_measured(code, [7.0])
    dead, other = space.parse("300400")[None], space.parse("333333")[None]
    assert changed.evaluate(dead)["latency_ms"].tolist() == changed.measured_ms(dead).tolist() == [7.0]
    assert changed.evaluate(other) == stored.evaluate(other)
    assert np.isnan(changed.measured_ms(other)).all()
    assert np.isnan(stored.measured_ms(dead)).all()
    assert changed.predictions.evaluate(dead) == stored.evaluate(dead)
    part = Pool(space, np.concatenate([dead, other]), complete=False, uniform=0)
    again = changed.over(part)
    assert again.evaluate(dead)["latency_ms"].tolist() == [7.0]
    assert again.with_measured(other, [3.0]).evaluate(part.codes)["latency_ms"].tolist() == [7.0, 3.0]


def test_facts_of_costs_without_a_column_stay_when_others_are_left_out(space: Space, network: NetworkSpec) -> None:
    costs = tabulate(whole_pool(space), AnalyticCosts(space, network))
    facts = {**costs.describe(), "latency_ms": {"device": "cpu"}}
    stored = StoredCosts(costs.pool, costs.evaluate(costs.pool.codes), {}, facts)
    left = stored.only(("flops",))
    assert left.names == ("flops",)
    assert left.describe() == {name: facts[name] for name in ("flops", "latency_ms")}
