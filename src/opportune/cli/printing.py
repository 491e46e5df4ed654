"""Printing: short tables as plain text, one JSON object for machines."""

import shutil
import sys
from collections.abc import Sequence
from typing import TYPE_CHECKING, Any

if TYPE_CHECKING:
    from opportune.domain import Certificate, Finding
    from opportune.workflow import StepForecast
    from opportune.workflow.horizon_told import HorizonTold, Part
    from opportune.workflow.worth import SourceWorth

UNTAUGHT = 0.05
"""Share of decisions without a known outcome from which learning is told of."""
DOUBTS = 5
"""Doubts told below a plan; `opportune check` tells all."""
REASONS = 3
"""Reasons told of one step; a machine gets all of them."""


def print_json(content: Any) -> None:
    """Print one JSON object, from plain data or a struct."""
    from opportune.tables import canonical_json

    sys.stdout.write(canonical_json(content).decode())


def print_failure(status: int, findings: Sequence["Finding"]) -> None:
    """Print why a command did not do its work, as one JSON object."""
    print_json({"status": status, "findings": findings})


def print_table(title: str, header: Sequence[str], rows: Sequence[Sequence[str]], words: int = 1) -> None:
    """Print a table: the first ``words`` columns to the left, the others to the right.

    On a narrow terminal each row becomes lines of ``name: value``: nothing is cut off and nothing wraps in a column.
    """
    widths = [max(len(row[i]) for row in [header, *rows]) for i in range(len(header))]
    print(f"\n{title}")
    if sys.stdout.isatty() and sum(widths) + 2 * len(widths) > shutil.get_terminal_size().columns:
        _print_stacked(header, rows)
        return
    for row in [header, *rows]:
        cells = [cell.ljust(width) for cell, width in zip(row[:words], widths[:words], strict=True)]
        cells += [cell.rjust(width) for cell, width in zip(row[words:], widths[words:], strict=True)]
        print("  ".join(cells).rstrip())


def _print_stacked(header: Sequence[str], rows: Sequence[Sequence[str]]) -> None:
    for row in rows:
        print(row[0])
        for name, cell in zip(header[1:], row[1:], strict=True):
            print(f"  {name}: {cell}" if name else f"  {cell}")


def number(value: float | None, digits: int = 2) -> str:
    """Return a number with thousands separated, or a dash."""
    return "-" if value is None else f"{value:,.{digits}f}"


def print_plan(certificate: "Certificate") -> None:
    """Print the plan with its limits."""
    title = (
        f"Plan: {certificate.status}, value {number(certificate.value, 0)}, bound {number(certificate.bound, 0)}, "
        f"gap {max(certificate.gap, 0.0):.1e} ({certificate.gap_asked:.1e} is enough)"
    )
    rows = [
        [row.name, short_amount(row.used), short_amount(row.limit), number(row.price, 4), short_amount(row.slack)]
        for row in certificate.rows
    ]
    print_table(title, ["limit", "used", "bound", "price", "slack"], rows)
    if certificate.status == "feasible":
        print("Feasible: every limit holds, and the gap is above the one asked for (`opportune explain OP811`).")


def print_doubts(findings: Sequence["Finding"]) -> None:
    """Print what is doubtful and was not refused; nothing where nothing is."""
    if findings:
        print()
    for finding in findings[:DOUBTS]:
        print(f"{finding.severity}: {finding.text()}")
    if len(findings) > DOUBTS:
        print(f"... and {len(findings) - DOUBTS} more. Next: `opportune check` lists them all")


def print_explored(certificate: "Certificate", currency: str) -> None:
    """Print what the plan tries in order to learn, and that its limits then hold in expectation."""
    told = certificate.explored
    if told is None:
        return
    if not told.offers:
        print(
            f"\nExploration: nothing is tried. No offer may be, or the least that could be costs more than "
            f"{number(told.budget, 0)} {currency}: raise the budget, lower the floor, or look at what bars offers."
        )
        return
    print(
        f"\nExploration: {told.opportunities:,} opportunities get one of {told.offers:,} near offers in place of the "
        f"chosen one, with probability {told.floor:g} each; that costs {number(told.cost, 0)} of "
        f"{number(told.budget, 0)} {currency}. The limits hold in expectation; the list that is drawn may use a little "
        "more or less."
    )


def print_untaught(training: dict[str, Any]) -> None:
    """Print how many decisions of the training interval taught nothing because their outcome was not known."""
    made = sum(training[part] for part in ("immature", "taught_by", "outside_catalogue", "left_alone"))
    if training["immature"] > UNTAUGHT * made:
        print(
            f"\nNot learned from: {training['immature']:,} of {made:,} decisions of the training interval, whose "
            "outcome was not known by labels_as_of. If takers are known first, take-up is overstated: end the interval "
            "earlier."
        )


def short_amount(value: float) -> str:
    """Return a number with the digits that its size needs."""
    return number(value, 4) if abs(value) < 10 else number(value, 0)


def print_evidence(estimates: Sequence[dict[str, Any]], measure: str, method: str) -> None:
    """Print one measure's estimates by one method; nothing where there is none yet."""
    if not estimates:
        return
    rows = [
        [
            _policy(row),
            number(row["value"]),
            f"[{number(row['low'])}, {number(row['high'])}]",
            number(row["effective_n"], 0),
            number(row["largest_weight"], 1),
            f"{row['unsupported']:.0%}",
        ]
        for row in estimates
        if row["measure"] == measure and row["method"].startswith(method)
    ]
    header = ["policy", "value", "95 % interval", "effective n", "largest weight", "unsupported"]
    print_table(f"Evidence: {measure} ({method})", header, rows)


def print_tail(rows: Sequence[dict[str, Any]]) -> None:
    """Print the mean of each policy's worst outcomes; nothing where there is none yet."""
    if rows:
        title = f"Risk of loss: mean of the worst {100.0 * rows[0]['share']:g}% of decisions"
        cells = [[row["policy"], number(row["value"], 0), _interval(row, 0)] for row in rows]
        print_table(title, ["policy", "value", "95 % interval"], cells)


def print_realised(rows: Sequence[dict[str, Any]]) -> None:
    """Print per limit the bound, what was planned and what came out, and how probable it is that the limit holds."""
    if any(row["realised"] is not None for row in rows):
        cells = [_came_out(row) for row in rows]
        header = ["limit", "bound", "planned", "came out", "95 % interval", "holds", "from"]
        print_table("Limits of the plan", header, cells)


def _came_out(row: dict[str, Any]) -> list[str]:
    bound = short_amount(row["at_least"] if row["at_most"] is None else row["at_most"])
    if row["realised"] is None:
        return [row["limit"], bound, short_amount(row["planned"]), "-", "-", "-", ""]
    interval = "known" if row["method"] == "known" else f"[{short_amount(row['low'])}, {short_amount(row['high'])}]"
    return [
        row["limit"],
        bound,
        short_amount(row["planned"]),
        short_amount(row["realised"]),
        interval,
        f"{row['holds']:.0%}",
        "" if row["from"] is None else f"{row['from']:,} of {row['listed']:,}",
    ]


def _interval(row: dict[str, Any], digits: int) -> str:
    return f"[{number(row['low'], digits)}, {number(row['high'], digits)}]"


def print_completed(evidence: dict[str, Any]) -> None:
    """Print how many decisions have no outcome yet and are completed; of others ``print_left_out`` tells."""
    if evidence["completed"]:
        print(
            f"\n{evidence['completed']:,} of {evidence['rows']:,} decisions have no outcome yet. Each counts as what "
            f"known ones like it come to: {evidence['completed_by']}"
        )


def print_findings(evidence: dict[str, Any]) -> None:
    """Print what of the evidence is not told, and why; nothing where there is no evidence yet, which says it itself."""
    import msgspec

    from opportune.domain import Finding

    if evidence["estimates"] and evidence["findings"]:
        print("\nNot told:")
        for each in evidence["findings"]:
            print(f"  {msgspec.convert(each, Finding).text()}")


def print_verdicts(evidence: dict[str, Any]) -> None:
    """Print what the evidence shows and what it does not, or that there is none yet."""
    if not evidence["estimates"]:
        print(f"\nNo evidence yet: {_no_evidence(evidence)}")
        return
    words = {"more": "Shown: {} earned more than {}.", "less": "Shown: {} earned less than {}.",
             "nothing": "Not shown: that {} earns more than {}."}  # fmt: skip
    if evidence["verdicts"]:
        print()
    for each in evidence["verdicts"]:
        print(words[each["shown"]].format(each["policy"], each["against"]))


def _no_evidence(evidence: dict[str, Any]) -> str:
    if not evidence["rows"]:
        return f"no decision about the list of {evidence['plan_at'][:10]} has an observed outcome."
    finding = evidence["findings"][0]
    return f"{evidence['rows']:,} decisions have an observed outcome. [{finding['code']}] {finding['message']}."


def print_left_out(evidence: dict[str, Any]) -> None:
    """Print how many of the list the evidence leaves out; nothing where it is about all, or there is none."""
    immature = 0 if evidence["completed"] else evidence["immature"]
    if evidence["rows"] and immature + evidence["undecided"]:
        print(
            f"\nLeft out of the evidence: {immature:,} decisions without an observed outcome, "
            f"{evidence['undecided']:,} opportunities without a decision."
        )


def _policy(row: dict[str, Any]) -> str:
    return row["policy"] if row["against"] is None else f"{row['policy']} - {row['against']}"


def print_timings(timings: dict[str, Any]) -> None:
    """Print how long each step took."""
    rows = [[step["name"], number(step["seconds"]), "reused" if step["reused"] else "run"] for step in timings["steps"]]
    rows.append(["total", number(timings["total_seconds"]), ""])
    print_table(f"Timings: peak memory {timings['peak_memory_mib']} MiB", ["step", "seconds", ""], rows)


def print_forecast(steps: Sequence["StepForecast"]) -> None:
    """Print which steps run, and why; nothing is said of a plan that stands as it is."""
    if not any(step.runs for step in steps):
        print("Nothing changed: every step is reused.")
        return
    rows = [[step.name, "runs" if step.runs else "reused", _why(step.why)] for step in steps]
    print_table("What changed", ["step", "", "because"], rows, words=3)


def _why(reasons: Sequence[str]) -> str:
    shown = "; ".join(reasons[:REASONS])
    return shown + (f"; and {len(reasons) - REASONS} more" if len(reasons) > REASONS else "")


def print_holdout(holdout: dict[str, Any], currency: str) -> None:
    """Print how many customers are left alone at random, and what that costs."""
    if holdout["customers"]:
        print(
            f"\nHoldout: {holdout['customers']:,} customers ({holdout['share']:.1%}) are left alone at random; "
            f"that gives up {number(holdout['cost'], 0)} {currency} of planned value."
        )
    else:
        print("\nHoldout: none. [exploration] holdout in limits.toml sets its share.")


def print_horizon(told: "HorizonTold | None") -> None:
    """Print the list and each week of the forecast that was planned with it; nothing of a plan of the list alone."""
    if told is None:
        return
    weeks = dict.fromkeys(part.week for part in sorted(told.forecast, key=lambda part: part.week))
    parts: dict[str, Sequence[Part]] = {"the list": [told.listed]}
    parts |= {week: [part for part in told.forecast if part.week == week] for week in weeks}
    parts["all"] = [told.listed, *told.forecast]
    resources = list(told.listed.uses)
    rows = [_week(name, held, resources) for name, held in parts.items()]
    title = f"Ahead: {told.weeks} weeks. Status, value and limits above are of the list and the forecast together"
    print_table(title, ["week", "opportunities", "offered", "value", *resources], rows)


def _week(name: str, parts: "Sequence[Part]", resources: Sequence[str]) -> list[str]:
    sums = [sum(part.opportunities for part in parts), sum(part.offered for part in parts)]
    sums += [sum(part.value for part in parts), *(sum(part.uses[each] for part in parts) for each in resources)]
    return [name, *(number(total, 0) for total in sums)]


def print_worth(worth: "SourceWorth", currency: str) -> None:
    """Print what is lost without a source, beside what looking everyone up costs."""
    loss, value = worth.log_loss, worth.value
    print(f"\nWithout {worth.source} ({worth.says}): {', '.join(worth.features) or 'no feature'} left out.")
    rows = [
        ["log loss of take-up, more by", f"{loss.value:.5f}", f"[{loss.low:.5f}, {loss.high:.5f}]"],
        [
            f"planned value, less by, {currency}",
            number(value.value, 0),
            f"[{number(value.low, 0)}, {number(value.high, 0)}]",
        ],
        [f"cost of {worth.pulls:,} pulls, {currency}", number(worth.cost, 0), ""],
    ]
    print_table("Worth of the source", ["", "estimate", "95 % interval"], rows)
