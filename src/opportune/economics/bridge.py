"""The bridge: from the RLTC of one period to that of another, by what changed.

With segments s of value of goods V m_s (volume V, mix m), and rates per unit of goods for each line x_j (take rate of
the revenue lines, loss, funding, other costs),

    RLTC = sum_j V sum_s m_s x_(s,j) + timing,

where timing is what the books show less what the loans are worth over their life. Each product V m x_j is shared among
its three factors by Shapley's value (Shapley 1953): the mean, over all orders of change, of what a change adds. So the
terms add up exactly and depend on no order. For three factors f = u v w it is

    du = (u1 - u0) (2 v0 w0 + v0 w1 + v1 w0 + 2 v1 w1) / 6,      and so on.
"""

import math
from collections.abc import Iterator, Mapping

import msgspec
import numpy as np

from opportune.domain import BadInput, Finding
from opportune.economics.lifetime import RLTC_LINES, LifetimeValue
from opportune.economics.postings import COSTS, INCOME
from opportune.economics.statement import Statement

RATES = ("take rate", "loss", "funding", "other costs")
TERMS = ("volume", "mix", *RATES, "timing")
GROUP_OF = {
    "merchant_fee": "take rate", "card_network": "take rate", "interest": "take rate", "late_fees": "take rate",
    "gain_on_sale": "take rate", "servicing_income": "take rate", "loss_on_purchase": "take rate",
    "credit_loss": "loss", "provision": "loss", "funding_cost": "funding",
    "processing": "other costs", "servicing": "other costs",
}  # fmt: skip
"""The rate that each line belongs to, lifetime or booked. Loss on purchase goes with revenue: its accretion is in
interest. ``provision`` is the booked form of ``credit_loss``."""


class Totals(msgspec.Struct, frozen=True, kw_only=True):
    """A period by segment: ``gmv`` and each of ``lines`` (S,), costs negative, in money over the life of its loans.

    ``booked`` is the RLTC that the books show for the period; equal to the sum of the lines where nothing is timing.
    """

    segments: tuple[str, ...]
    gmv: np.ndarray
    lines: Mapping[str, np.ndarray]
    booked: float


def lifetime_totals(valued: LifetimeValue, segment: np.ndarray, segments: tuple[str, ...], booked: float) -> Totals:
    """Return the totals of loans (n,) by ``segment`` (n,), one of the names ``segments``: what they are worth over
    their life, beside the RLTC that was ``booked`` for their period. BadInput (OP456) for another segment.
    """
    unknown = sorted(set(np.unique(segment.astype(str)).tolist()) - set(segments))
    if unknown:
        raise BadInput([_finding("segment", f"holds {', '.join(unknown)}: expected {', '.join(segments)}")])
    place = {name: i for i, name in enumerate(segments)}
    code = np.array([place[name] for name in segment.astype(str)], dtype=np.int64)
    sums = {name: np.bincount(code, valued.value.lines[name], len(segments)) for name in RLTC_LINES}
    return Totals(
        segments=segments, gmv=np.bincount(code, valued.value.uses["gmv"], len(segments)), lines=sums, booked=booked
    )


def booked_totals(statements: Mapping[str, Statement], period: str, gmv: Mapping[str, float]) -> Totals:
    """Return the totals of the period that ends with the month ``period`` (2026-03) by segment, from a statement each
    and the goods bought in it: booked lines against booked RLTC, so nothing is timing. A segment without that period
    has nothing in it. BadInput (OP456) when none has it, or goods are not told of the same segments.
    """
    month = np.datetime64(period, "M")
    if set(gmv) != set(statements):
        words = f"is of {', '.join(sorted(gmv))}: expected the segments {', '.join(sorted(statements))}"
        raise BadInput([_finding("gmv", words)])
    places = {name: np.flatnonzero(each.periods == month) for name, each in statements.items()}
    if not any(len(place) for place in places.values()):
        raise BadInput([_finding("period", f"is {period}: expected the last month of a period of the statements")])
    lines = {
        line: np.array([_signed(statements[name], line)[place].sum() for name, place in places.items()])
        for line in (*INCOME, *COSTS)
    }
    booked = float(sum(line.sum() for line in lines.values()))
    goods = np.array([gmv[name] for name in statements])
    return Totals(segments=tuple(statements), gmv=goods, lines=lines, booked=booked)


def _signed(told: Statement, line: str) -> np.ndarray:
    """Return a line of a statement, costs negative."""
    return told.line(line) if line in INCOME else -told.line(line)


def bridge(a: Totals, b: Totals) -> dict[str, float]:
    """Return the terms of ``TERMS`` in money: they add up to ``b.booked - a.booked``. BadInput (OP456) for segments
    that are not the same or without goods in both, and for amounts that are not known.

    From a period without goods, or to one, all that differs is volume and timing: it has the other's mix and rates.
    What a segment books without goods of its own in the period, such as interest on older loans, is timing.
    """
    _refuse_unlike(a, b)
    volume = (float(a.gmv.sum()), float(b.gmv.sum()))
    shares = [each.gmv / total if total > 0.0 else None for each, total in zip((a, b), volume, strict=True)]
    mix = _both(shares[0], shares[1])
    rates = _rates(a, b)
    terms = dict.fromkeys(TERMS, 0.0)
    for name, (before, after) in rates.items():
        of_volume, of_mix, of_rate = _shapley(volume, mix, (before, after))
        terms["volume"] += of_volume
        terms["mix"] += of_mix
        terms[name] += of_rate
    worth = [sum(float(np.sum(line[each.gmv > 0.0])) for line in each.lines.values()) for each in (a, b)]
    terms["timing"] = (b.booked - worth[1]) - (a.booked - worth[0])
    return terms


def _both(before: np.ndarray | None, after: np.ndarray | None) -> tuple[np.ndarray, np.ndarray]:
    """Return the two, each the other where it is none; checks have seen to it that one is there."""
    there = before if before is not None else np.asarray(after)
    return there, there if after is None else after


def _rates(a: Totals, b: Totals) -> dict[str, tuple[np.ndarray, np.ndarray]]:
    """Return each group's rate per unit of goods (S,) before and after; a segment without goods has the other's."""
    found = {}
    for name in RATES:
        amounts = [
            sum((each.lines[line] for line in each.lines if GROUP_OF[line] == name), start=np.zeros(len(each.gmv)))
            for each in (a, b)
        ]
        before, after = (
            np.divide(x, v, out=np.full(len(v), np.nan), where=v > 0.0)
            for x, v in zip(amounts, (a.gmv, b.gmv), strict=True)
        )
        found[name] = (np.where(np.isnan(before), after, before), np.where(np.isnan(after), before, after))
    return found


def _shapley(
    volume: tuple[float, float], mix: tuple[np.ndarray, np.ndarray], rate: tuple[np.ndarray, np.ndarray]
) -> tuple[float, float, float]:
    u, v, w = (np.broadcast_to(each[0], mix[0].shape) for each in (volume, mix, rate))
    u1, v1, w1 = (np.broadcast_to(each[1], mix[0].shape) for each in (volume, mix, rate))
    return (
        float(np.sum((u1 - u) * _others(v, v1, w, w1))),
        float(np.sum((v1 - v) * _others(u, u1, w, w1))),
        float(np.sum((w1 - w) * _others(u, u1, v, v1))),
    )


def _others(v0: np.ndarray, v1: np.ndarray, w0: np.ndarray, w1: np.ndarray) -> np.ndarray:
    return np.asarray((2.0 * v0 * w0 + v0 * w1 + v1 * w0 + 2.0 * v1 * w1) / 6.0)


def _refuse_unlike(a: Totals, b: Totals) -> None:
    findings = [finding for name, each in (("a", a), ("b", b)) for finding in _unusable(name, each)]
    if a.segments != b.segments:
        findings.append(_finding("segments", f"are {a.segments} and {b.segments}: expected the same in both"))
    elif not findings and not np.all((a.gmv > 0.0) | (b.gmv > 0.0)):
        findings.append(_finding("gmv", "is zero in both periods for some segment: expected goods in one of them"))
    if findings:
        raise BadInput(findings)


def _unusable(name: str, given: Totals) -> Iterator[Finding]:
    unknown = sorted(set(given.lines) - set(GROUP_OF))
    if unknown:
        yield _finding(f"lines of {name}", f"hold {', '.join(unknown)}: expected {', '.join(GROUP_OF)}")
    if {"credit_loss", "provision"} <= set(given.lines):
        yield _finding(f"lines of {name}", "hold credit_loss and provision: expected one, they are the same loss")
    for key, amounts in {"gmv": given.gmv, **given.lines}.items():
        if np.shape(amounts) != (len(given.segments),):
            yield _finding(f"{key} of {name}", f"has shape {np.shape(amounts)}: expected a number for each segment")
        elif not np.all(np.isfinite(amounts)) or (key == "gmv" and np.any(amounts < 0.0)):
            words = "money, zero or more" if key == "gmv" else "money"
            yield _finding(f"{key} of {name}", f"is {amounts}: expected {words} in every segment")
    if not math.isfinite(given.booked):
        yield _finding(f"booked of {name}", f"is {given.booked}: expected money")


def _finding(subject: str, message: str) -> Finding:
    step = "give both periods by the same segments and in the lines of lifetime value"
    return Finding(code="OP456", source="bridge", subject=subject, message=message, next_step=step)
