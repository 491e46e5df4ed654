"""From facts and terms to columns of numbers: learned once, replayed exactly.

Text becomes one column per level seen in training; an unseen level is zero in all of them. A number is standardised;
missing is the training mean with a flag beside it, or NaN where the learner knows missing values itself.
"""

from collections.abc import Mapping, Sequence

import msgspec
import numpy as np

from opportune.models.spec import ModelSpec

Columns = dict[str, np.ndarray]


class NumberCode(msgspec.Struct, frozen=True, kw_only=True):
    """Learned state of a numeric input. ``knots`` are standardised points where the slope may change.

    A linear predictor cuts the input to [``low``, ``high``], the middle 99 % of training: behind a logarithmic link one
    odd income would otherwise be worth more than the whole list.
    """

    name: str
    low: float
    high: float
    mean: float
    scale: float
    knots: tuple[float, ...]
    flags_missing: bool


class TextCode(msgspec.Struct, frozen=True, kw_only=True):
    """Learned state of a text input: its levels, sorted."""

    name: str
    levels: tuple[str, ...]


class Encoding(msgspec.Struct, frozen=True, kw_only=True):
    """Learned state of all inputs, in the order of the specification: features, then terms."""

    numbers: tuple[NumberCode, ...]
    texts: tuple[TextCode, ...]


def learn_encoding(spec: ModelSpec, values: Mapping[str, np.ndarray], terms: Mapping[str, np.ndarray]) -> Encoding:
    """Learn the encoding of the rows of a training set. Knots stand at the terciles of each unsigned feature.

    An input with a declared sign has no knots, so that one coefficient carries the sign.
    """
    numbers, texts = [], []
    for name in spec.features:
        if values[name].dtype == object:
            levels = sorted({str(value) for value in values[name] if value is not None})
            texts.append(TextCode(name=name, levels=tuple(levels)))
        else:
            numbers.append(_number_code(name, values[name], knots=name not in spec.monotone))
    numbers += [_number_code(name, terms[name], knots=False) for name in spec.terms]
    return Encoding(numbers=tuple(numbers), texts=tuple(texts))


def _number_code(name: str, values: np.ndarray, knots: bool) -> NumberCode:
    known = values[~np.isnan(values)]
    low, high = (float(q) for q in np.quantile(known, [0.005, 0.995])) if len(known) else (0.0, 0.0)
    cut = np.clip(known, low, high)
    mean, scale = (float(np.mean(cut)), float(np.std(cut)) or 1.0) if len(known) else (0.0, 1.0)
    terciles = np.unique(np.quantile(cut, [1 / 3, 2 / 3])) if knots and len(known) else np.array([])
    inner = tuple(float((tercile - mean) / scale) for tercile in terciles if low < tercile < high)
    return NumberCode(
        name=name,
        low=low,
        high=high,
        mean=mean,
        scale=scale,
        knots=inner,
        flags_missing=len(known) < len(values),
    )


def linear_columns(encoding: Encoding, inputs: Mapping[str, np.ndarray]) -> Columns:
    """Return the columns of a linear predictor by name: standardised number, hinges, missing flag, levels."""
    columns: Columns = {}
    for code in encoding.numbers:
        missing = np.isnan(inputs[code.name])
        z = np.where(missing, 0.0, (np.clip(inputs[code.name], code.low, code.high) - code.mean) / code.scale)
        columns[code.name] = z
        for i, knot in enumerate(code.knots):
            columns[f"{code.name} above knot {i + 1}"] = np.where(missing, 0.0, np.maximum(z - knot, 0.0))
        if code.flags_missing:
            columns[f"{code.name} missing"] = missing.astype(np.float64)
    return columns | _level_columns(encoding.texts, inputs)


def tree_columns(encoding: Encoding, inputs: Mapping[str, np.ndarray]) -> Columns:
    """Return the columns of a tree by name: numbers as they are with NaN for missing, and levels."""
    numbers = {code.name: np.asarray(inputs[code.name], dtype=np.float64) for code in encoding.numbers}
    return numbers | _level_columns(encoding.texts, inputs)


def _level_columns(texts: Sequence[TextCode], inputs: Mapping[str, np.ndarray]) -> Columns:
    return {
        f"{code.name} is {level}": (inputs[code.name] == level).astype(np.float64)
        for code in texts
        for level in code.levels
    }


def column_names(encoding: Encoding, linear: bool) -> tuple[str, ...]:
    """Return the names of the columns in their order, without data."""
    empty: dict[str, np.ndarray] = {code.name: np.empty(0) for code in encoding.numbers}
    empty |= {code.name: np.empty(0, dtype=object) for code in encoding.texts}
    return tuple((linear_columns if linear else tree_columns)(encoding, empty))
