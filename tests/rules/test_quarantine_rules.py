"""The quarantine in the rules: what a file means, what an edit of it wakes and is told as, what is odd."""

import pytest

from rescore.rules import readable
from rescore.rules.card import ALWAYS, Burst, QuarantineEntry, Scorecard, SoonAfter
from rescore.rules.diff import diff
from rescore.rules.fingerprint import fingerprint
from rescore.rules.lint import Census, lint
from rescore.rules.load import load_scorecard

HEAD = """\
scorecard: test
dimensions: {engagement: {}}
rules:
  - {id: clicks, dimension: engagement, activity: click, points: 3}
"""
CARD = f"""{HEAD}
quarantine:
  - id: every_link
    label: Every link
    activity: [click, open]
    where: {{channel: {{equals: email}}}}
    burst: {{distinct: asset, count: 4, within: 2m}}
  - {{id: at_once, activity: click, soon_after: {{activity: sent, within: 5s}}}}
"""
FOUR_LINKS = "4 different values of asset within 2m"


def card_of(text: str) -> Scorecard:
    return load_scorecard(text.encode(), name="test.yaml")


def entry(fields: str) -> str:
    return f"{HEAD}quarantine:\n  - {{id: x, {fields}}}\n"


def test_what_a_file_says_is_what_the_card_holds() -> None:
    every_link, at_once = card_of(CARD).quarantine
    assert (every_link.label, every_link.activities, every_link.line) == ("Every link", ("click", "open"), 7)
    assert every_link.pattern == Burst(4, 120, "asset")
    assert at_once == QuarantineEntry("at_once", "At once", ("click",), ALWAYS, 12, SoonAfter(("sent",), 5))


@pytest.mark.parametrize(("text", "seconds"), [("1s", 1), ("90s", 90), ("2m", 120), ("24h", 86_400)])
def test_a_span_is_seconds_minutes_or_hours(text: str, seconds: int) -> None:
    [only] = card_of(entry(f"activity: a, burst: {{count: 2, within: {text}}}")).quarantine
    assert only.pattern == Burst(2, seconds)
    assert readable.span(seconds) == text


@pytest.mark.parametrize(
    ("old", "new", "wakes", "told"),
    [
        ("[click, open]", "[open, click]", None, []),
        ("within: 2m", "within: 120s", None, []),
        ("label: Every link", "label: All", "wording", ["every_link label “Every link” → “All”"]),
        ("[click, open]", "click", "scoring", ["every_link activity -open"]),
        ("equals: email", "equals: mail", "scoring", ["every_link where channel is email → mail"]),
        (
            "count: 4, within: 2m",
            "count: 3, within: 10s",
            "scoring",
            [f"every_link takes {FOUR_LINKS} → 3 different values of asset within 10s"],
        ),
        ("distinct: asset, ", "", "scoring", [f"every_link takes {FOUR_LINKS} → 4 of them within 2m"]),
        (
            "within: 5s",
            "within: 1h",
            "scoring",
            ["at_once takes within 5s after sent → within 1h after sent"],
        ),
        (
            "id: at_once",
            "id: too_soon",
            "scoring",
            ["too_soon is the new name of at_once", "too_soon label “At once” → “Too soon”"],
        ),
        (
            "  - {id: at_once, activity: click, soon_after: {activity: sent, within: 5s}}\n",
            "",
            "scoring",
            ["at_once is gone: no longer takes click, within 5s after sent"],
        ),
    ],
)
def test_an_edit_wakes_whom_it_moves_and_is_told_in_words(old, new, wakes, told) -> None:
    assert CARD.count(old) == 1
    before, after = card_of(CARD), card_of(CARD.replace(old, new))
    assert fingerprint(after).wakes(fingerprint(before)) == wakes
    assert [str(change) for change in diff(before, after)] == [f"quarantine {text}" for text in told]


def test_a_new_entry_is_told_whole_and_a_card_without_any_is_as_it_was() -> None:
    assert [str(change) for change in diff(card_of(HEAD), card_of(CARD))] == [
        "quarantine every_link is new: takes click or open where channel is email, "
        "4 different values of asset within 2m",
        "quarantine at_once is new: takes click, within 5s after sent",
    ]
    assert fingerprint(card_of(f"{HEAD}quarantine: []\n")) == fingerprint(card_of(HEAD))


def test_a_list_that_only_the_quarantine_names_is_part_of_the_scoring() -> None:
    text = f"{entry('activity: a, where: {ua: {in_list: bots}}')}lists: {{bots: lists/bots.txt}}\n"
    cards = [
        load_scorecard(text.encode(), name="x", lists={"lists/bots.txt": content})
        for content in (b"scanner\n", b"scanner\ncrawler\n")
    ]
    assert fingerprint(cards[1]).wakes(fingerprint(cards[0])) == "scoring"
    assert [str(change) for change in diff(*cards)] == ["bots list +1"]
    assert lint(cards[0]) == []


CENSUS = Census({"click": 9, "email_sent": 9}, {"asset": 9, "user_agent": 9}, {})


@pytest.mark.parametrize(
    ("fields", "code", "said"),
    [
        (
            "activity: click, where: {asset: {equals: a, starts_with: b}}",
            "never",
            "quarantine entry `x` can never match",
        ),
        (
            "activity: click, where: {asset: {in: [a, b]}}, burst: {distinct: asset, count: 3, within: 5s}",
            "never",
            "asks for 3 different values of `asset`, and `where` lets 2 through",
        ),
        ("activity: clik, where: {asset: {equals: a}}", "unknown-activity", "did you mean `click`?"),
        (
            "activity: click, soon_after: {activity: email_snet, within: 5s}",
            "unknown-activity",
            "did you mean `email_sent`?",
        ),
        ("activity: click, where: {user_agnet: {equals: a}}", "unknown-field", "did you mean `user_agent`?"),
        (
            "activity: click, burst: {distinct: aset, count: 2, within: 5s}",
            "unknown-field",
            "did you mean `asset`?",
        ),
    ],
)
def test_what_an_entry_cannot_mean_is_warned_of_at_its_place(fields: str, code: str, said: str) -> None:
    text = entry(fields)
    found = [one for one in lint(card_of(text), CENSUS, body=text.encode()) if "quarantine" in one.message]
    [warning] = found
    assert (warning.code, warning.line) == (code, 6)
    assert said in warning.message


def test_what_is_meant_so_a_comment_within_the_entry_says() -> None:
    text = entry("activity: clik, where: {asset: {equals: a}}").replace(
        "{id: x,", "{id: x,  # lint: meant unknown-activity\n    "
    )
    assert lint(card_of(text), CENSUS, body=text.encode()) == []


def test_an_entry_that_may_take_something_is_no_matter() -> None:
    counted = "burst: {distinct: asset, count: 2, within: 5s}"
    text = entry(f"activity: click, where: {{asset: {{in: [a, b]}}}}, {counted}")
    assert lint(card_of(text), CENSUS, body=text.encode()) == []
