"""A task reads what somebody changes, and what another task has read by then, over a real lake."""

from __future__ import annotations

from pathlib import Path

from tests.faults.scenarios_of_erasing import WithLake, extracts, workspace
from tests.faults.schedules import Scenario, Verdict
from tests.faults.turns import Scene
from tests.ledger.world import MINUTE

BEFORE, AFTER = "Developer", "Director of Sales"


def bob_is_new(scene: Scene) -> None:
    """The stream has been read before, and of him nobody has read yet."""
    scene.outside = WithLake(Path(str(scene.ledger.url.database)).parent / "lake", "leads")
    extracts(scene)
    scene.outside.crm.put_lead("bob", {"job_title": BEFORE})


def is_promoted(scene: Scene) -> None:
    """Bob's record changes, and a whole extract of another task reads of it at once."""
    with scene.one_step():
        scene.outside.crm.put_lead("bob", {"job_title": AFTER})
        extracts(scene)


def newest_is_known(scene: Scene) -> Verdict:
    """After the next extract the lake says what the CRM says."""
    scene.outside.now += MINUTE
    extracts(scene)
    with workspace(scene).lake.facts() as facts:
        known = facts.connection.sql(f'SELECT job_title FROM "{facts.leads}"').fetchall()
    return Verdict(() if known == [(AFTER,)] else (f"the lake says {known}",))


TWO_EXTRACTS = Scenario(
    "an extract, a change that another one reads",
    bob_is_new,
    {"extract": extracts, "change": is_promoted},
    newest_is_known,
)
ALL = (TWO_EXTRACTS,)
