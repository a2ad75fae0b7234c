"""Conditions over whole points: when they hold, and in which direction they look."""

import pytest

from rescore.automations.score_conditions import holds, only_looks_upward
from rescore.rules.card import AllOf, AnyOf, Band, Not
from tests.ledger.world import when

BANDS = (Band("A", 100_000), Band("B", 50_000), Band("C", 0))


@pytest.mark.parametrize(
    ("condition", "upward"),
    [
        pytest.param(when(score={"at_least": 100}), True, id="at least"),
        pytest.param(when(score={"above": 100}, fit={"at_least": 20}), True, id="all of upward parts"),
        pytest.param(AnyOf((when(score={"above": 1}), when(fit={"above": 1}))), True, id="any of them"),
        pytest.param(Not(when(score={"below": 100})), True, id="not below"),
        pytest.param(Not(Not(when(score={"above": 100}))), True, id="not not above"),
        pytest.param(when(band={"equals": "A"}), True, id="the top band"),
        pytest.param(when(band={"in": ["a", "B"]}), True, id="the two top bands, in any case"),
        pytest.param(Not(when(band={"in": ["C", "B"]})), True, id="not the lowest bands"),
        pytest.param(AllOf(()), True, id="always"),
        pytest.param(when(score={"below": 10}), False, id="below"),
        pytest.param(when(score={"at_most": 10}), False, id="at most"),
        pytest.param(Not(when(score={"at_least": 10})), False, id="not at least"),
        pytest.param(when(score={"at_least": 100}, fit={"below": 5}), False, id="one part looks down"),
        pytest.param(when(score={"between": [50, 80]}), False, id="between"),
        pytest.param(when(score={"equals": 50}), False, id="equals"),
        pytest.param(when(band={"equals": "B"}), False, id="a middle band"),
        pytest.param(when(band={"in": ["A", "C"]}), False, id="bands with a gap"),
    ],
)
def test_only_looks_upward(condition, upward):
    assert only_looks_upward(condition, BANDS) is upward


@pytest.mark.parametrize(
    ("condition", "expected"),
    [
        pytest.param(when(score={"at_least": 60}), True, id="at least"),
        pytest.param(when(score={"above": 60}), False, id="above"),
        pytest.param(when(score={"at_most": 60}), True, id="at most"),
        pytest.param(when(score={"below": 60}), False, id="below"),
        pytest.param(when(score={"below": 60.5}), True, id="a literal between whole points"),
        pytest.param(when(score={"between": [60, 70]}), True, id="between, inclusive"),
        pytest.param(when(score={"equals": 60}), True, id="equals"),
        pytest.param(when(score={"in": [1, 60]}), True, id="in"),
        pytest.param(when(band={"equals": "b"}), True, id="bands fold case"),
        pytest.param(when(band={"in": ["A", "C"]}), False, id="band not in"),
        pytest.param(when(fit={"below": 10}), False, id="a missing value is false"),
        pytest.param(Not(when(fit={"below": 10})), True, id="and its not is true"),
        pytest.param(when(fit={"exists": False}), True, id="exists"),
        pytest.param(AnyOf(()), False, id="any of nothing"),
    ],
)
def test_conditions_over_committed_values(condition, expected):
    assert holds(condition, {"score": 60, "band": "B", "fit": None}) is expected
