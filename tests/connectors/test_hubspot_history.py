"""`history` in the mapping: a first load asks HubSpot for what happened since then, and for no more."""

from datetime import timedelta
from itertools import pairwise

import pytest

from rescore.connectors.hubspot import HubSpot
from rescore.connectors.hubspot.windows import DAY
from tests.connectors.contract import UNTIL, known, read
from tests.connectors.test_hubspot_contract import FAST

HISTORY = timedelta(days=30)


def load(server, mapping, stream):
    """The activities of a first load by id, and how many calls it took."""
    before = sum(server.sandbox.calls.values())
    connector = HubSpot(server.url, server.token, mapping, FAST)
    found = known(read(connector, stream))
    return found, sum(server.sandbox.calls.values()) - before


@pytest.mark.parametrize("stream", ["page_views", "email_events", "form_submissions", "calls"])
def test_a_first_load_brings_what_happened_since_the_history_began_in_fewer_calls(server, mapping, stream):
    everything, calls = load(server, mapping, stream)
    some, fewer = load(server, mapping.model_copy(update={"history": HISTORY}), stream)
    recent = {
        name: one
        for name, one in everything.items()
        if name.startswith("activity") and one.occurred_at >= UNTIL - HISTORY
    }
    assert 0 < len(recent) < len(everything)
    assert recent.items() <= some.items()
    assert len(some) < len(everything)
    assert fewer <= calls


def test_a_first_load_reads_page_views_in_windows_that_double_from_the_newest_on(server, mapping):
    connector = HubSpot(server.url, server.token, mapping, FAST)
    lengths, ages = [1], [set()]
    for page in connector.pages("page_views", None, until=UNTIL):
        ages[-1] |= {(UNTIL - one.occurred_at) / timedelta(days=1) for one in page.activities}
        if "until" in page.cursor and "after" not in page.cursor:
            lengths.append((page.cursor["until"] - page.cursor["since"]) / DAY)
            ages.append(set())
    assert lengths[:5] == [1, 2, 4, 8, 16]
    visited = [window for window in ages[:5] if window]
    assert len(visited) > 2
    assert all(max(newer) < min(older) + 0.01 for newer, older in pairwise(visited))


def test_every_contact_is_read_however_old(server, mapping):
    everybody, _ = load(server, mapping, "contacts")
    some, _ = load(server, mapping.model_copy(update={"history": HISTORY}), "contacts")
    assert some == everybody
