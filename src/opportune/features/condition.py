"""Conditions: the SQL of a feature's ``where``, read as one expression over the columns of its own table.

What a lender writes is parsed and written anew, never pasted: it cannot close a bracket that it did not open, look into
another table, or ask the clock.
"""

from collections.abc import Iterator, Sequence
from typing import TYPE_CHECKING, Any

import msgspec

if TYPE_CHECKING:
    from sqlglot import exp

VALUES = (
    "Column", "Identifier", "Literal", "Boolean", "Null", "Paren", "Tuple", "Array", "Interval", "IntervalSpan",
    "Var", "DataType", "DataTypeParam",
)  # fmt: skip
OPERATORS = (
    "And", "Or", "Not", "EQ", "NEQ", "GT", "GTE", "LT", "LTE", "NullSafeEQ", "NullSafeNEQ", "Is", "In", "Any",
    "Between", "Like", "ILike", "SimilarTo", "Escape", "Add", "Sub", "Mul", "Div", "IntDiv", "Mod", "Neg", "DPipe",
    "Case", "If", "Cast", "TryCast", "Bracket",
)  # fmt: skip
FUNCTIONS = (
    "Coalesce", "Nullif", "Greatest", "Least", "Abs", "Sign", "Round", "Floor", "Ceil", "Sqrt", "Ln", "Log", "Exp",
    "Pow", "IsNan", "IsInf", "Lower", "Upper", "Length", "Trim", "Substring", "Left", "Right", "Replace", "Concat",
    "StartsWith", "EndsWith", "Contains", "StrPosition", "RegexpLike", "RegexpFullMatch", "ArrayContains", "Extract",
    "Year", "Month", "Day", "DayOfWeek", "DayOfYear", "Week", "WeekOfYear", "Quarter", "DateTrunc", "TimestampTrunc",
    "DateDiff", "DateBin", "DateFromParts", "TimeToStr", "StrToTime", "TimeToUnix",
)  # fmt: skip
"""The expressions of sqlglot that a condition may have. A list of what is refused would have to know every function
that reads the clock, chance or columns by pattern, of this version of the dialect and of the next."""
EXPECTED = "expected comparisons of columns and values, or a common function of them"


class Condition(msgspec.Struct, frozen=True):
    """``sql`` with every column written as ``e."name"`` in the table's own spelling, and the names of the columns."""

    sql: str
    columns: frozenset[str]


class NotACondition(ValueError):
    """The text is no condition on the columns of one row; the message ends a sentence that begins with the text."""


def read_condition(text: str, columns: Sequence[str]) -> Condition:
    """Return the condition in DuckDB's dialect. NotACondition when it is more, or less, than one on a row's columns."""
    from sqlglot import exp

    tree = _parsed(text)
    for refused in _refused(tree):
        raise NotACondition(refused)
    named = [(column, _known(column, columns)) for column in tree.find_all(exp.Column)]
    for column, name in named:
        column.set("this", exp.to_identifier(name, quoted=True))
        column.set("table", exp.to_identifier("e"))
    return Condition(tree.sql("duckdb", comments=False), frozenset(name for _, name in named))


def _parsed(text: str) -> "exp.Condition":
    import sqlglot
    from sqlglot import exp
    from sqlglot.errors import SqlglotError

    try:
        found = sqlglot.parse(text, read="duckdb")
    except SqlglotError as error:
        raise NotACondition(f"is not one SQL expression: {_where(error)}") from error
    if len(found) != 1 or not isinstance(found[0], exp.Condition):
        raise NotACondition("is not one SQL expression, such as kind = 'loan'")
    return found[0]


def _where(error: Any) -> str:
    """Return where the parser stopped, without its underlining."""
    told = error.errors[0] if getattr(error, "errors", None) else {}
    return f"unexpected {told['highlight']!r}" if told.get("highlight") else "a quote or bracket does not close"


def _refused(tree: "exp.Condition") -> Iterator[str]:
    """Yield why an expression is more than a condition on one row: whatever is not known to depend on it alone."""
    from sqlglot import exp

    allowed = tuple(getattr(exp, name) for name in VALUES + OPERATORS + FUNCTIONS)
    for node in tree.walk():
        if isinstance(node, exp.Query | exp.Subquery | exp.Table):
            yield "looks into a table by itself: expected columns of the feature's own table"
        elif isinstance(node, exp.AggFunc | exp.Window):
            yield f"sums over rows ({_text(node)}): expected a condition on one row"
        elif not isinstance(node, allowed):
            yield f"has {_text(node)}, which is not known to depend on the columns of one row alone: {EXPECTED}"


def _text(node: Any) -> str:
    return str(node.sql("duckdb"))


def _known(column: "exp.Column", columns: Sequence[str]) -> str:
    """Return the table's own spelling of a column: SQL does not tell capitals apart."""
    spelt = {name.casefold(): name for name in columns}
    if column.table and column.table != "e":
        raise NotACondition(f"names the table {column.table!r}: expected columns of the feature's own table")
    if column.name.casefold() not in spelt:
        raise NotACondition(f"names {column.name!r}: expected one of {', '.join(columns)}")
    return spelt[column.name.casefold()]
