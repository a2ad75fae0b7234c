"""The scorecards whose compiled queries are kept as files, and the facts they are run on."""

from collections.abc import Iterator
from dataclasses import replace
from datetime import UTC, date, datetime, timedelta
from fractions import Fraction
from pathlib import Path
from typing import Any
from zoneinfo import ZoneInfo

import pyarrow as pa

from rescore.rules.actions import Webhook
from rescore.rules.card import (
    ALWAYS,
    AllOf,
    AnyOf,
    Automation,
    Band,
    Burst,
    Choice,
    Decay,
    Dimension,
    FirstOfRule,
    FrequencyRule,
    Grades,
    HalfLife,
    Limit,
    Linear,
    Not,
    QuarantineEntry,
    Range,
    Restart,
    Scorecard,
    SilenceRule,
    SoonAfter,
    Steps,
    ValueList,
)
from rescore.rules.lists import read_lists
from rescore.rules.load import load_scorecard
from tests.scoring.builders import WORDS, a_card, a_lead_rule, an_activity_rule, compares

AS_OF = datetime(2026, 11, 1, 12, tzinfo=UTC)
SHIPPED = Path(__file__).parents[2] / "include" / "rules"

WEEK = Decay(HalfLife(7))
UP_AND_DOWN = Decay(Steps(((2, Fraction(1, 2)), (4, Fraction(1)))))


def cases() -> Iterator[tuple[str, Scorecard]]:
    """(file name, scorecard), one for each shape of a rule and each operator, and the shipped ones."""
    activity_rules = {
        "plain": an_activity_rule(5000),
        "half_life": an_activity_rule(5000, decay=WEEK),
        "linear": an_activity_rule(-5000, decay=Decay(Linear(10))),
        "steps_that_rise": an_activity_rule(5000, decay=UP_AND_DOWN, limit=Limit(count=3)),
        "expires": an_activity_rule(5000, decay=Decay(expires=4)),
        "first": an_activity_rule(5000, limit=Limit(first=True)),
        "first_with_decay": an_activity_rule(5000, limit=Limit(first=True), decay=WEEK),
        "count": an_activity_rule(5000, limit=Limit(count=3)),
        "count_with_decay": an_activity_rule(5000, limit=Limit(count=3), decay=WEEK),
        "large_count_with_decay": an_activity_rule(5000, limit=Limit(count=20), decay=WEEK),
        "count_per_day": an_activity_rule(5000, limit=Limit(count=1, per_day=True), decay=WEEK),
        "points": an_activity_rule(-5000, limit=Limit(points=7000), decay=WEEK),
        "several_types": an_activity_rule(5000, activities=("visit", "it's")),
    }
    for name, rule in activity_rules.items():
        yield f"activity_{name}", a_card(rule)
    for measure, field, within in (
        ("count", None, 7),
        ("days", None, 7),
        ("distinct", "asset", 7),
        ("days", None, 90),
    ):
        named: dict[str, Any] = {"id": "rule", **WORDS, "activities": ("visit",), "where": ALWAYS}
        window = {"measure": measure, "field": field, "at_least": 2, "within": within, "points": 1000}
        yield f"frequency_{measure}_in_{within}", a_card(FrequencyRule(**named, **window))
    yield "none_within", a_card(SilenceRule(**named, none_within=5, points=-1000))
    title = {"field": "title"}
    choices = (
        Choice(compares("has_word", "cto", **title), 3000, "C"),
        Choice(compares("exists", True, **title), 1000, "Any"),
    )
    yield "first_of", a_card(FirstOfRule(id="rule", **WORDS, choices=choices))
    for operator, *literals in (
        *(("equals", "Café"), ("in", "cto", "vp"), ("contains", "o'"), ("contains_any", "x", "y")),
        *(
            ("starts_with", "/P"),
            ("starts_with_any", "/P", "c"),
            ("ends_with", "f"),
            ("ends_with_any", "f", "o"),
        ),
        *(("has_word", "cto"), ("has_any_word", "head of", "vp"), ("exists", True), ("is", True)),
        *(("equals", 12), ("in", 1, 2.5), ("at_least", 12), ("at_most", 2.5), ("above", 3), ("below", 3)),
        *(("between", 1, 2.5), ("newer_than", 3), ("older_than", 3)),
    ):
        kind = "text" if isinstance(literals[0], str) else ""
        if not kind and operator not in {"is", "exists", "newer_than", "older_than"}:
            kind = "number"
        field = "size" if kind == "number" else "title"
        name = "_".join(filter(None, ["operator", operator, kind]))
        yield name, a_card(a_lead_rule(compares(operator, *literals, field=field)))
    domains = frozenset({"ac.uk", "example.com", "nat.example.org"})
    addresses = Not(compares("domain_in_list", "domains", field="email_domain"))
    yield (
        "operator_domain_in_list",
        a_card(a_lead_rule(addresses), lists=(ValueList("domains", "lists/domains.txt", domains),)),
    )
    names = (ValueList("names", "lists/names.txt", frozenset({"cto", "x o'y", "/docs"})),)
    yield "operator_in_list", a_card(a_lead_rule(compares("in_list", "names", **title)), lists=names)
    assets = Not(compares("in_list", "names", field="asset"))
    yield "activity_in_list", a_card(an_activity_rule(5000, where=assets), lists=names)
    for field in ("size", "seats", "born", "seen", "opted_out", "nowhere"):
        number, text = compares("above", 1, field=field), compares("equals", "12", field=field)
        rest = compares("is", True, field=field), compares("newer_than", 5, field=field)
        yield f"field_{field}", a_card(a_lead_rule(AnyOf((number, text, *rest))))
    logic = AllOf((Not(compares("below", 5, field="size")), AnyOf((compares("exists", False, **title), *()))))
    yield "logic", a_card(a_lead_rule(Not(logic)))
    handed_back = compares("equals", "/docs", field="asset")
    restart = Restart(("call",), handed_back, ("engagement",), Fraction(1, 4), 1)
    visits = {"activities": ("visit", "call")}
    yield (
        "restart",
        a_card(
            an_activity_rule(5000, id="plain", **visits),
            an_activity_rule(5000, id="decaying", decay=WEEK, **visits),
            an_activity_rule(5000, id="newest", limit=Limit(count=3), decay=WEEK, **visits),
            an_activity_rule(5000, id="first", limit=Limit(first=True), **visits),
            an_activity_rule(5000, id="per_day", limit=Limit(count=1, per_day=True), decay=WEEK, **visits),
            FrequencyRule(**(named | visits | {"id": "often"}), **window),
            SilenceRule(**(named | visits | {"id": "quiet"}), none_within=5, points=-1000),
            restart=restart,
        ),
    )
    docs = compares("equals", "/docs", field="asset")
    held = (
        QuarantineEntry("often", "", ("visit",), ALWAYS, 1, Burst(4, 24 * 3600)),
        QuarantineEntry("widely", "", ("visit", "call"), Not(docs), 1, Burst(2, 24 * 3600, "asset")),
        QuarantineEntry("soon", "", ("visit",), ALWAYS, 1, SoonAfter(("call",), 5 * 3600)),
        QuarantineEntry("docs", "", ("call",), docs, 1),
    )
    each = an_activity_rule(5000, **visits)
    yield "quarantine", a_card(each, quarantine=held)
    of_account = replace(each, id="together", scope="account")
    yield "quarantine_of_accounts", a_card(each, of_account, quarantine=held[:1])
    theirs = {"scope": "account"}
    yield (
        "account",
        a_card(
            an_activity_rule(5000, id="own", limit=Limit(count=3)),
            an_activity_rule(5000, id="together", limit=Limit(count=3), decay=WEEK, **theirs),
            an_activity_rule(5000, id="per_day", limit=Limit(count=1, per_day=True), decay=WEEK, **theirs),
            FrequencyRule(**(named | {"id": "group"}), **(window | {"measure": "people"}), **theirs),
            SilenceRule(**(named | {"id": "quiet"}), none_within=5, points=-1000, **theirs),
        ),
    )
    grades = Grades(
        (("engagement", (Band("A", 12_500), Band("B", 0))), ("fit", (Band("1", 1_000),))),
        "{fit}-{engagement}",
    )
    yield (
        "grades",
        a_card(
            an_activity_rule(5000, id="visits", limit=Limit(count=3)),
            replace(a_lead_rule(compares("exists", True, field="size")), id="known", dimension="fit"),
            dimensions=(Dimension("engagement", Range()), Dimension("fit", Range())),
            audience=Not(compares("in", "customer", field="stage")),
            grades=grades,
        ),
    )
    yield (
        "whole",
        a_card(
            an_activity_rule(5000, id="visits", limit=Limit(count=3), decay=WEEK),
            an_activity_rule(1000, id="visit_days", limit=Limit(count=1, per_day=True)),
            a_lead_rule(compares("has_word", "cto", **title)),
            timezone=ZoneInfo("Asia/Kathmandu"),
            total=Range(0, 20_500),
            dimensions=(
                Dimension("engagement", Range(0, 12_000)),
                Dimension("aside", Range(), in_total=False),
            ),
            audience=Not(compares("in", "customer", field="stage")),
            bands=(Band("hot", 9_500), Band("cold", 0)),
        ),
    )
    customer, known = compares("equals", "customer", field="stage"), compares("exists", True, field="born")
    asking = Automation(
        "mql", "MQL", ALWAYS, None, (Webhook("hook"),), line=1, unless=customer, already_fired=known
    )
    yield "lead_flags", a_card(an_activity_rule(5000), automations=(asking,))
    for path in sorted([*SHIPPED.glob("*.yaml"), *SHIPPED.glob("*.yaml.example")]):
        body = path.read_bytes()
        card = load_scorecard(body, name=path.name, lists=read_lists(body, SHIPPED))
        yield f"shipped_{card.id}", replace(card, lists=tuple(map(_cut, card.lists)))


def _cut(values: ValueList) -> ValueList:
    """A list of a few values: a query on file should not change with every value."""
    return replace(values, values=frozenset(sorted(values.values)[:3]))


TITLES = ["CTO", "VP, Head of Sales", "café", "x o'y", "/pricing.pdf", "", None, "12", "2026-10-30", "true"]
EMAILS = ["ada@Example.com", "https://www.example.com:80/x", "x@ox.ac.uk", "x@myexample.com", None, "-@-"]
TITLES += ["2026-10-01T12:00:00+05:45"]


def leads() -> list[dict[str, Any]]:
    """Leads with every type of attribute; some values are missing."""
    return [
        {
            "lead": f"crm:{index:02}",
            "title": title,
            "account": [" ACME", "acme", None, "beta", ""][index % 5],
            "stage": "Customer" if index == 3 else "lead",
            "size": [None, 2.5, 12.0][index % 3],
            "seats": [12, None, 0, 5][index % 4],
            "opted_out": [True, False, None][index % 3],
            "born": AS_OF.date() - timedelta(days=index) if index else date(1990, 1, 1),
            "seen": AS_OF.replace(tzinfo=None) - timedelta(hours=17 * index),
            "job_title": title,
            "email_domain": EMAILS[index % len(EMAILS)],
            "country": "Germany",
            "employees": 50.0 * index,
            "rescore_quarantine_released": index == 4,
            "lifecycle_stage": "lead",
        }
        for index, title in enumerate(TITLES)
    ]


def activities(types: list[str]) -> list[dict[str, Any]]:
    """Of each type a few for every other lead, on days before and one after the scoring time."""
    rows = []
    for index in range(0, len(TITLES), 2):
        for number, kind in enumerate(types):
            first = 8 if index == 8 else -1  # the last lead has been quiet for a while
            for step in range(first, index + number % 5 + 2):
                moment = AS_OF.replace(tzinfo=None) - timedelta(hours=15 * step * (1 + number % 3))
                rows.append(
                    {
                        "source": "crm",
                        "activity_id": f"{kind} {index} {step}",
                        "lead": f"crm:{index:02}",
                        "type": kind,
                        "occurred_at": moment,
                        "known_at": moment,
                        "asset": ["/pricing/eu", "/Docs", None][step % 3],
                        "channel": "web",
                        "value": float(step),
                    }
                )
    return rows


def tables(lead_rows: list[dict], activity_rows: list[dict]) -> tuple[pa.Table, pa.Table]:
    """The rows as Arrow tables."""
    return pa.Table.from_pylist(lead_rows), pa.Table.from_pylist(activity_rows)
