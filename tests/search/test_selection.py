"""Selections against brute force over small random candidates."""

import numpy as np
from hypothesis import given
from hypothesis import strategies as st

from surrogate_nas.search.candidates import Candidates
from surrogate_nas.search.selection import best_first, front, nearest_first, representatives, steady_scores

ROWS = st.lists(
    st.tuples(
        st.integers(0, 4),  # class
        st.integers(0, 5),  # score
        st.integers(1, 6),  # primary cost
        st.integers(-2, 2),  # violation of the budget
        st.sampled_from([-1, -1, 1]),  # 1 where no path leads from input to output
    ),
    min_size=1,
    max_size=30,
)


def candidates_of(rows: list[tuple[int, int, int, int, int]]) -> tuple[Candidates, np.ndarray]:
    table = np.array(rows, dtype=np.float64)
    candidates = Candidates(
        codes=np.arange(len(rows), dtype=np.int8)[:, None],
        mean=table[:, 1],
        std=np.zeros(len(rows)),
        costs={"latency_ms": table[:, 2]},
        violation=table[:, 3:],
        primary="latency_ms",
    )
    return candidates, table[:, 0].astype(np.int64)


def excess(row: tuple[int, int, int, int, int]) -> int:
    return max(row[3], 0) + max(row[4], 0)


@given(ROWS)
def test_the_representative_is_feasible_then_good_then_cheap_then_first(
    rows: list[tuple[int, int, int, int, int]],
) -> None:
    candidates, classes = candidates_of(rows)
    expected = []
    for number in sorted(set(classes.tolist())):
        members = [row for row in range(len(rows)) if classes[row] == number]
        expected.append(min(members, key=lambda row: (excess(rows[row]), -rows[row][1], rows[row][2], row)))
    assert representatives(candidates, classes).tolist() == expected


@given(ROWS)
def test_orders(rows: list[tuple[int, int, int, int, int]]) -> None:
    candidates, _ = candidates_of(rows)
    every = np.arange(len(rows))
    assert best_first(candidates, every).tolist() == sorted(
        range(len(rows)), key=lambda row: (-rows[row][1], rows[row][2], row)
    )
    assert nearest_first(candidates, every).tolist() == sorted(
        range(len(rows)), key=lambda row: (excess(rows[row]), -rows[row][1], row)
    )


@given(ROWS)
def test_the_front_is_what_no_feasible_architecture_beats(rows: list[tuple[int, int, int, int, int]]) -> None:
    candidates, classes = candidates_of(rows)
    feasible = [row for row in rows if row[3] <= 0 and row[4] == -1]
    expected = {
        row[:3]
        for row in feasible
        if not any(
            other[1] >= row[1] and other[2] <= row[2] and (other[1] > row[1] or other[2] < row[2]) for other in feasible
        )
    }
    found = front(candidates, classes)
    assert sorted(rows[row][:3] for row in found) == sorted(expected)
    assert candidates.feasible[found].all()
    assert (np.diff(candidates.mean[found]) <= 0).all()


def test_rounding_inside_a_class_does_not_hide_the_cheaper_member() -> None:
    candidates, classes = candidates_of([(0, 3, 5, 0, -1), (0, 3, 2, 0, -1), (1, 1, 1, 0, -1)])
    candidates.mean[0] += 1e-9
    assert steady_scores(candidates.mean, classes)[:2].tolist() == [candidates.mean[0]] * 2
    assert representatives(candidates, classes).tolist() == [1, 2]
    assert front(candidates, classes).tolist() == [1, 2]
