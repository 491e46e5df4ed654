"""The shape of a measurement, and how it is told."""


def result(
    name: str, value: float, unit: str, *, rival: tuple[str, float] | None = None, bar: float | None = None
) -> dict:
    """Return one result in the agreed shape; ``rival`` is a name and a figure; the value may be at most the bar."""
    against, figure = rival or (None, None)
    return {
        "name": name,
        "value": _digits(value),
        "unit": unit,
        "rival": None if figure is None else _digits(figure),
        "against": against,
        "ratio": None if figure is None else _digits(value / figure),
        "bar": bar,
        "met": None if bar is None else bool(value <= bar),
    }


def told(each: dict) -> str:
    """Return a result as one line."""
    rival = "" if each["rival"] is None else f", {each['ratio']:.2g} of {each['rival']:g} ({each['against']})"
    bar = "" if each["bar"] is None else f"; promised {each['bar']:g}, {'kept' if each['met'] else 'MISSED'}"
    return f"{each['name']}: {each['value']:g} {each['unit']}{rival}{bar}"


def _digits(value: float) -> float:
    """Return the number with four digits that count, so that a gap of 2e-7 is not told as zero."""
    return float(f"{value:.4g}")
