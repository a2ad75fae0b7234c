"""The page of a plan: everything the plan holds, safe against what a CRM holds, from no other server."""

import re
from collections import Counter
from html.parser import HTMLParser

import pytest

from rescore.plan.pictures import compact
from rescore.plan.plan import Bar, Examples
from rescore.plan.report_html import html
from tests.plan import plans

PLANS = {
    "an ordinary one": plans.a_plan,
    "nothing changes": plans.nothing_changes,
    "one band": plans.one_band,
    "many leads": plans.many_leads,
    "hostile texts": plans.hostile,
}
EMPTY = {"meta"}


class Page(HTMLParser):
    """What a browser would make of a page: its elements, its words, and whether every element is closed."""

    def __init__(self, text: str) -> None:
        super().__init__()
        self.elements: list[tuple[str, dict[str, str | None]]] = []
        self.words: list[str] = []
        self._open: list[str] = []
        self.feed(text)
        self.close()
        assert self._open == []

    def handle_starttag(self, tag, attrs):
        self.elements.append((tag, dict(attrs)))
        if tag not in EMPTY:
            self._open.append(tag)

    def handle_startendtag(self, tag, attrs):
        self.elements.append((tag, dict(attrs)))

    def handle_endtag(self, tag):
        assert self._open.pop() == tag

    def handle_data(self, data):
        self.words.append(data)

    @property
    def text(self) -> str:
        return " ".join(" ".join(self.words).split())


@pytest.fixture(params=PLANS.values(), ids=PLANS)
def plan(request):
    return request.param()


def test_a_page_is_well_formed_and_needs_nothing_from_anywhere(plan):
    text = html(plan)
    page = Page(text)

    tags = Counter(tag for tag, _ in page.elements)
    assert not tags.keys() & {
        "script",
        "link",
        "img",
        "iframe",
        "object",
        "embed",
        "form",
        "a",
        "base",
        "use",
    }
    names = {name for _, attributes in page.elements for name in attributes}
    assert not [
        name for name in names if name.startswith("on") or name in {"src", "href", "srcset", "action"}
    ]
    assert "url(" not in text
    assert "@import" not in text
    assert tags["h1"] == tags["main"] == 1


def test_the_same_plan_gives_the_same_page(plan):
    assert html(plan) == html(plan)


def test_every_picture_says_what_it_shows(plan):
    for tag, attributes in Page(html(plan)).elements:
        if tag == "svg":
            assert attributes["role"] == "img"
            assert attributes["aria-label"]


def test_a_page_says_its_own_policy():
    policies = [
        a["content"] for tag, a in Page(html(plans.a_plan())).elements if tag == "meta" and "content" in a
    ]
    assert any("default-src 'none'" in policy for policy in policies)


def test_hostile_texts_stand_there_as_texts():
    text = html(plans.hostile())

    assert "<script>alert" not in text
    assert "\u202e" not in text
    assert text.count("&lt;script&gt;alert(") > 10
    assert "<code>a</code>" not in Page(text).text


def test_the_page_opens_with_what_happens_and_whether_a_person_is_asked():
    asked, passes = Page(html(plans.a_plan())).text, Page(html(plans.one_band())).text

    assert "+14 mql a week, -4 drifting_away a week, 310 leads change band" in asked
    assert "A person has to look at this first." in asked
    assert "would fire 47 times; 25 a run may without asking" in asked
    assert "Within every limit: it goes into force by itself." in passes


def test_every_change_figure_and_warning_of_the_plan_is_on_the_page():
    plan = plans.a_plan()
    text = Page(html(plan)).text

    for change in plan.changes:
        assert change.split(" ", 1)[1] in text
    for bar in plan.histogram:
        assert f"{bar.leads:,}" in text
    for automation in plan.automations:
        assert automation.label in text
        assert f"{automation.fires:,} fire at once" in text
        for week in automation.weeks:
            assert (
                f"{week.until:%-d %b} {week.old:,} {week.new:,} {week.old_ready:,} {week.new_ready:,}" in text
            )
    for target in plan.targets:
        assert target.target in text
        assert all(field in text for field in target.fields)
    for group in plan.split.groups:
        assert group.value in text
    assert "takes about" in text
    assert "gives nobody anything" in text
    assert "begins at 190" in text
    for example in (*plan.examples.up, *plan.examples.down, *plan.examples.random):
        assert example.lead in text


def test_a_lead_is_accounted_for_under_both_versions_in_one_table():
    plan = plans.a_plan(examples=Examples(up=(plans.an_example("hubspot:7", 74, 92),)))
    text = Page(html(plan)).text

    assert "hubspot:7 74 B → 92 B +18" in text
    assert "Looked at pricing 6 of 9 activities, last on 30 Oct 2026 9 27 +18" in text
    assert "ceiling −2.5 −2.5" in text
    assert "C-level 25 25" in text
    assert "score 74 92 +18" in text


def test_bands_that_nobody_has_are_left_out_of_the_matrix():
    text = html(plans.a_plan())
    matrix = text[text.index('<table class="matrix">') : text.index("Each row says where")]

    assert "no score" in matrix
    assert "no band" not in matrix
    assert len(re.findall(r'class="is-up" style="--heat:', matrix)) == 5
    assert len(re.findall(r'class="is-down" style="--heat:', matrix)) == 3


def test_an_estimate_is_called_one():
    assert "50,000 of 998,120 leads were replayed" in Page(html(plans.many_leads())).text
    assert "were replayed" not in Page(html(plans.a_plan())).text


def test_what_cannot_be_drawn_is_said():
    text = Page(html(plans.nothing_changes())).text
    assert "No score moves." in text
    assert "Automations" not in text


def test_a_page_about_a_million_leads_is_no_longer_for_it():
    assert len(html(plans.many_leads())) < 250_000


def test_bars_are_drawn_to_scale_and_something_is_never_nothing():
    plan = plans.a_plan(histogram=(Bar(-1, -1, 1), Bar(1, 1, 1000), Bar(2, 2, 500), Bar(3, 3, 0)))
    heights = re.findall(r'class="(?:up|down)" [^>]*height="([\d.]+)"', html(plan))
    assert heights == ["1.5", "190.0", "95.0", "0.0"]


@pytest.mark.parametrize(
    ("number", "short"),
    [(0, "0"), (950, "950"), (1200, "1.2k"), (2000, "2k"), (48_211, "48k"), (1_100_000, "1.1m")],
)
def test_numbers_fit_on_narrow_bars(number, short):
    assert compact(number) == short
