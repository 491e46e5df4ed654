"""What is wrong between the files of a project, and with time: names that nothing has, a future that teaches."""

from collections.abc import Sequence

import msgspec

from opportune.domain import AsOf, Finding, resource_in
from opportune.economics import InstalmentAssumptions, quantities_of, resources_used
from opportune.economics.instalment_offers import PER_YEAR
from opportune.features import KNOWN_AT_SUFFIX
from opportune.workflow.evidence_spec import EvidenceSpec
from opportune.workflow.horizon_weeks import check_horizon
from opportune.workflow.settings import Settings, TimeSplit


def cross_checks(settings: Settings) -> list[Finding]:
    """Return what is wrong between files, and with time."""
    from opportune.allocation import check_limits, check_varied

    findings = [*check_limits(settings.limits, resources_of(settings), None), *check_time(settings.time)]
    if settings.frontier is not None:
        findings += check_varied(settings.limits, settings.frontier.limit, settings.frontier.bounds)
    findings += [*_unknown_names(settings), *_missing_roles(settings), *_policy_findings(settings.evidence)]
    findings += [
        *_names_twice(settings),
        *_names_of_features(settings),
        *_curves_of_bands(settings),
        *check_horizon(settings),
    ]
    findings += [*_less_than_nothing(settings), *_losses_above_all(settings)]
    findings += [*_dear_prices(settings), *_capital_twice(settings)]
    return findings


def _curves_of_bands(settings: Settings) -> list[Finding]:
    """Return findings about curves of instalment offers that are by something else than the catalogue's bands."""
    given, axis = settings.assumptions, settings.catalogue.price
    if not isinstance(given, InstalmentAssumptions) or not given.curves.by:
        return []
    step = f"fit the curves by {axis.band}, or by nothing"
    if given.curves.by != (axis.band,):
        message = f"are by {', '.join(given.curves.by)}: expected {axis.band}, the band of offers.toml"
        return [_finding("OP475", "economics.toml", "curves", message, step)]
    return [
        _finding("OP475", "economics.toml", "curves", f"have no segment {band.name!r}: expected each band", step)
        for band in settings.catalogue.bands
        if band.name not in given.curves.segments
    ]


def _less_than_nothing(settings: Settings) -> list[Finding]:
    """Return a finding for each upper bound below zero: no offer uses less than nothing of a project's resources.

    What is used already may be below zero, such as money that was paid back: then such a bound can hold.
    """
    findings, step = [], "write zero to forbid what uses it, or a floor as at_least"
    for limit in settings.limits:
        if limit.at_most is not None and limit.at_most < 0.0 and limit.opening is None:
            message = f"is {limit.at_most:g}: expected zero or more, because no offer uses less than no {limit.uses}"
            findings.append(_finding("OP014", "limits.toml", f"limit '{limit.name}'.at_most", message, step))
    return findings


def _losses_above_all(settings: Settings) -> list[Finding]:
    """Ask about upper bounds on the share of the amount lent that is lost which are above all of it: often per cent."""
    findings, step = [], "write 5 % as 0.05; leave it if more than all that is lent may be lost"
    for limit in settings.limits:
        share = (limit.uses, limit.per) == ("expected_loss", "amount_lent")
        if share and limit.at_most is not None and limit.at_most > 1.0:
            message = (
                f"is {limit.at_most:g}: expected a fraction of what is lent. Did you mean {limit.at_most / 100:g}?"
            )
            findings.append(_asked("OP844", "limits.toml", f"limit '{limit.name}'.at_most", message, step))
    return findings


def _dear_prices(settings: Settings) -> list[Finding]:
    """Ask about standard prices of instalment offers that are above 100 % a year: they may be in another unit."""
    given = settings.assumptions
    if not isinstance(given, InstalmentAssumptions):
        return []
    per_year, findings = PER_YEAR[given.price_is], []
    smaller = 12.0 if given.price_is == "monthly_rate_pp" else 100.0
    for band in settings.catalogue.bands:
        if band.standard * per_year > 1.0:
            message = (f"is {band.standard:g} as {given.price_is}, {100 * per_year * band.standard:,.0f} % a year. "
                       f"Did you mean {band.standard / smaller:g}?")  # fmt: skip
            step = "write the price in the unit of price_is in economics.toml; leave it if loans do cost so much"
            findings.append(_asked("OP470", "offers.toml", f"band '{band.name}'.standard", message, step))
    return findings


def _capital_twice(settings: Settings) -> list[Finding]:
    """Ask about limits on capital where every offer is charged for its capital already."""
    given = settings.assumptions
    if not isinstance(given, InstalmentAssumptions) or given.loans.capital_is != "hurdle":
        return []
    cost = given.loans.figure("cost_of_equity")
    message = f"has a price of capital, and cost_of_equity ({cost:g}) is one too: capital is charged twice"
    step = "set cost_of_equity to zero if the limit is to be the only charge; leave both if both are meant"
    return [
        _asked("OP477", "limits.toml", f"limit '{limit.name}'", message, step)
        for limit in settings.limits
        if cost > 0.0 and limit.uses == "capital" and limit.at_least is None
    ]


def resources_of(settings: Settings) -> list[str]:
    """Return the resources that limits can be about, as expected and in the scenarios that limits name."""
    named = [scenario.name for scenario in settings.assumptions.beside]
    return [resource_in(name, scenario) for scenario in (None, *named) for name in resources_used(settings.assumptions)]


def check_time(time: TimeSplit) -> list[Finding]:
    """Return findings about training that does not end before the list, and labels that come after it."""
    findings = []
    start, until, plan_at, labels = (
        AsOf.parse(text) for text in (time.train_from, time.train_until, time.plan_at, time.labels_as_of)
    )
    if not start < until <= plan_at:
        message = f"train_from {start}, train_until {until}, plan_at {plan_at}: expected them in this order"
        findings.append(_finding("OP802", "opportune.toml", "time", message, "training must end before the list"))
    if labels > plan_at and not time.retrospective:
        message = f"is {labels}, later than plan_at {plan_at}: the models would learn from the future"
        step = "set labels_as_of to plan_at or earlier, or say in `retrospective` why this plan looks back"
        findings.append(_finding("OP803", "opportune.toml", "time.labels_as_of", message, step))
    return findings


def _unknown_names(settings: Settings) -> list[Finding]:
    evidence, limits = settings.evidence, [limit.name for limit in settings.limits]
    policies, offers = [policy.name for policy in evidence.policy], settings.catalogue.offer_ids
    given: list[tuple[str, str, str | None, Sequence[str]]] = []
    given.append(("limits.toml", "exploration.standard", settings.exploration.standard, offers))
    given += [
        ("limits.toml", "exploration.largest", name, resources_of(settings)) for name in settings.exploration.largest
    ]
    given.append(("evidence.toml", "today", evidence.today, policies))
    given += [("evidence.toml", "chosen_by", name, list(settings.features)) for name in evidence.chosen_by or ()]
    for i, versus in enumerate(evidence.compare):
        given.append(("evidence.toml", f"compare[{i}].policy", versus.policy, policies))
        given.append(("evidence.toml", f"compare[{i}].against", versus.against, policies))
    for policy in evidence.policy:
        given.append(("evidence.toml", f"policy '{policy.name}'.offer", policy.offer, offers))
        given.append(("evidence.toml", f"policy '{policy.name}'.rank_by", policy.rank_by, list(settings.features)))
        given.append(("evidence.toml", f"policy '{policy.name}'.without", policy.without, limits))
    return [
        _finding("OP804", source, key, f"is {name!r}: expected one of {', '.join(known)}", "correct the name")
        for source, key, name, known in given
        if name is not None and name not in known
    ]


def _names_twice(settings: Settings) -> list[Finding]:
    """Return a finding for each name that two entries of a list share: messages could not tell them apart."""
    evidence = settings.evidence
    lists = (("evidence.toml", "policy", evidence.policy), ("evidence.toml", "subset", evidence.subset),
             ("offers.toml", "eligibility", settings.eligibility))  # fmt: skip
    findings = []
    for source, kind, entries in lists:
        names = [entry.name for entry in entries]
        for name in sorted({name for name in names if names.count(name) > 1}):
            findings.append(_finding("OP809", source, f"{kind} '{name}'", "is declared more than once", "rename one"))
    return findings


def _names_of_features(settings: Settings) -> list[Finding]:
    """Return a finding for each feature that a model or a table could not tell from something else by its name."""
    names, term, step = list(settings.features), settings.catalogue.price.term, "rename the feature"
    findings = []
    for name in names:
        folded = name.casefold()
        if name == term:
            message = "is the name of the price term in offers.toml too: models would read the price in its place"
            findings.append(_finding("OP809", "features.toml", name, message, step))
        if folded == "opportunity_id" or folded.endswith(KNOWN_AT_SUFFIX):
            message = (
                f"is a name that the table of features keeps: expected neither opportunity_id nor ...{KNOWN_AT_SUFFIX}"
            )
            findings.append(_finding("OP009", "features.toml", name, message, step))
        if folded in [other.casefold() for other in names[: names.index(name)]]:
            message = "differs from another feature in capitals only, which SQL does not tell apart"
            findings.append(_finding("OP809", "features.toml", name, message, step))
    return findings


def _policy_findings(evidence: EvidenceSpec) -> list[Finding]:
    """Return what the report could not tell: no plan, or a headline that is no declared difference."""
    source, findings = "evidence.toml", []
    plans = [policy.name for policy in evidence.policy if policy.is_plan]
    if len(plans) != 1:
        message = f"has {len(plans)} policies of kind plan (without the key `without`): expected one"
        findings.append(_finding("OP812", source, "policy", message, 'write one [[policy]] with kind = "plan"'))
    pairs = [(versus.policy, versus.against) for versus in evidence.compare]
    for pair in evidence.headline:
        if pair not in pairs:
            message = f"has {list(pair)}: expected a declared difference, policy and against"
            findings.append(_finding("OP813", source, "headline", message, "write it as a [[compare]] too"))
    return findings


def _missing_roles(settings: Settings) -> list[Finding]:
    """Return a finding for each quantity that the value of a loan needs and no model predicts."""
    roles = quantities_of(settings.assumptions)
    expected = ", ".join(roles)
    return [
        _finding("OP306", "models.toml", role, f"is missing: the value of a loan needs {expected}", f"write [{role}]")
        for role in roles
        if role not in settings.models
    ]


def _asked(code: str, source: str, subject: str, message: str, step: str) -> Finding:
    return msgspec.structs.replace(_finding(code, source, subject, message, step), severity="warning")


def _finding(code: str, source: str, subject: str, message: str, step: str) -> Finding:
    return Finding(code=code, source=source, subject=subject, message=message, next_step=step)
