"""Linting: what holds and is probably not meant, with a way out; and silence about what is fine."""

import re
from pathlib import Path

import pytest

from rescore.rules.card import Scorecard
from rescore.rules.lint import CODES, Census, lint, unreachable
from rescore.rules.lists import read_lists
from rescore.rules.load import load_scorecard

PROJECT = Path(__file__).parents[2]

HEAD = """\
scorecard: test
dimensions: {engagement: {floor: 0, ceiling: 120}, fit: {floor: -40, ceiling: 80}}
rules:
"""
FINE = "  - {id: fine, dimension: fit, lead: {vip: {is: true}}, points: 60}\n"


def card_of(text: str) -> Scorecard:
    return load_scorecard(text.encode(), name="test.yaml")


def warnings(text: str, census: Census | None = None) -> list[tuple[int, str, str]]:
    body = text.encode()
    found = lint(card_of(text), census, body=body)
    assert {warning.code for warning in found} <= CODES.keys()
    return [(warning.line, warning.code, warning.message) for warning in found]


def rule(fields: str) -> str:
    return f"{HEAD}{FINE}  - {{id: x, dimension: engagement, {fields}}}\n"


# ── tasks that keep each other from being made ──────────────────────────────────────────────────────


def doing(*actions: str) -> str:
    """A card whose one automation does this."""
    does = "".join(f"      - {action}\n" for action in actions)
    fires = "automations:\n  - id: mql\n    fire_when: {score: {at_least: 50}}\n    do:\n"
    return f"{HEAD}{FINE}{fires}{does}"


CALL = "crm_task: {target: hubspot, title: Call}"
WRITE = CALL.replace("Call", "Write")
ANYWAY = "crm_task: {target: hubspot, title: Send the brochure, skip_if_open: false}"
MEET = ANYWAY.replace("Send the brochure", "Meet")


@pytest.mark.parametrize(("actions", "lines"), [((CALL, WRITE), [9, 10]), ((ANYWAY, CALL), [10])])
def test_tasks_of_one_firing_of_which_an_open_one_keeps_another_from_being_made(actions, lines):
    found = [one for one in warnings(doing(*actions)) if one[1] == "one-task"]
    assert [line for line, _, _ in found] == lines
    assert "write `skip_if_open: false`" in found[0][2]


@pytest.mark.parametrize("actions", [(CALL,), (ANYWAY, MEET), (CALL, CALL.replace("hubspot", "salesforce"))])
def test_tasks_that_are_all_made_are_fine(actions):
    assert "one-task" not in [code for _, code, _ in warnings(doing(*actions))]


# ── what can never match ─────────────────────────────────────────────────────────────────────────────


@pytest.mark.parametrize(
    "where",
    [
        "{value: {at_least: 10, below: 5}}",
        "{value: {above: 5, at_most: 5}}",
        "{value: {between: [1, 5], equals: 6}}",
        "{value: {in: [1, 2], above: 2}}",
        "{value: {at_least: 5}, not: {value: {above: 4}}}",
        "{all: [{asset: {equals: a}}, {asset: {equals: b}}]}",
        "{asset: {equals: /pricing, starts_with: /demo}}",
        "{all: [{asset: {starts_with: /pricing}}, {asset: {starts_with: /demo}}]}",
        "{asset: {starts_with: /pricing/x}, not: {asset: {starts_with: /pricing}}}",
        "{asset: {has_word: Head of}, not: {asset: {has_any_word: [head, x]}}}",
        "{asset: {in: [a, b]}, not: {any: [{asset: {equals: A}}, {asset: {equals: B}}]}}",
        "{asset: {exists: false, equals: a}}",
        "{asset: {exists: true}, not: {asset: {exists: true}}}",
        "{flag: {is: true}, not: {flag: {is: true}}}",
        "{due: {newer_than: 5d, older_than: 5d}}",
        "{any: [{value: {above: 2, below: 1}}, {value: {above: 4, below: 3}}]}",
    ],
)  # fmt: skip
def test_a_condition_that_contradicts_itself_can_never_match(where: str) -> None:
    (found,) = warnings(rule(f"activity: a, where: {where}, points: 1"))
    assert found[:2] == (5, "never")
    assert found[2].startswith("rule `x` can never match: ")


@pytest.mark.parametrize(
    "where",
    [
        "{value: {at_least: 10, at_most: 10}}",
        "{value: {above: 4, below: 5}}",
        "{value: {at_least: 10}, not: {value: {at_least: 11}}}",
        "{not: {value: {at_least: 10}}, all: [{not: {value: {below: 10}}}]}",
        "{asset: {equals: /pricing, starts_with: /p}}",
        "{asset: {starts_with: /pricing, ends_with: x, contains: /y}}",
        "{asset: {starts_with: /pricing}, not: {asset: {starts_with: /pricing/x}}}",
        "{asset: {has_word: head}, not: {asset: {has_word: head of}}}",
        "{asset: {has_word: head of}, not: {asset: {contains: head of}}}",
        "{asset: {exists: true}, not: {asset: {equals: a}}}",
        "{value: {equals: 5}, asset: {equals: '6'}}",
        "{due: {newer_than: 5d, older_than: 4d}}",
        "{value: {in: [1, 2], above: 1}}",
    ],
)
def test_a_condition_that_something_meets_is_fine(where: str) -> None:
    assert warnings(rule(f"activity: a, where: {where}, points: 1")) == []


@pytest.mark.parametrize(
    ("entries", "said"),
    [
        pytest.param(
            "[{when: {title: {has_word: ceo}}, points: 2}, {when: {title: {equals: CEO}}, points: 1}]",
            "entry 1 takes every lead it could match",
            id="behind a wider one",
        ),
        pytest.param(
            "[{when: {title: {has_word: ceo}}, points: 2}, {when: {title: {has_word: CEO}}, points: 1}]",
            "entry 1 takes every lead it could match",
            id="the same again",
        ),
        pytest.param(
            "[{when: {any: [{a: {exists: true}}, {a: {exists: false}}]}, points: 2},"
            " {when: {title: {has_word: ceo}}, points: 1}]",
            "entry 1 always holds",
            id="behind one that always holds",
        ),
        pytest.param(
            "[{when: {size: {below: 10}}, points: 2}, {when: {size: {at_least: 10}}, points: 1},"
            " {when: {size: {between: [5, 15]}}, points: 3}]",
            "the entries above take every lead",
            id="behind several together",
        ),
    ],
)
def test_an_entry_that_is_never_taken(entries: str, said: str) -> None:
    (found,) = warnings(rule(f"first_of: {entries}"))
    assert found[1] == "never"
    assert said in found[2]


def test_an_audience_of_nobody() -> None:
    nobody = "audience: {exclude: {any: [{a: {exists: true}}, {a: {exists: false}}]}}\n"
    ((line, code, message),) = warnings(HEAD + FINE + nobody)
    assert (line, code) == (5, "never")
    assert "excludes everybody" in message


# ── thresholds out of reach ──────────────────────────────────────────────────────────────────────────


@pytest.mark.parametrize(
    ("more", "line", "said"),
    [
        ("bands: {A: 81, B: 40, C: 0}", 5, "band `A` begins at 81, and the most"),
        ("bands: {A: 40, C: -40, D: -50}", 5, "band `D` is empty: score is never below 0, where `C` begins"),
        (
            "automations: [{id: mql, fire_when: {score: {at_least: 90}}, do: [{webhook: {connection: a}}]}]",
            5,
            "automation `mql` can never fire: score at least 90; the score goes from 0 to 60",
        ),
        (
            "automations: [{id: mql, fire_when: {score: {at_least: 0}}, do: [{webhook: {connection: a}}]}]",
            5,
            "automation `mql` holds for everybody",
        ),
        (
            "automations: [{id: mql, fire_when: {fit: {at_least: 20}}, ready_again_when: {fit: {below: 0}},"
            " do: [{webhook: {connection: a}}]}]",
            5,
            "automation `mql` can never be ready again: fit below 0",
        ),
    ],
)
def test_a_threshold_out_of_reach(more: str, line: int, said: str) -> None:
    found = warnings(HEAD + FINE + more + "\n")
    assert (line, "unreachable") in [one[:2] for one in found]
    assert any(said in message for _, _, message in found)
    assert set(unreachable(card_of(HEAD + FINE + more + "\n"))) == {message for *_, message in found}


def test_rounding_can_reach_a_band_that_exact_points_do_not() -> None:
    almost = FINE.replace("points: 60", "points: 59.5")
    assert warnings(HEAD + almost + "bands: {A: 60}\n") == []
    assert len(warnings(HEAD + almost + "bands: {A: 60.001}\n")) == 1


@pytest.mark.parametrize(
    ("bands", "said"),
    [
        pytest.param("bands: {A: 10, B: 20}", "band `A` begins at 10, below `B` at 20", id="bands"),
        pytest.param("bands: {A: 40, C: 20, B: 5, D: 0}", "band `B` begins at 5, below `C` at 20", id="two"),
        pytest.param(
            "grades: {fit: {A: 10, B: 20, C: 30}, label: '{fit}'}", "`B` begins at 20, below `C`", id="grades"
        ),
    ],
)
def test_letters_that_run_the_wrong_way(bands: str, said: str) -> None:
    ((line, code, message),) = warnings(f"{HEAD}{FINE}{bands}\n")
    assert (line, code) == (5, "upside-down")
    assert said in message
    assert message.endswith("did you mean it the other way round?")


@pytest.mark.parametrize(
    "bands",
    [
        "{A: 20, B: 10}",
        "{S: 50, A: 20, B: 10}",
        "{H: 50, W: 20, C: 10}",
        "{G: 50, F: 20}",
        "{Best: 9, Any: 1}",
    ],
)
def test_letters_that_stand_for_something_else_are_fine(bands: str) -> None:
    assert warnings(f"{HEAD}{FINE}bands: {bands}\n") == []


def test_an_automation_whose_two_conditions_meet_fires_again_and_again() -> None:
    text = (
        HEAD + FINE + "bands: {A: 50, B: 0}\nautomations: [{id: mql, fire_when: {band: {equals: A}},"
        " ready_again_when: {score: {below: LINE}}, do: [{webhook: {connection: a}}]}]\n"
    )
    assert warnings(text.replace("LINE", "50")) == []
    ((_, code, message),) = warnings(text.replace("LINE", "55"))
    assert code == "flapping"
    assert "fires again; keep the two apart" in message


# ── overlapping rules ────────────────────────────────────────────────────────────────────────────────


@pytest.mark.parametrize(
    ("one", "other", "said"),
    [
        pytest.param(
            "activity: a, points: 1",
            "activity: a, points: 2",
            "counts what `x` does, 3 points in all",
            id="same",
        ),
        pytest.param(
            "activity: [a, b], points: 1",
            "activity: a, where: {asset: {starts_with: /p}}, points: 2",
            "what rule `y` counts, `x` counts too",
            id="wider",
        ),
        pytest.param(
            "activity: a, where: {asset: {starts_with: /pricing/x}}, points: 1",
            "activity: a, where: {asset: {starts_with_any: [/pricing, /demo]}}, points: 2",
            "what rule `x` counts, `y` counts too",
            id="implied",
        ),
        pytest.param(
            "lead: {size: {at_least: 500}}, points: 10",
            "lead: {size: {at_least: 50}}, points: 5",
            "what rule `x` counts, `y` counts too, 15 points in all",
            id="lead",
        ),
        pytest.param(
            "activity: a, frequency: {days: 3, within: 7d}, points: 1",
            "activity: a, frequency: {days: 3, within: 7d}, points: 2",
            "counts what `x` does",
            id="frequency",
        ),
        pytest.param(
            "activity: a, none_within: 7d, points: 1",
            "activity: a, none_within: 7d, points: 2",
            "counts what `x` does",
            id="silence",
        ),
    ],
)  # fmt: skip
def test_rules_that_count_the_same(one: str, other: str, said: str) -> None:
    text = rule(one) + f"  - {{id: y, dimension: engagement, {other}}}\n"
    ((line, code, message),) = warnings(text)
    assert (line, code) == (6, "overlap")
    assert said in message


@pytest.mark.parametrize(
    ("one", "other"),
    [
        ("activity: a, points: 1", "activity: b, points: 1"),
        ("activity: [a, b], points: 1", "activity: [b, c], points: 1"),
        (
            "activity: a, where: {asset: {has_word: p}}, points: 1",
            "activity: a, where: {asset: {has_word: q}}, points: 1",
        ),
        ("activity: a, points: 1", "activity: a, frequency: {days: 3, within: 7d}, points: 1"),
        (
            "activity: a, frequency: {days: 3, within: 7d}, points: 1",
            "activity: a, frequency: {days: 5, within: 7d}, points: 1",
        ),
        ("lead: {size: {above: 5}}, points: 1", "lead: {seats: {above: 5}}, points: 1"),
    ],
)
def test_rules_that_count_different_things_are_fine(one: str, other: str) -> None:
    assert warnings(rule(one) + f"  - {{id: y, dimension: engagement, {other}}}\n") == []


def test_the_same_in_another_dimension_is_fine() -> None:
    assert (
        warnings(rule("activity: a, points: 1") + "  - {id: y, dimension: fit, activity: a, points: 1}\n")
        == []
    )


# ── contains ─────────────────────────────────────────────────────────────────────────────────────────


@pytest.mark.parametrize(
    ("condition", "said"),
    [
        ("{title: {contains: cto}}", "`cto` is also in `actor`, `contractor`, `director` and 3 more words"),
        ("{title: {contains: CTO}}", "write `has_word: CTO`"),
        (
            "{title: {contains_any: [vice president, intern]}}",
            "`intern` is also in `internal`, `international`",
        ),
        ("{title: {contains_any: [chief, coo]}}", "move it into `has_any_word`"),
        ("{not: {title: {contains: it}}}", "`it` is also in"),
    ],
)
def test_letters_inside_other_words(condition: str, said: str) -> None:
    ((line, code, message),) = warnings(rule(f"lead: {condition}, points: 1"))
    assert (line, code) == (5, "inside-words")
    assert said in message


@pytest.mark.parametrize(
    "condition",
    [
        "{title: {has_word: cto}}",
        "{title: {contains: director}}",
        "{title: {contains: engineer}}",
        "{title: {contains: market}}",
        "{title: {contains: head of}}",
        "{title: {contains: /pricing}}",
        "{title: {starts_with: it}}",
    ],
)
def test_whole_words_and_their_forms_are_fine(condition: str) -> None:
    assert warnings(rule(f"lead: {condition}, points: 1")) == []


# ── how long points stay ─────────────────────────────────────────────────────────────────────────────


@pytest.mark.parametrize(
    ("fields", "said"),
    [
        pytest.param(
            "points: 5, limit: {points: 30}, decay: {half_life: 14d}",
            "stays at its limit, 30 points, for 57 days after a busy day (100 activities); write "
            "`limit: {count: 6}`",
            id="a limit in points",
        ),
        pytest.param(
            "points: 10, decay: {half_life: 30d}",
            "stays at the ceiling of `engagement`, 120 points, for 92 days",
            id="a ceiling",
        ),
        pytest.param(
            "points: 20, limit: {count: 30}, decay: {linear: 30d}",
            "for 25 days after a busy day (30 activities); write `limit: {count: 6}`",
            id="a generous count",
        ),
    ],
)
def test_a_cap_that_freezes_a_score(fields: str, said: str) -> None:
    ((line, code, message),) = warnings(rule(f"activity: a, {fields}"))
    assert (line, code) == (5, "frozen")
    assert said in message


@pytest.mark.parametrize(
    "fields",
    [
        "points: 5, limit: {count: 6}, decay: {half_life: 14d}",
        "points: 5, limit: {points: 30}",
        "points: 0.5, limit: {points: 30}, decay: {half_life: 14d}",
        "points: 5, limit: {points: 30}, decay: {linear: 7d}",
    ],
)
def test_a_cap_that_lets_a_score_fade_is_fine(fields: str) -> None:
    assert warnings(rule(f"activity: a, {fields}")) == []


@pytest.mark.parametrize(
    ("fields", "said"),
    [
        ("points: -5", "takes 5 points each time, for good and without end"),
        ("points: -5, limit: {count: 2, per: day}", "for good and without end"),
        ("points: -50, decay: {steps: [{after: 30d, keep: 0.5}]}", "for good and without end"),
        (
            "points: -50, limit: {count: 2}",
            "keeps `engagement` at its floor for good once it took 100 points",
        ),
    ],
)
def test_minus_points_that_bury_a_lead(fields: str, said: str) -> None:
    good = "  - {id: y, dimension: engagement, activity: b, points: 10, limit: {count: 5}}\n"
    ((line, code, message),) = warnings(rule(f"activity: a, {fields}") + good)
    assert (line, code) == (5, "buried")
    assert said in message


@pytest.mark.parametrize(
    "fields",
    [
        "points: -5, decay: {expires: 90d}",
        "points: -5, decay: {linear: 45d}",
        "points: -5, limit: {points: 10}",
        "points: -8, limit: {count: 2}",
    ],
)
def test_minus_points_that_end_are_fine(fields: str) -> None:
    good = "  - {id: y, dimension: engagement, activity: b, points: 10, limit: {count: 5}}\n"
    assert warnings(rule(f"activity: a, {fields}") + good) == []


# ── names, by the lake ───────────────────────────────────────────────────────────────────────────────

CENSUS = Census(
    activity_types={"page_view": 900, "form_submit": 10},
    activity_fields={"asset": 900, "channel": 40, "colour": 0},
    lead_attributes={"job_title": 70, "company_size": 50},
    lead_words={"job_title": frozenset({"factotum", "cto"})},
)


@pytest.mark.parametrize(
    ("fields", "code", "said"),
    [
        ("activity: page_veiw, points: 1", "unknown-activity", "`page_veiw`, which no activity"),
        ("activity: [page_view, form_submitt], points: 1", "unknown-activity", "did you mean `form_submit`?"),
        ("activity: chat, points: 1", "unknown-activity", "does the CRM's mapping call it so?"),
        ("activity: page_view, where: {aset: {equals: a}}, points: 1", "unknown-field", "mean `asset`?"),
        ("activity: page_view, where: {colour: {equals: a}}, points: 1", "unknown-field", "does the CRM"),
        ("lead: {jobtitle: {equals: a}}, points: 1", "unknown-field", "did you mean `job_title`?"),
        (
            "activity: page_view, frequency: {distinct: assets, count: 3, within: 9d}, points: 1",
            "unknown-field",
            "`asset`",
        ),
        ("lead: {job_title: {contains: cto}}, points: 1", "inside-words", "also in `factotum`; write"),
    ],
)  # fmt: skip
def test_names_and_words_are_held_against_the_lake(fields: str, code: str, said: str) -> None:
    ((_, found, message),) = warnings(rule(fields).replace(FINE, ""), CENSUS)
    assert found == code
    assert said in message


@pytest.mark.parametrize(
    "fields",
    [
        "activity: [page_view, chat], points: 1",
        "activity: page_view, where: {asset: {equals: a}}, points: 1",
        "lead: {company_size: {above: 4}}, points: 1",
        "lead: {job_title: {contains: dire}}, points: 1",
    ],
)
def test_names_that_the_lake_knows_are_fine(fields: str) -> None:
    assert warnings(rule(fields).replace(FINE, ""), CENSUS) == []


def test_an_empty_lake_knows_no_names_and_accuses_none() -> None:
    assert warnings(rule("activity: chat, points: 1"), Census({}, {}, {})) == []


# ── the file ─────────────────────────────────────────────────────────────────────────────────────────


def test_a_warning_points_at_what_it_is_about() -> None:
    text = "scorecard: t\ndimensions: {d: {}}\nrules:\n"
    text += "  - id: a\n    dimension: d\n    activity: v\n    points: -1\n"
    (found,) = lint(card_of(text), body=text.encode())
    assert (found.line, found.column) == (7, 5)
    (found,) = lint(card_of(text))
    assert (found.line, found.column) == (4, 1)


@pytest.mark.parametrize(
    ("comment", "expected"),
    [
        pytest.param("    # lint: meant buried: a lost deal is lost\n", 1, id="one rule"),
        pytest.param("    # lint: meant overlap, buried\n", 1, id="several kinds"),
        pytest.param("    # lint: meant overlap\n", 2, id="another kind"),
    ],
)
def test_a_comment_says_that_it_is_meant_so(comment: str, expected: int) -> None:
    one = "  - id: {}\n    dimension: fit\n    activity: {}\n    points: -1\n"
    text = HEAD + one.format("a", "a") + comment + one.format("b", "b")
    assert len(warnings(text)) == expected


def test_a_comment_above_the_first_key_goes_for_the_whole_file() -> None:
    text = HEAD + "  - {id: a, dimension: fit, activity: a, points: -1}\n"
    assert len(warnings(text)) == 1
    assert warnings(f"# lint: meant buried\n{text}") == []


@pytest.mark.parametrize(
    "file", sorted((PROJECT / "include/rules").glob("*.yaml")), ids=lambda file: file.stem
)
def test_what_we_ship_is_clean(file: Path) -> None:
    body = file.read_bytes()
    card = load_scorecard(body, name=file.name, lists=read_lists(body, file.parent))
    assert lint(card, body=body) == []


def test_the_page_about_rules_lists_every_kind_of_warning() -> None:
    page = (PROJECT / "docs/rules.md").read_text()
    table = page.split("| warning | says |")[1].split("\n\n")[0]
    assert re.findall(r"^\| `([a-z-]+)` \|", table, re.MULTILINE) == list(CODES)
