"""Write the demo's tables into README.md, between its markers, from the artefacts of a run."""

import json
from pathlib import Path

ROOT = Path(__file__).parents[1]
OUT = ROOT / "examples" / "reengagement" / "out"
START = "<!-- demo: written by `make readme` from examples/reengagement/out/summary.json; do not edit by hand -->"
END = "<!-- end of demo -->"


def main() -> None:
    """Replace what stands between the markers."""
    readme = ROOT / "README.md"
    before, rest = readme.read_text(encoding="utf-8").split(START)
    _, after = rest.split(END)
    summary = json.loads((OUT / "summary.json").read_text(encoding="utf-8"))
    readme.write_text(f"{before}{START}\n{tables(summary)}\n{END}{after}", encoding="utf-8")


def tables(summary: dict) -> str:
    """Return the plan and the evidence as Markdown tables."""
    rows = "\n".join(
        f"| {row['name']} | {_number(row['used'])} | {_number(row['limit'])} | {_number(row['price'])} |"
        for row in summary["plan"]["rows"]
    )
    plan = summary["plan"]
    evidence = "\n".join(
        f"| {_policy(row)} | {row['value']:.2f} | [{row['low']:.2f}, {row['high']:.2f}] |"
        for row in summary["evidence"]
        if row["measure"] == "contribution_per_customer" and row["method"] == "dr"
    )
    return (
        f"\nPlan: {plan['status']}, value {plan['value']:,.0f} rand, proven bound {plan['bound']:,.0f}, "
        f"gap {plan['gap']:.1e}.\n\n| limit | used | bound | price |\n|---|---|---|---|\n{rows}\n\n"
        f"Contribution per listed customer, rand, on October's outcomes (doubly robust, 95 % intervals by branch):\n\n"
        f"| policy | value | interval |\n|---|---|---|\n{evidence}\n"
    )


def _number(value: float) -> str:
    return f"{value:,.0f}" if abs(value) >= 10 else f"{value:.4f}"


def _policy(row: dict) -> str:
    return f"`{row['policy']}`" + (f" less `{row['against']}`" if row["against"] else "")


if __name__ == "__main__":
    main()
