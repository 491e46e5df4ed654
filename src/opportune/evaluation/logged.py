"""Logged decisions: what was done, how likely it was, what else could have been, and what followed."""

from collections.abc import Iterable, Iterator, Mapping
from itertools import chain

import msgspec
import numpy as np

from opportune.domain import NO_OFFER_ID, BadInput, Finding
from opportune.numerics import cluster_codes

Test = tuple[str, np.ndarray, str, str]
"""A code, the rows (n,) that it is about, what is wrong with them, and the next step."""

FEWEST_CLUSTERS = 10
"""A bootstrap of fewer clusters says nothing: of one alone its interval is a point."""
CLUSTERS = ("customer_id", "cluster", "decision_id", "slot")
BLOCK = 65_536
"""Rows that are worked on at once."""
_SHOWN = 3
_SUM_TOLERANCE = 1e-6


class LoggedDecisions(msgspec.Struct, frozen=True, kw_only=True):
    """Arrays over n decisions and K offers.

    ``action`` (n,) is the index of the logged offer, or -1 where it lies outside the catalogue; ``eligible`` (n, K);
    ``probability`` (n, K) is the logging policy's P(offer) and ``outside`` (n,) its P(an offer outside the catalogue):
    together they sum to one. ``outcome`` maps a measure to (n,) numbers; ``cluster`` (n,) names what is resampled
    together. ``decided_at`` (n,) datetime64 is needed only where the order of decisions counts. ``only_logged``: of
    ``probability`` only the logged offer's is known; those of others say no more than that they could be drawn.

    Arrays (n, K) may be float32 where memory counts; sums are in float64 all the same.
    """

    decision_id: np.ndarray
    customer_id: np.ndarray
    slot: np.ndarray
    offer_ids: tuple[str, ...]
    action: np.ndarray
    eligible: np.ndarray
    probability: np.ndarray
    outside: np.ndarray
    outcome: dict[str, np.ndarray]
    cluster: np.ndarray
    decided_at: np.ndarray | None = None
    only_logged: bool = False

    def __len__(self) -> int:
        return len(self.decision_id)

    @property
    def no_offer(self) -> int | None:
        """The column of ``NO_OFFER``; None where the log holds no decision of it."""
        return self.offer_ids.index(NO_OFFER_ID) if NO_OFFER_ID in self.offer_ids else None

    def left_alone(self) -> np.ndarray:
        """Return the logging policy's P(``NO_OFFER``) per row (n,), zero where the log holds no decision of it.

        BadInput (OP834) where it is not known.
        """
        column = self.no_offer
        if column is None:
            return np.zeros(len(self))
        self.refuse_only_logged(f"how likely {NO_OFFER_ID} was in each decision")
        return np.asarray(self.probability[:, column], dtype=np.float64)

    def given_an_offer(self) -> np.ndarray:
        """Return the logging policy's P(offer | some offer) (n, K), zero for ``NO_OFFER`` and where it is certain.

        BadInput (OP834) where they are not known.
        """
        self.refuse_only_logged("how likely each offer was in each decision")
        column = self.no_offer
        if column is None:
            return self.probability
        made = (1.0 - self.left_alone())[:, None]
        given = np.asarray(np.divide(self.probability, made, out=np.zeros(self.probability.shape), where=made > 0))
        given[:, column] = 0.0
        return given

    def action_probability(self) -> np.ndarray:
        """Return P(the logged offer) per row (n,); NaN where it lies outside the catalogue."""
        return np.where(self.action >= 0, self.at_action(self.probability), np.nan)

    def at_action(self, values: np.ndarray) -> np.ndarray:
        """Return what an array (n, K) holds for the logged offer (n,); zero where that lies outside the catalogue."""
        taken = np.zeros(len(self))
        for start in range(0, len(self), BLOCK):  # in blocks, because fresh pages cost more than the arithmetic
            block = slice(start, start + BLOCK)
            inside = np.flatnonzero(self.action[block] >= 0)
            taken[start + inside] = values[block][inside, self.action[block][inside]]
        return taken

    def refuse_only_logged(self, needed: str) -> None:
        """Raise BadInput (OP834) where only the logged offer's probability is known; ``needed`` says what would be."""
        if self.only_logged:
            message = f"is that of the logged offer alone: expected {needed}"
            step = "give a second table `eligible` with the probability of every offer that could have been drawn"
            raise BadInput(
                [Finding(code="OP834", source="decisions", subject="probability", message=message, next_step=step)]
            )

    def measured(self, measure: str) -> np.ndarray:
        """Return the outcomes (n,) of a measure."""
        if measure not in self.outcome:
            raise ValueError(f"measure is {measure!r}: expected one of {', '.join(map(repr, self.outcome))}")
        return self.outcome[measure]

    def clustered_by(self, cluster: str) -> np.ndarray:
        """Return the array (n,) whose equal values are resampled together: a field of ids, by its name."""
        if cluster not in CLUSTERS:
            raise ValueError(f"cluster is {cluster!r}: expected one of {', '.join(map(repr, CLUSTERS))}")
        return np.asarray(getattr(self, cluster))


def check_logged(logged: LoggedDecisions) -> list[Finding]:
    """Return findings about a log that cannot carry an estimate, with counts and first examples."""
    count = cluster_codes(logged.cluster)[0]
    few = [few_clusters(count)] if count < FEWEST_CLUSTERS else []
    return few + _found(logged, _tests(logged, logged.outcome))


def refuse_unusable(logged: LoggedDecisions, outcomes: Mapping[str, np.ndarray], may_be_open: bool) -> None:
    """Raise BadInput where estimates of the named outcomes (n,) would be wrong.

    ``may_be_open`` says that outcomes that are not yet known are completed.
    """
    open_as_zero = {name: np.where(np.isnan(each), 0.0, each) for name, each in outcomes.items()}
    findings = _found(logged, _tests(logged, open_as_zero if may_be_open else outcomes))
    if findings:
        raise BadInput(findings)


def few_clusters(count: int) -> Finding:
    """Return the finding about a log of so few clusters."""
    message = f"has {count} clusters: expected at least {FEWEST_CLUSTERS}, because an interval resamples them"
    step = "name a finer column as `cluster` in opportune.toml, such as the customer"
    step = step if count else "give decisions: there are none, or none had been made by then"
    return Finding(code="OP609", source="decisions", subject="cluster", message=message, next_step=step)


def _found(logged: LoggedDecisions, tests: Iterable[Test]) -> list[Finding]:
    return [
        Finding(
            code=code, source="decisions", subject=", ".join(map(str, logged.decision_id[rows][:_SHOWN])),
            message=f"{int(rows.sum())} decisions: {message}", next_step=step,
        )
        for code, rows, message, step in tests
        if rows.any()
    ]  # fmt: skip


def _tests(logged: LoggedDecisions, outcomes: Mapping[str, np.ndarray]) -> Iterator[Test]:
    return chain(_tests_of_rows(logged), _tests_of_action(logged), _tests_of_outcome(outcomes))


def _tests_of_rows(logged: LoggedDecisions) -> Iterator[Test]:
    total = row_sums(logged.probability, logged.eligible) + logged.outside
    count, codes = cluster_codes(logged.decision_id)
    twice = np.asarray(np.bincount(codes, minlength=count)[codes] > 1)
    yield "OP601", twice, "the id is not unique", "keep one row per decision"
    yield "OP603", _beyond(logged.probability), "a probability lies outside 0 to 1", "log probabilities as fractions"
    unsummed = np.asarray(~(np.abs(total - 1.0) <= _SUM_TOLERANCE))
    says = "probabilities of the eligible offers do not sum to 1"
    yield "OP604", unsummed, says, "log every eligible offer, or estimate them from a stratum"


def _beyond(probability: np.ndarray) -> np.ndarray:
    """Return the rows (n,) with a probability (n, K) outside 0 to 1."""
    if np.min(probability, initial=0.0) >= 0 and np.max(probability, initial=1.0) <= 1:  # the usual case, faster
        return np.zeros(len(probability), dtype=bool)
    return np.asarray(((probability > 1) | (probability < 0)).any(axis=1))


def _tests_of_action(logged: LoggedDecisions) -> Iterator[Test]:
    inside = logged.action >= 0
    made = np.where(inside, logged.at_action(logged.probability), logged.outside)
    step = "log the probability that the draw had; of estimated ones check the strata, or the catalogue"
    yield "OP602", ~(made > 0), "the logged offer has probability zero", step
    yield "OP603", made > 1, "the logged offer has a probability above 1", "log probabilities as fractions"
    barred = inside & (logged.at_action(logged.eligible) == 0)
    yield "OP605", barred, "the logged offer was not eligible", "check eligibility against the log"


def _tests_of_outcome(outcomes: Mapping[str, np.ndarray]) -> Iterator[Test]:
    step = "give a `completion` that tells what they come to; left out, they bias whatever decides when it is known"
    for measure, outcome in outcomes.items():
        yield "OP606", np.asarray(~np.isfinite(outcome)), f"{measure} is not known", step


def refuse_unpredicted(logged: LoggedDecisions, predicted: np.ndarray) -> None:
    """Raise BadInput (OP627) where a prediction (n, K) is no finite number: every estimate with it would be none."""
    if np.isfinite(np.sum(predicted, dtype=np.float64)):  # found without an array (n, K)
        return
    rows = ~np.isfinite(predicted).all(axis=1)
    says, step = "a prediction is no finite number", "predict every offer of the catalogue, eligible or not"
    raise BadInput(_found(logged, [("OP627", np.asarray(rows), says, step)]))


def row_sums(weights: np.ndarray, values: np.ndarray) -> np.ndarray:
    """Return sum_k weights x values per row (n,) in float64, without an array (n, K) for their product."""
    there = np.broadcast_to(values, weights.shape)
    return np.asarray(np.einsum("nk,nk->n", weights, there, dtype=np.float64, casting="same_kind"))
