"""Reading ahead changes nothing but when things are read."""

import threading
from itertools import count

import pytest

from rescore.connectors.sql.ahead import ahead


@pytest.mark.parametrize("number", [0, 1, 3, 10])
def test_everything_comes_once_and_in_its_order(number):
    assert list(ahead(range(number), 3)) == list(range(number))


def test_no_more_is_read_than_was_said():
    read = []
    items = ahead((read.append(number) or number for number in count()), 3)
    assert next(items) == 0
    items.close()
    assert len(read) <= 5


def test_what_reading_raises_comes_after_what_was_read_before():
    def broken():
        yield 1
        raise OSError("gone")

    items = ahead(broken(), 3)
    assert next(items) == 1
    with pytest.raises(OSError, match="gone"):
        next(items)


def test_whoever_stops_early_leaves_no_thread_behind():
    items = ahead(count(), 3)
    next(items)
    items.close()
    assert not any(thread.name.startswith("read-ahead") for thread in threading.enumerate())
