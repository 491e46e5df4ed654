"""Figures: a picture, the sentence under it, and the same numbers as a table and as CSV."""

import base64
import csv
import io
from collections.abc import Sequence
from typing import Any

import msgspec

from opportune.reports.artefacts import Artefacts
from opportune.reports.charts import (
    calibration_chart,
    choice_chart,
    chosen_chart,
    evidence_chart,
    frontier_chart,
    limits_chart,
)
from opportune.reports.sentences import METHOD, RAW, amount, bound_of, plain

EVERYONE = "all"
SPREAD = ("value", "low", "high")
SWAPPED = (RAW, "amount_lent", "expected_loss")
"""What the swap set tells of value and risk: contribution, money lent, arrears."""


class Figure(msgspec.Struct, frozen=True, kw_only=True):
    """``name`` is the file name of its CSV; ``rows`` are numbers and texts in the order of ``header``."""

    name: str
    title: str
    caption: str
    svg: str
    header: tuple[str, ...]
    rows: tuple[tuple[Any, ...], ...]

    def cells(self) -> list[list[str]]:
        """Return the rows as texts for the page."""
        return [[each if isinstance(each, str) else amount(each) for each in row] for row in self.rows]

    def csv(self) -> str:
        """Return the table with unrounded numbers as a data address for a link."""
        text = io.StringIO()
        csv.writer(text, lineterminator="\n").writerows([self.header, *self.rows])
        return "data:text/csv;base64," + base64.b64encode(text.getvalue().encode()).decode()


def figures(told: Artefacts) -> list[Figure]:
    """Return the pictures of the page, in its order; one whose artefact is empty is left out."""
    judged = [_policies(told), _differences(told), _limits(told)] if told.judged else []
    forecasts = [_calibration(told)] if told.evidence["response"] else []
    return [*_frontier(told), *judged, *_swap_set(told), *_chosen(told), *_choices(told), *forecasts]


def _policies(told: Artefacts) -> Figure:
    rows = told.estimates(RAW, METHOD, differences=False)
    caption = (
        f"Contribution per listed customer, doubly robust; the intervals resample the {told.evidence['clusters']} "
        f"{told.clusters}. {told.evidence['assumption']}"
    )
    return _estimates("policies", "What each policy was worth", caption, rows, told.currency)


def _differences(told: Artefacts) -> Figure:
    rows = told.estimates(RAW, METHOD, differences=True)
    caption = (
        "Differences on the same customers. An interval that holds zero shows no difference. Both policies are "
        "resampled together, so what they share cancels."
    )
    return _estimates("differences", "Is the difference real?", caption, rows, told.currency)


def _estimates(name: str, title: str, caption: str, rows: Sequence[dict[str, Any]], currency: str) -> Figure:
    held = [{"policy": _label(row), **{key: row[key] for key in ("value", "low", "high")}} for row in rows]
    return Figure(
        name=name,
        title=title,
        caption=caption,
        svg=evidence_chart(held, currency),
        header=("policy", "value", "low", "high", "effective n"),
        rows=tuple((each["policy"], each["value"], each["low"], each["high"], row["effective_n"])
                   for each, row in zip(held, rows, strict=True)),
    )  # fmt: skip


def _label(row: dict[str, Any]) -> str:
    name = plain(row["policy"])
    return name if row["against"] is None else f"{name} less {plain(row['against'])}"


def _frontier(told: Artefacts) -> list[Figure]:
    points, limit = told.frontier["points"], told.frontier["limit"]
    held = [each for each in points if each["value"] is not None]
    if not held:
        return []
    plan = told.frontier["plan"]
    marked = [{"use": plan["used"], "value": plan["value"], "name": "the plan"}, *_today(told)]
    side = told.frontier["side"].replace("_", " ")
    caption = (
        f"The best plan for each bound of “{limit}”, the other limits kept. {_price_says(told, plan['price'])} "
        f"{_today_says(told)}{_cannot_hold(points)}These are forecasts, not evidence."
    )
    return [
        Figure(
            name="frontier",
            title=f"What “{limit}” buys",
            caption=caption,
            svg=frontier_chart([{"use": each["used"], **each} for each in held], limit, marked, told.currency),
            header=(f"{limit}, {side}", "used", "planned value", f"price of one {_step(told)}"),
            rows=tuple((each["limit"], each["used"], each["value"], each["price"]) for each in points),
        )
    ]


def _cannot_hold(points: list[dict[str, Any]]) -> str:
    empty = [amount(each["limit"]) for each in points if each["value"] is None]
    return f"No plan keeps a bound of {' or '.join(empty)} beside the other limits. " if empty else ""


def _today(told: Artefacts) -> list[dict[str, Any]]:
    """Return today's policy as a point, by the same forecasts; nothing when none is declared, or the plan looks ahead.

    Today's policy is about the list alone: beside plans of list and forecast its point would mislead.
    """
    policy = next((each for each in told.evidence["policies"] if each["name"] == told.evidence["today"]), None)
    if told.horizon is not None or policy is None or told.frontier_uses is None or "forecast_uses" not in policy:
        return []
    uses, per = told.frontier_uses
    below = 1.0 if per is None else policy["forecast_uses"][per]
    use = policy["forecast_uses"][uses] / below if below else 0.0
    return [{"use": use, "value": policy["forecast_value"], "name": "today's policy"}]


def _step(told: Artefacts) -> str:
    """Return which way the limit is relaxed."""
    return "less" if told.frontier["side"] == "at_least" else "more"


def _price_says(told: Artefacts, price: float) -> str:
    """Return what relaxing the limit would bring at the plan, and which limits bind when it would bring nothing."""
    if price > 0.0:
        return f"At the plan one {_step(told)} of it is worth {amount(price)} {told.currency}."
    binding = [f"“{each['name']}”" for each in told.certificate["rows"] if each["price"] > 0.0]
    held_by = f": {' and '.join(binding)} holds the plan back first" if binding else ""
    return f"At the plan this limit does not bind{held_by}."


def _today_says(told: Artefacts) -> str:
    return f"Today's policy is {told.says(told.evidence['today'])}; it keeps no limit. " if _today(told) else ""


def _limits(told: Artefacts) -> Figure:
    rows = told.evidence["planned_against_realised"]
    shares = [
        {"limit": row["limit"], **{key: row[key] / bound_of(row) for key in ("planned", "realised", "low", "high")}}
        for row in rows
        if bound_of(row) and row["realised"] is not None
    ]
    caption = (
        "The square is what was planned, the point what came out, with its 95 % interval; the dashed line is the "
        "bound. What came out is an estimate, because the plan was not carried out; what needs no forecast, such as "
        "the number of letters, is known."
    )
    return Figure(
        name="limits",
        title="Did the limits hold?",
        caption=caption,
        svg=limits_chart(shares),
        header=("limit", "bound", "planned", "realised", "low", "high"),
        rows=tuple(
            (row["limit"], bound_of(row), *(row[key] for key in ("planned", "realised", "low", "high"))) for row in rows
        ),
    )


def _swap_set(told: Artefacts) -> list[Figure]:
    """Return who changes from today's policy to the plan; nothing where there is no swap set."""
    cells = told.swap_set["cells"]
    drawn = [
        {"policy": f"{cell['segment']}: {cell['kind']}", **{key: cell["change"][RAW][key] for key in SPREAD}}
        for cell in cells if cell["change"][RAW] is not None
    ]  # fmt: skip
    if not drawn:
        return []
    unknown = sum(cell["no_label"] for cell in cells if cell["segment"] == EVERYONE)
    label = f"No label: the log never made the offers of {unknown:,} customers, so nothing is known of them. "
    caption = (
        f"From “{told.says(told.swap_set['older'])}” to “{told.says(told.swap_set['newer'])}”: the change of "
        f"contribution per customer, doubly robust. {label if unknown else ''}{told.swap_set['assumption']}"
    )
    uses = [f"{use.replace('_', ' ')}{end}" for use in SWAPPED for end in ("", " low", " high")]
    return [
        Figure(
            name="swap-set",
            title="Who changes, and what is that worth?",
            caption=caption,
            svg=evidence_chart(drawn, told.currency),
            header=("segment", "change", "customers", "no label", *uses),
            rows=tuple(
                (cell["segment"], cell["kind"], cell["customers"], cell["no_label"] or "", *_swapped(cell))
                for cell in cells
            ),
        )
    ]


def _swapped(cell: dict[str, Any]) -> list[Any]:
    not_known = dict.fromkeys(SPREAD, "not known")
    return [(cell["change"][use] or not_known)[key] for use in SWAPPED for key in SPREAD]


def _chosen(told: Artefacts) -> list[Figure]:
    rows = told.evidence["chosen"]
    if not rows:
        return []
    group, part = (plain(name) for name in told.evidence["chosen_by"])
    caption = f"Share of the customers whom the plan reaches, by {group} and by fifths of {part}."
    return [
        Figure(
            name="chosen",
            title="Who is chosen?",
            caption=caption,
            svg=chosen_chart(rows, group, part),
            header=(group, part, "customers", "planned", "share planned", "mean planned price"),
            rows=tuple(
                (row["group"], row["part"], row["customers"], row["planned"], row["share_planned"], row["mean_price"])
                for row in rows
            ),
        )
    ]


def _choices(told: Artefacts) -> list[Figure]:
    if not told.examples:
        return []
    limits = list(told.examples[0]["ranked"][0]["charges"])
    held = [
        (example, place, offer)
        for example in told.examples
        for place, offer in zip(("winner", "runner-up"), example["ranked"], strict=False)
    ]
    drawn = [
        {"offer": f"{example['why']}, {place}: {plain(offer['offer_id'])}", "order": i, **offer}
        for i, (example, place, offer) in enumerate(held)
    ]
    caption = (
        "Three customers. Each limit charges an offer for what it uses, and pays back where the offer makes room; the "
        "offer with most left wins, and no offer has zero left."
    )
    return [
        Figure(
            name="choices",
            title="How one customer's offer is chosen",
            caption=caption,
            svg=choice_chart(drawn, told.currency),
            header=("customer", "place", "offer", "value", *(f"charge of {name}" for name in limits), "left"),
            rows=tuple(
                (f"{example['why']} ({example['opportunity_id']})", place, plain(offer["offer_id"]), offer["value"],
                 *(offer["charges"][name] for name in limits), offer["net"])
                for example, place, offer in held
            ),
        )
    ]  # fmt: skip


def _calibration(told: Artefacts) -> Figure:
    response = told.evidence["response"]
    caption = (
        f"Tenths of the list by predicted take-up, at the price that each customer was sent: predicted "
        f"{response['mean_predicted']:.3f}, observed {response['mean_observed']:.3f}; area under the ROC curve "
        f"{response['auc']:.3f}; log loss {response['log_loss']:.4f} against {response['log_loss_of_base_rate']:.4f} "
        "for the base rate. On the dashed line, prediction and observation agree."
    )
    return Figure(
        name="calibration",
        title="Were the forecasts right?",
        caption=caption,
        svg=calibration_chart(response["tenths"]),
        header=("tenth", "customers", "predicted", "observed"),
        rows=tuple(
            (str(i + 1), each["n"], each["predicted"], each["observed"]) for i, each in enumerate(response["tenths"])
        ),
    )
