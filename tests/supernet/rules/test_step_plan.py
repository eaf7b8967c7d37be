"""Steps follow sampler, schedule and groups, and do not depend on the block they come from."""

from collections.abc import Callable

import numpy as np
import pytest

from surrogate_nas.space.kinds.cell.space import CellSpace
from surrogate_nas.space.load import load_space
from surrogate_nas.space.network import NetworkSpec
from surrogate_nas.supernet.plan import SupernetPlan
from surrogate_nas.supernet.rules.samplers import BLOCK, Fair, NearBudgets, WithinGroup
from surrogate_nas.supernet.rules.schedules import Cosine
from surrogate_nas.supernet.rules.step_plan import Agenda, Teaching
from surrogate_nas.supernet.splits.boxes import BoxSplit, whole_box

MakePlan = Callable[..., SupernetPlan]
NUMBERS = [0, 1, BLOCK - 1, BLOCK, 2 * BLOCK + 7]


@pytest.mark.parametrize("preset", ["spos", "fairnas", "dynas", "efsnas"])
def test_a_step_is_what_its_parts_say(plan_of: MakePlan, preset: str) -> None:
    plan = plan_of(preset=preset, steps=3 * BLOCK)
    training = plan.training(0)
    agenda, sampler, schedule = plan.agenda(training), plan.sampler(training), plan.schedule()
    separation = plan.separation(training)
    for number in [*NUMBERS, *reversed(NUMBERS)]:
        step, codes = agenda.step(number), sampler.draw(number)
        rates, factors = schedule.rates(np.array([number / (3 * BLOCK)]), codes[None])
        alive = plan.space.is_connected(codes)
        assert np.array_equal(step.codes, codes[alive])
        assert step.rate == pytest.approx(rates[0], rel=1e-12)
        assert step.factors == pytest.approx(factors[0, alive].tolist(), rel=1e-12)
        expected = np.zeros(len(codes), dtype=int) if separation is None else codes[:, separation]
        assert step.groups == tuple(expected[alive].tolist())


def test_subnets_that_are_cut_are_left_out_and_no_step_is_empty(space: CellSpace) -> None:
    agenda = Agenda(space, Fair(space, whole_box(space), 0), Cosine(0.1, 0.0), None, first_step=0, last_step=1000)
    lengths = []
    for number in range(1000):
        step = agenda.step(number)
        assert space.is_connected(np.array(step.codes)).all()
        lengths.append(len(step.codes))
        assert len(step.codes) == len(step.factors) == len(step.groups)
    assert min(lengths) >= 1
    assert max(lengths) == 5
    assert 4 < np.mean(lengths) < 5


def test_the_largest_connected_subnet_teaches(space: CellSpace) -> None:
    network = NetworkSpec(4, 1, 8)
    sampler = Fair(space, whole_box(space), 0)
    agenda = Agenda(
        space, sampler, Cosine(0.1, 0.0), None, first_step=0, last_step=500, teaching=Teaching(network, 0.25)
    )
    for number in range(500):
        step = agenda.step(number)
        counts = space.parameters(space.effective(np.array(step.codes)), network)
        assert step.teacher is not None
        assert counts[step.teacher] == counts.max()
        assert step.distillation == 0.25
    # Not by position alone, which subnets without a path would shift.
    assert len({agenda.step(number).teacher for number in range(500)}) > 3


def test_a_schedule_may_be_in_parts(space: CellSpace) -> None:
    sampler = Fair(space, whole_box(space), 0)
    whole = Agenda(space, sampler, Cosine(0.1, 0.0), None, first_step=0, last_step=90)
    part = Agenda(space, sampler, Cosine(0.1, 0.0), None, first_step=20, last_step=40, progress=(2 / 9, 4 / 9))
    for number in (20, 21, 39):
        assert part.step(number).rate == pytest.approx(whole.step(number).rate, rel=1e-12)
    anew = Agenda(space, sampler, Cosine(0.1, 0.0), None, first_step=40, last_step=90)
    assert anew.step(40).rate == 0.1


def test_momenta_of_elastic_depth_are_of_the_block_that_runs() -> None:
    space = load_space("quick_elastic")
    codes = space.all_codes()
    listed = codes[~space.is_drawn(codes)]
    split = BoxSplit(space, [whole_box(space)])
    sampler = NearBudgets(WithinGroup(split, 0, 0), listed, 1.0, 0, 0)
    column = space.elastic_runs[0][0]
    agenda = Agenda(space, sampler, Cosine(0.1, 0.0), column, first_step=0, last_step=300)
    for number in range(300):
        step = agenda.step(number)
        assert step.groups == tuple(space.effective(np.array(step.codes))[:, column].tolist())
