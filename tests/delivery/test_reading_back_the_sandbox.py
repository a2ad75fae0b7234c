"""Reading a CRM back over a socket: afterwards it shows the ledger, or a person's word that is on record."""

import json
import shutil
from datetime import UTC, datetime, timedelta
from itertools import count

import pytest
import requests
from hypothesis import given, settings
from hypothesis import strategies as st

from rescore.connectors.catalog import load_mapping
from rescore.connectors.hubspot import HubSpot
from rescore.delivery.crm import update_crm
from rescore.errors import CrmRejectedCredentials, CrmUnavailable
from rescore.ledger import tables
from rescore.ledger.outbox import overrides
from rescore.ledger.transaction import Ledger
from rescore.pipeline.reconcile import read_back, rescue
from sandbox_crm.testing import SandboxServer
from sandbox_crm.world import build_world
from tests.delivery.conftest import MAPPING
from tests.delivery.test_on_the_sandbox import FAST, PATHS
from tests.ledger.world import World

KEEPING = b"    manual_edits: {score: {keep: 30d}}\n    reasons:"
YEARS = count(2027)
"""Of one CRM for all tests: each begins in a year of its own, since a CRM remembers in order of time."""
SCORES = (0, 15, 60, 120)


@pytest.fixture(scope="module")
def server():
    with SandboxServer(build_world(ends_at=datetime(2026, 11, 1, tzinfo=UTC), leads=120)) as server:
        yield server


@pytest.fixture(scope="module")
def mapping():
    body = MAPPING.replace(b"    reasons:", KEEPING)
    for short, path in PATHS.items():
        body = body.replace(short, path)
    return load_mapping(body, "crm.yaml")


@pytest.fixture(scope="module")
def hubspot(server, mapping) -> HubSpot:
    hubspot = HubSpot(server.url, server.token, mapping, FAST)
    hubspot.setup()
    return hubspot


@pytest.fixture(scope="module")
def ids(server) -> list[str]:
    rows = server.sandbox.store.rows("SELECT id FROM objects WHERE type = 'contacts' AND visible LIMIT 4")
    return [str(row["id"]) for row in rows]


@pytest.fixture
def world(ledger, server, hubspot, mapping, ids) -> World:
    return begin(ledger, server, hubspot, mapping, ids)


def begin(ledger, server, hubspot, mapping, ids) -> World:
    world = World(ledger, now=datetime(next(YEARS), 1, 1, tzinfo=UTC))
    server.sandbox.clock = lambda: world.now
    world.first_load(**{f"crm:{lead}": score for lead, score in zip(ids, SCORES, strict=True)})
    deliver(world, hubspot, mapping)
    return world


def deliver(world, hubspot, mapping):
    return dict(update_crm(world.ledger, hubspot, mapping=mapping, now=world.tick(), worker="w"))


def reconcile(world, hubspot, mapping, **how):
    rescue(world.ledger, now=world.tick())
    return dict(read_back(world.ledger, hubspot, mapping=mapping, now=world.now, **how))


def edit(server, lead, **properties):
    body = {"id": int(lead), "properties": properties}
    requests.post(f"{server.url}/sandbox/edit", json=body, timeout=30).raise_for_status()


def import_over(server, lead, **properties):
    """Another program writes, as ours does."""
    server.sandbox.store.write(int(lead), properties, server.sandbox.now())


def shown(server, lead, name="my_score"):
    row = server.sandbox.store.objects("contacts", [int(lead)])[int(lead)]
    return json.loads(row["properties"]).get(name)


def test_what_another_program_wrote_is_drift_and_what_a_person_wrote_stays(
    world, server, hubspot, mapping, ids
):
    import_over(server, ids[0], my_score="99")
    edit(server, ids[1], my_score="77")
    counts = reconcile(world, hubspot, mapping)
    assert (counts["read back"], counts["drift"], counts["overrides"]) == (4, 1, 1)
    deliver(world, hubspot, mapping)
    assert [shown(server, lead) for lead in ids] == ["0", "77", "60", "120"]
    with world.ledger.reading() as connection:
        assert [one.owner for one in overrides.all_open(connection)] == ["HubSpot user 7001"]


def test_reading_back_costs_a_call_a_batch_and_one_more_only_where_history_decides(
    world, server, hubspot, mapping, ids
):
    before = server.sandbox.calls.total()
    assert reconcile(world, hubspot, mapping)["calls"] == 2
    assert server.sandbox.calls.total() - before == 2 + len(["which account it is"])
    edit(server, ids[0], my_score="99", my_band="A")
    assert reconcile(world, hubspot, mapping, everybody=True)["calls"] == 3


@pytest.mark.parametrize(
    ("fault", "error"),
    [
        ({"cut": "before"}, CrmUnavailable),
        ({"status": 500, "body": {}}, CrmUnavailable),
        ({"status": 404, "body": {}}, CrmUnavailable),
        ({"status": 401, "body": {}}, CrmRejectedCredentials),
    ],
    ids=["cut", "500", "404", "401"],
)
def test_a_crm_that_does_not_answer_changes_nothing_and_the_next_run_looks_again(
    world, server, hubspot, mapping, ids, fault, error
):
    import_over(server, ids[3], my_score="1")
    faults = {"faults": [{"path": "/crm/objects", "method": "POST", "skip": 1, **fault}]}
    requests.post(f"{server.url}/sandbox/faults", json=faults, timeout=30).raise_for_status()
    with pytest.raises(error):
        reconcile(world, hubspot, mapping)
    assert reconcile(world, hubspot, mapping)["drift"] == 1


MISCHIEF = st.lists(
    st.tuples(
        st.integers(0, 3),
        st.sampled_from(["edit", "import", "score", "deliver", "reconcile", "days"]),
        st.sampled_from(["my_score", "my_band", "my_engagement"]),
        st.integers(0, 150),
    ),
    max_size=12,
)


@settings(max_examples=25)
@given(steps=MISCHIEF)
def test_after_any_mischief_the_crm_shows_the_ledger_or_a_named_override(
    migrated_file, tmp_path_factory, server, hubspot, mapping, ids, steps
):
    path = shutil.copy(migrated_file, tmp_path_factory.mktemp("life") / "ledger.db")
    ledger = Ledger(f"sqlite:///{path}")
    world = begin(ledger, server, hubspot, mapping, ids)
    for lead, what, name, value in steps:
        text = f"{'ABC'[value % 3]}" if name == "my_band" else str(value)
        if what == "edit":
            edit(server, ids[lead], **{name: text})
        elif what == "import":
            import_over(server, ids[lead], **{name: text})
        elif what == "score":
            world.score(**{f"crm:{ids[lead]}": value})
        elif what == "deliver":
            deliver(world, hubspot, mapping)
        elif what == "reconcile":
            reconcile(world, hubspot, mapping)
        else:
            world.now += timedelta(days=value / 10)
        world.tick()
    deliver(world, hubspot, mapping)
    reconcile(world, hubspot, mapping, everybody=True)
    deliver(world, hubspot, mapping)
    with ledger.reading() as connection:
        kept = overrides.open_of(connection, "crm", [f"crm:{lead}" for lead in ids])
    for lead, score in world.scores().items():
        record = lead.partition(":")[2]
        state = dict(world.rows(tables.sync, "lead", "state"))[lead]
        if lead in kept:
            assert set(kept[lead]) == {"my_score"}
            assert (state, shown(server, record)) == ("overridden", kept[lead]["my_score"].value)
        else:
            assert (state, shown(server, record)) == ("settled", str(score))
        assert shown(server, record, "my_engagement") == str(score)
    assert deliver(world, hubspot, mapping) == {}
    ledger.close()
