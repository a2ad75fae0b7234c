"""All connections of a process share one database, and nothing that is in it."""

from concurrent.futures import ThreadPoolExecutor
from datetime import UTC, datetime

import pyarrow as pa
import pytest

from rescore.lake.reading import connect, keep
from rescore.scoring.explain import explain
from rescore.scoring.facts import Facts
from rescore.scoring.several_moments import score_pair_at
from tests.scoring.builders import a_card, an_activity_rule

CARD = a_card(an_activity_rule(1_000))
NOON = datetime(2026, 11, 1, 12, tzinfo=UTC)


def facts_with(visits: int) -> Facts:
    """One lead with so many visits, on a connection such as the lake gives."""
    connection = connect()
    keep(connection, "leads", pa.table({"lead": ["ada"]}))
    rows = {"lead": ["ada"] * visits, "type": ["visit"] * visits}
    times = pa.array([NOON] * visits, pa.timestamp("us"))
    keep(connection, "activities", pa.table(rows | {"occurred_at": times, "known_at": times}))
    return Facts(connection, "activities", "leads")


def explained(visits: int) -> int | None:
    return explain(CARD, facts_with(visits), "ada", as_of=NOON).score


def at_a_moment(visits: int) -> int | None:
    [found] = score_pair_at(CARD, CARD, facts_with(visits), [NOON])
    return found["score"][0].as_py()


@pytest.mark.parametrize("scored", [explained, at_a_moment])
def test_threads_that_score_at_the_same_time_do_not_see_each_other(scored):
    with ThreadPoolExecutor(4) as threads:
        assert list(threads.map(scored, range(1, 25))) == [*range(1, 25)]
