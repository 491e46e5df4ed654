"""The bridge: from the RLTC of one period to that of another, by what changed.

With segments s of value of goods V m_s (volume V, mix m), and rates per unit of goods for each line x_j (take rate of
the revenue lines, loss, funding, other costs),

    RLTC = sum_j V sum_s m_s x_(s,j) + timing,

where timing is what the books show less what the loans are worth over their life. Each product V m x_j is shared among
its three factors by Shapley's value (Shapley 1953): the mean, over all orders of change, of what a change adds. So the
terms add up exactly and depend on no order. For three factors f = u v w it is

    du = (u1 - u0) (2 v0 w0 + v0 w1 + v1 w0 + 2 v1 w1) / 6,      and so on.
"""

from collections.abc import Mapping

import msgspec
import numpy as np

from opportune.domain import BadInput, Finding

RATES = ("take rate", "loss", "funding", "other costs")
TERMS = ("volume", "mix", *RATES, "timing")
GROUP_OF = {
    "merchant_fee": "take rate", "card_network": "take rate", "interest": "take rate", "late_fees": "take rate",
    "gain_on_sale": "take rate", "servicing_income": "take rate", "loss_on_purchase": "take rate",
    "credit_loss": "loss", "funding_cost": "funding", "processing": "other costs", "servicing": "other costs",
}  # fmt: skip
"""The rate that each lifetime line belongs to. Loss on purchase goes with revenue: its accretion is in interest."""


class Totals(msgspec.Struct, frozen=True, kw_only=True):
    """A period by segment: ``gmv`` and each of ``lines`` (S,), costs negative, in money over the life of its loans.

    ``booked`` is the RLTC that the books show for the period; equal to the sum of the lines where nothing is timing.
    """

    segments: tuple[str, ...]
    gmv: np.ndarray
    lines: Mapping[str, np.ndarray]
    booked: float


def bridge(a: Totals, b: Totals) -> dict[str, float]:
    """Return the terms of ``TERMS`` in money: they add up to ``b.booked - a.booked``. BadInput (OP456) for segments
    that are not the same or without goods in both.
    """
    _refuse_unlike(a, b)
    volume = (float(a.gmv.sum()), float(b.gmv.sum()))
    mix = (a.gmv / volume[0], b.gmv / volume[1])
    rates = _rates(a, b)
    terms = dict.fromkeys(TERMS, 0.0)
    for name, (before, after) in rates.items():
        of_volume, of_mix, of_rate = _shapley(volume, mix, (before, after))
        terms["volume"] += of_volume
        terms["mix"] += of_mix
        terms[name] += of_rate
    worth = [sum(float(np.sum(line)) for line in each.lines.values()) for each in (a, b)]
    terms["timing"] = (b.booked - worth[1]) - (a.booked - worth[0])
    return terms


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
    findings = []
    if a.segments != b.segments:
        findings.append(_finding("segments", f"are {a.segments} and {b.segments}: expected the same in both"))
    elif not np.all((a.gmv > 0.0) | (b.gmv > 0.0)):
        findings.append(_finding("gmv", "is zero in both periods for some segment: expected goods in one of them"))
    unknown = sorted({line for each in (a, b) for line in each.lines} - set(GROUP_OF))
    if unknown:
        findings.append(_finding("lines", f"hold {', '.join(unknown)}: expected {', '.join(GROUP_OF)}"))
    if findings:
        raise BadInput(findings)


def _finding(subject: str, message: str) -> Finding:
    step = "give both periods by the same segments and in the lines of lifetime value"
    return Finding(code="OP456", source="bridge", subject=subject, message=message, next_step=step)
