"""What a receiver is told of a crossing: its id."""

from rescore.automations.crossing_body import delivery_id


def test_a_delivery_id_is_the_same_for_the_same_crossing_and_different_for_any_other():
    one = ("b2b", "mql", "crm:1", 1, 0)
    assert delivery_id(*one) == delivery_id(*one) == "95d3855f-4e37-5c67-ae95-733fc63c3584"
    others = {delivery_id(*one[:i], x, *one[i + 1 :]) for i, x in enumerate(("c", "m", "crm:2", 2, 1))}
    assert len(others | {delivery_id(*one)}) == 6
