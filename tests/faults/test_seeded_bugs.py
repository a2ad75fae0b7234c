"""Bugs that are put in on purpose: those that are found soonest, and the page that lists all of them."""

from tests.faults import seeded_bugs
from tests.faults.report import as_list


def test_the_layers_find_what_is_broken_on_purpose():
    layer = seeded_bugs.run(short=True, say=lambda line: None)
    assert layer.holds, as_list([layer])


def test_the_page_lists_the_bugs_that_are_put_in():
    assert seeded_bugs.committed() == seeded_bugs.render(), (
        "write it with `python -m tests.faults --only seeded_bugs --write-docs`"
    )


def test_there_are_as_many_bugs_as_promised_each_named_once():
    names = {seed.name for seed in seeded_bugs.SEEDS}
    assert len(names) == len(seeded_bugs.SEEDS) >= seeded_bugs.TARGET
    assert names.issuperset(seeded_bugs.SHORT)
