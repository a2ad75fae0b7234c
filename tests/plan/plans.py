"""Plans as they come out of `make_plan`, of any size and awkwardness, without making one."""

from __future__ import annotations

from dataclasses import replace
from datetime import UTC, datetime, timedelta
from typing import Any

from rescore.plan.plan import (
    NO_BAND,
    NO_SCORE,
    AutomationEffect,
    BandMatrix,
    Bar,
    Contribution,
    Examples,
    Group,
    LeadExample,
    Leads,
    Plan,
    Replay,
    RuleEffect,
    Split,
    TargetEffect,
    Version,
    Week,
)
from rescore.policy.limits import Limits, Verdict, judge
from rescore.scoring.explanation import Adjustment, DimensionLine, Explanation, RuleLine

AS_OF = datetime(2026, 11, 1, 12, tzinfo=UTC)
HOSTILE = (
    "<script>alert('x')</script> | `a` @everyone [x](javascript:alert(1)) \u202e ![i](http://x.test/p.png)"
)


def weeks(*pairs: tuple[int, int]) -> tuple[Week, ...]:
    first = AS_OF - timedelta(weeks=len(pairs) - 1)
    return tuple(
        Week(first + timedelta(weeks=at), old, new, old // 2, new // 2) for at, (old, new) in enumerate(pairs)
    )


def an_automation(name: str = "mql", **given: Any) -> AutomationEffect:
    usual: dict[str, Any] = {
        "id": name,
        "label": "Ready for sales",
        "change": "edited",
        "upward": True,
        "fires": 47,
        "by_rules": 41,
        "ready_again": 3,
        "started_fired": 0,
        "old_fires": 6,
        "suppressed": {"cooldown": 4, "unless": 2},
        "usual_daily": 2.4,
        "fired_today": 3,
        "cancelled": 0,
        "limit": 25,
        "over_limit": True,
        "on_rules_change": "gate",
        "max_per_run": None,
        "max_per_day": None,
        "weeks": weeks((14, 27), (17, 33), (12, 24), (19, 36), (16, 31), (11, 22), (18, 30), (15, 29)),
    }
    return AutomationEffect(**usual | given)


def a_rule(name: str, old: tuple[int, int] | None, new: tuple[int, int] | None, **given: Any) -> RuleEffect:
    change = "new" if old is None else "removed" if new is None else "same" if old == new else "edited"
    sides = [side and Contribution(*side) for side in (old, new)]
    usual = {"label": name.replace("_", " ").capitalize(), "dimension": "engagement", "change": change}
    return RuleEffect(id=name, old=sides[0], new=sides[1], **usual | given)


def an_explanation(
    lead: str, score: int | None, band: str | None, pricing: int, label: str = "Looked at pricing"
):
    lines = (
        RuleLine(
            "pricing_page", label, "engagement", pricing, pricing + 5000, 9, 6, AS_OF - timedelta(days=2)
        ),
        RuleLine(
            "demo_request", "Asked for a demo", "engagement", 40_000, 40_000, 1, 1, AS_OF - timedelta(days=9)
        ),
        RuleLine("seniority", "C-level", "fit", 25_000, 25_000, choice=0),
    )
    dimensions = (
        DimensionLine(
            "engagement", True, (pricing + 40_000) // 1000, (Adjustment("ceiling", 120_000, -2500),)
        ),
        DimensionLine("fit", True, 25, ()),
    )
    rounding = (Adjustment("rounding", 0, 500),)
    return Explanation("b2b_saas", lead, AS_OF, score, band, lines, dimensions, rounding)


def an_example(lead: str = "hubspot:1042", old: int = 74, new: int = 92, label: str = "Looked at pricing"):
    return LeadExample(
        lead,
        an_explanation(lead, old, "B" if old < 100 else "A", (old - 65) * 1000, label),
        an_explanation(lead, new, "B" if new < 100 else "A", (new - 65) * 1000, label),
    )


def a_plan(**given: Any) -> Plan:
    """An edit that moves a good deal, on five thousand leads."""
    usual: dict[str, Any] = {
        "plan_hash": "9f3a7c21b54e88d0aa11" * 3 + "beef",
        "scorecard": "b2b_saas",
        "old": Version(3, "a1" * 32),
        "new": Version(4, "b2" * 32),
        "wakes": "scoring",
        "as_of": AS_OF,
        "snapshot": {"activities": 812, "leads": 413},
        "activation_seq": 7,
        "input_ver": 90_412,
        "made_at": AS_OF + timedelta(minutes=2),
        "made_by": "ada",
        "changes": (
            "pricing_page 5 → 8 points",
            "pricing_page half-life 14d → 21d",
            "competitors list +3",
            "mql fires at 100 → 90",
        ),
        "leads": Leads(5000, 4210, 4210, 2318, 2077, 241, 0, 0, 4210, 310, 12, 41.25, 46.75),
        "histogram": tuple(
            Bar(low, low + 4, count)
            for low, count in zip(
                (-15, -10, -5, 1, 6, 11, 16, 21, 26, 31),
                (6, 35, 200, 1103, 540, 260, 110, 41, 18, 5),
                strict=True,
            )
        ),
        "bands": BandMatrix(
            ("A", "B", "C", "D", NO_BAND, NO_SCORE),
            ("A", "B", "C", "D", NO_BAND, NO_SCORE),
            (
                (188, 4, 0, 0, 0, 0),
                (57, 620, 11, 0, 0, 0),
                (2, 149, 1302, 9, 0, 0),
                (0, 3, 75, 1790, 0, 0),
                (0, 0, 0, 0, 0, 0),
                (0, 0, 0, 0, 0, 790),
            ),
        ),
        "automations": (
            an_automation(),
            an_automation(
                "drifting_away",
                label="Drifting away",
                change="same",
                upward=False,
                fires=4,
                by_rules=1,
                old_fires=9,
                suppressed={},
                over_limit=False,
                weeks=weeks((31, 26), (28, 25), (33, 29), (30, 22), (27, 24), (35, 30), (29, 27), (30, 25)),
            ),
        ),
        "replay": Replay(4210, 4210),
        "targets": (
            TargetEffect(
                "hubspot", "live", 2318, ("rescore_score", "rescore_band", "rescore_reasons"), 24, 41
            ),
            TargetEffect("salesforce", "shadow", 2318, ("Score__c",), 12, 18),
        ),
        "rules": (
            a_rule("pricing_page", (1320, 9_812_500), (1320, 21_400_250)),
            a_rule("demo_page", (402, 2_310_000), (402, 2_310_000)),
            a_rule("demo_request", (120, 3_900_000), (120, 3_900_000)),
            a_rule("careers_page", (88, -702_000), (88, -702_000)),
            a_rule("competitor", None, (17, -340_000), dimension="fit"),
            a_rule("old_webinar", (31, 93_000), None),
            a_rule("partner_lead", (0, 0), (0, 0), dimension="fit"),
        ),
        "unreachable": ("band `S` begins at 190, and the most that limits let score reach is 180; lower it",),
        "split": Split(
            "country",
            tuple(
                Group(
                    name,
                    leads,
                    changed,
                    up,
                    changed - up,
                    moves,
                    {"A": leads // 20, "B": leads // 5, "C": leads // 3, "D": leads // 3},
                    {"A": leads // 14, "B": leads // 4, "C": leads // 3, "D": leads // 4},
                    {"mql": moves // 5, "drifting_away": 1},
                )
                for name, leads, changed, up, moves in (
                    ("Germany", 1900, 1100, 1000, 140),
                    ("Austria", 720, 330, 300, 41),
                    ("Switzerland", 610, 290, 240, 39),
                    ("other", 900, 500, 460, 80),
                    ("no value", 80, 98, 77, 10),
                )
            ),
        ),
        "examples": Examples(
            up=tuple(an_example(f"hubspot:{1040 + at}", 74 - at, 112 - 3 * at) for at in range(5)),
            down=tuple(an_example(f"hubspot:{2040 + at}", 92 - at, 78 + at) for at in range(3)),
            random=tuple(an_example(f"hubspot:{3040 + at}", 70 + at, 76 + 2 * at) for at in range(10)),
        ),
    }
    plan = Plan(**{"verdict": Verdict()} | usual | given)
    return plan if "verdict" in given else replace(plan, verdict=judge(plan.measures(), Limits()))


def nothing_changes() -> Plan:
    """A plan of an edit of words alone."""
    same = ((40, 0, 0), (0, 60, 0), (0, 0, 0))
    return a_plan(
        wakes="wording",
        changes=("description is reworded",),
        leads=Leads(100, 100, 100, 0, 0, 0, 0, 0, 100, 0, 0, 41.0, 41.0),
        histogram=(),
        bands=BandMatrix(("A", "B", NO_BAND), ("A", "B", NO_BAND), same),
        automations=(),
        replay=None,
        targets=(),
        rules=(a_rule("pricing_page", (40, 200_000), (40, 200_000)),),
        unreachable=(),
        split=None,
        examples=Examples(),
    )


def one_band() -> Plan:
    """A scorecard with one band, a single bar, one quiet automation."""
    return a_plan(
        bands=BandMatrix(
            ("hot", NO_BAND, NO_SCORE), ("hot", NO_BAND, NO_SCORE), ((7, 1, 0), (2, 90, 0), (0, 0, 3))
        ),
        histogram=(Bar(1, 1, 4),),
        automations=(an_automation(weeks=(), fires=0, by_rules=0, over_limit=False, suppressed={}),),
        replay=None,
        split=None,
        unreachable=(),
        rules=(a_rule("only", (9, 9000), (9, 12_000)),),
    )


def many_leads() -> Plan:
    """A hundred thousand leads, forty rules, nine automations, twenty bands."""
    names = (*(f"band {at}" for at in range(20)), NO_BAND, NO_SCORE)
    matrix = tuple(
        tuple(48_211 // (1 + abs(i - j)) ** 4 for j in range(len(names))) for i in range(len(names))
    )
    return a_plan(
        leads=Leads(
            1_104_233, 998_120, 998_120, 640_233, 600_000, 40_233, 0, 120, 990_000, 198_212, 12, 38.1, 52.9
        ),
        histogram=tuple(
            Bar(low, low + 9, 90_000 // (1 + abs(low) // 10) ** 2) for low in range(-120, 121, 10) if low
        ),
        bands=BandMatrix(names, names, matrix),
        automations=tuple(
            an_automation(f"automation_with_a_rather_long_name_{at}", fires=1200 * at, by_rules=1000 * at)
            for at in range(9)
        ),
        replay=Replay(50_000, 998_120),
        rules=tuple(
            a_rule(f"rule_with_a_long_name_{at}", (90_000 - at, 9_812_500 * at), (90_000, 11_812_500 * at))
            for at in range(40)
        ),
    )


def hostile() -> Plan:
    """Every text that comes from people or from the CRM wants to be markup."""
    return a_plan(
        made_by=HOSTILE,
        changes=(f"{HOSTILE} is new", "x\n# heading\n- item"),
        bands=BandMatrix((HOSTILE, NO_BAND), (HOSTILE, NO_BAND), ((7, 1), (2, 90))),
        automations=(an_automation(label=HOSTILE, suppressed={HOSTILE: 2}),),
        rules=(a_rule("x", (9, 9000), (9, 12_000), label=HOSTILE),),
        unreachable=(HOSTILE,),
        targets=(TargetEffect(HOSTILE, "live", 10, (HOSTILE,), 1, 2),),
        split=Split(HOSTILE, (Group(HOSTILE, 10, 5, 4, 1, 3, {HOSTILE: 1}, {HOSTILE: 2}, {"mql": 1}),)),
        examples=Examples(up=(an_example(HOSTILE, label=HOSTILE),)),
    )
