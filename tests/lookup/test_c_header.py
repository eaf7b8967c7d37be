"""The header in a real C compiler, with the program of the guide."""

import re
import shutil
import subprocess
from dataclasses import replace
from pathlib import Path

import pytest

from surrogate_nas.errors import InfeasibleBudgetError
from surrogate_nas.lookup.c_header import write_c_header
from surrogate_nas.lookup.table import LookupTable
from tests.lookup.conftest import METADATA, columns_of

GUIDE = Path(__file__).resolve().parents[2] / "docs" / "how-to" / "deploy-the-table.md"
needs_gcc = pytest.mark.skipif(shutil.which("gcc") is None, reason="needs gcc")


@needs_gcc
@pytest.mark.parametrize("ties", [False, True])
def test_the_program_of_the_guide_answers_as_the_table_does(ties: bool, tmp_path: Path) -> None:
    table = LookupTable.build(METADATA, **columns_of(200, ties=ties))
    different = {(one.score, one.costs["latency_ms"]) for one in table.pareto()}
    assert write_c_header(table, tmp_path / "lookup.h") == len(different)
    source = re.search(r"```c\n(.*?)```", GUIDE.read_text(encoding="utf-8"), re.DOTALL)
    assert source is not None
    (tmp_path / "main.c").write_text(source[1])
    strict = ["-std=c99", "-Wall", "-Wextra", "-Werror", "-pedantic"]
    subprocess.run(["gcc", *strict, "main.c", "-o", "main"], cwd=tmp_path, check=True)
    for limit in (0.1, 1.0, 2.0, 3.0, 4.5, 7.0, 1000.0):
        done = subprocess.run([tmp_path / "main", str(limit)], capture_output=True, text=True)
        try:
            best = table.best(latency_ms=limit)
        except InfeasibleBudgetError:
            assert done.returncode == 3
            assert "nothing within the budget" in done.stderr
            continue
        code, accuracy = done.stdout.split()
        assert float(accuracy) == pytest.approx(best.predicted_accuracy_percent, abs=0.0051)
        assert code == best.code


@needs_gcc
def test_a_header_of_floats_has_no_doubles(tmp_path: Path) -> None:
    table = LookupTable.build(METADATA, **columns_of(200))
    write_c_header(table, tmp_path / "lookup.h", real="float")
    assert (tmp_path / "lookup.h").read_bytes().endswith(b"#endif\n")
    (tmp_path / "main.c").write_text(
        '#include <stdio.h>\n#include "lookup.h"\n'
        "int main(void) { return fputs(surrogate_nas_best(3.0f)->code, stdout) < 0; }\n"
    )
    strict = ["-std=c99", "-Wall", "-Wextra", "-Werror", "-pedantic", "-Wdouble-promotion", "-Wconversion"]
    strict += ["-Wunsuffixed-float-constants"]
    subprocess.run(["gcc", *strict, "main.c", "-o", "main"], cwd=tmp_path, check=True)
    done = subprocess.run([tmp_path / "main"], capture_output=True, check=True, text=True)
    assert done.stdout == table.best(latency_ms=3.0).code


@needs_gcc
def test_no_text_breaks_the_header(tmp_path: Path) -> None:
    nasty = 'a "device" */ \\ of two\nlines, 5 µs??/ \x07 9'
    columns = columns_of(30) | {"architectures": [nasty] * 30}
    columns["costs"][f"latency_ms[{'raspi 4'}]"] = columns["costs"]["latency_ms"]
    table = LookupTable.build(replace(METADATA, device=nasty), **columns)
    write_c_header(table, tmp_path / "lookup.h")
    (tmp_path / "main.c").write_text(
        '#include <stdio.h>\n#include "lookup.h"\nint main(void) { return fputs(surrogate_nas_best(1e9)->architecture,'
        " stdout) < 0 || surrogate_nas_entries[0].latency_ms_raspi_4 <= 0; }"
    )
    subprocess.run(
        ["gcc", "-std=c99", "-Wall", "-Werror", "-trigraphs", "main.c", "-o", "main"], cwd=tmp_path, check=True
    )
    done = subprocess.run([tmp_path / "main"], capture_output=True, check=True)
    assert done.stdout.decode() == nasty


@needs_gcc
def test_costs_of_devices_that_differ_in_letters_that_c_lacks_have_members_of_their_own(tmp_path: Path) -> None:
    columns = columns_of(30)
    for device in ("手机", "平板", "raspi 4", "raspi-4"):
        columns["costs"][f"latency_ms[{device}]"] = columns["costs"]["latency_ms"]
    write_c_header(LookupTable.build(METADATA, **columns), tmp_path / "lookup.h")
    (tmp_path / "main.c").write_text('#include "lookup.h"\nint main(void) { return surrogate_nas_best(0) != NULL; }')
    subprocess.run(["gcc", "-std=c99", "-Wall", "-Werror", "main.c", "-o", "main"], cwd=tmp_path, check=True)
    members = re.findall(r"double (latency\w+);", (tmp_path / "lookup.h").read_text())
    assert len(members) == len(set(members)) == 5
