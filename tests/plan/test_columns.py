"""Conditions over whole columns say of each row what they say of it alone."""

from decimal import Decimal

import pyarrow as pa
from hypothesis import given
from hypothesis import strategies as st

from rescore.automations.score_conditions import test_of as holds_for
from rescore.plan.columns import true_where
from rescore.rules.card import AllOf, AnyOf, Comparison, Kind, Not, Operator

NUMBERS = st.sampled_from([Operator.AT_LEAST, Operator.BELOW, Operator.EQUALS])
ON_POINTS = st.builds(
    lambda field, operator, value: Comparison(field, operator, Kind.NUMBER, (Decimal(value),)),
    st.sampled_from(["score", "fit", "nowhere"]),
    NUMBERS,
    st.integers(-2, 3),
)
ON_BANDS = st.builds(
    lambda band: Comparison("band", Operator.EQUALS, Kind.TEXT, (band,)), st.sampled_from("aB")
)
CONDITIONS = st.recursive(
    ON_POINTS | ON_BANDS,
    lambda inner: (
        st.lists(inner, max_size=3).map(tuple).map(AllOf)
        | st.lists(inner, max_size=3).map(tuple).map(AnyOf)
        | inner.map(Not)
    ),
    max_leaves=5,
)
POINTS = st.none() | st.integers(-2, 3)
ROWS = st.lists(
    st.fixed_dictionaries({"score": POINTS, "fit": POINTS, "band": st.sampled_from([None, "A", "b"])})
)


@given(CONDITIONS, ROWS)
def test_a_condition_holds_where_it_holds_row_by_row(condition, rows):
    schema = pa.schema({"score": pa.int64(), "fit": pa.int64(), "band": pa.string()})
    table = pa.Table.from_pylist(rows, schema)
    found = true_where(condition, lambda name: table[name] if name in table.column_names else None, len(rows))
    assert found.to_pylist() == [holds_for(condition)(row) for row in rows]
