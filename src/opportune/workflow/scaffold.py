"""A new project: commented files and a little generated data that runs from end to end as it is."""

import csv
import io
from datetime import date, timedelta
from importlib.resources import as_file, files
from pathlib import Path
from shutil import copytree, ignore_patterns

import numpy as np

from opportune.domain import BadInput, Finding
from opportune.numerics import expit, generator
from opportune.tables import replace_directory, write_text

LETTERS = 2_000
WAVES = (date(2025, 1, 15), date(2025, 2, 15), date(2025, 3, 1))
STANDARD = {"A": 2.0, "B": 3.0}
STEP = {"A": 0.4, "B": 0.6}


def scaffold(directory: Path) -> None:
    """Make a project folder at ``directory``, whole or not at all. BadInput when something is already there."""
    if directory.exists():
        message = "exists already: expected a folder that is still to be made"
        finding = Finding(
            code="OP808", source=str(directory), subject="", message=message, next_step="name another folder"
        )
        raise BadInput([finding])
    replace_directory(directory, _build)


def _build(directory: Path) -> None:
    with as_file(files("opportune.workflow") / "template") as template:
        copytree(template, directory, dirs_exist_ok=True)
    (directory / "gitignore.txt").rename(directory / ".gitignore")
    with as_file(files("opportune") / "schemas") as schemas:
        copytree(schemas, directory / ".schemas", ignore=ignore_patterns("*-output.schema.json"))
    for name, rows in _generated().items():
        write_text(directory / "data" / f"{name}.csv", _csv(rows))


def _generated() -> dict[str, list[dict[str, object]]]:
    """Return letters, customers and events of an invented lender whose customers answer to price and recency."""
    draw = generator(1, "new project")
    letters, customers, events = [], [], []
    for wave, sent_at in enumerate(WAVES):
        for i in range(LETTERS):
            customer = f"c{wave}{i:04d}"
            score, since = float(np.round(draw.normal(640, 70))), int(draw.integers(2, 400))
            letters.append(_letter(draw, f"l{wave}{i:04d}", customer, sent_at, score, since))
            customers.append(
                {
                    "customer_id": customer,
                    "known_from": sent_at - timedelta(days=1),
                    "score": None if draw.random() < 0.05 else score,
                    "age": int(draw.integers(19, 75)),
                }
            )
            events.append(_purchase(draw, customer, sent_at, since))
    return {"letters": letters, "customers": customers, "events": events}


def _letter(
    draw: np.random.Generator, letter: str, customer: str, sent_at: date, score: float, since: int
) -> dict[str, object]:
    band = "A" if score >= 650 else "B"
    rate = STANDARD[band] - STEP[band] * float(draw.integers(0, 3)) - float(np.round(draw.uniform(0, 0.3), 2))
    taken = draw.random() < expit(np.array(-0.3 - 0.8 * (rate - 2.0) - since / 150.0))
    amount, term = float(np.round(draw.gamma(4.0, 200.0) + 100.0, 2)), int(draw.choice([6, 12]))
    late = draw.random() < expit(np.array((600.0 - score) / 60.0))
    return {
        "letter_id": letter,
        "customer_id": customer,
        "sent_at": sent_at,
        "band": band,
        "branch": f"branch {int(draw.integers(0, 40)):02d}",
        "monthly_rate_pp": round(rate, 2),
        "observed_until": sent_at + timedelta(days=240),
        "took_up": int(taken),
        "amount_lent": amount if taken else None,
        "term_months": term if taken else None,
        "arrears": (round(amount * float(draw.beta(1, 6)), 2) if late else 0.0) if taken else None,
    }


def _purchase(draw: np.random.Generator, customer: str, sent_at: date, since: int) -> dict[str, object]:
    happened = sent_at - timedelta(days=since)
    return {
        "event_id": f"e-{customer}",
        "customer_id": customer,
        "event_time": happened,
        "arrived_at": happened + timedelta(days=1),
        "kind": "purchase",
        "amount": round(float(draw.gamma(2.0, 40.0)), 2),
    }


def _csv(rows: list[dict[str, object]]) -> str:
    text = io.StringIO()
    writer = csv.DictWriter(text, fieldnames=list(rows[0]), lineterminator="\n")
    writer.writeheader()
    writer.writerows(rows)
    return text.getvalue()
