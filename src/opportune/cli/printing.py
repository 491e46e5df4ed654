"""Printing: short tables as plain text, one JSON object for machines."""

import sys
from collections.abc import Sequence
from typing import Any


def print_json(content: Any) -> None:
    """Print one JSON object."""
    from opportune.tables import canonical_json

    sys.stdout.write(canonical_json(content).decode())


def print_table(title: str, header: Sequence[str], rows: Sequence[Sequence[str]]) -> None:
    """Print a table: first column to the left, the others to the right."""
    widths = [max(len(row[i]) for row in [header, *rows]) for i in range(len(header))]
    print(f"\n{title}")
    for row in [header, *rows]:
        cells = [cell.rjust(width) for cell, width in zip(row[1:], widths[1:], strict=True)]
        print("  ".join([row[0].ljust(widths[0]), *cells]).rstrip())


def number(value: float | None, digits: int = 2) -> str:
    """Return a number with thousands separated, or a dash."""
    return "-" if value is None else f"{value:,.{digits}f}"


def print_plan(certificate: dict[str, Any]) -> None:
    """Print the plan with its limits."""
    title = (
        f"Plan: {certificate['status']}, value {number(certificate['value'], 0)}, "
        f"bound {number(certificate['bound'], 0)}, gap {certificate['gap']:.1e}"
    )
    rows = [
        [
            row["name"],
            _amount(row["used"]),
            _amount(row["limit"]),
            number(row["price"], 4),
            _amount(row["slack"]),
        ]
        for row in certificate["rows"]
    ]
    print_table(title, ["limit", "used", "bound", "price", "slack"], rows)


def _amount(value: float) -> str:
    return number(value, 4) if abs(value) < 10 else number(value, 0)


def print_evidence(estimates: Sequence[dict[str, Any]], measure: str, method: str) -> None:
    """Print one measure's estimates by one method."""
    rows = [
        [
            _policy(row),
            number(row["value"]),
            f"[{number(row['low'])}, {number(row['high'])}]",
            number(row["effective_n"], 0),
        ]
        for row in estimates
        if row["measure"] == measure and row["method"].startswith(method)
    ]
    print_table(f"Evidence: {measure} ({method})", ["policy", "value", "95 % interval", "effective n"], rows)


def _policy(row: dict[str, Any]) -> str:
    return row["policy"] if row["against"] is None else f"{row['policy']} - {row['against']}"


def print_timings(timings: dict[str, Any]) -> None:
    """Print how long each step took."""
    rows = [[step["name"], number(step["seconds"]), "reused" if step["reused"] else "run"] for step in timings["steps"]]
    rows.append(["total", number(timings["total_seconds"]), ""])
    print_table(f"Timings: peak memory {timings['peak_memory_mib']} MiB", ["step", "seconds", ""], rows)
