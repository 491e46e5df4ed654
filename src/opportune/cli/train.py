"""`opportune train`."""

from pathlib import Path

from opportune.cli.arguments import AsOfOption, Directory, Json, Out, WithoutOption, open_project
from opportune.cli.printing import number, print_json, print_table, print_untaught, print_worth

NAME = "train"


def command(
    directory: Directory = Path(),
    out: Out = None,
    as_of: AsOfOption = None,
    without: WithoutOption = None,
    as_json: Json = False,
) -> None:
    """Compute features as of each decision and learn the models; say what a source is worth by doing without it."""
    project = open_project(directory, out, as_of)
    cards = project.train()
    worth = project.worth(without) if without is not None else None
    if as_json:
        from opportune.cli.outputs import TrainSaid

        print_json(TrainSaid(models=cards, worth=worth))
        return
    rows = [[card["role"], " and ".join(card["learners"]), number(card["rows"], 0)] for card in cards]
    print_table("Models", ["role", "learners", "rows"], rows)
    print_untaught(project.training())
    if worth is not None:
        print_worth(worth, project.settings.identity.currency)
