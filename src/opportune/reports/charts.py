"""Charts as Altair specifications, drawn to SVG. Colours and shapes are told apart without colour vision."""

from typing import Any

import altair as alt

from opportune.reports._svg import to_svg

BLUE, ORANGE, GREY = "#0072B2", "#D55E00", "#767676"
"""From the palette of Okabe and Ito (2008)."""
WIDTH = 560


def evidence_chart(rows: list[dict[str, Any]], currency: str) -> str:
    """Draw estimates as points with their 95 % intervals, zero marked."""
    data = _values(
        [
            {"policy": _label(row), "value": row["value"], "low": row["low"], "high": row["high"], "order": i}
            for i, row in enumerate(rows)
        ]
    )
    y = alt.Y("policy:N", sort=alt.SortField("order"), title=None, axis=alt.Axis(labelLimit=360))
    scale = alt.Scale(zero=True, nice=True)
    title = f"{currency} per listed customer, with 95 % interval"
    base = alt.Chart(data, width=WIDTH, height=alt.Step(26))
    bars = base.mark_rule(strokeWidth=3, color=BLUE).encode(
        y=y, x=alt.X("low:Q", title=title, scale=scale), x2="high:Q"
    )
    points = base.mark_point(filled=True, size=80, color=BLUE).encode(y=y, x=alt.X("value:Q", title=title))
    zero = alt.Chart(_values([{"x": 0}])).mark_rule(color=GREY, strokeDash=[4, 3]).encode(x="x:Q")
    return to_svg((zero + bars + points).to_dict(validate=False))


def _values(rows: list[Any]) -> Any:
    """Return rows as inline data."""
    return {"values": rows}


def _label(row: dict[str, Any]) -> str:
    name = row["policy"].replace("_", " ")
    return name if row["against"] is None else f"{name} less {row['against'].replace('_', ' ')}"


def frontier_chart(points: list[dict[str, Any]], limit: str, chosen: dict[str, float], currency: str) -> str:
    """Draw plan value against the limit, the chosen plan as a point."""
    x = alt.X("limit:Q", title=f"limit “{limit}”, at most", axis=alt.Axis(format=",d"))
    y = alt.Y("value:Q", title=f"planned value, {currency}", axis=alt.Axis(format=",d"), scale=alt.Scale(zero=True))
    line = alt.Chart(_values(points), width=WIDTH, height=230).mark_line(point=True, color=BLUE).encode(x=x, y=y)
    mark = alt.Chart(_values([chosen])).mark_point(shape="diamond", size=190, filled=True, color=ORANGE)
    return to_svg((line + mark.encode(x=x, y=y)).to_dict(validate=False))


def calibration_chart(tenths: list[dict[str, float]]) -> str:
    """Draw observed against predicted take-up by tenths of the list, with the line of equality."""
    top = max(max(each["predicted"], each["observed"]) for each in tenths) * 1.08
    axis = alt.Axis(format=".0%")
    x = alt.X("predicted:Q", title="predicted take-up", axis=axis, scale=alt.Scale(domain=[0, top]))
    y = alt.Y("observed:Q", title="observed take-up", axis=axis, scale=alt.Scale(domain=[0, top]))
    corners = [{"predicted": 0, "observed": 0}, {"predicted": top, "observed": top}]
    line = alt.Chart(_values(corners), width=300, height=300).mark_line(color=GREY, strokeDash=[4, 3])
    points = alt.Chart(_values(tenths)).mark_point(filled=True, size=80, color=BLUE)
    return to_svg((line.encode(x=x, y=y) + points.encode(x=x, y=y)).to_dict(validate=False))
