"""Every kind of system that Rescore speaks to, and the mapping file that says how one of them is used.

include/mappings/hubspot.yaml -> read_mapping -> HubSpotMapping -> system_of(...).open -> HubSpot
"""

from __future__ import annotations

from collections.abc import Callable, Iterator
from dataclasses import dataclass
from functools import lru_cache
from importlib import import_module
from pathlib import Path
from typing import Any

from pydantic import ValidationError

from rescore.connectors.base import Source
from rescore.connectors.connection import Connection
from rescore.connectors.pace import Calls, MakePace
from rescore.errors import MappingInvalid
from rescore.mapping import Mapping
from rescore.strict.model import did_you_mean
from rescore.strict.yaml import Document, Problem, problems_of, read_document

CONNECTORS = ("files", "hubspot", "salesforce", "sql", "tryton")
"""Packages of this room; the `SYSTEM` of each is imported when a mapping names it."""


@dataclass(frozen=True, slots=True)
class System:
    """One kind of system.

    Attributes:
        mapping: What its mapping files say.
        open: A connector from a Connection, a mapping of that kind, and how it is to make its calls; touches
            nothing yet.
    """

    mapping: type[Mapping]
    open: Callable[[Connection, Any, Calls], Source]


def system_of(connector: str) -> System:
    """The kind of system that a mapping's `connector` names."""
    found: System = import_module(f"rescore.connectors.{connector}").SYSTEM
    return found


def open_source(
    connection: Connection, mapping: Mapping, *, patient: bool = True, pace: MakePace | None = None
) -> Any:
    """The connector of a mapping: a `Source`, and a `Target` and `Actions` where the system is one.

    See `Calls` for `patient` and `pace`.

    Raises:
        SettingsIncomplete: The Connection lacks something, or a limit in it is no positive number.
    """
    return system_of(mapping.connector).open(connection, mapping, Calls(patient, pace))


def load_mapping(body: bytes, name: str) -> Mapping:
    """Check a mapping file; `name` is what problems call it.

    Raises:
        MappingInvalid: With every problem at once, one `name:line:col: message` a line.
    """
    return _load(body, name)[0]


def read_mapping(path: Path) -> Mapping:
    """Check a mapping file on disk.

    Raises:
        MappingInvalid: It cannot be read, or with every problem at once.
    """
    return _read(path)[0]


def read_mappings(folder: Path) -> dict[str, Mapping]:
    """Every mapping of a folder by its name.

    Raises:
        MappingInvalid: Some of them do not hold, or not together, with every problem of all at once.
    """
    found: dict[str, tuple[Mapping, Document]] = {}
    problems = [
        f"{path.name}: the name of a mapping ends in `.yaml`; call it {path.stem}.yaml, or move it elsewhere"
        for path in sorted(folder.glob("*.yml"))
    ]
    paths = sorted(folder.glob("*.yaml"))
    for path in paths:
        try:
            found[path.stem] = _read(path)
        except MappingInvalid as error:
            problems.append(str(error))
    for stem, (mapping, document) in found.items():
        if mapping.name != stem:
            said = (
                f"`mapping: {mapping.name}` is not the name of its file; call the file {mapping.name}.yaml, "
                f"or the mapping {stem}"
            )
            problems.append(_at(stem, document, ("mapping",), said))
    problems += _together(found, [path.stem for path in paths])
    if problems:
        raise MappingInvalid("\n".join(problems))
    return {stem: mapping for stem, (mapping, _) in found.items()}


def _together(found: dict[str, tuple[Mapping, Document]], names: list[str]) -> Iterator[str]:
    """What is wrong between the mappings of a folder; `names` are those of all, whether or not they hold."""
    primary = [name for name, (mapping, _) in found.items() if mapping.primary]
    if len(primary) > 1:
        said = f"{' and '.join(primary)} are all `primary: true`; let one of them be"
        yield from (_at(name, found[name][1], ("primary",), said) for name in primary)
    for name, (mapping, document) in found.items():
        others = [other for other in names if other != name]
        for source in mapping.leads.same_person.records:
            if source not in others and source != name:
                said = f"no mapping is called `{source}`; {did_you_mean(source, others)}"
                yield _at(name, document, ("leads", "same_person", "records", source), said)


def _at(stem: str, document: Document, path: tuple[str, ...], message: str) -> str:
    line, column = document.where(path, key=True)
    return f"{stem}.yaml:{line}:{column}: {message}"


def _read(path: Path) -> tuple[Mapping, Document]:
    try:
        body = path.read_bytes()
    except OSError as error:
        raise MappingInvalid(f"{path}: cannot be read ({error.strerror}); put the mapping there") from error
    return _load(body, path.name)


@lru_cache(maxsize=64)
def _load(body: bytes, name: str) -> tuple[Mapping, Document]:
    """What these bytes say, frozen; every step of a run asks, and most of the time they are the same."""
    document, problems = read_document(body)
    if document is not None and not problems:
        named = document.data.get("connector")
        try:
            if named in CONNECTORS:
                return system_of(named).mapping.model_validate(document.data), document
            problems = [Problem.at(document.where(("connector",)), _no_connector(named))]
        except ValidationError as error:
            problems = problems_of(error, document)
    raise MappingInvalid("\n".join(f"{name}:{p.line}:{p.column}: {p.message}" for p in problems))


def _no_connector(named: object) -> str:
    if named is None:
        return f"`connector` is missing; {did_you_mean('', CONNECTORS)}"
    return f"`connector` cannot be `{named}`; {did_you_mean(str(named), CONNECTORS)}"
