"""The page of the documentation that holds every figure, written by `make bench`."""

import os
import platform
from collections.abc import Sequence
from datetime import date
from itertools import groupby
from pathlib import Path

TITLES = {
    "cli": "Starting", "workflow": "The demo", "decisioning": "Decisions", "economics": "Unit economics",
    "allocation": "Allocation", "evaluation": "Evidence",
}  # fmt: skip

PREFACE = """# Benchmarks

Written by `make bench` on {day}: {cores} cores, {memory:.0f} GiB, Python {python}. Do not edit by hand.

A rival did the same work in the same run; "of the rival" is our figure divided by its. A figure is kept when it is at
most what was promised.
"""
HEAD = ("| figure | measured | rival | of the rival | promised | |", "|---|---|---|---|---|---|")


def write_page(results: Sequence[dict], path: Path) -> None:
    """Write the page of all results, one table per room."""
    memory = os.sysconf("SC_PAGE_SIZE") * os.sysconf("SC_PHYS_PAGES") / 2**30
    preface = PREFACE.format(
        day=date.today().isoformat(),
        cores=len(os.sched_getaffinity(0)),
        memory=memory,
        python=platform.python_version(),
    )
    rooms = sorted(results, key=lambda each: list(TITLES).index(_room(each)))
    tables = [_table(room, list(of_room)) for room, of_room in groupby(rooms, _room)]
    path.write_text("\n".join([preface, *tables]))


def _room(each: dict) -> str:
    return str(each["name"].partition(".")[0])


def _table(room: str, results: Sequence[dict]) -> str:
    return "\n".join([f"## {TITLES[room]}", "", *HEAD, *map(_line, results), ""])


def _line(each: dict) -> str:
    name = each["name"].partition(".")[2].replace("_", " ")
    rival = "" if each["rival"] is None else f"{each['against']}: {each['rival']:g}"
    ratio = "" if each["ratio"] is None else f"{each['ratio']:.2g}"
    promised = "" if each["bar"] is None else f"{each['bar']:.4g}"
    kept = {None: "", True: "kept", False: "**missed**"}[each["met"]]
    return f"| {name} | {each['value']:g} {each['unit']} | {rival} | {ratio} | {promised} | {kept} |"
