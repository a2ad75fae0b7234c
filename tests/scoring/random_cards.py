"""Hypothesis strategies: random scorecards, and random histories that their rules can bite on."""

from datetime import UTC, date, datetime, time, timedelta
from decimal import Decimal
from fractions import Fraction
from functools import cache
from typing import Any
from zoneinfo import ZoneInfo

import pyarrow as pa
from hypothesis import strategies as st

from rescore.rules.actions import Webhook
from rescore.rules.card import (
    ALWAYS,
    NO_DECAY,
    NO_LIMIT,
    ActivityRule,
    AllOf,
    AnyOf,
    Automation,
    Band,
    Burst,
    Choice,
    Comparison,
    Condition,
    Decay,
    Dimension,
    FirstOfRule,
    FrequencyRule,
    Grades,
    HalfLife,
    Kind,
    LeadRule,
    Limit,
    Linear,
    Not,
    Operator,
    QuarantineEntry,
    Range,
    Restart,
    Rule,
    Scorecard,
    SilenceRule,
    SoonAfter,
    Steps,
    ValueList,
)
from rescore.rules.scope import account_rules
from rescore.text import fold

ZONES = [
    *("UTC", "Europe/Berlin", "America/Sao_Paulo", "Pacific/Apia", "Asia/Kathmandu", "Africa/Casablanca"),
    *("America/New_York", "Australia/Lord_Howe", "Pacific/Kiritimati", "America/St_Johns", "Africa/Monrovia"),
]
TYPES = ["page_view", "Form Submit", "it's"]
TEXTS = [
    *("", " ", "CTO", "director", "Chief  of-Staff", "head of sales", "VP, Sales", "/pricing", "/PRICING/x"),
    *(
        "İstanbul",
        "i̇stanbul",
        "straße",
        "STRASSE",
        "café",
        "cafe\u0301",
        "日本語 部長",
        "naïve_co",
        "a'b\"c%_\\",
    ),
    *("12", " 12 ", "+5", "-5", "1e3", "1e400", "0x10", "1_000", "١٢", ".5", "5.", "nan", "inf", "0.1", "-0"),
    *("true", "TRUE", " False ", "yes", "2026-10-25", "2026-02-30", "2026-10-25T00:30:00+02:00", "2026-1-1"),
    *("2026-10-24 22:30", "2026-10-24T23:59:59.9999999Z", "2026-10-25T24:00:00", "9999-12-31T23:59-10:00"),
    *("2026-03-28T23:30:00-14:00", "0000-01-01", "1969-12-31T23:30:00", "\u2028x", "🦄 unicorn", "a\tb\nc"),
]
ADDRESSES = [
    *("ada@gmail.com", "Ada@Mail.GMAIL.com.", "ada@notgmail.com", "ada@gmail.com.evil.org", "ada@ac.uk"),
    *(
        "x@cs.ox.ac.uk",
        "https://u:p@www.Example.com:80/@x?y#z",
        "//example.com",
        "example.com/a@b",
        "@",
        "a@",
    ),
    *(
        "https://medium.com/@ada",
        "Ada <ada@x.com>",
        " ada@x.com ",
        "http://",
        "..",
        "a@.com",
        "com",
        "x@Ü.de",
    ),
    *("mailto:ada@x.com", "ada@x.com, bob@y.com", "a b@gmail.com x", "ftp://a.b.c.d.e.f/", "http://[::1]/"),
]
DOMAINS = ["gmail.com", "ac.uk", "uk", "com", "example.com", "x.com", "ü.de", "a.b.c.d.e.f", "d.e.f", "12"]
NUMBERS = [0.0, -0.0, 0.1, 0.3, 1.0, 2.5, -5.0, 12.0, 1e3, 1e300, -1e308, 2.0**53, 2.0**53 + 2]
NOT_NUMBERS = [float("nan"), float("inf"), float("-inf")]
WHOLES = [0, 1, -5, 12, 5, 1000, 2**53, 2**53 + 1, 2**62]
HOSTILE = 'we"ird; DROP TABLE leads --'
LEAD_FIELDS = {
    "title": pa.string(),
    "mess": pa.string(),
    HOSTILE: pa.string(),
    "size": pa.float64(),
    "seats": pa.int64(),
    "opted_out": pa.bool_(),
    "born": pa.date32(),
    "seen": pa.timestamp("us"),
    "account": pa.string(),
    "rescore_objection": pa.bool_(),
    "rescore_quarantine_released": pa.bool_(),
}
OURS = {"age in days": pa.string()}  # a column whose name the query uses itself: it is no field
ACTIVITY_FIELDS = {
    "asset": pa.string(),
    "channel": pa.string(),
    "value": pa.float64(),
    "mess": pa.string(),
    "clicks": pa.int64(),
    "due": pa.timestamp("us"),
}
NOWHERE = ["nowhere", "Title", "type__folded"]


@cache
def texts() -> st.SearchStrategy[str]:
    alphabet = st.characters(exclude_characters="\x00", exclude_categories=["Cs"])
    return st.sampled_from(TEXTS) | st.sampled_from(ADDRESSES) | st.text(alphabet, max_size=6)


@cache
def decimals() -> st.SearchStrategy[Decimal]:
    plain = st.sampled_from(["0", "0.1", "0.3", "1", "2.5", "-5", "12", "1000", "9007199254740993"])
    return plain.map(Decimal) | st.decimals(-1000, 1000, places=2)


# ── scorecards ───────────────────────────────────────────────────────────────────────────────────────

MANY_TEXTS = [Operator.CONTAINS_ANY, Operator.STARTS_WITH_ANY, Operator.ENDS_WITH_ANY, Operator.HAS_ANY_WORD]
ONE_TEXT = [Operator.CONTAINS, Operator.STARTS_WITH, Operator.ENDS_WITH, Operator.HAS_WORD]
OF_LISTS = [Operator.IN_LIST, Operator.DOMAIN_IN_LIST]
LISTS = ["domains", "names"]
ONE_NUMBER = [Operator.AT_LEAST, Operator.AT_MOST, Operator.ABOVE, Operator.BELOW]


@st.composite
def comparisons(draw: st.DrawFn, fields: tuple[str, ...]) -> Comparison:
    field = draw(st.sampled_from(fields))
    kind = draw(st.sampled_from(list(Kind)))
    match kind:
        case Kind.TEXT:
            literals = texts().filter(bool)
            operator = draw(
                st.sampled_from([Operator.EQUALS, Operator.IN, *OF_LISTS, *ONE_TEXT, *MANY_TEXTS])
            )
            if operator in OF_LISTS:
                names = ["domains"] if operator is Operator.DOMAIN_IN_LIST else LISTS
                return Comparison(field, operator, kind, (draw(st.sampled_from(names)),))
            if operator in {Operator.HAS_WORD, Operator.HAS_ANY_WORD}:
                literals = st.sampled_from(
                    ["cto", "Head of", "sales", "STRASSE", "İstanbul", "5", "部長", "of"]
                )
            size = 3 if operator is Operator.IN or operator in MANY_TEXTS else 1
            values = tuple(draw(st.lists(literals, min_size=1, max_size=size, unique=True)))
        case Kind.NUMBER:
            operator = draw(st.sampled_from([Operator.EQUALS, Operator.IN, Operator.BETWEEN, *ONE_NUMBER]))
            size = {Operator.IN: 3, Operator.BETWEEN: 2}.get(operator, 1)
            least = 2 if operator is Operator.BETWEEN else 1
            values = tuple(sorted(draw(st.lists(decimals(), min_size=least, max_size=size))))
        case Kind.FLAG:
            operator, values = Operator.IS, (draw(st.booleans()),)
        case Kind.DATE:
            operator = draw(st.sampled_from([Operator.NEWER_THAN, Operator.OLDER_THAN]))
            values = (draw(st.integers(0, 40) | st.integers(0, 3660)),)
        case Kind.ANY:
            operator, values = Operator.EXISTS, (draw(st.booleans()),)
    return Comparison(field, operator, kind, values)


@cache
def conditions(*fields: str) -> st.SearchStrategy[Condition]:
    def nested(inner: st.SearchStrategy[Condition]) -> st.SearchStrategy[Condition]:
        several = st.lists(inner, min_size=1, max_size=3).map(tuple)
        return several.map(AllOf) | several.map(AnyOf) | inner.map(Not)

    return st.recursive(comparisons(fields), nested, max_leaves=4)


@cache
def lead_conditions() -> st.SearchStrategy[Condition]:
    return conditions(*LEAD_FIELDS, *NOWHERE)


@cache
def activity_conditions() -> st.SearchStrategy[Condition]:
    return st.just(ALWAYS) | st.just(ALWAYS) | conditions(*ACTIVITY_FIELDS, *NOWHERE)


@cache
def points() -> st.SearchStrategy[int]:
    return st.sampled_from([1, 500, 1500, -1500, 5000, -20_000, 100_000_000]) | st.integers(-30_000, 30_000)


@st.composite
def decays(draw: st.DrawFn) -> Decay:
    ages = st.integers(1, 60)
    steps = st.dictionaries(ages, st.sampled_from(["0", "0.25", "0.5", "0.333", "1"]), min_size=1, max_size=3)
    shape = draw(
        st.none()
        | (ages | st.sampled_from([180, 365])).map(HalfLife)
        | (ages | st.just(3660)).map(Linear)
        | steps.map(lambda kept: Steps(tuple(sorted((age, Fraction(keep)) for age, keep in kept.items()))))
    )
    return Decay(shape, draw(st.none() | ages))


@cache
def limits() -> st.SearchStrategy[Limit]:
    most = st.none() | st.integers(1, 40_000)
    few = st.sampled_from([1, 2, 3, 12, 13, 20])
    return (
        st.just(NO_LIMIT)
        | st.builds(Limit, first=st.just(True), points=most)
        | st.builds(Limit, count=few, per_day=st.booleans(), points=most)
        | st.builds(Limit, points=most)
    )


@st.composite
def rules(draw: st.DrawFn, name: str, dimensions: list[str]) -> Rule:
    own: dict[str, Any] = {
        "id": name,
        "label": name,
        "dimension": draw(st.sampled_from(dimensions)),
        "line": 1,
    }
    kind = draw(
        st.sampled_from([ActivityRule, ActivityRule, FrequencyRule, SilenceRule, LeadRule, FirstOfRule])
    )
    if kind is LeadRule:
        return LeadRule(**own, condition=draw(lead_conditions()), points=draw(points()))
    if kind is FirstOfRule:
        choices = st.builds(Choice, when=lead_conditions(), points=points(), label=st.just("choice"))
        return FirstOfRule(**own, choices=tuple(draw(st.lists(choices, min_size=1, max_size=3))))
    types = draw(st.lists(st.sampled_from(TYPES), min_size=1, max_size=3, unique=True))
    own |= {"activities": tuple(types), "where": draw(activity_conditions()), "points": draw(points())}
    own["scope"] = draw(st.sampled_from(["lead", "lead", "account"]))
    if kind is SilenceRule:
        return SilenceRule(**own, none_within=draw(st.integers(1, 90)))
    if kind is ActivityRule:
        return ActivityRule(**own, limit=draw(limits()), decay=draw(st.just(NO_DECAY) | decays()))
    people = ["people"] * (own["scope"] == "account")
    measure = draw(st.sampled_from(["count", "days", "distinct", *people]))
    field = draw(st.sampled_from([*ACTIVITY_FIELDS, *NOWHERE])) if measure == "distinct" else None
    within = draw(st.integers(1, 90) | st.sampled_from([61, 62, 3660]))
    return FrequencyRule(**own, measure=measure, field=field, at_least=draw(st.integers(1, 4)), within=within)


@cache
def ranges() -> st.SearchStrategy[Range]:
    low, high = st.none() | st.integers(-50_000, 0), st.none() | st.integers(0, 150_500)
    return st.just(Range()) | st.builds(Range, floor=low, ceiling=high)


@cache
def value_lists() -> st.SearchStrategy[tuple[ValueList, ...]]:
    """What the lists that conditions name hold."""

    def made(values: tuple[set[str], set[str]]) -> tuple[ValueList, ...]:
        return tuple(
            ValueList(name, f"lists/{name}.txt", frozenset(map(fold, few)))
            for name, few in zip(LISTS, values, strict=True)
        )

    domains = st.sets(st.sampled_from(DOMAINS), min_size=1)
    names = st.sets(texts().map(lambda text: " ".join(text.split())).filter(bool), min_size=1, max_size=8)
    return st.tuples(domains, names).map(made)


@st.composite
def scorecards(draw: st.DrawFn) -> Scorecard:
    names = ["engagement", "fit", "extra"][: draw(st.integers(1, 3))]
    bounds = draw(st.lists(st.integers(-20_000, 200_000), max_size=4, unique=True))
    count = draw(st.integers(1, 6))
    some = tuple(draw(rules(f"rule_{index}", names)) for index in range(count))
    of_leads = sorted(set(names) - {rule.dimension for rule in account_rules(some)})
    return Scorecard(
        id="random",
        description="",
        timezone=ZoneInfo(draw(st.sampled_from(ZONES))),
        total=draw(ranges()),
        dimensions=tuple(Dimension(name, draw(ranges()), draw(st.integers(0, 4)) > 0) for name in names),
        rules=some,
        audience=draw(st.just(ALWAYS) | lead_conditions().map(Not)),
        bands=tuple(Band(f"band {bound}", bound) for bound in sorted(bounds, reverse=True)),
        automations=tuple(
            draw(automations(f"automation_{index}")) for index in range(draw(st.integers(0, 2)))
        ),
        lists=draw(value_lists()),
        grades=draw(st.none() | grades(names)),
        restart=draw(st.none() | restarts(of_leads)) if of_leads else None,
        quarantine=draw(quarantines()),
    )


@st.composite
def quarantines(draw: st.DrawFn) -> tuple[QuarantineEntry, ...]:
    """None, or up to two entries of every kind."""
    count = draw(st.sampled_from([0, 0, 1, 1, 2]))
    return tuple(draw(quarantine_entries(f"entry_{index}")) for index in range(count))


SPANS = st.sampled_from([1, 2, 60, 3600, 86_400])


@st.composite
def quarantine_entries(draw: st.DrawFn, name: str) -> QuarantineEntry:
    types = draw(st.lists(st.sampled_from(TYPES), min_size=1, max_size=2, unique=True))
    fields = st.none() | st.sampled_from([*ACTIVITY_FIELDS, *NOWHERE])
    others = st.lists(st.sampled_from(TYPES), min_size=1, max_size=2, unique=True).map(tuple)
    pattern = draw(
        st.none()
        | st.builds(Burst, count=st.integers(2, 4), within=SPANS, field=fields)
        | st.builds(SoonAfter, activities=others, within=SPANS)
    )
    where = draw(conditions(*ACTIVITY_FIELDS, *NOWHERE) if pattern is None else activity_conditions())
    return QuarantineEntry(name, name, tuple(types), where, 1, pattern)


@st.composite
def grades(draw: st.DrawFn, names: list[str]) -> Grades:
    """Some dimensions graded, in any order, with anything between them."""
    graded = draw(st.lists(st.sampled_from(names), min_size=1, unique=True))
    bounds = st.lists(st.integers(-20_000, 60_000), min_size=1, max_size=3, unique=True)
    bands = [
        tuple(Band(f"{name[0]}{bound}", bound) for bound in sorted(draw(bounds), reverse=True))
        for name in graded
    ]
    between = draw(st.sampled_from(["", "-", " it's "]))
    return Grades(
        tuple(zip(graded, bands, strict=True)), between.join(f"{{{name}}}" for name in graded[::-1])
    )


@st.composite
def restarts(draw: st.DrawFn, names: list[str]) -> Restart:
    """Of any type, on any condition, of some dimensions or all."""
    types = st.lists(st.sampled_from(TYPES), min_size=1, max_size=2, unique=True)
    keep = st.sampled_from(["0", "0.25", "0.333", "1"]).map(Fraction)
    dimensions = st.lists(st.sampled_from(names), min_size=1, unique=True)
    return Restart(
        tuple(draw(types)), draw(activity_conditions()), tuple(draw(dimensions)), draw(keep), line=1
    )


@st.composite
def automations(draw: st.DrawFn, name: str) -> Automation:
    """Of what scoring answers for them: conditions on the lead."""
    fires = Comparison("score", Operator.AT_LEAST, Kind.NUMBER, (Decimal(5),))
    asked = st.none() | lead_conditions()
    own = {"unless": draw(asked), "already_fired": draw(asked)}
    return Automation(name, name, fires, None, (Webhook("hook"),), line=1, **own)


# ── histories ────────────────────────────────────────────────────────────────────────────────────────


@cache
def scoring_times() -> st.SearchStrategy[datetime]:
    odd = ["2026-10-25T00:30", "2026-10-25T01:00", "2026-03-29T00:59:59.999999", "2018-11-04T02:30"]
    odd += ["2011-12-30T09:59:59", "2011-12-30T10:00", "2026-02-15T02:00", "2011-11-06T02:35"]
    fixed = st.sampled_from(odd).map(datetime.fromisoformat)
    anytime = st.datetimes(datetime(1999, 1, 1), datetime(2040, 1, 1))  # noqa: DTZ001  made UTC below
    return (fixed | fixed | anytime).map(lambda moment: moment.replace(tzinfo=UTC))


LONG_AGO = ["1969-12-31T23:30", "1972-01-07T00:44:31", "1900-01-01T00:00", "1970-01-01T00:00"]
JITTERS = [0, 1, -1, 1_000_000, -1_000_000, 3_600_000_000, -1_800_000_000]  # microseconds around midnight
PLACES = st.tuples(st.integers(-2, 90), st.sampled_from(JITTERS) | st.integers(0, 86_399_999_999))


def moments(zone: ZoneInfo, as_of: datetime) -> st.SearchStrategy[datetime]:
    """Naive UTC times near the local midnights before `as_of`, at it, after it, and very long ago."""
    today = as_of.astimezone(zone).date()

    def at(place: tuple[int, int]) -> datetime:
        days, jitter = place
        midnight = datetime.combine(today - timedelta(days=days), time(), zone).astimezone(UTC)
        return (midnight + timedelta(microseconds=jitter)).replace(tzinfo=None)

    around = [(as_of + timedelta(microseconds=us)).replace(tzinfo=None) for us in (0, 1, -1)]
    rare = st.sampled_from([*around, *map(datetime.fromisoformat, LONG_AGO)])
    near = PLACES.map(at)
    return near | near | near | rare


def values(kind: pa.DataType, times: st.SearchStrategy[datetime]) -> st.SearchStrategy[Any]:
    return (
        st.none()
        | {
            pa.string(): texts(),
            pa.float64(): st.sampled_from([*NUMBERS, *NOT_NUMBERS]) | st.floats(-100, 100),
            pa.int64(): st.sampled_from(WHOLES),
            pa.bool_(): st.booleans(),
            pa.date32(): st.dates(date(1900, 1, 1), date(2100, 1, 1)) | times.map(datetime.date),
            pa.timestamp("us"): times,
        }[kind]
    )


SECOND = 1_000_000
ECHOES = st.sampled_from([*[None] * 6, 0, 0, SECOND, SECOND // 2, SECOND + 1, 2 * SECOND, 60 * SECOND])

ACCOUNTS = st.sampled_from(["acme", " ACME", "acme", "other", "", None])
OBJECTIONS = st.sampled_from([None, None, None, False, True])


@st.composite
def histories(draw: st.DrawFn, zone: ZoneInfo, as_of: datetime) -> tuple[list[dict], list[dict]]:
    """Rows of leads and activities; some activities are nobody's, and some come twice."""
    times = moments(zone, as_of)
    attributes = st.fixed_dictionaries(
        {name: values(kind, times) for name, kind in (LEAD_FIELDS | OURS).items()}
    )
    leads = [
        {"lead": f"crm:{index}"}
        | draw(attributes)
        | {"account": draw(ACCOUNTS)}
        | {name: draw(OBJECTIONS) for name in ("rescore_objection", "rescore_quarantine_released")}
        for index in range(draw(st.integers(1, 4)))
    ]
    keys = [lead["lead"] for lead in leads[: max(1, len(leads) - 1)]] * 3 + ["crm:nobody"]
    fields = st.fixed_dictionaries(
        {
            "source": st.just("crm"),
            "lead": st.sampled_from(keys),
            "type": st.sampled_from(TYPES),
            "occurred_at": times,
            "known_after": st.integers(0, 2),
            "echo": ECHOES,
        }
        | {name: values(kind, times) for name, kind in ACTIVITY_FIELDS.items()}
    )
    activities = []
    for index, activity in enumerate(
        draw(st.lists(fields, max_size=25) | st.lists(fields, min_size=12, max_size=25))
    ):
        echo = activity.pop("echo")
        if echo is not None and activities:  # a burst: by the same lead, soon after the one before or with it
            before = activities[-1]
            at = before["occurred_at"] + timedelta(microseconds=echo)
            activity |= {"lead": before["lead"], "occurred_at": at}
        known_at = activity["occurred_at"] + timedelta(hours=activity.pop("known_after"))
        activities.append(activity | {"activity_id": f"{index:03}", "known_at": known_at})
    if activities and draw(st.booleans()):
        again = draw(st.sampled_from(activities))
        corrected = {"known_at": again["known_at"] + timedelta(days=1), "type": draw(st.sampled_from(TYPES))}
        activities.append(again | corrected)
    return leads, activities


def tables(leads: list[dict], activities: list[dict]) -> tuple[pa.Table, pa.Table]:
    """The rows as Arrow tables of the right types."""
    own = {name: pa.string() for name in ("source", "activity_id", "lead", "type")}
    own |= {name: pa.timestamp("us") for name in ("occurred_at", "known_at")}
    return (
        pa.Table.from_pylist(leads, pa.schema({"lead": pa.string()} | LEAD_FIELDS | OURS)),
        pa.Table.from_pylist(activities, pa.schema(own | ACTIVITY_FIELDS)),
    )
