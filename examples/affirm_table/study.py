"""Published figures through the period accounts: Affirm's fiscal years 2021 to 2023, and a quarter of Klarna's.

    python examples/affirm_table/study.py

A synthetic book of loans is made for each fiscal year. Its terms, hazards and costs are solved so that the accounts of
all books together, month by month in double entry, show the printed lines year by year: nothing is scaled afterwards.
With `--docs` the tables of docs/explanation/published-figures.md are written too. Money is in millions of dollars.
"""

import sys
from pathlib import Path

import msgspec
import numpy as np

from opportune.economics import (
    Accounts,
    Assumption,
    Curves,
    LifetimeAssumptions,
    Loans,
    Statement,
    accounts,
    consolidated,
    statement,
)
from opportune.economics.lifetime_assumptions import UNITS
from opportune.tables import write_text

PAGE = Path(__file__).parents[2] / "docs" / "explanation" / "published-figures.md"
START, END = "<!-- written by `python examples/affirm_table/study.py --docs` -->", "<!-- end -->"

YEARS = ("FY21", "FY22", "FY23")
"""Fiscal years to June. Source: Affirm Results Presentation Deck, "Annual Revenue & Transaction Cost Detail"."""
GMV = (8292.0, 15483.0, 20201.0)
REVENUE = {
    "merchant_fee": (379.6, 458.5, 507.6), "card_network": (49.9, 100.7, 119.3), "interest": (326.4, 527.9, 685.2),
    "gain_on_sale": (89.9, 196.4, 188.3), "servicing_income": (24.7, 65.8, 87.5),
}  # fmt: skip
COSTS = {
    "loss_on_purchase": (246.7, 204.1, 140.3), "provision": (65.9, 255.3, 331.9), "funding_cost": (52.7, 69.7, 183.0),
    "processing": (73.6, 157.8, 257.3),
}  # fmt: skip
TOTALS = {
    "total revenue": (870.5, 1349.3, 1588.0), "total transaction costs": (438.9, 686.9, 912.5),
    "rltc": (431.6, 662.4, 675.5),
}  # fmt: skip
SHARES = {
    "total revenue": (10.50, 8.71, 7.86),
    "total transaction costs": (5.29, 4.44, 4.52),
    "rltc": (5.21, 4.28, 3.34),
}
LINES = (*REVENUE, *COSTS)

KLARNA = {"lent": 2500.0, "provision": 80.0, "quarter": 40.0, "later": 180.0}
"""United States, fourth quarter of 2025. Source: Klarna Q4 2025 Earnings Call Transcript."""

PAYMENTS, SOLD, ADVANCE, PREPAY, RECOVERED, LAG = 12, 0.5, 0.85, 0.03, 0.05, 4
"""What is assumed of every book: twelve monthly payments, half of each loan sold when it is made."""
UNKNOWN = (
    "mdr",
    "interchange",
    "rate",
    "spread",
    "default",
    "price",
    "servicing_fee",
    "cost_of_funds",
    "processing_share",
)
GUESS = (0.03, 0.006, 0.15, 0.05, 0.004, 1.0, 0.01, 0.05, 0.01)


class Solved(msgspec.Struct, frozen=True, kw_only=True):
    """What was solved for one book, by the names of ``UNKNOWN``; ``spread`` is the market rate above the loan's."""

    year: str
    figures: dict[str, float]
    accounts: Accounts


def main() -> tuple[list[Solved], Statement]:
    """Return the books of the three years and the statement of all of them together, by fiscal year."""
    solved: list[Solved] = []
    for i in range(len(YEARS)):
        solved.append(solve_year(i, [each.accounts for each in solved]))
    whole = consolidated([each.accounts for each in solved])
    return solved, statement(whole, every="year", year_ends=6)


def solve_year(i: int, before: list[Accounts]) -> Solved:
    """Return the book of year ``i`` whose lines, with what the books before still show, are the printed ones."""
    from scipy.optimize import root

    wanted = np.array([amounts[i] for amounts in targets().values()])

    def missed(logs: np.ndarray) -> np.ndarray:
        told = statement(consolidated([*before, booked(i, figures_of(logs))]), every="year", year_ends=6)
        return (np.array([told.line(name)[i] for name in LINES]) - wanted) / wanted

    found = root(missed, np.log(GUESS), tol=1e-13)
    if np.abs(missed(found.x)).max() > 1e-9:
        raise ValueError(f"no book of {YEARS[i]} shows the printed lines: missed by {missed(found.x)}")
    return Solved(year=YEARS[i], figures=figures_of(found.x), accounts=booked(i, figures_of(found.x)))


def figures_of(logs: np.ndarray) -> dict[str, float]:
    """Return the unknowns by name: all are above zero, so their logarithms are solved for."""
    return dict(zip(UNKNOWN, np.exp(logs).tolist(), strict=True))


def targets() -> dict[str, np.ndarray]:
    """Return lines that round to the printed ones and sum to the printed totals.

    The printed revenue of FY23 is 0.1 above the sum of its printed lines; the rest is spread over them in proportion.
    """
    lines = {name: np.array(amounts) for name, amounts in {**REVENUE, **COSTS}.items()}
    total = np.array(TOTALS["total revenue"])
    missing = total - np.sum([lines[name] for name in REVENUE], axis=0)
    return {name: line + missing * line / total if name in REVENUE else line for name, line in lines.items()}


def booked(i: int, figures: dict[str, float]) -> Accounts:
    """Return the accounts of one fiscal year's loans, an equal amount of goods in each month."""
    months = np.datetime64("2020-07") + 12 * i + np.arange(12)
    book = loans(np.full(12, GMV[i] / 12), figures)
    return accounts(book, curves(figures["default"], PREPAY), assumptions(figures), originated=months,
                    allowance="lifetime", exclusions={})  # fmt: skip


def loans(gmv: np.ndarray, figures: dict[str, float]) -> Loans:
    """Return a loan for each month's goods."""
    ones, nothing = np.ones(len(gmv)), np.zeros(len(gmv))
    return Loans(
        loan_id=np.arange(len(gmv)).astype(str), principal=gmv, rate=figures["rate"] * ones, payments=PAYMENTS * ones,
        per_year=12 * ones, first_period=ones, flat=nothing, segment=nothing.astype(np.int64), risk=ones, gmv=gmv,
        mdr=figures["mdr"] * ones, interchange=figures["interchange"] * ones, incentive=nothing,
        market_rate=(figures["rate"] + figures["spread"]) * ones, sold=SOLD * ones, sale_price=figures["price"] * ones,
        refunded=nothing, currency="USD",
    )  # fmt: skip


def curves(default: float, prepay: float) -> Curves:
    """Return the same hazards in every month of age."""
    shape = (1, PAYMENTS)
    return Curves(segments=("all",), default=np.full(shape, default), prepay=np.full(shape, prepay),
                  recovery=np.array([[RECOVERED]]), charge_off_lag=LAG)  # fmt: skip


def assumptions(figures: dict[str, float]) -> LifetimeAssumptions:
    """Return assumptions whose costs are those solved."""
    values = dict.fromkeys(UNITS, 0.0) | {
        "cost_of_funds": figures["cost_of_funds"], "advance_rate": ADVANCE, "servicing_fee": figures["servicing_fee"],
        "processing_share": figures["processing_share"],
    }  # fmt: skip
    return LifetimeAssumptions(
        currency="USD", capital_is="hurdle",
        **{name: Assumption(value=value, unit=UNITS[name], source="solved") for name, value in values.items()},
    )  # fmt: skip


def klarna() -> tuple[dict[str, float], Statement]:
    """Return rate, default and prepayment hazard of a quarter's loans that show Klarna's figures, and their statement.

    Equal parts are lent in October, November and December; the provision is made at once, interest comes later.
    """
    from scipy.optimize import root

    names = ("rate", "default", "prepay")

    def told(logs: np.ndarray) -> Statement:
        found = dict(zip(names, np.exp(logs).tolist(), strict=True))
        plain = {**dict.fromkeys(UNKNOWN, 0.0), "price": 1.0, "rate": found["rate"]}
        book = loans(np.full(3, KLARNA["lent"] / 3), plain)
        whole = msgspec.structs.replace(book, sold=np.zeros(3))
        months = np.datetime64("2025-10") + np.arange(3)
        books = accounts(whole, curves(found["default"], found["prepay"]), assumptions(plain), originated=months,
                         allowance="lifetime", exclusions={})  # fmt: skip
        return statement(books, every="quarter")

    def missed(logs: np.ndarray) -> np.ndarray:
        interest, provision = (told(logs).line(name) for name in ("interest", "provision"))
        return np.array([interest[0] - KLARNA["quarter"], interest[1:].sum() - KLARNA["later"],
                         provision.sum() - KLARNA["provision"]])  # fmt: skip

    found = root(missed, np.log((0.15, 0.005, 0.02)), tol=1e-13)
    if np.abs(missed(found.x)).max() > 1e-7:
        raise ValueError(f"no book shows Klarna's figures: missed by {missed(found.x)}")
    return dict(zip(names, np.exp(found.x).tolist(), strict=True)), told(found.x)


def page(solved: list[Solved], years: Statement) -> str:
    """Return the tables of the explanation page."""
    return "\n\n".join([_lines_table(years), _solved_table(solved), _klarna_table()])


def _lines_table(years: Statement) -> str:
    rows = ["| $m and % of GMV | " + " | ".join(f"{year} | %" for year in YEARS) + " |", "|---" * 7 + "|"]
    rows.append("| GMV | " + " | ".join(f"{gmv:,.0f} | 100" for gmv in GMV) + " |")
    for name in (*REVENUE, "total revenue", *COSTS, "total transaction costs", "rltc"):
        cells = [f"{years.line(name)[i]:,.1f} | {100 * years.line(name)[i] / GMV[i]:.2f}" for i in range(len(YEARS))]
        rows.append(f"| {name.replace('_', ' ')} | " + " | ".join(cells) + " |")
    return "\n".join(rows)


def _solved_table(solved: list[Solved]) -> str:
    words = {
        "mdr": "merchant fee, % of goods", "interchange": "card network revenue, % of goods", "rate": "rate, % a year",
        "spread": "market rate above it, points", "default": "default hazard, % a month",
        "price": "sale price, % of principal", "servicing_fee": "servicing fee, % a year",
        "cost_of_funds": "cost of funds, % a year", "processing_share": "processing, % of payments",
    }  # fmt: skip
    rows = ["| solved | " + " | ".join(YEARS) + " |", "|---" * 4 + "|"]
    for name, said in words.items():
        rows.append(f"| {said} | " + " | ".join(f"{100 * each.figures[name]:.2f}" for each in solved) + " |")
    return "\n".join(rows)


def _klarna_table() -> str:
    found, told = klarna()
    interest, provision, rltc = (told.line(name) for name in ("interest", "provision", "rltc"))
    rows = ["| $m | quarter | later | life |", "|---|---|---|---|"]
    for name, line in (("interest", interest), ("provision", provision), ("rltc", rltc)):
        cells = [f"{round(each, 1) + 0.0:,.1f}" for each in (line[0], line[1:].sum(), line.sum())]  # no minus zero
        rows.append(f"| {name} | {' | '.join(cells)} |")
    said = (
        f"Solved: {100 * found['rate']:.1f} % a year, {100 * found['default']:.2f} % of open loans default and "
        f"{100 * found['prepay']:.1f} % prepay in a month. Over the life {100 * rltc.sum() / KLARNA['lent']:.1f} % of "
        f"{KLARNA['lent']:,.0f} lent."
    )
    return "\n".join(rows) + f"\n\n{said}"


def write_page(tables: str) -> None:
    """Write the tables between the markers of the page."""
    before, rest = PAGE.read_text(encoding="utf-8").split(START)
    _, after = rest.split(END)
    write_text(PAGE, f"{before}{START}\n\n{tables}\n\n{END}{after}")


if __name__ == "__main__":
    tables = page(*main())
    if "--docs" in sys.argv:
        write_page(tables)
    print(tables)
