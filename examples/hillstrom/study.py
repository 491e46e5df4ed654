"""Choose on one half of the customers who gets which e-mail, and judge the choice on the other half.

    python examples/hillstrom/study.py [DATA]

writes `out/study.json`; with `--docs` also the tables and the picture of docs/explanation/uplift.md. Each arm had
probability 1/3. The outcomes are visits, conversions and dollars within two weeks.
"""

import sys
from pathlib import Path
from typing import Any

import msgspec
import numpy as np

from opportune.domain import Estimate
from opportune.evaluation import (
    RankedTrial,
    UpliftScores,
    auuc,
    doubly_robust_scores,
    one_for_all,
    policy_curve,
    policy_gain,
    qini,
    qini_path,
    uplift_at,
)
from opportune.numerics import keyed_uniform
from opportune.reports import gain_chart
from opportune.tables import Engine, write_json, write_text
from opportune.workflow.cross_fit import cross_fitted_arms
from opportune.workflow.outcome_model import LeastSquares

HERE = Path(__file__).parent
DATA = HERE / "data" / "hillstrom.csv.gz"
PAGE = HERE.parents[1] / "docs" / "explanation" / "uplift.md"
PICTURE = HERE.parents[1] / "docs" / "pictures" / "uplift.svg"
START, END = "<!-- written by `python examples/hillstrom/study.py --docs` -->", "<!-- end -->"
ARMS = ("No E-Mail", "Mens E-Mail", "Womens E-Mail")
CONTROL = ARMS[0]
OUTCOMES = {
    "visit": "visits per 100 customers",
    "conversion": "orders per 100 customers",
    "spend": "dollars per 100 customers",
}
FOLDS, REPLICATES, SEED = 5, 400, 2008
SHARES = np.linspace(0.1, 1.0, 10)
BUDGETS = np.linspace(0.1, 1.0, 10)
QINIS, AUUCS = ("sklift", "causalml", "causalml_random_orders"), ("sklift", "causalml")
AT_SHARE = ("sklift_overall", "sklift_by_group")


class Customers(msgspec.Struct, frozen=True):
    """``ids`` (n,), ``features`` (n, p), ``action`` (n,) as an index of ``ARMS``, and ``outcomes`` by name (n,)."""

    ids: np.ndarray
    features: np.ndarray
    action: np.ndarray
    outcomes: dict[str, np.ndarray]

    def take(self, rows: np.ndarray) -> "Customers":
        """Return the customers of a mask."""
        outcomes = {name: values[rows] for name, values in self.outcomes.items()}
        return Customers(self.ids[rows], self.features[rows], self.action[rows], outcomes)


def main(out: Path = HERE / "out", data: Path = DATA, rows: int | None = None) -> dict[str, Any]:
    """Do the study on all customers or the first ``rows`` of them, write what the docstring names, and return it."""
    customers = read(data, rows)
    chooses = keyed_uniform(SEED, "half that chooses", customers.ids) < 0.5
    choosing, judging = customers.take(chooses), customers.take(~chooses)
    scores = {name: judged_scores(choosing, judging, name) for name in OUTCOMES}
    study = {
        "customers": {"all": len(customers.ids), "choose": len(choosing.ids), "judge": len(judging.ids)},
        "effects": {name: effects(customers, name) for name in OUTCOMES},
        "policies": {name: policies(judging, scores[name], choosing, name) for name in OUTCOMES},
        "budget": {name: budget(scores[name], choosing, name) for name in ("visit", "spend")},
        "curves": {arm: curve(scores["visit"], arm, choosing) for arm in ARMS[1:]},
        "measures": {arm: measures(judging, scores["visit"], arm, choosing) for arm in ARMS[1:]},
    }
    write_json(out / "study.json", study)
    return study


def read(data: Path, rows: int | None = None) -> Customers:
    """Return the customers; a customer's id is the number of its row."""
    limit = "" if rows is None else f"LIMIT {rows}"
    table = Engine(data.parent).query(f"SELECT * FROM read_csv('{data.name}') {limit}")
    column = {name: np.array(table[name].to_pylist()) for name in table.column_names}
    history = np.log1p(column["history"].astype(np.float64))
    both = column["mens"] * column["womens"]
    features = [
        column["recency"], history, column["mens"], column["womens"], both, column["newbie"],
        column["zip_code"] == "Rural", column["zip_code"] == "Urban", column["channel"] == "Web",
        column["channel"] == "Phone",
    ]  # fmt: skip
    return Customers(
        ids=np.array([f"h{i}" for i in range(len(history))]),
        features=np.column_stack([each.astype(np.float64) for each in features]),
        action=np.array([ARMS.index(arm) for arm in column["segment"]]),
        outcomes={name: 100.0 * column[name].astype(np.float64) for name in OUTCOMES},
    )


def scores_of(customers: Customers, outcome: str) -> UpliftScores:
    """Return doubly robust scores of both e-mails against none, with the exact probabilities of one third."""
    found = customers.outcomes[outcome]
    expected = cross_fitted_arms(
        LeastSquares,
        customers.features,
        customers.action,
        found,
        len(ARMS),
        cluster=customers.ids,
        folds=FOLDS,
        seed=SEED,
    )
    return doubly_robust_scores(
        row_id=customers.ids, cluster=customers.ids, arms=ARMS, control=CONTROL, action=customers.action,
        probability=np.full((len(found), len(ARMS)), 1.0 / len(ARMS)), outcome=found, predicted=expected,
    )  # fmt: skip


def judged_scores(choosing: Customers, judging: Customers, outcome: str) -> UpliftScores:
    """Return the scores of the half that judges, under the predictions of the half that chooses."""
    expected = np.column_stack([
        LeastSquares().fit(choosing.features[taught], choosing.outcomes[outcome][taught]).predict(judging.features)
        for taught in (choosing.action == arm for arm in range(len(ARMS)))
    ])  # fmt: skip
    return msgspec.structs.replace(scores_of(judging, outcome), predicted=expected[:, 1:] - expected[:, [0]])


def effects(customers: Customers, outcome: str) -> dict[str, Any]:
    """Return what each e-mail adds on average, over all customers: nothing is chosen, so all of them may judge."""
    scores, nobody = scores_of(customers, outcome), np.array([], dtype=str)
    added = {
        arm: policy_gain(scores, np.tile(np.eye(2)[k], (len(scores), 1)), used_for_choosing=nobody)
        for k, arm in enumerate(ARMS[1:])
    }
    without = float(np.mean(customers.outcomes[outcome][customers.action == 0]))
    return {"without": without, **{arm: msgspec.to_builtins(each) for arm, each in added.items()}}


def policies(judging: Customers, scores: UpliftScores, choosing: Customers, outcome: str) -> dict[str, Any]:
    """Return the gain of each policy over no e-mail on the half that judges, and of the last one over the others."""
    mens, womens = (np.tile(row, (len(scores), 1)) for row in np.eye(2))
    bought = np.where(judging.features[:, [2]] == 1, mens, womens)
    best = np.eye(2)[np.argmax(scores.predicted, axis=1)] * (scores.predicted.max(axis=1, keepdims=True) > 0)
    all_of_them = {
        "men's e-mail to all": mens, "women's e-mail to all": womens, "either at random": (mens + womens) / 2,
        "by what they bought": bought, "best e-mail by prediction": best,
    }  # fmt: skip
    told = {name: gain(scores, policy, choosing) for name, policy in all_of_them.items()}
    ahead = {name: gain(scores, best - policy, choosing) for name, policy in list(all_of_them.items())[:-1]}
    return {"gain": told, "best_less": ahead, "offered": float(best.sum(axis=1).mean())}


def gain(scores: UpliftScores, policy: np.ndarray, choosing: Customers) -> dict[str, Any]:
    """Return the gain of a policy, or of the difference of two."""
    return msgspec.to_builtins(policy_gain(scores, policy, used_for_choosing=choosing.ids))


def budget(scores: UpliftScores, choosing: Customers, outcome: str) -> dict[str, Any]:
    """Return the gain at e-mails per customer: best e-mail by prediction, the same for all, and the difference."""
    settings = {"used_for_choosing": choosing.ids, "replicates": REPLICATES, "seed": SEED}
    means = scores_of(choosing, outcome).score.mean(axis=0)
    targeted = qini_path(scores, np.ones(2), BUDGETS, **settings)
    blind = qini_path(one_for_all(scores, means), np.ones(2), BUDGETS, **settings)
    paths = {"targeted": targeted, "same_for_all": blind, "difference": targeted.less(blind)}
    return {
        "budgets": BUDGETS.tolist(),
        **{name: [msgspec.to_builtins(each) for each in path.estimates()] for name, path in paths.items()},
        "mean_difference": msgspec.to_builtins(paths["difference"].mean_gain()),
    }


def curve(scores: UpliftScores, arm: str, choosing: Customers) -> dict[str, Any]:
    """Return the gain of one e-mail to the top shares by predicted gain."""
    rank_by = scores.predicted[:, scores.offer_ids.index(arm)]
    found = policy_curve(scores, arm, rank_by, SHARES, used_for_choosing=choosing.ids, replicates=REPLICATES, seed=SEED)
    return {"shares": SHARES.tolist(), "gain": [msgspec.to_builtins(each) for each in found.estimates()]}


def measures(judging: Customers, scores: UpliftScores, arm: str, choosing: Customers) -> dict[str, float]:
    """Return the published measures of one e-mail's ranking for visits, under each convention."""
    k = ARMS.index(arm)
    rows = np.flatnonzero((judging.action == 0) | (judging.action == k))
    trial = RankedTrial(
        row_id=judging.ids[rows], outcome=(judging.outcomes["visit"][rows] > 0).astype(np.int64),
        treated=(judging.action[rows] == k).astype(np.int64), score=scores.predicted[rows, k - 1],
        used_for_choosing=choosing.ids,
    )  # fmt: skip
    return {
        **{f"Qini, {name}": qini(trial, convention=name) for name in QINIS},
        **{f"AUUC, {name}": auuc(trial, convention=name) for name in AUUCS},
        **{f"uplift at 30 %, {name}": uplift_at(trial, 0.3, convention=name) for name in AT_SHARE},
    }


def page(study: dict[str, Any]) -> str:
    """Return the tables of the explanation page."""
    return "\n\n".join(
        [
            "What each e-mail adds, all customers (per 100 of them):",
            _effects_table(study["effects"]),
            f"What policies gain over no e-mail, judged on {study['customers']['judge']:,} customers who chose nothing "
            "(per 100 of them):",
            _policies_table(study["policies"]),
            "And how much the best e-mail by prediction is ahead of each other policy:",
            _ahead_table(study["policies"]),
            "Visits per 100 customers when only some can get an e-mail:",
            _budget_table(study["budget"]["visit"]),
            "One ranking for visits, and what the conventions make of it:",
            _measures_table(study["measures"]),
        ]
    )


def _effects_table(effects: dict[str, Any]) -> str:
    rows = [
        [OUTCOMES[name].split(" per ")[0], f"{each['without']:.2f}", *(_told(each[arm]) for arm in ARMS[1:])]
        for name, each in effects.items()
    ]
    return _table(["", "without", "men's e-mail adds", "women's e-mail adds"], rows)


def _policies_table(policies: dict[str, Any]) -> str:
    names = policies["visit"]["gain"]
    return _table(
        ["policy", "visits", "orders", "dollars"],
        [[name, *(_told(policies[outcome]["gain"][name]) for outcome in OUTCOMES)] for name in names],
    )


def _ahead_table(policies: dict[str, Any]) -> str:
    names = policies["visit"]["best_less"]
    return _table(
        ["ahead of", "visits", "orders", "dollars"],
        [[name, *(_told(policies[outcome]["best_less"][name]) for outcome in OUTCOMES)] for name in names],
    )


def _budget_table(budget: dict[str, Any]) -> str:
    rows = [
        [f"{share:.0%}", *(_told(budget[name][i]) for name in ("targeted", "same_for_all", "difference"))]
        for i, share in enumerate(budget["budgets"])
        if i % 2 or share < 0.15
    ]
    rows.append(["mean over budgets", "", "", _told(budget["mean_difference"])])
    return _table(["customers with an e-mail", "targeted", "same for all", "difference"], rows)


def _measures_table(measures: dict[str, dict[str, float]]) -> str:
    names = measures[ARMS[1]]
    return _table(
        ["measure, convention", "men's e-mail", "women's e-mail"],
        [[name, *(f"{measures[arm][name]:.4f}" for arm in ARMS[1:])] for name in names],
    )


def _told(found: dict[str, Any]) -> str:
    return f"{found['value']:.2f} [{found['low']:.2f}, {found['high']:.2f}]"


def _table(header: list[str], rows: list[list[str]]) -> str:
    lines = [header, ["---"] * len(header), *rows]
    return "\n".join(f"| {' | '.join(line)} |" for line in lines)


def write_page(study: dict[str, Any]) -> None:
    """Write the tables between the markers of the page, and its picture."""
    before, rest = PAGE.read_text(encoding="utf-8").split(START)
    _, after = rest.split(END)
    write_text(PAGE, f"{before}{START}\n\n{page(study)}\n\n{END}{after}")
    visits, nothing = study["budget"]["visit"], {"value": 0.0, "low": 0.0, "high": 0.0}
    rows = [
        {"path": said, "budget": share, **{key: each[key] for key in ("value", "low", "high")}}
        for name, said in (("targeted", "best e-mail by prediction"), ("same_for_all", "same e-mail for all"))
        for share, each in zip([0.0, *visits["budgets"]], [nothing, *visits[name]], strict=True)
    ]
    write_text(PICTURE, gain_chart(rows, "share of customers with an e-mail", "visits gained per 100 customers"))


def shown(estimate: dict[str, Any]) -> bool:
    """Whether an estimate, as plain data, leaves out zero."""
    return msgspec.convert(estimate, Estimate).excludes_zero()


if __name__ == "__main__":
    given = [Path(each) for each in sys.argv[1:] if not each.startswith("--")]
    found = main(data=given[0] if given else DATA)
    if "--docs" in sys.argv:
        write_page(found)
    print(page(found))
