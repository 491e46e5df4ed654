"""Models: signs hold, left-out rows stay left out, calibration is exact where it is learned, files give the same bits."""

import warnings

import numpy as np
import pytest

from opportune.domain import BadInput
from opportune.models import ModelSpec, check_models, learn, load, measure_binary, predict_offers, save
from opportune.models.calibration import learn_calibration, logistic_line


def spec(**changes):
    fields = {
        "kind": "binary", "target": "took", "learners": ("logistic", "boosting"), "features": ("x", "group"),
        "terms": ("price",), "monotone": {"price": -1}, "calibration": "logistic", "bags": 4, "folds": 2,
    }  # fmt: skip
    return ModelSpec(**{**fields, **changes})


def rows(n=1500, seed=0):
    draw = np.random.default_rng(seed)
    x = np.where(draw.random(n) < 0.1, np.nan, draw.normal(size=n))
    group = np.array(["a", "b", "c"], dtype=object)[draw.integers(0, 3, n)]
    price = draw.uniform(1.0, 10.0, n)
    p = 1 / (1 + np.exp(1.0 + 0.3 * price - np.nan_to_num(x) - (group == "a")))
    took = (draw.random(n) < p).astype(float)
    amount = draw.gamma(3.0, 100.0, n) * np.exp(0.3 * np.nan_to_num(x))
    cluster = draw.integers(0, 40, n).astype(str)
    return {"x": x, "group": group}, {"price": price}, took, amount, cluster


@pytest.fixture(scope="module")
def binary():
    values, terms, took, _, cluster = rows()
    return learn(spec(), values, terms, took, cluster, clusters=cluster, seed=1, role="response").model


@pytest.fixture(scope="module")
def amount():
    values, terms, _, size, cluster = rows()
    declared = spec(kind="amount", target="size", given="took", learners=("gamma", "boosting"), calibration="ratio")
    return learn(declared, values, terms, size, cluster, clusters=cluster, seed=1, role="amount").model


@pytest.mark.parametrize("name", ["binary", "amount"])
def test_a_declared_sign_holds_for_every_customer_at_every_price(name, request):
    model = request.getfixturevalue(name)
    values, _, _, _, _ = rows(300, seed=5)
    grid = np.tile(np.linspace(0.0, 15.0, 31), (300, 1))
    mean, _ = predict_offers(model, values, {"price": grid})
    assert np.all(np.diff(mean, axis=1) <= 0)


def test_calibration_is_exact_out_of_fold(binary, amount):
    card = binary.card["out_of_fold"]
    assert card["calibration_intercept"] == pytest.approx(0.0, abs=1e-6)
    assert card["calibration_slope"] == pytest.approx(1.0, abs=1e-6)
    assert card["mean_predicted"] == pytest.approx(card["mean_observed"], rel=1e-6)
    assert card["log_loss"] < card["log_loss_of_base_rate"]
    size = amount.card["out_of_fold"]
    assert size["mean_predicted"] == pytest.approx(size["mean_observed"], rel=1e-9)


def test_a_label_of_noise_learns_nothing_out_of_fold():
    """Members that saw their own cluster would rank noise well; left-out clusters must not."""
    values, terms, _, _, cluster = rows()
    noise = (np.random.default_rng(9).random(len(cluster)) < 0.3).astype(float)
    model = learn(spec(calibration="none"), values, terms, noise, cluster, clusters=cluster, seed=1, role="noise").model
    assert model.card["out_of_fold"]["auc"] == pytest.approx(0.5, abs=0.05)


@pytest.mark.parametrize("name", ["binary", "amount"])
def test_one_row_and_many_give_the_same_bits(name, request):
    model = request.getfixturevalue(name)
    values, terms, _, _, _ = rows(40_000, seed=7)
    many, spread = model.predict(values, terms)
    for i in (0, 1, 16_383, 16_384, 39_999):
        one, one_spread = model.predict({k: v[[i]] for k, v in values.items()}, {k: v[[i]] for k, v in terms.items()})
        assert one.tobytes() == many[[i]].tobytes()
        assert one_spread.tobytes() == spread[[i]].tobytes()


@pytest.mark.parametrize("name", ["binary", "amount"])
def test_saved_and_loaded_it_gives_the_same_bits_and_bytes(name, request, tmp_path):
    model = request.getfixturevalue(name)
    values, terms, _, _, _ = rows(500, seed=8)
    save(model, tmp_path / "a")
    again = load(tmp_path / "a")
    save(again, tmp_path / "b")
    assert again.predict(values, terms)[0].tobytes() == model.predict(values, terms)[0].tobytes()
    files = {path.name: path.read_bytes() for path in (tmp_path / "a").iterdir()}
    assert files == {path.name: path.read_bytes() for path in (tmp_path / "b").iterdir()}
    assert {path.rsplit(".", 1)[-1] for path in files} == {"json", "ubj"}


def test_learning_twice_gives_the_same_bits(binary):
    values, terms, took, _, cluster = rows()
    again = learn(spec(), values, terms, took, cluster, clusters=cluster, seed=1, role="response").model
    assert again.predict(values, terms)[0].tobytes() == binary.predict(values, terms)[0].tobytes()


def test_unseen_levels_missing_and_extreme_inputs_give_finite_predictions(binary, amount):
    strange = {"x": np.array([np.nan, 1e12, -1e12]), "group": np.array([None, "new", "a"], dtype=object)}
    for model in (binary, amount):
        mean, spread = model.predict(strange, {"price": np.array([5.0, 5.0, 5.0])})
        assert np.all(np.isfinite(mean))
        assert np.all(mean >= 0)
        assert np.all(spread >= 0)


def test_isotonic_calibration_never_turns_round():
    draw = np.random.default_rng(2)
    p = draw.random(800)
    found = learn_calibration("isotonic", p, (draw.random(800) < p**2).astype(float))
    assert np.all(np.diff(found.apply(np.linspace(0, 1, 200))) >= 0)


def test_a_calibrated_prediction_has_the_line_zero_one():
    draw = np.random.default_rng(3)
    p = draw.uniform(0.05, 0.95, 200_000)
    intercept, slope = logistic_line((draw.random(200_000) < p).astype(float), p)
    assert (intercept, slope) == pytest.approx((0.0, 1.0), abs=0.03)


def test_tenths_hold_every_row():
    _, terms, took, _, _ = rows()
    table = measure_binary(took, 1 / (1 + np.exp(terms["price"] / 5)))["tenths"]
    assert sum(each["n"] for each in table) == len(took)


def test_thin_data_and_unknown_targets_are_refused():
    values, terms, took, _, cluster = rows()
    with pytest.raises(BadInput, match="OP310"):
        learn(spec(), values, terms, np.zeros(len(took)), cluster, clusters=cluster, seed=1, role="response")
    took[3] = np.nan
    with pytest.raises(BadInput, match="OP311"):
        learn(spec(), values, terms, took, cluster, clusters=cluster, seed=1, role="response")


@pytest.mark.parametrize(
    ("changes", "code"),
    [
        ({"learners": ("gamma",)}, "OP301"),
        ({"learners": ()}, "OP301"),
        ({"calibration": "ratio"}, "OP302"),
        ({"features": ("x", "arrears")}, "OP303"),
        ({"features": ("x", "age")}, "OP304"),
        ({"features": ("xx",)}, "OP305"),
        ({"terms": ("prise",)}, "OP305"),
        ({"target": "tok"}, "OP305"),
        ({"monotone": {"nothing": 1}}, "OP305"),
    ],
)
def test_a_declaration_that_cannot_stand_is_found(changes, code):
    found = check_models({"response": spec(**changes)}, ["x", "group"], ["price"], ["took", "arrears"], ["age"])
    assert code in {finding.code for finding in found}


def test_a_specification_refuses_what_cannot_be():
    with pytest.raises(ValueError, match="bags is 5 and folds 2"):
        spec(bags=5)
    with pytest.raises(ValueError, match="given"):
        spec(kind="amount")


def test_learning_leaves_the_filters_of_warnings_as_they_were():
    values, terms, took, _, cluster = rows(400)
    before = list(warnings.filters)
    for seed in range(3):
        one = spec(learners=("logistic",), bags=8)
        learn(one, values, terms, took, cluster, clusters=cluster, seed=seed, role="response")
    assert list(warnings.filters) == before


def test_a_fit_that_does_not_converge_is_an_error(monkeypatch):
    from opportune.models import _glum

    class Stubborn(_glum.GeneralizedLinearRegressor):
        def fit(self, *arguments):
            warnings.warn("did not converge", UserWarning, stacklevel=1)

    monkeypatch.setattr(_glum, "GeneralizedLinearRegressor", Stubborn)
    values, terms, took, _, cluster = rows(400)
    with pytest.raises(BadInput, match=r"OP312.*did not converge"):
        learn(spec(learners=("logistic",)), values, terms, took, cluster, clusters=cluster, seed=1, role="response")
