"""The language: every feature, as written, becomes the card it means."""

from datetime import UTC, datetime
from decimal import Decimal
from fractions import Fraction
from zoneinfo import ZoneInfo

import pytest

from rescore.errors import ScorecardInvalid
from rescore.rules.actions import Webhook
from rescore.rules.card import (
    ALWAYS,
    ActivityRule,
    AllOf,
    AnyOf,
    Band,
    Choice,
    Comparison,
    Condition,
    Decay,
    Dimension,
    FirstOfRule,
    FrequencyRule,
    HalfLife,
    Kind,
    LeadRule,
    Limit,
    Linear,
    Not,
    Operator,
    Range,
    Rule,
    Scalar,
    Scorecard,
    SilenceRule,
    Steps,
)
from rescore.rules.examples import failed_examples
from rescore.rules.load import check_scorecard, load_scorecard

HEAD = """\
scorecard: test
dimensions: {engagement: {}, fit: {}}
bands: {B: 40, A: 80}
rules:
  - {id: fine, dimension: fit, activity: a, points: 1}
"""


def load(text: str) -> Scorecard:
    return load_scorecard(text.encode(), name="test.yaml")


def rule(fields: str) -> Rule:
    return load(f"{HEAD}  - {{id: x, dimension: engagement, {fields}}}\n").rules[1]


def condition(text: str) -> Condition:
    found = rule(f"points: 1, lead: {text}")
    assert isinstance(found, LeadRule)
    return found.condition


def named(label: str = "X") -> dict[str, object]:
    return {"id": "x", "label": label, "dimension": "engagement", "line": 6}


def test_what_a_scorecard_leaves_out_has_a_plain_meaning() -> None:
    card = load("scorecard: s\ndimensions: {d: {}}\nrules: [{id: r, dimension: d, activity: a, points: 1}]\n")
    assert card == Scorecard(
        id="s",
        description="",
        timezone=ZoneInfo("UTC"),
        total=Range(None, None),
        dimensions=(Dimension("d", Range(None, None), in_total=True),),
        rules=(
            ActivityRule(
                id="r", label="R", dimension="d", line=3, activities=("a",), where=ALWAYS, points=1000
            ),
        ),
        audience=ALWAYS,
        bands=(),
        automations=(),
    )


def test_the_frame_of_a_scorecard() -> None:
    card = load(
        "scorecard: s\ndescription: About\ntimezone: Europe/Berlin\nscore: {floor: 0, ceiling: 99.5}\n"
        "dimensions: {d: {floor: -4}, e: {ceiling: 8, in_total: false}}\n"
        "audience: {exclude: {stage: {in: [customer]}}}\nbands: {cold: -10, hot: 80, warm: 40}\n"
        "rules: [{id: r, dimension: d, activity: a, points: 1}]\n"
    )
    assert card.description == "About"
    assert card.timezone == ZoneInfo("Europe/Berlin")
    assert card.total == Range(0, 99_500)
    assert card.dimensions == (
        Dimension("d", Range(-4000, None)),
        Dimension("e", Range(None, 8000), in_total=False),
    )
    assert card.audience == Not(Comparison("stage", Operator.IN, Kind.TEXT, ("customer",)))
    assert card.bands == (Band("hot", 80_000), Band("warm", 40_000), Band("cold", -10_000))


@pytest.mark.parametrize(
    ("fields", "expected"),
    [
        pytest.param(
            "label: Hi, activity: [a, b], where: {asset: {equals: z}}, points: 0.125",
            ActivityRule(
                **named("Hi"),
                activities=("a", "b"),
                where=Comparison("asset", Operator.EQUALS, Kind.TEXT, ("z",)),
                points=125,
            ),
            id="points for each activity",
        ),
        pytest.param(
            "activity: a, points: 10, frequency: {count: 3, within: 1w}",
            FrequencyRule(
                **named(), activities=("a",), where=ALWAYS, measure="count", field=None, at_least=3, within=7,
                points=10_000,
            ),
            id="so many activities",
        ),
        pytest.param(
            "activity: a, points: 10, frequency: {days: 2, within: 7d}",
            FrequencyRule(
                **named(), activities=("a",), where=ALWAYS, measure="days", field=None, at_least=2, within=7,
                points=10_000,
            ),
            id="on so many days",
        ),
        pytest.param(
            "activity: a, points: 10, frequency: {distinct: asset, count: 5, within: 30d}",
            FrequencyRule(
                **named(), activities=("a",), where=ALWAYS, measure="distinct", field="asset", at_least=5,
                within=30, points=10_000,
            ),
            id="so many different values",
        ),
        pytest.param(
            "activity: a, points: -20, none_within: 60d",
            SilenceRule(**named(), activities=("a",), where=ALWAYS, none_within=60, points=-20_000),
            id="silence",
        ),
        pytest.param(
            "lead: {opted_out: {is: true}}, points: -25",
            LeadRule(
                **named(),
                condition=Comparison("opted_out", Operator.IS, Kind.FLAG, (True,)),
                points=-25_000,
            ),
            id="an attribute",
        ),
        pytest.param(
            "first_of: [{when: {a: {is: true}}, points: 3, label: Yes}, {when: {b: {is: true}}, points: 2}]",
            FirstOfRule(
                **named(),
                choices=(
                    Choice(Comparison("a", Operator.IS, Kind.FLAG, (True,)), 3000, "Yes"),
                    Choice(Comparison("b", Operator.IS, Kind.FLAG, (True,)), 2000, "X"),
                ),
            ),
            id="the first of several",
        ),
    ],
)  # fmt: skip
def test_a_rule_has_one_of_five_shapes(fields: str, expected: Rule) -> None:
    assert rule(fields) == expected


@pytest.mark.parametrize(
    ("written", "limit"),
    [
        ("{count: 6}", Limit(count=6)),
        ("{points: 30}", Limit(points=30_000)),
        ("{points: 0.5}", Limit(points=500)),
        ("{first: true}", Limit(first=True)),
        ("{count: 3, per: day}", Limit(count=3, per_day=True)),
        ("{count: 3, per: day, points: 9}", Limit(count=3, per_day=True, points=9000)),
        ("{first: true, points: 9}", Limit(first=True, points=9000)),
    ],
)
def test_a_limit(written: str, limit: Limit) -> None:
    found = rule(f"activity: a, points: 1, limit: {written}")
    assert isinstance(found, ActivityRule)
    assert found.limit == limit


@pytest.mark.parametrize(
    ("written", "decay"),
    [
        ("{half_life: 14d}", Decay(HalfLife(14))),
        ("{half_life: 2w, expires: 90d}", Decay(HalfLife(14), expires=90)),
        ("{linear: 30d}", Decay(Linear(30))),
        ("{expires: 1d}", Decay(expires=1)),
        (
            "{steps: [{after: 30d, keep: 0.5}, {after: 60d, keep: 0.1}]}",
            Decay(Steps(((30, Fraction(1, 2)), (60, Fraction(1, 10))))),
        ),
        ("{steps: [{after: 1d, keep: 1}], expires: 2w}", Decay(Steps(((1, Fraction(1)),)), expires=14)),
    ],
)
def test_a_decay(written: str, decay: Decay) -> None:
    found = rule(f"activity: a, points: 1, decay: {written}")
    assert isinstance(found, ActivityRule)
    assert found.decay == decay


@pytest.mark.parametrize(
    ("written", "operator", "kind", "values"),
    [
        ("equals: x", Operator.EQUALS, Kind.TEXT, ("x",)),
        ("equals: 5", Operator.EQUALS, Kind.NUMBER, (Decimal(5),)),
        ("equals: '5'", Operator.EQUALS, Kind.TEXT, ("5",)),
        ("equals: NO", Operator.EQUALS, Kind.TEXT, ("NO",)),
        ("in: [x, y]", Operator.IN, Kind.TEXT, ("x", "y")),
        ("in: [1, 2.5]", Operator.IN, Kind.NUMBER, (Decimal(1), Decimal("2.5"))),
        ("contains: x", Operator.CONTAINS, Kind.TEXT, ("x",)),
        ("contains_any: [x, y]", Operator.CONTAINS_ANY, Kind.TEXT, ("x", "y")),
        ("starts_with: /pricing", Operator.STARTS_WITH, Kind.TEXT, ("/pricing",)),
        ("starts_with_any: [/a, /b]", Operator.STARTS_WITH_ANY, Kind.TEXT, ("/a", "/b")),
        ("ends_with: .pdf", Operator.ENDS_WITH, Kind.TEXT, (".pdf",)),
        ("ends_with_any: [.pdf, .doc]", Operator.ENDS_WITH_ANY, Kind.TEXT, (".pdf", ".doc")),
        ("has_word: CTO", Operator.HAS_WORD, Kind.TEXT, ("CTO",)),
        ("has_any_word: [vp, head of]", Operator.HAS_ANY_WORD, Kind.TEXT, ("vp", "head of")),
        ("at_least: 0.1", Operator.AT_LEAST, Kind.NUMBER, (Decimal("0.1"),)),
        ("at_most: -3", Operator.AT_MOST, Kind.NUMBER, (Decimal(-3),)),
        ("above: 1", Operator.ABOVE, Kind.NUMBER, (Decimal(1),)),
        ("below: 1", Operator.BELOW, Kind.NUMBER, (Decimal(1),)),
        ("between: [1, 2]", Operator.BETWEEN, Kind.NUMBER, (Decimal(1), Decimal(2))),
        ("is: false", Operator.IS, Kind.FLAG, (False,)),
        ("exists: true", Operator.EXISTS, Kind.ANY, (True,)),
        ("newer_than: 30d", Operator.NEWER_THAN, Kind.DATE, (30,)),
        ("newer_than: 0d", Operator.NEWER_THAN, Kind.DATE, (0,)),
        ("older_than: 2w", Operator.OLDER_THAN, Kind.DATE, (14,)),
    ],
)
def test_the_literal_decides_how_a_field_is_read(
    written: str, operator: Operator, kind: Kind, values: tuple[Scalar, ...]
) -> None:
    assert condition(f"{{f: {{{written}}}}}") == Comparison("f", operator, kind, values)


A = Comparison("a", Operator.IS, Kind.FLAG, (True,))
B = Comparison("b", Operator.IS, Kind.FLAG, (True,))


@pytest.mark.parametrize(
    ("written", "expected"),
    [
        pytest.param("{a: {is: true}, b: {is: true}}", AllOf((A, B)), id="several entries mean all"),
        pytest.param("{all: [{a: {is: true}}, {b: {is: true}}]}", AllOf((A, B)), id="all"),
        pytest.param("{any: [{a: {is: true}}, {b: {is: true}}]}", AnyOf((A, B)), id="any"),
        pytest.param("{not: {a: {is: true}}}", Not(A), id="not"),
        pytest.param("{not: {a: {is: true}, b: {is: true}}}", Not(AllOf((A, B))), id="not all of several"),
        pytest.param(
            "{a: {is: true}, any: [{b: {is: true}}, {not: {a: {is: true}}}]}",
            AllOf((A, AnyOf((B, Not(A))))),
            id="nested",
        ),
        pytest.param(
            "{n: {at_least: 1, below: 5}}",
            AllOf(
                (
                    Comparison("n", Operator.AT_LEAST, Kind.NUMBER, (Decimal(1),)),
                    Comparison("n", Operator.BELOW, Kind.NUMBER, (Decimal(5),)),
                )
            ),
            id="several operators of one field mean all",
        ),
        pytest.param(
            "{Annual Revenue: {above: 1}}",
            Comparison("Annual Revenue", Operator.ABOVE, Kind.NUMBER, (Decimal(1),)),
            id="a column name with a space",
        ),
    ],
)
def test_conditions_combine(written: str, expected: Condition) -> None:
    assert condition(written) == expected


def test_an_automation_speaks_of_score_band_and_dimensions() -> None:
    (automation,) = load(
        HEAD + "automations:\n"
        "  - id: hot_lead\n"
        "    fire_when: {score: {at_least: 80}, any: [{fit: {above: 2.5}}, {band: {in: [A, B]}}]}\n"
        "    ready_again_when: {not: {band: {equals: A}}}\n"
        "    do: [{webhook: {connection: one}}, {webhook: {connection: two}}]\n"
    ).automations
    assert (automation.id, automation.label, automation.line) == ("hot_lead", "Hot lead", 7)
    assert automation.fire_when == AllOf(
        (
            Comparison("score", Operator.AT_LEAST, Kind.NUMBER, (Decimal(80),)),
            AnyOf(
                (
                    Comparison("fit", Operator.ABOVE, Kind.NUMBER, (Decimal("2.5"),)),
                    Comparison("band", Operator.IN, Kind.TEXT, ("A", "B")),
                )
            ),
        )
    )
    assert automation.ready_again_when == Not(Comparison("band", Operator.EQUALS, Kind.TEXT, ("A",)))
    assert automation.actions == (Webhook("one"), Webhook("two"))


def test_the_labels_of_bands_and_grades_may_be_numbers() -> None:
    text = """\
scorecard: t
dimensions: {fit: {}, engagement: {}}
rules: [{id: x, dimension: fit, lead: {a: {exists: true}}, points: 7}]
bands: {2: 5, 1: 0}
grades: {fit: {A: 5}, engagement: {1: 60, 2: 0}, label: "{fit}{engagement}"}
automations:
  - {id: up, fire_when: {band: {in: [1, 2]}, grade: {equals: A1}}, do: [{webhook: {connection: c}}]}
examples: [{name: n, as_of: 2026-11-01, lead: {a: x}, expect: {band: 2, grade: A2}}]
"""
    card = load_scorecard(text.encode(), name="t")
    quoted = text.replace("{2: 5, 1: 0}", '{"2": 5, "1": 0}').replace("{1: 60, 2: 0}", '{"1": 60, "2": 0}')
    quoted = quoted.replace("[1, 2]", '["1", "2"]').replace("band: 2", 'band: "2"')
    assert card == load_scorecard(quoted.encode(), name="t")
    assert failed_examples(card) == []


def test_an_example_has_exact_values_and_times_in_the_scorecards_zone() -> None:
    (example,) = load(
        "timezone: America/New_York\n" + HEAD + "examples:\n"
        "  - name: n\n"
        "    as_of: 2026-11-01\n"
        "    lead: {title: CTO, size: 5, opted_out: true, gone: null}\n"
        "    activities:\n"
        "      - {type: a, at: 2026-10-31, asset: /x, value: 1.50, extra: true}\n"
        "      - {type: a, at: 2026-10-31T10:00:00}\n"
        "      - {type: a, at: 2026-10-31T10:00+02:00}\n"
        "    expect: {score: 3, band: null, fine: 2.5, fit: -1}\n"
    ).examples
    assert example.as_of == datetime(2026, 11, 2, 4, 59, 59, 999999, tzinfo=UTC), "the day had 25 hours"
    assert example.lead == (("title", "CTO"), ("size", Decimal(5)), ("opted_out", True))
    assert [activity.at for activity in example.activities] == [
        datetime(2026, 10, 31, 4, 0, tzinfo=UTC),
        datetime(2026, 10, 31, 10, 0, tzinfo=UTC),
        datetime(2026, 10, 31, 8, 0, tzinfo=UTC),
    ]
    assert example.activities[0].fields == (("asset", "/x"), ("value", Decimal("1.50")), ("extra", True))
    assert dict(example.expect) == {"score": 3, "band": None, "fine": Decimal("2.5"), "fit": -1}
    assert example.line == 8


def test_a_refused_file_is_named_in_every_line() -> None:
    with pytest.raises(ScorecardInvalid) as refused:
        load_scorecard(b"scorecard: X\nrules: 5\n", name="rules/x.yaml")
    assert refused.value.problems == [
        "rules/x.yaml:1:1: `dimensions` is missing; add it",
        "rules/x.yaml:1:12: `X` cannot be an id; write small letters, digits and single `_`, "
        "beginning with a letter",
        "rules/x.yaml:2:8: `rules` must be a list, not the number 5; "
        "write `[...]`, or one item a line after `- `",
    ]


def test_problems_of_the_yaml_and_of_the_rules_come_together() -> None:
    _, problems = check_scorecard(
        b"scorecard: x\nscorecard: y\ndimensions: {d: {}}\n"
        b"rules: [{id: r, dimension: d, activity: a, points: .nan}, {id: s, dimension: e, activity: a}]\n"
    )
    assert [problem.message for problem in problems] == [
        "the key `scorecard` is already on line 1; keep one of them",
        "`.nan` is not a number to count with; write a finite number",
        "rule `s`: `points` is missing; add it",
        "rule `s`: there is no dimension `e`; write one of `d`",
    ]
