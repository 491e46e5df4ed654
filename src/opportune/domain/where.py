"""Where: a condition on an opportunity, written like SQL: comparisons of columns with values, joined by AND.

Small on purpose: it is evaluated on columns in batch, and on one opportunity in the service, where no SQL engine runs.
"""

import operator
import re
from collections.abc import Mapping
from typing import Any

import msgspec
import numpy as np

from opportune.domain.factor import factor

TERM = re.compile(r"\s*(\w+)\s*(=|!=|<>|<=|>=|<|>|\bIN\b|\bin\b)\s*(.+?)\s*", re.DOTALL)
LITERAL = re.compile(r"'((?:[^']|'')*)'|(-?\d+(?:\.\d+)?)")
COMPARE = {
    "=": operator.eq, "!=": operator.ne, "<": operator.lt, "<=": operator.le, ">": operator.gt, ">=": operator.ge,
}  # fmt: skip
EXAMPLE = "such as surface = 'checkout' AND amount >= 50"


class Comparison(msgspec.Struct, frozen=True):
    """``column`` compared with ``values`` by ``operator``: one value, or several for ``in``."""

    column: str
    operator: str
    values: tuple[str | float, ...]

    def holds(self, given: np.ndarray) -> np.ndarray:
        """Return the mask (n,) of the rows that meet it; a missing value meets nothing."""
        found, codes = factor(given)
        return np.asarray(np.array([self._meets(each) for each in found], dtype=bool)[codes])

    def _meets(self, given: Any) -> bool:
        if given is None or given != given:
            return False
        if self.operator == "in":
            return any(self._like(given, value) == value for value in self.values)
        return bool(COMPARE[self.operator](self._like(given, self.values[0]), self.values[0]))

    def _like(self, given: Any, value: str | float) -> Any:
        """Return a value as text or as a number, whichever it is compared with. ValueError where it is no number."""
        try:
            return str(given) if isinstance(value, str) else float(given)
        except ValueError as error:
            raise ValueError(
                f"compares column {self.column!r} with the number {value:g}, and it holds {given!r}: expected text in "
                "quotes, or a column of numbers"
            ) from error


def parse_where(text: str) -> tuple[Comparison, ...]:
    """Return the comparisons of a condition. ValueError with words when it is not of this form."""
    return tuple(_comparison(part) for part in _split(text))


def _split(text: str) -> list[str]:
    """Return the parts between AND; text in quotes is never split."""
    parts = re.split(r"\s+AND\s+(?=(?:[^']*'[^']*')*[^']*$)", text, flags=re.IGNORECASE)
    return [part for part in parts if part.strip()] or [text]


def _comparison(text: str) -> Comparison:
    found = TERM.fullmatch(text)
    if found is None:
        raise ValueError(f"{text.strip()!r} is no comparison of a column with a value: expected one, {EXAMPLE}")
    column, operator, rest = found[1], found[2].lower().replace("<>", "!="), found[3]
    if operator == "in":
        if not (rest.startswith("(") and rest.endswith(")")):
            raise ValueError(f"{text.strip()!r} lists no values: expected column IN ('a', 'b')")
        return Comparison(column, operator, tuple(_literal(each) for each in _items(rest[1:-1])))
    return Comparison(column, operator, (_literal(rest),))


def _items(text: str) -> list[str]:
    return re.split(r",(?=(?:[^']*'[^']*')*[^']*$)", text)


def _literal(text: str) -> str | float:
    found = LITERAL.fullmatch(text.strip())
    if found is None:
        raise ValueError(f"{text.strip()!r} is no value: expected a number, or text in single quotes")
    return found[1].replace("''", "'") if found[2] is None else float(found[2])


def rows_where(text: str, attributes: Mapping[str, np.ndarray]) -> np.ndarray:
    """Return the mask (n,) of the opportunities that meet a condition.

    KeyError for a column that they do not have; ValueError, with words, for text that is compared with a number.
    """
    masks = [each.holds(attributes[each.column]) for each in parse_where(text)]
    return np.asarray(np.logical_and.reduce(masks))
