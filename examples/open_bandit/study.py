"""Judge the production policy of a shop on decisions logged at random, and compare with what it earned itself.

    python examples/open_bandit/study.py

prints the figures and writes `out/study.json`; with `--docs` also the table of docs/explanation/evidence.md. Figures
are clicks per impression, for each of the three campaigns. The policy's probabilities are those of its published Beta
prior: in each of 100,000 draws the three items with the largest draws fill the three slots.
"""

import json
import sys
from pathlib import Path

import numpy as np
import pyarrow.parquet as pq

from opportune.evaluation import FixedOffers, LoggedDecisions, estimate, support
from opportune.tables import write_json, write_text

HERE = Path(__file__).parent
PAGE = HERE.parents[1] / "docs" / "explanation" / "evidence.md"
START, END = "<!-- written by `python examples/open_bandit/study.py --docs` -->", "<!-- end -->"
CAMPAIGNS = ("all", "men", "women")
SIMULATIONS, SLOTS, SEED = 100_000, 3, 12345
LEGACY = np.random.RandomState
"""The generator of the published figures: a newer one gives other draws."""


def main(out: Path = HERE / "out") -> dict:
    """Do the study, write it, and return it."""
    rows = pq.read_table(HERE / "data" / "open_bandit.parquet").to_pydict()
    columns = {name: np.array(values) for name, values in rows.items()}
    study = {campaign: campaign_study(columns, campaign) for campaign in CAMPAIGNS}
    write_json(out / "study.json", study)
    return study


def campaign_study(columns: dict[str, np.ndarray], campaign: str) -> dict:
    """Return what the production policy would have earned in a campaign, and what it did earn in its own log."""
    logged = random_log(columns, campaign)
    slots = columns["position"][chosen(columns, "random", campaign)] - 1
    policy = FixedOffers("bts", production_policy(campaign)[:, slots].T)
    return {
        "logged mean": float(logged.outcome["outcome"].mean()),
        "support": {name: getattr(support(logged, policy), name) for name in ("effective_n", "largest_weight")},
        "estimates": [judged(logged, policy, estimator, interval) for estimator in ("ipw", "snipw", "dr")
                      for interval in ("influence", "bootstrap")],
        "earned itself": earned(columns["click"][chosen(columns, "bts", campaign)]),
    }  # fmt: skip


def earned(clicks: np.ndarray) -> dict[str, float]:
    """Return the mean of a log of 0 and 1, with its own 95 % interval."""
    mean = float(np.mean(clicks))
    half = 1.96 * float(np.sqrt(mean * (1 - mean) / len(clicks)))
    return {"value": mean, "low": mean - half, "high": mean + half}


def chosen(columns: dict[str, np.ndarray], logger: str, campaign: str) -> np.ndarray:
    """Return the mask of one logger's rows in one campaign."""
    return (columns["logger"] == logger) & (columns["campaign"] == campaign)


def random_log(columns: dict[str, np.ndarray], campaign: str) -> LoggedDecisions:
    """Return the random policy's log of a campaign: every item had the same probability in every slot."""
    rows = chosen(columns, "random", campaign)
    items = int(columns["item_id"][rows].max()) + 1
    shape, ids = (int(rows.sum()), items), columns["row"][rows]
    return LoggedDecisions(
        decision_id=ids, customer_id=ids, slot=columns["position"][rows], offer_ids=tuple(map(str, range(items))),
        action=columns["item_id"][rows], eligible=np.ones(shape, dtype=bool),
        probability=np.broadcast_to(columns["propensity_score"][rows, None], shape), outside=np.zeros(shape[0]),
        outcome={"outcome": columns["click"][rows].astype(np.float64)}, cluster=ids,
    )  # fmt: skip


def production_policy(campaign: str) -> np.ndarray:
    """Return P(item in slot), (items, 3), of the policy as it was sampled in production."""
    prior = json.loads((HERE / "data" / "prior_bts.json").read_text())[campaign]
    draws = LEGACY(SEED).beta(prior["alpha"], prior["beta"], size=(SIMULATIONS, len(prior["alpha"])))
    best = np.argsort(-draws, axis=1)[:, :SLOTS]
    return np.stack([np.bincount(slot, minlength=draws.shape[1]) for slot in best.T], axis=1) / SIMULATIONS


def judged(logged: LoggedDecisions, policy: FixedOffers, estimator: str, interval: str) -> dict:
    """Return one estimate; dr predicts the mean of the other half of the rows for every item."""
    half = np.arange(len(logged)) % 2
    means = np.array([logged.outcome["outcome"][half != part].mean() for part in (0, 1)])
    predicted = np.broadcast_to(means[half][:, None], logged.probability.shape)
    found = estimate(
        logged, policy, estimator=estimator, interval=interval, cluster="decision_id",
        outcome_model=predicted,
    )  # fmt: skip
    return {"estimator": estimator, "interval": interval, "value": found.value, "low": found.low, "high": found.high}


def page(study: dict) -> str:
    """Return the table for the docs."""
    head = [
        "| campaign | estimator | interval | clicks per 1,000 | 95 % interval | earned itself |",
        "|---|---|---|---|---|---|",
    ]
    lines = [line(campaign, found, each) for campaign, found in study.items() for each in found["estimates"]]
    return "\n".join([START, "", *head, *lines, "", *map(worth, study, study.values()), "", END])


def line(campaign: str, found: dict, each: dict) -> str:
    """Return one estimate as a row of the table."""
    return (
        f"| {campaign} | {each['estimator']} | {each['interval']} | {1e3 * each['value']:.2f} | "
        f"{interval(each)} | {1e3 * found['earned itself']['value']:.2f} {interval(found['earned itself'])} |"
    )


def interval(each: dict) -> str:
    """Return an interval in clicks per 1,000."""
    return f"[{1e3 * each['low']:.2f}, {1e3 * each['high']:.2f}]"


def worth(campaign: str, found: dict) -> str:
    """Return the sentence that says how much of the log speaks of the policy."""
    told = found["support"]
    return (
        f"Campaign `{campaign}`: of 10,000 rows the log is worth {told['effective_n']:,.0f}, and the largest weight is "
        f"{told['largest_weight']:.1f}."
    )


def write_docs(study: dict) -> None:
    """Write the table into the page, between its marks."""
    text = PAGE.read_text(encoding="utf-8")
    before, after = text[: text.index(START)], text[text.index(END) + len(END) :]
    write_text(PAGE, before + page(study) + after)


if __name__ == "__main__":
    made = main()
    print(json.dumps(made, indent=2))
    if "--docs" in sys.argv:
        write_docs(made)
