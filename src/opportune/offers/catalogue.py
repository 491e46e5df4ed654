"""The catalogue: offers as steps of price per band, and the step that a logged price belongs to."""

import math

import msgspec
import numpy as np

from opportune.domain import Offer


class PriceAxis(msgspec.Struct, frozen=True, kw_only=True, forbid_unknown_fields=True):
    """The term that varies between offers, the context column that names the band, and the ids of the steps."""

    term: str
    band: str
    steps: tuple[str, ...]


class Band(msgspec.Struct, frozen=True, kw_only=True, forbid_unknown_fields=True):
    """A risk band: its standard price and the discounts below it (same unit) at which the next step begins."""

    name: str
    standard: float
    cuts: tuple[float, ...]

    def __post_init__(self) -> None:
        if not all(math.isfinite(each) for each in (self.standard, *self.cuts)):
            raise ValueError(f"standard and cuts are {self.standard} and {list(self.cuts)}: expected finite numbers")


class Catalogue(msgspec.Struct, frozen=True, kw_only=True):
    """What could be offered, as declared: nothing here was learned."""

    product: str
    surfaces: tuple[str, ...]
    expires_after_days: int
    claim: str
    price: PriceAxis
    bands: tuple[Band, ...]

    @property
    def offer_ids(self) -> tuple[str, ...]:
        """The offers' ids, in order of growing discount."""
        return self.price.steps

    def step_of(self, band: np.ndarray, price: np.ndarray) -> np.ndarray:
        """Return the step (n,) that each price belongs to, or -1 where it lies above standard or the band is unknown.

        A discount d belongs to step k when exactly k cuts are smaller than or equal to d.
        """
        step = np.full(len(price), -1, dtype=np.int64)
        for one in self.bands:
            rows = band == one.name
            # Rates are in hundredths of a point: rounding keeps 11.75 - 10.95 at the cut 0.8 and not just below it.
            discount = np.round(one.standard - price[rows], 9)
            step[rows] = np.where(discount >= 0, np.searchsorted(one.cuts, discount, side="right"), -1)
        return step

    def in_catalogue(self, band: np.ndarray) -> np.ndarray:
        """Return a mask (n,) of the rows whose band has offers."""
        return np.isin(band, [one.name for one in self.bands])


class PricedCatalogue(msgspec.Struct, frozen=True, kw_only=True):
    """A catalogue with the price that each step stands for: ``prices[band][k]``, in the unit of the price term."""

    catalogue: Catalogue
    prices: dict[str, tuple[float, ...]]

    def terms(self, band: np.ndarray) -> dict[str, np.ndarray]:
        """Return the terms of every offer for each row: arrays (n, K), NaN where the band has no offers."""
        table = np.full((len(band), len(self.catalogue.offer_ids)), np.nan)
        for name, prices in self.prices.items():
            table[band == name] = prices
        return {self.catalogue.price.term: table}

    def offer(self, step: int, band: str) -> Offer:
        """Return the offer of one step for one band."""
        terms = {self.catalogue.price.term: self.prices[band][step]}
        return Offer(
            offer_id=self.catalogue.offer_ids[step],
            product=self.catalogue.product,
            terms=terms,
            claim=self.catalogue.claim,
        )


def price_catalogue(catalogue: Catalogue, band: np.ndarray, price: np.ndarray) -> PricedCatalogue:
    """Return the catalogue with each step priced at the mean logged price inside it.

    A step that was never logged in a band is priced at its smallest discount, the lower cut.
    """
    step = catalogue.step_of(band, price)
    prices = {}
    for one in catalogue.bands:
        lower = (0.0, *one.cuts)
        logged = [price[(band == one.name) & (step == k)] for k in range(len(lower))]
        prices[one.name] = tuple(
            round(float(np.mean(rates)), 6) if len(rates) else one.standard - lower[k] for k, rates in enumerate(logged)
        )
    return PricedCatalogue(catalogue=catalogue, prices=prices)
