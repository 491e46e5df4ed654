"""The shape of a measurement, and how it is told."""


def result(name: str, value: float, unit: str, *, rival: float | None = None, bar: float | None = None) -> dict:
    """Return one result in the agreed shape; a bar is met when the value is at most the bar."""
    return {
        "name": name,
        "value": _digits(value),
        "unit": unit,
        "rival": None if rival is None else _digits(rival),
        "ratio": None if rival is None else _digits(value / rival),
        "bar": bar,
        "met": None if bar is None else value <= bar,
    }


def told(each: dict) -> str:
    """Return a result as one line."""
    rival = "" if each["rival"] is None else f", {each['ratio']:.2f} of the rival's {each['rival']:g}"
    bar = "" if each["bar"] is None else f"; promised {each['bar']:g}, {'kept' if each['met'] else 'MISSED'}"
    return f"{each['name']}: {each['value']:g} {each['unit']}{rival}{bar}"


def _digits(value: float) -> float:
    """Return the number with four digits that count, so that a gap of 2e-7 is not told as zero."""
    return float(f"{value:.4g}")
