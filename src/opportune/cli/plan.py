"""`opportune plan`."""

from pathlib import Path

import msgspec

from opportune.cli.arguments import (
    AsOfOption,
    CustomerOption,
    Directory,
    HorizonOption,
    Json,
    Out,
    ScenarioOption,
    SetOption,
    open_project,
)
from opportune.cli.printing import (
    print_doubts,
    print_explored,
    print_forecast,
    print_holdout,
    print_horizon,
    print_json,
    print_plan,
)
from opportune.cli.printing_changes import print_change
from opportune.cli.printing_customer import print_customer

NAME = "plan"


def command(
    directory: Directory = Path(),
    out: Out = None,
    as_of: AsOfOption = None,
    changes: SetOption = None,
    scenario: ScenarioOption = None,
    horizon: HorizonOption = None,
    customer: CustomerOption = None,
    as_json: Json = False,
) -> None:
    """Plan the list under the limits: what changed, what runs, the plan with its proof, and who gets another offer."""
    project = open_project(directory, out, as_of, changes, scenario, horizon)
    forecast = project.forecast("plan")
    if not as_json:
        print_forecast(forecast)
    planned = project.plan()
    change = project.change()
    explained = None if customer is None else project.explain_customer(customer)
    if as_json:
        from opportune.cli.outputs import Holdout, PlanSaid

        print_json(
            PlanSaid(
                steps=tuple(forecast),
                certificate=planned.certificate,
                prices=planned.prices,
                holdout=msgspec.convert(planned.holdout, Holdout),
                horizon=planned.horizon,
                change=change,
                customer=explained,
                findings=tuple(project.doubts()),
            )
        )
        return
    print_plan(planned.certificate)
    print_doubts(project.doubts())
    print_explored(planned.certificate, project.settings.identity.currency)
    print_horizon(planned.horizon)
    print_holdout(planned.holdout, project.settings.identity.currency)
    print_change(change, project.settings.identity.currency, "the last release")
    print_customer(explained, project.settings.identity.currency)
    print(f"\nplan {project.out / 'plan' / 'plan.parquet'}")
