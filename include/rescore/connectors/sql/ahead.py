"""Reading on while what was read is worked on: a database and the lake need not wait for each other."""

from __future__ import annotations

from collections import deque
from collections.abc import Iterable, Iterator
from concurrent.futures import Future, ThreadPoolExecutor
from itertools import islice
from typing import TypeVar

T = TypeVar("T")


def ahead(items: Iterable[T], most: int) -> Iterator[T]:
    """The same items, of which another thread has fetched up to `most` before they are asked for.

    What fetching raises is raised where its item would have come. The thread has ended when this ends.
    """
    there = iter(items)
    waiting: deque[Future[list[T]]] = deque()
    with ThreadPoolExecutor(1, "read-ahead") as thread:
        try:
            for _ in range(most):
                waiting.append(thread.submit(_next, there))
            while found := waiting.popleft().result():
                waiting.append(thread.submit(_next, there))
                yield from found
        finally:
            for future in waiting:
                future.cancel()


def _next(there: Iterator[T]) -> list[T]:
    """The next item alone, or nothing at the end; a future cannot hold a StopIteration."""
    return list(islice(there, 1))
