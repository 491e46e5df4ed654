"""The format of a release is frozen: its number, its files, and the hash of a tiny one that was made by hand."""

import json

import msgspec
import pytest

from opportune.decisioning import Rulebook, open_release, seal
from opportune.domain import RELEASE_FORMAT, BadInput, Limit, places_of
from opportune.economics import Assumption, Assumptions
from opportune.features import Feature
from opportune.models import Model, ModelSpec
from opportune.models.calibration import Calibrator
from opportune.models.encoding import Encoding, NumberCode, TextCode
from opportune.models.linear import LinearMember
from opportune.offers import Band, Catalogue, Eligibility, PriceAxis, PricedCatalogue

FEATURES = {
    "band": Feature(context="band", missing="never"),
    "visits": Feature(table="events", aggregate="count", look_back_days=90, delay_days=1, missing="none"),
}
LIMITS = places_of([Limit(name="letters", uses="contacts", at_most=10.0)], [{}])
LAYOUT = [
    "catalogue.json", "economics.json", "eligibility.json", "features.json", "limits.json", "manifest.json",
    "models/response/model.json",
]  # fmt: skip
HASH = "4ce2f068ca86503fee0d12f7ae0528ab68d47a64c3e4490fe4575546f2ff20c4"
"""Changes only with RELEASE_FORMAT: another hash under the same number means that old releases are read otherwise."""


def catalogue():
    declared = Catalogue(
        product="loan", surfaces=("mail",), expires_after_days=30, claim="pre-approved",
        price=PriceAxis(term="rate", band="band", steps=("standard", "step_1")),
        bands=(Band(name="A", standard=2.0, cuts=(0.5,)),),
    )  # fmt: skip
    return PricedCatalogue(catalogue=declared, prices={"A": (1.875, 1.25)})


def response():
    spec = ModelSpec(
        kind="binary", target="took_up", learners=("logistic",), features=("band", "visits"), terms=("rate",),
        calibration="none", bags=2, folds=2, monotone={"rate": -1},
    )  # fmt: skip
    numbers = [
        NumberCode(name=name, low=0.0, high=4.0, mean=2.0, scale=1.0, knots=(), flags_missing=False)
        for name in ("visits", "rate")
    ]
    return Model(
        role="response", spec=spec, encoding=Encoding(numbers=tuple(numbers), texts=(TextCode(name="band", levels=("A",)),)),
        linear=(LinearMember(link="logit", intercept=-1.5, coefficients=(0.25, 0.5, -0.125)),) * 2, boosters=(),
        calibrator=Calibrator(method="none"), card={"rows": 100},
    )  # fmt: skip


def rulebook():
    figure = Assumption(value=0.125, unit="fraction per year on the average balance", source="invented")
    return Rulebook(
        catalogue=catalogue(), eligibility=(Eligibility(name="visits", fact="visits", at_least=1.0, reason="no visit"),),
        models={"response": response()}, currency="USD", features=tuple(FEATURES),
        assumptions=Assumptions(funding=figure, servicing=figure, mailing=figure, loss_weight=figure),
    )  # fmt: skip


@pytest.fixture
def sealed(tmp_path):
    manifest = seal(tmp_path, rulebook(), LIMITS, FEATURES, {"letters": 0.75}, project="tiny", as_of="2025-01-01")
    return tmp_path / manifest.hash


def test_the_format_the_layout_and_the_hash_of_a_release_never_change(sealed):
    assert RELEASE_FORMAT == 2
    assert sorted(path.relative_to(sealed).as_posix() for path in sealed.rglob("*") if path.is_file()) == LAYOUT
    manifest = json.loads((sealed / "manifest.json").read_text())
    assert sorted(manifest) == ["as_of", "currency", "files", "format", "hash", "prices", "project"]
    assert sealed.name == manifest["hash"] == HASH


def test_a_release_comes_back_as_it_was_sealed(sealed):
    opened = open_release(sealed)
    assert (opened.limits, opened.features, opened.rulebook.catalogue) == (LIMITS, FEATURES, catalogue())
    assert opened.rulebook.models == rulebook().models


def test_a_release_of_another_format_is_refused(sealed):
    manifest = json.loads((sealed / "manifest.json").read_text())
    (sealed / "manifest.json").write_bytes(msgspec.json.encode({**manifest, "format": 1}))
    with pytest.raises(BadInput, match=r"OP702.*has format 1"):
        open_release(sealed)
