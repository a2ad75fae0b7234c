"""Tasks and properties of the CRM in memory, for automations."""

from __future__ import annotations

from collections.abc import Callable, Iterable, Mapping
from dataclasses import dataclass

from rescore.connectors.actions import FieldTexts, KnownTask, NewTask
from rescore.connectors.base import FieldValue
from rescore.errors import CrmUnavailable, RecordGone
from rescore.outcome import Outcome

Shown = dict[str, dict[str, FieldValue]]
OWNER = "owner"


@dataclass(slots=True)
class MemoryTask:
    """One task, and whether somebody has done it."""

    task_id: str
    asked: NewTask
    done: bool = False


class MemoryTasks:
    """See `Tasks`.

    `made` lists every task in order. So many of the next answers as `lost_answers` says never arrive, though
    the task is made. `fail` is called before every call, and may raise.
    """

    def __init__(self, shown: Shown, fail: Callable[[], None]) -> None:
        self.made: list[MemoryTask] = []
        self.lost_answers = 0
        self._shown = shown
        self._fail = fail

    def of_lead(self, lead_id: str) -> list[KnownTask]:
        """See `Tasks.of_lead`."""
        self._fail()
        _present(self._shown, lead_id)
        return [
            KnownTask(task.task_id, not task.done, task.asked.delivery, task.asked.automation)
            for task in self.made
            if task.asked.lead_id == lead_id
        ]

    def owner_of(self, lead_id: str) -> str | None:
        """See `Tasks.owner_of`."""
        self._fail()
        return _text(_present(self._shown, lead_id).get(OWNER))

    def create(self, task: NewTask) -> str:
        """See `Tasks.create`."""
        self._fail()
        _present(self._shown, task.lead_id)
        made = MemoryTask(str(len(self.made) + 1), task)
        self.made.append(made)
        if self.lost_answers:
            self.lost_answers -= 1
            raise CrmUnavailable("the CRM did not answer")
        return made.task_id


class MemoryFields:
    """See `Fields`; `writes` counts calls."""

    def __init__(self, shown: Shown, fail: Callable[[], None]) -> None:
        self.writes = 0
        self._shown = shown
        self._fail = fail

    def read(self, lead_id: str, names: Iterable[str]) -> FieldTexts:
        """See `Fields.read`."""
        self._fail()
        shown = _present(self._shown, lead_id)
        return {name: _text(shown.get(name)) for name in names}

    def write(self, lead_id: str, values: Mapping[str, str]) -> Outcome:
        """See `Fields.write`."""
        self._fail()
        self.writes += 1
        if lead_id not in self._shown:
            return Outcome("gone", "this record does not exist")
        self._shown[lead_id].update(values)
        return Outcome("ok")


def _present(shown: Shown, lead_id: str) -> dict[str, FieldValue]:
    if lead_id not in shown:
        raise RecordGone("this record does not exist")
    return shown[lead_id]


def _text(value: FieldValue) -> str | None:
    return None if value is None or value == "" else str(value)
