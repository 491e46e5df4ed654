"""SQL that must mean the same everywhere: the keyed draw, and sums of money."""


def keyed_uniform_sql(seed: int, purpose: str, id_expression: str) -> str:
    """Return SQL for the draw of ``opportune.numerics.keyed_uniform``, equal to it bit for bit."""
    key = f"md5('{quoted(f'{seed}|{purpose}|')}' || {id_expression})"
    return f"(CAST('0x' || substr({key}, 1, 13) AS BIGINT) / 4503599627370496.0::DOUBLE)"


def money_sum_sql(expression: str, keep: str = "") -> str:
    """Return SQL for a sum of money as DECIMAL, the same whatever the order of rows and the number of threads.

    Parallel sums of floats differ from run to run. ``keep`` is a FILTER clause.
    """
    return f"CAST(sum(CAST({expression} AS DECIMAL(38, 6))) {keep} AS DOUBLE)"


def quoted(text: str) -> str:
    """Return text for the inside of an SQL literal."""
    return text.replace("'", "''")
