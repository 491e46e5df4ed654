"""Policies to be judged, as probabilities over the rows of a log."""

import msgspec
import numpy as np

from opportune.evaluation.logged import LoggedDecisions, row_sums


class AsLogged(msgspec.Struct, frozen=True):
    """Contact each customer with probability ``contact`` (n,), at the logged offer: no reweighting is needed.

    ``logging`` (n, K) are the logged probabilities, so that this policy too can say its own.
    """

    name: str
    contact: np.ndarray
    logging: np.ndarray

    def probabilities(self, eligible: np.ndarray) -> np.ndarray:
        """Return P(offer) (n, K): the logged probabilities, thinned by the probability of contact."""
        return np.where(eligible, self.logging * self.contact[:, None], 0.0)

    def offered(self, logged: LoggedDecisions) -> np.ndarray:
        """Return P(some offer) per row (n,)."""
        del logged
        return self.contact

    def weights(self, logged: LoggedDecisions) -> np.ndarray:
        """Return P(logged offer) under this policy over that under the log, (n,): the contact probability."""
        del logged
        return self.contact

    def expected(self, logged: LoggedDecisions, prediction: np.ndarray) -> np.ndarray:
        """Return the expected prediction (n,): that of the logged offer, which is the one that would be made.

        A row outside the catalogue has no prediction; zero there leaves its booked outcome as it is.
        """
        return np.asarray(self.contact * logged.at_action(prediction))

    def unsupported(self, logged: LoggedDecisions) -> np.ndarray:
        """Return the probability (n,) on offers that the log never made: none."""
        return np.zeros(len(logged))


class FixedOffers(msgspec.Struct, frozen=True):
    """Probabilities (n, K) of offers that may differ from those logged; the rest of a row is ``NO_OFFER``."""

    name: str
    probability: np.ndarray

    def probabilities(self, eligible: np.ndarray) -> np.ndarray:
        """Return P(offer) (n, K), zero where an offer is not eligible."""
        return np.where(eligible, self.probability, 0.0)

    def offered(self, logged: LoggedDecisions) -> np.ndarray:
        """Return P(some offer) per row (n,)."""
        del logged
        return row_sums(self.probability, np.ones(self.probability.shape[1]))

    def weights(self, logged: LoggedDecisions) -> np.ndarray:
        """Return P(logged offer) under this policy over that under the log, (n,); zero outside the catalogue."""
        logging, own = logged.at_action(logged.probability), logged.at_action(self.probability)
        return np.asarray(np.divide(own, logging, out=np.zeros(len(logged)), where=logging > 0))

    def expected(self, logged: LoggedDecisions, prediction: np.ndarray) -> np.ndarray:
        """Return the expected prediction (n,) over this policy's offers."""
        del logged
        return row_sums(self.probability, prediction)

    def unsupported(self, logged: LoggedDecisions) -> np.ndarray:
        """Return the probability (n,) on offers that the log never made for such a customer."""
        if np.min(logged.probability, initial=1.0) > 0:  # the usual case, found without an array (n, K)
            return np.zeros(len(logged))
        return row_sums(self.probability, ~(logged.probability > 0))


Judged = AsLogged | FixedOffers


def fixed_choice(name: str, choice: np.ndarray, offers: int) -> FixedOffers:
    """Return the policy that makes one offer per row: ``choice`` (n,), -1 for ``NO_OFFER``."""
    probability = np.zeros((len(choice), offers))
    rows = np.flatnonzero(choice >= 0)
    probability[rows, choice[rows]] = 1.0
    return FixedOffers(name, probability)
