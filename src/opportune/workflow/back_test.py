"""The back-test: every list of the past planned again with what was known then, and judged on what is known now."""

import shutil
from pathlib import Path
from typing import TYPE_CHECKING, Any

import msgspec

from opportune.domain import AsOf, BadInput, BrokenPromise
from opportune.tables import replace_directory, sha256_file, write_json
from opportune.workflow.evaluate import evaluate
from opportune.workflow.frames import open_tables
from opportune.workflow.known_then import write_known
from opportune.workflow.limit_amounts import opened_limits
from opportune.workflow.plan import plan
from opportune.workflow.settings import Settings
from opportune.workflow.steps import read_json
from opportune.workflow.train import train
from opportune.workflow.trial import open_list
from opportune.workflow.verdicts import METHOD

if TYPE_CHECKING:
    from opportune.tables import Engine

FOLDER = "back-test"
PLAN = ("status", "value", "bound", "gap", "offered", "opportunities", "rows")
TOLD = ("rows", "immature", "clusters", "estimates", "verdicts", "planned_against_realised", "support", "findings")


def back_test(settings: Settings, out: Path) -> None:
    """Write ``back-test/<instant>/`` with the plan of each past list, and ``evidence/back-test.json``.

    The lists are those of ``back_test`` in evidence.toml, or all up to the one that is planned. Models of a list learn
    from decisions before it whose outcome had been observed by then. Training and planning read tables from which
    everything later is cut (``write_known``), so that they cannot see it; only the judgement reads all. What limits had
    used before is read from these tables too. Numbers written in settings are those of today.
    """
    engine = open_tables(out, settings.directory)
    lists = [_one_list(settings, out, engine, at) for at in _instants(settings, engine)]
    write_json(
        out / "evidence" / "back-test.json",
        {"headline": settings.evidence.headline, "lists": lists, "shown": _shown(settings, lists)},
    )


def _instants(settings: Settings, engine: "Engine") -> list[AsOf]:
    if settings.evidence.back_test:
        return [AsOf.parse(text) for text in settings.evidence.back_test]
    rows = engine.query(
        f'SELECT DISTINCT "at" FROM opportunities WHERE "at" <= TIMESTAMPTZ \'{settings.plan_at}\' ORDER BY "at"'
    )
    return [AsOf(at) for at in rows["at"].to_pylist()]


def _one_list(settings: Settings, out: Path, engine: "Engine", at: AsOf) -> dict[str, Any]:
    """Plan and judge one list; what cannot be planned or judged is told with its reason."""
    then = _settings_at(settings, at)
    folder = out / FOLDER / str(at).replace(":", "")
    told: dict[str, Any] = {"at": str(at), "planned": None, "judged": None, "why_not": None}

    def build(beside: Path) -> None:
        write_known(engine, at, beside / "tables")
        known = _opened_then(then, beside)
        train(known, beside)
        plan(known, beside)
        told["planned"] = _planned(beside)
        shutil.copytree(out / "tables", beside / "tables", dirs_exist_ok=True)
        told["judged"] = _judged(then, beside)

    try:
        replace_directory(folder, build)
    except (BadInput, BrokenPromise) as error:
        shutil.rmtree(folder, ignore_errors=True)
        told["why_not"] = error.findings[0].text()
    return told


def _settings_at(settings: Settings, at: AsOf) -> Settings:
    """Return the settings of a list: decisions and outcomes before it teach, no frontier, nothing ahead.

    A table of forecasts does not say when each was made, so a past list cannot be planned with it.
    """
    time = msgspec.structs.replace(settings.time, train_until=str(at), plan_at=str(at), labels_as_of=str(at))
    return msgspec.structs.replace(settings, time=time, frontier=None, horizon=None)


def _opened_then(settings: Settings, folder: Path) -> Settings:
    """Return the settings with what limits had used before by the tables as they were known.

    BadInput (OP849) where an opening reads a file: it may hold what came later.
    """
    engine = open_tables(folder, settings.directory, reads_files=False)
    return msgspec.structs.replace(settings, limits=opened_limits(settings.limits, engine))


def _planned(folder: Path) -> dict[str, Any]:
    index, certificate = read_json(folder / "models" / "index.json"), read_json(folder / "plan" / "certificate.json")
    return {
        "taught_by": index["taught_by"],
        "not_yet_known": index["immature"],
        "plan_file": sha256_file(folder / "plan" / "plan.parquet"),
        **{key: certificate[key] for key in PLAN if key in certificate},
    }


def _judged(settings: Settings, folder: Path) -> dict[str, Any]:
    evidence = evaluate(open_list(settings, folder), folder)
    write_json(folder / "evidence" / "evidence.json", evidence)
    told = {key: evidence[key] for key in TOLD}
    return {**told, "estimates": [row for row in told["estimates"] if row["method"] == METHOD]}


def _shown(settings: Settings, lists: list[dict[str, Any]]) -> list[dict[str, Any]]:
    """Return of each declared difference in how many lists it was shown, either way, and in how many nothing was."""
    verdicts = [each for one in lists if one["judged"] for each in one["judged"]["verdicts"]]
    return [
        {
            "policy": policy,
            "against": against,
            **{
                word: sum(_is(each, policy, against, word) for each in verdicts) for word in ("more", "less", "nothing")
            },
        }
        for policy, against in settings.evidence.headline
    ]


def _is(verdict: dict[str, Any], policy: str, against: str, word: str) -> bool:
    return (verdict["policy"], verdict["against"], verdict["shown"]) == (policy, against, word)
