"""Predict: response, amounts and risk as functions of the customer and of the offer.

Learning loads glum and XGBoost only when it runs; applying loads XGBoost only for models that have boosters.
"""

from opportune.models.card import model_card
from opportune.models.learn import Learned, learn
from opportune.models.measures import measure_amount, measure_binary
from opportune.models.model import Model, predict_offers
from opportune.models.spec import ModelSpec, check_models
from opportune.models.store import load, save

__all__ = [
    "Learned",
    "Model",
    "ModelSpec",
    "check_models",
    "learn",
    "load",
    "measure_amount",
    "measure_binary",
    "model_card",
    "predict_offers",
    "save",
]
