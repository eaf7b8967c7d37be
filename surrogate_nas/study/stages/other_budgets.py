"""Other budgets that a study answers in addition to its own: from the same scores, without another search."""

from typing import Any

from surrogate_nas._support.files import write_json
from surrogate_nas.costs.budget import Budget
from surrogate_nas.costs.cost import COSTS, format_cost, percent_over
from surrogate_nas.search.answers import Answer, answer_many, pareto_front
from surrogate_nas.study.findings import FinalistChoice, Findings, SpaceScores
from surrogate_nas.study.problem.problem import Problem
from surrogate_nas.study.running import Run
from surrogate_nas.study.stages.lookup_table import with_finalists
from surrogate_nas.study.stages.protocol import Stage


class AnswerOtherBudgets(Stage):
    """Answers the study's own and its other budgets."""

    name = "other budgets"
    inputs = (Problem, SpaceScores, FinalistChoice)

    def run(self, findings: Findings, run: Run) -> Findings:
        """Writes the answers and shows them; no other stage needs them."""
        problem = with_finalists(findings[Problem], findings[FinalistChoice])
        answer_other_budgets(problem, findings[SpaceScores], run)
        return Findings()


def answer_other_budgets(problem: Problem, scores: SpaceScores, run: Run) -> None:
    """Answers the study's own and its other budgets, and the fronts they lie on, into ``answers.json``."""
    space = problem.space
    bounds = problem.cautious_costs
    asked = [list(problem.budgets), *problem.also]
    answers = answer_many(space, scores, bounds, asked, pool=problem.pool)
    names = list(dict.fromkeys(budget.cost for budgets in asked for budget in budgets))[:2]
    fronts = [[name] for name in names] + ([names] if len(names) == 2 else [])
    found = [pareto_front(space, scores, bounds, front, pool=problem.pool) for front in fronts]
    content: dict[str, Any] = {
        "schema_version": 1,
        "answers": [_answer(problem, one) for one in answers],
        "fronts": [
            {"costs": list(one.costs), "codes": space.digits(one.codes), "hypervolume": one.hypervolume}
            for one in found
        ],
    }
    write_json(run.folder.answers, content)
    if problem.also:
        rows = [
            [
                "; ".join(str(budget) for budget in one.budgets),
                space.digits(one.code[None])[0] if one.code is not None else _miss(problem, one),
                f"{one.predicted_percent:.2f}" if one.predicted_percent is not None else "-",
                ", ".join(_kept(problem, one, budget) for budget in one.budgets if one.costs),
            ]
            for one in answers
        ]
        run.console.table("Budgets answered by this study", ["budgets", "architecture", "predicted %", "costs"], rows)


def _kept(problem: Problem, answer: Answer, budget: Budget) -> str:
    """Returns the cost that a budget is held against, with its name; a predicted one keeps the study's confidence."""
    at_most = "at most " if len(problem.table.held_out_errors(budget.cost)) else ""
    return f"{COSTS[budget.cost].title} {at_most}{format_cost(budget.cost, answer.costs[budget.cost])}"


def _miss(problem: Problem, answer: Answer) -> str:
    """Returns that no architecture meets budgets, and the one that misses them least."""
    if not len(answer.nearest):
        return "none meets it"
    nearest = problem.space.digits(answer.nearest[:1])[0]
    return f"none meets it; {nearest} is {percent_over(answer.nearest_excess[0])} over"


def _answer(problem: Problem, answer: Answer) -> dict[str, Any]:
    space = problem.space
    return {
        "budgets": {budget.cost: budget.limit for budget in answer.budgets},
        "code": space.digits(answer.code[None])[0] if answer.code is not None else None,
        "predicted_accuracy_percent": answer.predicted_percent,
        "costs": answer.costs,
        "feasible": answer.feasible,
        "nearest": [
            {"code": digits, "excess": excess}
            for digits, excess in zip(space.digits(answer.nearest), answer.nearest_excess, strict=True)
        ],
    }
