"""Policies to be judged, as probabilities over the rows of a log."""

import msgspec
import numpy as np

from opportune.evaluation.logged import BLOCK, LoggedDecisions, row_sums

SUM_TOLERANCE = 1e-6
"""How far from 1 probabilities of a policy may sum by rounding."""


class AsLogged(msgspec.Struct, frozen=True):
    """Contact each customer with probability ``contact`` (n,), at the logged offer: no reweighting is needed.

    ``logging`` (n, K) are the logged probabilities, so that this policy too can say its own. Where the log holds
    decisions of ``NO_OFFER``, they are those given some offer (``LoggedDecisions.given_an_offer``): a customer is
    contacted at an offer drawn as the log drew offers, and else left alone. Both are then reweighted.
    """

    name: str
    contact: np.ndarray
    logging: np.ndarray

    def take(self, rows: slice) -> "AsLogged":
        """Return the policy over the given rows."""
        return AsLogged(self.name, self.contact[rows], self.logging[rows])

    def probabilities(self, eligible: np.ndarray) -> np.ndarray:
        """Return P(offer) (n, K): the logged probabilities, thinned by the probability of contact."""
        return np.where(eligible, self.logging * self.contact[:, None], 0.0)

    def offered(self, logged: LoggedDecisions) -> np.ndarray:
        """Return P(some offer) per row (n,)."""
        del logged
        return self.contact

    def told(self, logged: LoggedDecisions) -> np.ndarray:
        """Return the probability (n,) of what the log can tell about: some offer, or anything where it left alone."""
        return self.contact if logged.no_offer is None else np.ones(len(logged))

    def weights(self, logged: LoggedDecisions) -> np.ndarray:
        """Return P(logged offer) under this policy over that under the log, (n,): the contact probability.

        Where the log left customers alone at random, those contacted stand for them too, and the other way round.
        """
        if logged.no_offer is None:
            return self.contact
        alone = logged.left_alone()
        left, made = _over(1.0 - self.contact, alone), _over(self.contact, 1.0 - alone)
        return np.where(logged.action == logged.no_offer, left, made)

    def expected(self, logged: LoggedDecisions, prediction: np.ndarray) -> np.ndarray:
        """Return the expected prediction (n,): that of the logged offer, which is the one that would be made.

        A row outside the catalogue has no prediction; zero there leaves its booked outcome as it is. A row that was
        left alone has that of the offers that the log could have drawn.
        """
        own = logged.at_action(prediction)
        if logged.no_offer is None:
            return np.asarray(self.contact * own)
        would = np.where(logged.action == logged.no_offer, row_sums(logged.given_an_offer(), prediction), own)
        return np.asarray(self.contact * would + (1.0 - self.contact) * prediction[:, logged.no_offer])

    def unsupported(self, logged: LoggedDecisions) -> np.ndarray:
        """Return the probability (n,) on what the log never did: none, unless it surely left alone, or surely not."""
        if logged.no_offer is None:
            return np.zeros(len(logged))
        alone = logged.left_alone()
        return np.where(alone > 0, 0.0, 1.0 - self.contact) + np.where(alone < 1, 0.0, self.contact)


class FixedOffers(msgspec.Struct, frozen=True):
    """Probabilities (n, K) of offers that may differ from those logged; the rest of a row is ``NO_OFFER``.

    Where the log holds decisions of ``NO_OFFER``, it is one of the K, and the rest is added to it.
    """

    name: str
    probability: np.ndarray

    def take(self, rows: slice) -> "FixedOffers":
        """Return the policy over the given rows."""
        return FixedOffers(self.name, self.probability[rows])

    def probabilities(self, eligible: np.ndarray) -> np.ndarray:
        """Return P(offer) (n, K), zero where an offer is not eligible."""
        return np.where(eligible, self.probability, 0.0)

    def offered(self, logged: LoggedDecisions) -> np.ndarray:
        """Return P(some offer) per row (n,)."""
        named = row_sums(self.probability, np.ones(self.probability.shape[1]))
        return named if logged.no_offer is None else named - self.probability[:, logged.no_offer]

    def told(self, logged: LoggedDecisions) -> np.ndarray:
        """Return the probability (n,) of what the log can tell about: of its K offers."""
        named = row_sums(self.probability, np.ones(self.probability.shape[1]))
        return named if logged.no_offer is None else named + _rest(named)

    def weights(self, logged: LoggedDecisions) -> np.ndarray:
        """Return P(logged offer) under this policy over that under the log, (n,); zero outside the catalogue."""
        logging = logged.at_action(logged.probability)
        own = logged.at_action(with_no_offer(self.probability, logged))
        return np.asarray(np.divide(own, logging, out=np.zeros(len(logged)), where=logging > 0))

    def expected(self, logged: LoggedDecisions, prediction: np.ndarray) -> np.ndarray:
        """Return the expected prediction (n,) over this policy's offers."""
        return row_sums(with_no_offer(self.probability, logged), prediction)

    def unsupported(self, logged: LoggedDecisions) -> np.ndarray:
        """Return the probability (n,) on offers that the log never made for such a customer."""
        if np.min(logged.probability, initial=1.0) > 0:  # the usual case, found without an array (n, K)
            return np.zeros(len(logged))
        return row_sums(with_no_offer(self.probability, logged), ~(logged.probability > 0))


def _over(above: np.ndarray, below: np.ndarray) -> np.ndarray:
    """Return above / below (n,), zero where below is zero: such rows are not supported."""
    return np.asarray(np.divide(above, below, out=np.zeros(len(below)), where=below > 0))


Judged = AsLogged | FixedOffers


def does_more(
    one: Judged, other: Judged, logged: LoggedDecisions, *, offers_only: bool = False
) -> tuple[np.ndarray, np.ndarray]:
    """Return the masks (n,) of the rows in which a policy makes an offer with a larger probability than the other.

    The first mask is that of ``one``, the second of ``other``: where neither holds they do the same. ``offers_only``
    leaves ``NO_OFFER`` out. Offers outside the catalogue have no columns, and are not seen here.
    """
    more = np.zeros((2, len(logged)), dtype=bool)
    for start in range(0, len(logged), BLOCK):  # in blocks, because arrays (n, K) of a large log need memory
        rows = slice(start, start + BLOCK)
        eligible = logged.eligible[rows]
        first, second = (with_no_offer(each.take(rows).probabilities(eligible), logged) for each in (one, other))
        apart = np.asarray(first - second, dtype=np.float64)
        if offers_only and logged.no_offer is not None:
            apart[:, logged.no_offer] = 0.0
        more[:, rows] = (apart > SUM_TOLERANCE).any(axis=1), (apart < -SUM_TOLERANCE).any(axis=1)
    return more[0], more[1]


def with_no_offer(probability: np.ndarray, logged: LoggedDecisions) -> np.ndarray:
    """Return probabilities (n, K) whose rest is on ``NO_OFFER``, where the log holds decisions of it."""
    if logged.no_offer is None:
        return probability
    rest = _rest(probability.sum(axis=1, dtype=np.float64))
    if not rest.any():  # the usual case, without another array (n, K)
        return probability
    filled = np.array(probability, dtype=np.float64)
    filled[:, logged.no_offer] += rest
    return filled


def _rest(named: np.ndarray) -> np.ndarray:
    """Return what probabilities that sum to ``named`` (n,) leave of 1, zero where it is what rounding leaves."""
    return np.where(named < 1.0 - SUM_TOLERANCE, 1.0 - named, 0.0)


def fixed_choice(name: str, choice: np.ndarray, offers: int) -> FixedOffers:
    """Return the policy that makes one offer per row: ``choice`` (n,), -1 for ``NO_OFFER``."""
    probability = np.zeros((len(choice), offers))
    rows = np.flatnonzero(choice >= 0)
    probability[rows, choice[rows]] = 1.0
    return FixedOffers(name, probability)
