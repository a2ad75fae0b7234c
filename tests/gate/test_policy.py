"""The policy file: every number can be set, and a mistake is told with its line."""

from datetime import timedelta
from fractions import Fraction
from pathlib import Path

import pytest

from rescore.errors import PolicyInvalid
from rescore.policy.file import load_policy, read_policy
from rescore.policy.limits import Limits

SHIPPED = Path(__file__).parents[2] / "include" / "policy.yaml"


def test_the_shipped_policy_says_the_defaults():
    policy = read_policy(SHIPPED)

    assert policy.default == policy.limits("b2b_saas") == Limits()
    assert (policy.expire_after, policy.author_is_not_approver) == (timedelta(hours=24), False)


def test_every_number_can_be_set_and_a_scorecard_may_differ():
    policy = load_policy(
        b"""\
band_moves: {leads: 10, share: 5%}
extract: {rows: 7, share: 12.5%}
crossings: {leads: 3, times_usual_day: 1.5}
holds: {expire_after: 2d, growth: 0%, approvers: [rita, carl], author_is_not_approver: true}
scorecards:
  b2b_saas: {crossings: {leads: 99}}
""",
        "policy.yaml",
    )

    assert policy.default == Limits(
        band_moves=10,
        band_moves_share=Fraction(1, 20),
        crossings=3,
        crossings_times_usual=Fraction(3, 2),
        extract_rows=7,
        extract_share=Fraction(1, 8),
        growth=Fraction(0),
    )
    own = policy.limits("b2b_saas")
    assert (own.crossings, own.band_moves, own.growth) == (99, 10, 0)
    assert (policy.expire_after, policy.author_is_not_approver) == (timedelta(hours=48), True)
    assert policy.approvers == {"rita", "carl"}


@pytest.mark.parametrize(
    ("text", "said"),
    [
        pytest.param("crosings: {leads: 1}", "policy.yaml:1:1: unknown key `crosings`", id="misspelt"),
        pytest.param("band_moves: {share: 20}", "policy.yaml:1:21: `share` takes a percentage", id="no %"),
        pytest.param("band_moves: {share: 120%}", "policy.yaml:1:21: `share` takes", id="over 100 %"),
        pytest.param("band_moves: {leads: -1}", "policy.yaml:1:21: `leads` is", id="negative"),
        pytest.param("crossings: {times_usual_day: often}", "`times_usual_day` takes a number", id="word"),
        pytest.param("holds: {expire_after: 24}", "`expire_after` takes hours or days", id="no unit"),
        pytest.param("holds: {expire_after: 0h}", "`expire_after` takes hours or days", id="at once"),
        pytest.param(
            "scorecards: {b2b: {holds: {}}}", "policy.yaml:1:20: unknown key `holds`", id="misplaced"
        ),
        pytest.param(
            "holds: {author_is_not_approver: true}",
            "policy.yaml:1:33: `author_is_not_approver` needs `approvers`",
            id="nobody may approve",
        ),
        pytest.param("holds: {approvers: rita}", "policy.yaml:1:20: `approvers`", id="one approver"),
        pytest.param("a: [", "policy.yaml:1:5:", id="no YAML"),
    ],
)
def test_a_mistake_is_told_with_its_line_and_a_way_out(text, said):
    with pytest.raises(PolicyInvalid) as told:
        load_policy(text.encode(), "policy.yaml")

    assert said in str(told.value)


def test_all_mistakes_are_told_at_once():
    with pytest.raises(PolicyInvalid) as told:
        load_policy(b"band_moves: {share: 20}\nholds: {growth: 1}\n", "policy.yaml")
    assert len(str(told.value).splitlines()) == 2


def test_a_policy_that_is_not_there_is_one_sentence(tmp_path):
    with pytest.raises(PolicyInvalid, match="RESCORE_POLICY_FILE"):
        read_policy(tmp_path / "policy.yaml")
