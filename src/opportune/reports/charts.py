"""Charts as Altair specifications, drawn to SVG. Colours and shapes are told apart without colour vision."""

import itertools
from typing import Any

import altair as alt

from opportune.reports._svg import to_svg

BLUE, ORANGE, GREY, SKY = "#0072B2", "#D55E00", "#767676", "#9CCFEA"
"""From the palette of Okabe and Ito (2008)."""
WIDTH = 560


def evidence_chart(rows: list[dict[str, Any]], currency: str) -> str:
    """Draw estimates as points with their 95 % intervals, zero marked. Rows: policy, value, low, high."""
    data = _values([{**row, "order": i} for i, row in enumerate(rows)])
    y = alt.Y("policy:N", sort=alt.SortField("order"), title=None, axis=alt.Axis(labelLimit=460))
    scale = alt.Scale(zero=True, nice=True)
    title = f"{currency} per listed customer, with 95 % interval"
    base = alt.Chart(data, width=WIDTH, height=alt.Step(26))
    bars = base.mark_rule(strokeWidth=3, color=BLUE).encode(
        y=y, x=alt.X("low:Q", title=title, scale=scale), x2="high:Q"
    )
    points = base.mark_point(filled=True, size=80, color=BLUE, opacity=1).encode(y=y, x=alt.X("value:Q", title=title))
    return _drawn(_rule(0, "x") + bars + points)


def frontier_chart(points: list[dict[str, Any]], limit: str, marked: list[dict[str, Any]], currency: str) -> str:
    """Draw plan value against the limit, with marked plans (use, value, name) as labelled points."""
    digits = ",d" if max(each["use"] for each in (*points, *marked)) >= 10.0 else ".3~g"  # a ratio is a fraction
    x = alt.X("use:Q", title=limit, axis=alt.Axis(format=digits, tickCount=6), scale=alt.Scale(zero=True))
    y = alt.Y("value:Q", title=f"planned value, {currency}", axis=alt.Axis(format=",d"), scale=alt.Scale(zero=True))
    line = alt.Chart(_values(points), width=WIDTH, height=250).mark_line(point=True, color=BLUE).encode(x=x, y=y)
    marks = alt.Chart(_values(marked))
    shape = alt.Shape("name:N", legend=None, scale=alt.Scale(range=["diamond", "square"]))
    dots = marks.mark_point(size=190, filled=True, color=ORANGE, opacity=1).encode(x=x, y=y, shape=shape)
    words = marks.mark_text(align="right", dx=-12, dy=14, fontSize=12, color=ORANGE).encode(x=x, y=y, text="name:N")
    return _drawn(line + dots + words)


def limits_chart(rows: list[dict[str, Any]]) -> str:
    """Draw use as a share of each limit's bound: planned as a hollow square, realised as a point with its interval."""
    y = alt.Y("limit:N", title=None, axis=alt.Axis(labelLimit=360))
    title = "use as a share of the bound"
    x_axis = alt.Axis(format=".0%")
    base = alt.Chart(_values(rows), width=WIDTH, height=alt.Step(40))
    bars = base.mark_rule(strokeWidth=3, color=BLUE).encode(
        y=y, x=alt.X("low:Q", title=title, axis=x_axis, scale=alt.Scale(zero=True)), x2="high:Q"
    )
    realised = base.mark_point(filled=True, size=80, color=BLUE, opacity=1).encode(
        y=y, x=alt.X("realised:Q", axis=x_axis)
    )
    planned = base.mark_point(shape="square", size=130, strokeWidth=2, color=ORANGE).encode(
        y=y, x=alt.X("planned:Q", axis=x_axis)
    )
    return _drawn(_rule(1, "x") + bars + realised + planned)


def calibration_chart(tenths: list[dict[str, float]]) -> str:
    """Draw observed against predicted take-up by tenths of the list, with the line of equality."""
    top = max(max(each["predicted"], each["observed"]) for each in tenths) * 1.08
    axis = alt.Axis(format=".0%")
    x = alt.X("predicted:Q", title="predicted take-up", axis=axis, scale=alt.Scale(domain=[0, top]))
    y = alt.Y("observed:Q", title="observed take-up", axis=axis, scale=alt.Scale(domain=[0, top]))
    corners = [{"predicted": 0, "observed": 0}, {"predicted": top, "observed": top}]
    line = alt.Chart(_values(corners), width=300, height=300).mark_line(color=GREY, strokeDash=[4, 3])
    points = alt.Chart(_values(tenths)).mark_point(filled=True, size=80, color=BLUE, opacity=1)
    return _drawn(line.encode(x=x, y=y) + points.encode(x=x, y=y))


def chosen_chart(rows: list[dict[str, Any]], group: str, part: str) -> str:
    """Draw the share of customers planned per group and part: darker and labelled with the share."""
    x = alt.X("part:N", sort=alt.SortField("order"), title=part, axis=alt.Axis(labelAngle=0))
    y = alt.Y("group:N", title=group)
    base = alt.Chart(_values(rows), width=WIDTH, height=alt.Step(44))
    color = alt.Color("share_planned:Q", scale=alt.Scale(domain=[0, 1], range=["#FFFFFF", BLUE]), legend=None)
    cells = base.mark_rect(stroke="#FFFFFF").encode(x=x, y=y, color=color)
    ink = alt.condition("datum.share_planned > 0.55", alt.value("white"), alt.value("#1a1a1a"))
    words = base.mark_text(fontSize=13).encode(x=x, y=y, text=alt.Text("share_planned:Q", format=".0%"), color=ink)
    return _drawn(cells + words)


def choice_chart(rows: list[dict[str, Any]], currency: str) -> str:
    """Draw each offer's value as a bar and what is left after the limits' charges as a diamond."""
    y = alt.Y("offer:N", sort=alt.SortField("order"), title=None, axis=alt.Axis(labelLimit=420))
    title = f"{currency}: value (bar) and what is left after charges (diamond)"
    base = alt.Chart(_values(rows), width=WIDTH - 120, height=alt.Step(26))
    bars = base.mark_bar(color=SKY).encode(y=y, x=alt.X("value:Q", title=title))
    dots = base.mark_point(shape="diamond", filled=True, size=130, color=ORANGE, opacity=1).encode(
        y=y, x=alt.X("net:Q", title=title)
    )
    return _drawn(bars + dots + _rule(0, "x"))


def waterfall_chart(steps: dict[str, float], total: str, currency: str) -> str:
    """Draw how lines add up to a total: a bar for each from where the one before ended, gains blue and costs orange."""
    ends = list(itertools.accumulate(steps.values()))
    rows = [
        {"line": name.replace("_", " "), "order": i, "start": end - amount, "end": end, "amount": amount,
         "kind": "gain" if amount >= 0 else "cost"}
        for i, ((name, amount), end) in enumerate(zip(steps.items(), ends, strict=True))
    ]  # fmt: skip
    rows.append({"line": total, "order": len(rows), "start": 0.0, "end": ends[-1], "amount": ends[-1], "kind": "total"})
    y = alt.Y("line:N", sort=alt.SortField("order"), title=None, axis=alt.Axis(labelLimit=240))
    base = alt.Chart(_values(rows), width=WIDTH, height=alt.Step(26))
    color = alt.Color(
        "kind:N", legend=None, scale=alt.Scale(domain=["gain", "cost", "total"], range=[BLUE, ORANGE, GREY])
    )
    x = alt.X("start:Q", title=currency, axis=alt.Axis(format="~s"))
    bars = base.mark_bar().encode(y=y, x=x, x2="end:Q", color=color)
    words = base.mark_text(align="left", dx=4, fontSize=12, color="#1a1a1a").encode(
        y=y, x=alt.X("high:Q"), text=alt.Text("amount:Q", format=",.0f")
    )
    return _drawn(_rule(0, "x") + bars + words.transform_calculate(high="max(datum.start, datum.end)"))


def comparison_chart(rows: list[dict[str, Any]], unit: str) -> str:
    """Draw predictions as hollow squares with their intervals, and what came out as points, a panel per measure.

    Rows: group, measure, predicted, low, high, realised.
    """
    order = list(dict.fromkeys(row["measure"] for row in rows))
    x = alt.X("predicted:Q", title=unit, scale=alt.Scale(zero=True))
    y = alt.Y("group:N", title=None)
    base = alt.Chart(width=170, height=alt.Step(26))
    bars = base.mark_rule(strokeWidth=3, color=SKY).encode(y=y, x=alt.X("low:Q", title=unit), x2="high:Q")
    squares = base.mark_point(shape="square", size=110, strokeWidth=2, color=ORANGE).encode(y=y, x=x)
    points = base.mark_point(filled=True, size=70, color=BLUE, opacity=1).encode(y=y, x=alt.X("realised:Q", title=unit))
    panel = alt.layer(bars, squares, points, data=_values(rows))
    return _drawn(panel.facet(column=alt.Column("measure:N", title=None, sort=order)).resolve_scale(x="independent"))


def gain_chart(rows: list[dict[str, Any]], budget: str, unit: str) -> str:
    """Draw gains along budgets, each path a line with its band of intervals, told apart by dashes too.

    Rows: path, budget (a share), value, low, high.
    """
    order = list(dict.fromkeys(row["path"] for row in rows))
    x = alt.X("budget:Q", title=budget, axis=alt.Axis(format=".0%"), scale=alt.Scale(zero=True))
    color = alt.Color("path:N", sort=order, title=None, scale=alt.Scale(range=[BLUE, ORANGE]),
                      legend=alt.Legend(orient="top", labelLimit=260))  # fmt: skip
    dash = alt.StrokeDash("path:N", sort=order, title=None, legend=None)
    base = alt.Chart(_values(rows), width=WIDTH, height=260)
    bands = base.mark_area(opacity=0.18).encode(x=x, y=alt.Y("low:Q", title=unit), y2="high:Q", color=color)
    lines = base.mark_line(strokeWidth=2.5).encode(x=x, y=alt.Y("value:Q", title=unit), color=color, strokeDash=dash)
    return _drawn(bands + lines)


def _rule(at: float, axis: str) -> Any:
    return alt.Chart(_values([{axis: at}])).mark_rule(color=GREY, strokeDash=[4, 3]).encode(**{axis: f"{axis}:Q"})


def _values(rows: list[Any]) -> Any:
    """Return rows as inline data."""
    return {"values": rows}


def _drawn(chart: Any) -> str:
    return to_svg(chart.to_dict(validate=False))
