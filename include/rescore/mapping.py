"""What a CRM calls things, and what Rescore calls them: one checked, frozen mapping per CRM.

    include/mappings/hubspot.yaml -> load_mapping -> Mapping

A mapping holds names only, never a host or a token: those come from the Airflow Connection.
"""

from __future__ import annotations

import pathlib
from datetime import timedelta
from typing import Annotated, Literal, Self

from pydantic import ConfigDict, Field, StringConstraints, ValidationError, model_validator

from rescore.errors import MappingInvalid
from rescore.manual_edits import Kept
from rescore.strict.model import StrictMap, Trouble, did_you_mean, refuse_all
from rescore.strict.yaml import problems_of, read_document
from rescore.withheld import ATTRIBUTES as RESERVED

Name = Annotated[str, StringConstraints(pattern=r"^[a-z][a-z0-9_]*$", max_length=63)]
"""A name of ours: an attribute, an activity type, a stream."""

Property = Annotated[str, StringConstraints(pattern=r"^[A-Za-z][A-Za-z0-9_]*$", max_length=100)]
"""A name of the CRM's."""

Path = Annotated[str, StringConstraints(pattern=r"^/[A-Za-z0-9/{}._-]+$", max_length=200)]
"""A path below the Connection's host; the API's version is part of it."""

Mode = Literal["live", "shadow"]
AttributeType = Literal["text", "number", "flag", "date", "timestamp"]


class _Map(StrictMap):
    model_config = ConfigDict(strict=False)  # YAML knows lists only, here they become tuples and sets


class Attribute(_Map):
    """One lead attribute: the property it is read from, and how."""

    property: Property
    type: AttributeType


class Adjustments(_Map):
    """Where people give or take points by hand: each change of `points` is an activity `adjustment`.

    Its `value` are the points, its asset the `reason` that stood there then.
    """

    points: Property
    reason: Property | None = None

    @property
    def properties(self) -> tuple[str, ...]:
        """What is read."""
        return tuple(name for name in (self.points, self.reason) if name)


class Leads(_Map):
    """Where leads are read from and written back to.

    `deleted` lists deleted ones; without it a deletion shows only when a write finds nobody. `objection` is
    the property that says whether somebody objects to profiling.
    """

    search: Path
    read: Path
    update: Path
    properties: Path
    groups: Path
    modified: Property
    deleted: Path | None = None
    objection: Property | None = None
    adjustments: Adjustments | None = None
    attributes: dict[Name, Attribute]

    @property
    def read_properties(self) -> set[str]:
        """Every property that facts are made of."""
        named = {attribute.property for attribute in self.attributes.values()}
        named |= {self.objection} if self.objection else set()
        return named | set(self.adjustments.properties if self.adjustments else ())


class TypeByProperty(_Map):
    """An activity type that depends on a property: its value picks from `values`, else `otherwise`.

    Without `otherwise` a value that is not listed is set aside.
    """

    property: Property
    values: dict[str, Name]
    otherwise: Name | None = None


class Engagements(_Map):
    """Objects a salesperson logs (calls, meetings, notes, tasks, e-mails), tied to contacts by associations.

    `at` lists the properties that may hold the moment it happened; the first that is filled wins.
    `fields` maps extra activity fields to properties; `translate` replaces a property's values
    (HubSpot's call outcomes are UUIDs). Objects in which the property `ours` is filled were made by an
    automation: they are set aside, or scores would feed on themselves.
    """

    kind: Literal["engagements"]
    search: Path
    associations: Path
    type: Name | TypeByProperty
    at: tuple[Property, ...] = ("hs_timestamp",)
    modified: Property = "hs_lastmodifieddate"
    asset: Property | None = None
    channel: str | None = None
    value: Property | None = None
    ours: Property | None = None
    fields: dict[Name, Property] = Field(default_factory=dict)
    translate: dict[Property, dict[str, str]] = Field(default_factory=dict)


class PageViews(_Map):
    """Visits of pages, from event occurrences; `url` is the property with the address, `page` rows a call."""

    kind: Literal["page_views"]
    path: Path
    event: str
    type: Name
    url: Property
    page: int = Field(default=100, ge=1)
    channel: str | None = None
    fields: dict[Name, Property] = Field(default_factory=dict)


class EmailEvents(_Map):
    """Opens and clicks of marketing e-mails; `types` maps the vendor's event types to ours."""

    kind: Literal["email_events"]
    path: Path
    types: dict[str, Name]
    page: int = Field(default=1000, ge=1)
    channel: str | None = None


class Forms(_Map):
    """Form submissions; `path` has a place for `{form}`.

    `forms` lists the GUIDs to read; empty: every form of `listing`.
    """

    kind: Literal["forms"]
    listing: Path
    path: Path
    type: Name
    page: int = Field(default=50, ge=1)
    channel: str | None = None
    forms: tuple[str, ...] = ()


Stream = Annotated[Engagements | PageViews | EmailEvents | Forms, Field(discriminator="kind")]


class ScoreFields(_Map):
    """The properties that show one scorecard; only `score` has to be there.

    `reasons` gets the three strongest rules as one text; `rules_version` the version's number.
    `manual_edits` says, by field or dimension, how long a value stays that a person wrote over ours; of a
    field that it does not name ours is written again. Texts and dates have no such say.
    A score that moved by less than `minimum_change` points since it was shown is not written, unless its
    band changed or an automation crossed.
    """

    mode: Mode
    score: Property
    band: Property | None = None
    grade: Property | None = None
    dimensions: dict[Name, Property] = Field(default_factory=dict)
    reasons: Property | None = None
    changed_at: Property | None = None
    rules_version: Property | None = None
    minimum_change: int | None = Field(default=None, ge=1)
    manual_edits: dict[Name, Kept] = Field(default_factory=dict)

    def keeps(self) -> dict[str, timedelta]:
        """By property how long a person's value stays."""
        written = self._figures()
        return {written[name]: kept for name, kept in self.manual_edits.items() if kept is not None}

    def _figures(self) -> dict[str, str]:
        """The properties whose values are figures, by what `manual_edits` calls them."""
        single = {name: getattr(self, name) for name in ("score", "band", "grade")}
        return {name: written for name, written in (single | self.dimensions).items() if written}

    @model_validator(mode="after")
    def _only_figures_are_edited(self) -> Self:
        figures = self._figures()
        refuse_all(
            Trouble(
                ("manual_edits", name),
                f"`{name}` is no score, band, grade or dimension written here; {did_you_mean(name, figures)}",
                at_key=True,
            )
            for name in self.manual_edits
            if name not in figures
        )
        return self

    @property
    def properties(self) -> tuple[str, ...]:
        """Every property that this scorecard writes."""
        return tuple(self.places().values())

    def places(self) -> dict[tuple[str, ...], str]:
        """The same by their place below the scorecard's name in the file."""
        single = {
            (name,): getattr(self, name)
            for name in ("score", "band", "grade", "reasons", "changed_at", "rules_version")
        }
        dimensions = {("dimensions", name): written for name, written in self.dimensions.items()}
        return {place: name for place, name in (single | dimensions).items() if name}


class Tasks(_Map):
    """Where automations make tasks, and the two task properties that say which delivery made one.

    `of_contacts` lists the tasks of contacts; `owner` is the contact's property with the person in charge.
    `association` is the CRM's number for "this task is about that contact".
    """

    create: Path
    read: Path
    of_contacts: Path
    properties: Path
    groups: Path
    delivery: Property
    automation: Property
    owner: Property = "hubspot_owner_id"
    association: int = 204


class Settable(_Map):
    """A property that automations may set; `stages` in their order never go back to an earlier one."""

    stages: tuple[str, ...] = ()


class Mapping(_Map):
    """One CRM's mapping. `mapping` names the source, as in the lead key `hubspot:1042`.

    `mode: shadow` makes the whole target a rehearsal, whatever its scorecards say.
    `languages` are the path prefixes that say nothing but the language: `/de/pricing` is `/pricing`.
    Automations make tasks where `tasks` says how, and set only the properties of `settable`.
    """

    mapping: Name
    mode: Mode
    group: Name
    languages: frozenset[str] = frozenset()
    leads: Leads
    activities: dict[Name, Stream]
    scores: dict[Name, ScoreFields]
    tasks: Tasks | None = None
    settable: dict[Property, Settable] = Field(default_factory=dict)

    @property
    def name(self) -> str:
        """The source's and the target's name."""
        return self.mapping

    def mode_of(self, scorecard: str) -> Mode:
        """Whether this scorecard is written (`live`) or only rehearsed (`shadow`)."""
        return "shadow" if "shadow" in (self.mode, self.scores[scorecard].mode) else "live"

    @model_validator(mode="after")
    def _each_property_has_one_use(self) -> Self:
        read = self.leads.read_properties
        written: set[str] = set()
        problems = [
            Trouble(("leads", "attributes", name), f"attribute `{name}` is ours; give it another name")
            for name in self.leads.attributes
            if name in RESERVED
        ]
        for scorecard, fields in self.scores.items():
            for place, name in fields.places().items():
                if name in written:
                    problem = f"property `{name}` is written twice; give each value its own"
                elif name in read:
                    problem = f"property `{name}` is read too, so scores would feed on themselves"
                else:
                    written.add(name)
                    continue
                problems.append(Trouble(("scores", scorecard, *place), problem))
        problems += [
            Trouble(("settable", name), f"property `{name}` shows a score; automations cannot set it too")
            for name in self.settable
            if name in written
        ]
        refuse_all(problems)
        return self


def load_mapping(body: bytes, name: str) -> Mapping:
    """Check a mapping file; `name` is what problems call it.

    Raises:
        MappingInvalid: With every problem at once, one `name:line:col: message` a line.
    """
    document, problems = read_document(body)
    if document is not None and not problems:
        try:
            return Mapping.model_validate(document.data)
        except ValidationError as error:
            problems = problems_of(error, document)
    raise MappingInvalid("\n".join(f"{name}:{p.line}:{p.column}: {p.message}" for p in problems))


def read_mapping(path: pathlib.Path) -> Mapping:
    """Check a mapping file on disk.

    Raises:
        MappingInvalid: It cannot be read, or with every problem at once.
    """
    try:
        body = path.read_bytes()
    except OSError as error:
        raise MappingInvalid(f"{path}: cannot be read ({error.strerror}); put the mapping there") from error
    return load_mapping(body, path.name)
