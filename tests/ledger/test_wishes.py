"""Which changed leads a target shows first."""

from rescore.ledger import tables
from rescore.ledger.outbox.wishes import BAND_OR_CROSSING, SCORE
from tests.ledger.world import World


def test_all_leads_of_a_chunk_that_cross_go_before_the_others(ledger):
    world = World(ledger, targets=("crm", "other"))
    world.first_load(ada=60, ben=60, cleo=60)
    world.score(ada=120, ben=130, cleo=70)
    first = [(target, lead) for target in world.targets for lead in ("ada", "ben")]
    assert world.rows(tables.sync, "target", "lead", "priority") == sorted(
        [(*each, BAND_OR_CROSSING) for each in first] + [(target, "cleo", SCORE) for target in world.targets],
        key=repr,
    )
