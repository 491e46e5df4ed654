"""The settings that a finished plan was made with, as its step recorded them: an output folder explains itself."""

from pathlib import Path

import msgspec

from opportune.domain import AsOf, BadInput, Finding, Limit
from opportune.economics import Economics, economics_from
from opportune.features import Feature
from opportune.models import ModelSpec
from opportune.offers import Eligibility
from opportune.workflow.settings import Exploration, Horizon, Identity, Objective, TimeSplit
from opportune.workflow.steps import read_record


class Recorded(msgspec.Struct, frozen=True, kw_only=True):
    """What of a project's settings a plan depends on."""

    identity: Identity
    time: TimeSplit
    features: dict[str, Feature]
    models: dict[str, ModelSpec]
    conditions: tuple[Eligibility, ...]
    assumptions: Economics
    limits: tuple[Limit, ...]
    objective: Objective
    exploration: Exploration
    holdout: float
    horizon: Horizon | None

    @property
    def plan_at(self) -> AsOf:
        """The instant of the list that was planned."""
        return AsOf.parse(self.time.plan_at)


def recorded_settings(out: Path) -> Recorded:
    """Return the settings of the plan in an output folder. BadInput (OP825) when there is no plan."""
    record = read_record(out, "plan")
    if record is None:
        message = "holds no plan of this version: expected the folder `out` of a project, or one below out/what-ifs"
        step = "run `opportune plan` first"
        raise BadInput([Finding(code="OP825", source=str(out), subject="", message=message, next_step=step)])
    parts = {name: msgspec.convert(record.inputs[name], kind) for name, kind in PLAIN.items()}
    return Recorded(**parts, assumptions=economics_from(record.inputs["assumptions"]))


PLAIN = {field.name: field.type for field in msgspec.structs.fields(Recorded) if field.name != "assumptions"}
"""The parts whose type says all; what economics there are, they say themselves."""
