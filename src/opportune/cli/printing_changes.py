"""Printing what changes: between two plans, from today's policy to the plan, and over the lists of the past."""

from collections.abc import Sequence
from typing import TYPE_CHECKING, Any

from opportune.cli.printing import number, print_table, short_amount

if TYPE_CHECKING:
    from opportune.domain import Estimate
    from opportune.workflow.change import PlanChange


def print_change(change: "PlanChange | None", currency: str, against: str) -> None:
    """Print who gets another offer, the change of value with its interval, and the limits before and after."""
    if change is None:
        print("\nNo release yet: there is nothing to compare with.")
        return
    for line in change.settings:
        print(f"  {line}")
    print(f"\nAgainst {against}: {change.changed:,} of {change.customers:,} customers get another offer.")
    if change.unmatched:
        print(f"{change.unmatched:,} customers are not in both lists, and are not compared.")
    if change.changed:
        value = change.value
        print(
            f"Planned value changes by {number(value.value, 0)} {currency} "
            f"[{number(value.low, 0)}, {number(value.high, 0)}] ({value.method})."
        )
        print_swaps(change, currency)
    rows = [[row.name, _both(row.used), _both(row.bound), _both(row.price, 4)] for row in change.limits]
    print_table("Limits, before and after", ["limit", "used", "bound", "price"], rows)
    if any(change.ahead):
        before, after = (f"{count:,}" for count in change.ahead)
        print(
            f"Limits are of the list and the forecast together, {before} forecast opportunities before and {after} "
            "after. Who changes, and the change of value, are of the list alone."
        )


def print_swaps(change: "PlanChange", currency: str) -> None:
    """Print who changes by group and kind, with the change of value and of each use, and who has no label."""
    uses = [name for name in change.kinds[0].uses if name != "contacts"]
    rows = [
        [row.group, row.kind, number(row.customers, 0), _spread(row.value), *(_spread(row.uses[name]) for name in uses),
         number(row.no_label, 0) if row.no_label else ""]
        for row in (*change.kinds, *change.swaps)
        if row.customers
    ]  # fmt: skip
    header = ["group", "change", "customers", f"value, {currency}", *(name.replace("_", " ") for name in uses)]
    print_table("Who changes, newer less older", [*header, "no label"], rows, words=2)
    unknown = sum(row.no_label for row in change.kinds)
    if unknown:
        print(
            f"No label: the log never made {unknown:,} of these offers in their band. Their value is a forecast only."
        )


def print_swap_set(told: dict[str, Any]) -> None:
    """Print what the outcomes say of the customers who change from today's policy to the plan."""
    if told["why_not"] is not None:
        print(f"\nNo swap set: {told['why_not']}.")
        return
    rows = [
        [cell["segment"], cell["kind"], number(cell["customers"], 0), *map(_mean_change, _told_of(cell)),
         number(cell["no_label"], 0) if cell["no_label"] else ""]
        for cell in told["cells"]
    ]  # fmt: skip
    header = ["segment", "change", "customers", "value", "amount lent", "arrears", "no label"]
    print_table(f"Swap set: from '{told['older']}' to '{told['newer']}', change per customer", header, rows, words=2)
    if told["assumption"]:
        print(f"Assumed: {told['assumption']}")


def print_back_test(told: dict[str, Any]) -> None:
    """Print each list of the past: who taught, what was planned, and what the plan earned against its rivals."""
    rows = [_list_row(one, told["headline"]) for one in told["lists"]]
    against = [f"{policy} - {other}" for policy, other in told["headline"]]
    header = ["list", "taught by", "planned", *against]
    print_table("Back-test: contribution per customer of lists planned with what was known then", header, rows)
    for one in told["lists"]:
        if one["why_not"] is not None:
            print(f"{one['at'][:10]}: {one['why_not']}")


def _list_row(one: dict[str, Any], headline: Sequence[Sequence[str]]) -> list[str]:
    if one["judged"] is None:
        return [one["at"][:10], *["-"] * (2 + len(headline))]
    estimates = {(row["policy"], row["against"]): row for row in one["judged"]["estimates"]
                 if row["measure"] == "contribution_per_customer"}  # fmt: skip
    differences = [_mean_change(estimates.get((policy, other))) for policy, other in headline]
    return [one["at"][:10], number(one["planned"]["taught_by"], 0), number(one["planned"]["value"], 0), *differences]


def _told_of(cell: dict[str, Any]) -> list[dict[str, Any] | None]:
    names = ("contribution_per_customer", "amount_lent", "expected_loss")
    return [cell["change"][name] for name in names]


def _mean_change(found: dict[str, Any] | None) -> str:
    if found is None:
        return "not known"
    return f"{number(found['value'])} [{number(found['low'])}, {number(found['high'])}]"


def _spread(estimate: "Estimate") -> str:
    if estimate.low == estimate.high:
        return number(estimate.value, 0)
    return f"{number(estimate.value, 0)} [{number(estimate.low, 0)}, {number(estimate.high, 0)}]"


def _both(pair: tuple[float | None, float | None], digits: int | None = None) -> str:
    before, after = (
        "-" if each is None else short_amount(each) if digits is None else number(each, digits) for each in pair
    )
    return before if before == after else f"{before} -> {after}"
