"""Fit curves on the loans of April to June 2015, price those of July and August without looking, and compare.

    python examples/loanbook/study.py

writes `out/july_august.parquet` (the loans to price), `out/curves.json` with draws, and `out/study.json`; with `--docs`
also the tables and the picture of docs/explanation/loanbook.md. Amounts are per cent of principal.
"""

import json
import sys
from pathlib import Path

import numpy as np

from opportune.economics import Curves, FittedCurves, Loans, fit_curves
from opportune.economics.path import expected_path, last_month
from opportune.numerics import bootstrap_totals, cluster_sums, incidences, percentile_interval
from opportune.reports import comparison_chart
from opportune.tables import Engine, write_json, write_parquet, write_text
from opportune.workflow.curves_file import write_curves

HERE = Path(__file__).parent
PAGE = HERE.parents[1] / "docs" / "explanation" / "loanbook.md"
PICTURE = HERE.parents[1] / "docs" / "pictures" / "loanbook.svg"
START, END = "<!-- written by `python examples/loanbook/study.py --docs` -->", "<!-- end -->"
FIT, PRICE = "originated_at < DATE '2015-07-01'", "originated_at >= DATE '2015-07-01'"
BY = ("grade", "sub_grade")
CHARGE_OFF_LAG = 5
"""Months from the first missed payment to charge-off: LendingClub charged off at 150 days past due."""
RECOVERY_TIMING = np.full(12, 1 / 12)
"""The data have no months of recoveries: stated as even over a year after charge-off."""
DRAWS, DRAWS_WRITTEN, SEED = 400, 40, 2015
MEASURES = ("defaulted", "prepaid", "interest", "loss", "cash_return")


def main(out: Path = HERE / "out") -> dict:
    """Do the study, write what the docstring above names, and return the comparison."""
    engine = read_book()
    fitted = fit(engine)
    write_curves(out / "curves.json", fitted.curves, BY, fitted.draws(DRAWS_WRITTEN, SEED))
    write_parquet(out / "july_august.parquet", engine.query(f"SELECT *, principal AS gmv FROM loans WHERE {PRICE}"))
    study = compare(engine, fitted)
    write_json(out / "study.json", study)
    return study


def read_book() -> Engine:
    """Return an engine with the tables `loans` and `payments` of the book."""
    engine = Engine(HERE)
    for name in ("loans", "payments"):
        engine.register(name, engine.query((HERE / "tables" / f"{name}.sql").read_text()))
    return engine


def fit(engine: Engine) -> FittedCurves:
    """Return the curves of the second quarter, which saw nothing of July and August."""
    loans = engine.query(f"SELECT * FROM loans WHERE {FIT}")
    payments = engine.query(f"SELECT payments.* FROM payments JOIN loans USING (loan_id) WHERE {FIT}")
    return fit_curves(loans, payments, by=BY, charge_off_lag=CHARGE_OFF_LAG, recovery_timing=RECOVERY_TIMING)


def compare(engine: Engine, fitted: FittedCurves) -> dict:
    """Return predicted, realised and their difference with 95 % intervals, in total and by grade."""
    groups, late_fee = priced_groups(engine, fitted.curves, PRICE), late_fee_of_a_payment(engine)
    predicted = predict(groups, fitted.curves, late_fee)
    drawn = [predict(groups, curves, late_fee) for curves in fitted.draws(DRAWS, SEED)]
    names = ["all", *sorted(set(groups["grade"]))]
    realised = {name: realised_with_chance(engine, name) for name in names}
    found = {name: _compared(name, predicted, drawn, *realised[name]) for name in names}
    return {"july_august": found, "spring": fitted_themselves(engine, fitted, late_fee)}


def fitted_themselves(engine: Engine, fitted: FittedCurves, late_fee: float) -> dict:
    """Return predicted less realised of the loans that the curves were fitted on: what they miss by their form."""
    predicted = predict(priced_groups(engine, fitted.curves, FIT), fitted.curves, late_fee)
    realised = {name: _realised(booked(engine, name, FIT).sum(axis=0)) for name in predicted}
    return {name: {m: predicted[name][m] - float(realised[name][m]) for m in MEASURES} for name in predicted}


def _compared(name: str, predicted: dict, drawn: list[dict], realised: dict, again: dict) -> dict:
    found = {"loans": realised["loans"]}
    for measure in MEASURES:
        draws = np.array([each[name][measure] for each in drawn])
        low, high = percentile_interval(draws, 0.95)
        apart = percentile_interval(draws - again[measure], 0.95)
        found[measure] = {
            "predicted": predicted[name][measure], "low": low, "high": high, "realised": realised[measure],
            "difference": predicted[name][measure] - realised[measure], "apart_low": apart[0], "apart_high": apart[1],
        }  # fmt: skip
    return found


def priced_groups(engine: Engine, curves: Curves, which: str) -> dict:
    """Return the loans that ``which`` says, summed over those alike: amounts are in proportion to the principal."""
    rows = engine.query(f"""
        SELECT grade, grade || '/' || sub_grade AS segment, rate, observed_months, count(*) AS loans,
            sum(principal) AS principal
        FROM loans WHERE {which} GROUP BY ALL ORDER BY ALL""")
    columns = {name: np.array(rows[name].to_pylist()) for name in rows.column_names}
    return {**columns, "batch": _as_loans(columns, curves.codes(columns["segment"]))}


def _as_loans(columns: dict, codes: np.ndarray) -> Loans:
    nothing = np.zeros(len(codes))
    return Loans(
        loan_id=np.arange(len(codes)).astype(str), principal=columns["principal"], rate=columns["rate"],
        payments=nothing + 36, per_year=nothing + 12, first_period=nothing + 1, flat=nothing, segment=codes,
        risk=nothing + 1, gmv=columns["principal"], mdr=nothing, interchange=nothing, incentive=nothing,
        market_rate=nothing, sold=nothing, sale_price=nothing + 1, refunded=nothing, currency="USD",
    )  # fmt: skip


def late_fee_of_a_payment(engine: Engine) -> float:
    """Return the late fees of the loans fitted on, over the payments that they made: `late_fee` times `late_share`."""
    rows = engine.query(f"""
        SELECT sum(total_rec_late_fee) AS fees,
            sum(CASE kind WHEN 'default' THEN month - 1 WHEN 'prepayment' THEN month ELSE term_months END) AS payments
        FROM loans
        JOIN read_parquet('data/lendingclub_2015_outcomes.parquet') AS raw ON loans.loan_id = 'lc-' || raw.id
        LEFT JOIN (SELECT loan_id, kind, month FROM payments WHERE kind IN ('default', 'prepayment')) AS ended
            USING (loan_id)
        WHERE {FIT}""").to_pylist()[0]
    return float(rows["fees"]) / float(rows["payments"])


def predict(groups: dict, curves: Curves, late_fee: float) -> dict[str, dict[str, float]]:
    """Return the five measures by grade and in total; recoveries only as far as the data were observed.

    ``late_fee``: money per payment made, in the cash return.
    """
    batch = groups["batch"]
    path = expected_path(batch, curves, last_month(batch, curves))
    seen = np.arange(path.recovered.shape[1]) <= groups["observed_months"][:, None]
    default, prepay = (each.sum(axis=1)[batch.segment] for each in incidences(curves.default, curves.prepay))
    amounts = {
        "defaulted": default * groups["loans"],
        "prepaid": prepay * groups["loans"],
        "interest": path.interest.sum(axis=1),
        "loss": path.defaulted.sum(axis=1) - np.sum(path.recovered * seen, axis=1),
        "late_fees": late_fee * groups["loans"] * path.payments.sum(axis=1),
    }
    return {
        name: _shares({key: float(np.sum(values[rows])) for key, values in amounts.items()},
                      float(groups["loans"][rows].sum()), float(batch.principal[rows].sum()))
        for name in ("all", *sorted(set(groups["grade"])))
        if (rows := (groups["grade"] == name) | (name == "all")).any()
    }  # fmt: skip


def _shares(amounts: dict[str, float], loans: float, principal: float) -> dict[str, float]:
    counts = {name: 100 * amounts[name] / loans for name in ("defaulted", "prepaid")}
    money = {name: 100 * amounts[name] / principal for name in ("interest", "loss", "late_fees")}
    return {**counts, **money, "cash_return": money["interest"] + money["late_fees"] - money["loss"]}


def realised_with_chance(engine: Engine, grade: str) -> tuple[dict[str, float], dict[str, np.ndarray]]:
    """Return what came out in a grade, and the same in bootstrap replicates of its loans."""
    columns = booked(engine, grade, PRICE)
    sums = cluster_sums(columns, np.arange(len(columns)))
    replicates = bootstrap_totals(sums, DRAWS, SEED, f"realised {grade}")
    found = {name: float(value) for name, value in _realised(columns.sum(axis=0)).items()}
    return {"loans": len(columns), **found}, _realised(replicates)


def booked(engine: Engine, grade: str, which: str) -> np.ndarray:
    """Return 1, the principal and what came out of each measure, of every loan of a grade, (n, 2 + measures)."""
    where = which if grade == "all" else f"{which} AND loans.grade = '{grade}'"
    rows = engine.query(f"""
        SELECT principal, coalesce(kind = 'default', false)::DOUBLE AS defaulted,
            coalesce(kind = 'prepayment', false)::DOUBLE AS prepaid, total_rec_int AS interest,
            CASE WHEN kind = 'default' THEN principal - total_rec_prncp - recoveries + collection_recovery_fee
                ELSE 0 END AS loss,
            total_pymnt - collection_recovery_fee - principal AS cash_return
        FROM loans
        JOIN read_parquet('data/lendingclub_2015_outcomes.parquet') AS raw ON loans.loan_id = 'lc-' || raw.id
        LEFT JOIN (SELECT loan_id, kind FROM payments WHERE kind IN ('default', 'prepayment')) AS ended
            USING (loan_id)
        WHERE {where} ORDER BY loan_id""")
    columns = np.column_stack([rows[name].to_numpy() for name in ("principal", *MEASURES)])
    return np.column_stack([np.ones(len(columns)), columns])


def _realised(totals: np.ndarray) -> dict:
    loans, principal = totals[..., 0], totals[..., 1]
    below = {"defaulted": loans, "prepaid": loans}
    return {name: 100 * totals[..., 2 + i] / below.get(name, principal) for i, name in enumerate(MEASURES)}


def page(study: dict) -> str:
    """Return the tables of the explanation page: the later loans, then those that the curves were fitted on."""
    return f"{later(study)}\n\n{SPRING}\n\n{spring(study)}"


SPRING = "The same curves on the loans that they were fitted on, predicted less realised:"


def spring(study: dict) -> str:
    """Return the table of the loans that the curves were fitted on."""
    header = "| | defaulted | prepaid | interest | net loss | cash return |\n" + "|---" * 6 + "|\n"
    rows = [
        f"| {name} | " + " | ".join(f"{each[m]:+.2f}" for m in MEASURES) + " |"
        for name, each in study["spring"].items()
        if name in ("all", *"ABCD")
    ]
    return header + "\n".join(rows)


def later(study: dict) -> str:
    """Return the table of the loans that were priced without looking."""
    header = "| | loans | defaulted | prepaid | interest | net loss | cash return | difference |\n" + "|---" * 8 + "|\n"
    rows = [
        f"| {name} | {each['loans']:,} | "
        + " | ".join(f"{each[m]['predicted']:.2f} / {each[m]['realised']:.2f}" for m in MEASURES)
        + f" | {each['cash_return']['difference']:+.2f} [{each['cash_return']['apart_low']:+.2f}, "
        f"{each['cash_return']['apart_high']:+.2f}] |"
        for name, each in study["july_august"].items()
    ]
    return header + "\n".join(rows)


def write_page(study: dict) -> None:
    """Write the tables between the markers of the page, and its picture."""
    before, rest = PAGE.read_text(encoding="utf-8").split(START)
    _, after = rest.split(END)
    write_text(PAGE, f"{before}{START}\n\n{page(study)}\n\n{END}{after}")
    titles = {"interest": "interest", "loss": "net loss", "cash_return": "cash return"}
    rows = [
        {"group": name, "measure": title, **{key: each[m][key] for key in ("predicted", "low", "high", "realised")}}
        for m, title in titles.items()
        for name, each in study["july_august"].items()
        if each["loans"] >= 1000
    ]
    write_text(PICTURE, comparison_chart(rows, "per cent of principal"))


if __name__ == "__main__":
    found = main()
    if "--docs" in sys.argv:
        write_page(found)
    print(page(found))
    print(json.dumps({name: round(found["july_august"]["all"][name]["difference"], 3) for name in MEASURES}))
