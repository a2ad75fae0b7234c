"""Which changed leads a target shows first."""

from rescore.ledger import tables
from rescore.ledger.outbox.wishes import BAND_OR_CROSSING, SCORE
from tests.ledger.world import World

ADA, BEN, CLEO = LEADS = ("crm:ada", "crm:ben", "crm:cleo")


def test_all_leads_of_a_chunk_that_cross_go_before_the_others(ledger):
    world = World(ledger, targets=("crm", "other"))
    for lead in LEADS:
        world.join(lead, lead.replace("crm", "other"))
    world.first_load(**dict.fromkeys(LEADS, 60))
    world.score(**{ADA: 120, BEN: 130, CLEO: 70})
    first = [(target, lead) for target in world.targets for lead in (ADA, BEN)]
    assert world.rows(tables.sync, "target", "lead", "priority") == sorted(
        [(*each, BAND_OR_CROSSING) for each in first] + [(target, CLEO, SCORE) for target in world.targets],
        key=repr,
    )
