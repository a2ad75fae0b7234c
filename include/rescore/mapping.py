"""What every mapping says: which properties are attributes, and which show which scorecard.

A mapping holds names only, never a host or a token: those come from the Airflow Connection. What else one
says is its connector's to define, as in `rescore.connectors.hubspot.mapping`; `rescore.connectors.catalog`
reads them.
"""

from __future__ import annotations

import math
import re
from collections.abc import Callable, Iterable
from collections.abc import Mapping as MappingOf
from datetime import timedelta
from decimal import Decimal
from itertools import takewhile
from typing import Annotated, Any, Literal, Self

from pydantic import AfterValidator, ConfigDict, Field, PlainValidator, StringConstraints, model_validator

from rescore.lake.names import OF_ACTIVITIES, OF_LEADS, is_taken
from rescore.manual_edits import Kept
from rescore.model import lead_key
from rescore.same_person import Matching
from rescore.strict.messages import described
from rescore.strict.model import Formed, StrictMap, Trouble, did_you_mean, refuse, refuse_all
from rescore.withheld import RESERVED

Name = Annotated[
    str,
    StringConstraints(max_length=63),
    Formed(r"[a-z][a-z0-9_]*", "small letters, digits and `_`, a letter first, such as `page_view`"),
]
"""A name of ours: an attribute, an activity type, a stream."""

Property = Annotated[
    str,
    StringConstraints(max_length=100),
    Formed(r"[A-Za-z][A-Za-z0-9_]*", "its internal name: letters, digits and `_`, a letter first"),
]
"""A name of the CRM's."""

PropertyPath = Annotated[
    str,
    StringConstraints(max_length=200),
    Formed(
        r"[A-Za-z][A-Za-z0-9_]*(\.[A-Za-z][A-Za-z0-9_]*)*",
        "its internal name: letters, digits and `_`, a letter first, with `.` before a field of what it "
        "refers to",
    ),
]
"""A name of the CRM's, or the way there through related records, where the connector follows it."""

Path = Annotated[
    str,
    StringConstraints(max_length=200),
    Formed(r"/[A-Za-z0-9/{}._-]+", "a path that begins with `/`, without host and query"),
]
"""A path below the Connection's host; the API's version is part of it."""

Mode = Literal["live", "shadow"]
DAYS = re.compile(r"([1-9][0-9]{0,3})d")


def _days(value: Any) -> timedelta:
    found = DAYS.fullmatch(value) if isinstance(value, str) else None
    if found is None:
        refuse(f"`{{name}}` cannot be {described(value)}; write days, such as `400d`")
    return timedelta(days=int(found[1]))


Days = Annotated[timedelta, PlainValidator(_days)]
"""`400d`."""


def _free(fields: MappingOf[str, Any]) -> MappingOf[str, Any]:
    refuse_all(
        Trouble((name,), f"field `{name}` is ours; give it another name", at_key=True)
        for name in fields
        if is_taken(name, OF_ACTIVITIES)
    )
    return fields


FREE_NAMES = AfterValidator(_free)
"""Of further fields of activities: none of them is called as what every activity has."""

AttributeType = Literal["text", "number", "flag", "date", "timestamp"]


class MappingPart(StrictMap):
    """A map of a mapping."""

    model_config = ConfigDict(strict=False)  # YAML knows lists only, here they become tuples and sets


class Attribute(MappingPart):
    """One lead attribute: the property it is read from, and how.

    A number may be written as a `range` (its lower bound counts) or as an `amount` of money or percent, with
    `decimal` before its decimals. A flag may say whether `when` is the property, or one of its values. A text
    may begin with a `prefix`, which tells ids of one source from those of another.
    """

    property: PropertyPath
    type: AttributeType
    written: Literal["range", "amount"] | None = None
    decimal: Literal[".", ","] = "."
    when: str | None = Field(default=None, min_length=1)
    prefix: str | None = Field(default=None, min_length=1, max_length=50)

    @model_validator(mode="after")
    def _each_key_has_its_type(self) -> Self:
        problems = []
        if self.written and self.type != "number":
            problems.append(Trouble(("written",), "`written` is for `type: number`", at_key=True))
        if "decimal" in self.model_fields_set and not self.written:
            problems.append(Trouble(("decimal",), "`decimal` goes with `written`", at_key=True))
        if self.when is not None and self.type != "flag":
            problems.append(Trouble(("when",), "`when` is for `type: flag`", at_key=True))
        if self.prefix is not None and self.type != "text":
            problems.append(Trouble(("prefix",), "`prefix` is for `type: text`", at_key=True))
        refuse_all(problems)
        return self


class SamePerson(MappingPart):
    """How a lead is known to be one person with records of other sources.

    `records` names by source the properties that hold the id of the person's record there; where both have
    the same ids, that is the property with the lead's own, such as `hs_object_id`. Records of two
    sources that both say `email` are one person's, too, when they share an e-mail address.
    """

    records: MappingOf[Name, tuple[Property, ...]] = Field(default_factory=dict)
    email: bool = False

    @property
    def properties(self) -> tuple[str, ...]:
        """What is read."""
        return tuple(name for names in self.records.values() for name in names)

    def keys(self, value_of: Callable[[str], object]) -> tuple[str, ...]:
        """The keys of other sources' records, from a lead's properties."""
        return tuple(
            lead_key(source, id_)
            for source, names in self.records.items()
            for name in names
            if (id_ := _id_of(value_of(name)))
        )


def _id_of(value: object) -> str:
    """An id as its own source writes it; some CRMs put decimals to every number."""
    if isinstance(value, float | Decimal) and math.isfinite(value) and value == int(value):
        value = int(value)
    return "" if value is None else str(value).strip()


class PathSamePerson(SamePerson):
    """The same where ids of other sources' records may be read through related ones."""

    records: MappingOf[Name, tuple[PropertyPath, ...]] = Field(default_factory=dict)


class Leads(MappingPart):
    """Where leads are read from.

    `objection` is the property that says whether somebody objects to profiling.
    """

    attributes: MappingOf[Name, Attribute]
    objection: Property | None = None
    same_person: SamePerson = Field(default_factory=SamePerson)

    @model_validator(mode="after")
    def _same_person_says_something(self) -> Self:
        same = self.same_person
        if "same_person" in self.model_fields_set and not (same.records or "email" in same.model_fields_set):
            refuse("`{name}` says nothing; write `records` or `email: true`, or take it out", "same_person")
        return self

    @property
    def read_properties(self) -> set[str]:
        """Every property that facts are made of."""
        named = {attribute.property for attribute in self.attributes.values()}
        return named | {*self.same_person.properties} | ({self.objection} if self.objection else set())


def is_ours(attribute: str) -> bool:
    """Whether no mapping may bring an attribute under this name."""
    return attribute in RESERVED or is_taken(attribute, OF_LEADS)


class Accounts(MappingPart):
    """What is read of companies: attributes that each lead carries of the one that its `account` names."""

    attributes: dict[Name, Attribute]

    def problems(self, leads: Leads) -> list[Trouble]:
        """Why leads cannot carry them; places are below the mapping."""
        account = leads.attributes.get("account")
        problems = []
        if account is None or account.type != "text":
            problem = "leads need an attribute `account` of type text that names their company"
            problems.append(Trouble(("accounts",), f"{problem}; read it under `leads`", at_key=True))
        elif account.prefix is not None:
            place = ("leads", "attributes", "account", "prefix")
            problem = "companies of this source go by their own ids; give the other source's ids the `prefix`"
            problems.append(Trouble(place, problem, at_key=True))
        for name in self.attributes:
            if is_ours(name):
                problem = f"attribute `{name}` is ours; give it another name"
            elif name in leads.attributes:
                problem = f"leads have an attribute `{name}` already; call the company's `company_{name}`"
            else:
                continue
            problems.append(Trouble(("accounts", "attributes", name), problem, at_key=True))
        return problems


class ScoreFields(MappingPart):
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


class Settable(MappingPart):
    """A property that automations may set; `stages` in their order never go back to an earlier one."""

    stages: tuple[str, ...] = ()


class Mapping(MappingPart):
    """The mapping of one source, which is a target too where it has `scores`.

    `mapping` names it, as in the lead key `hubspot:1042`; `connector` says how it is spoken to.
    `mode: shadow` makes the whole target a rehearsal, whatever its scorecards say.
    Of a person with records in several sources the `primary` one comes first, then the others by their names:
    the first target shows the score, and the first source that has a value of an attribute says it. A target
    that is `always_written` shows the score beside an earlier one: only where nothing else copies it there.
    Activities that happened longer ago than `history` when they would be read are left out.
    Automations set only the properties of `settable`.
    """

    mapping: Name
    connector: Name
    mode: Mode
    primary: bool = False
    always_written: bool = False
    history: Days | None = None
    leads: Leads
    scores: dict[Name, ScoreFields] = Field(default_factory=dict)
    settable: dict[Property, Settable] = Field(default_factory=dict)

    @property
    def name(self) -> str:
        """The source's and the target's name."""
        return self.mapping

    @property
    def makes_tasks(self) -> bool:
        """Whether automations can make tasks there."""
        return False

    def id_of(self, written: str) -> str:
        """The id of a record of this source as it writes it itself, from how another source may."""
        return written

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
            if is_ours(name)
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
        if self.mapping in self.leads.same_person.records:
            problem = f"`{self.mapping}` is this source itself; name the properties of other sources' records"
            problems.append(Trouble(("leads", "same_person", "records", self.mapping), problem, at_key=True))
        if self.always_written and not self.scores:
            problem = "`always_written` is about showing scores, and no `scores` are here; take it out"
            problems.append(Trouble(("always_written",), problem, at_key=True))
        refuse_all(problems)
        return self


def in_order(mappings: Iterable[Mapping]) -> list[Mapping]:
    """Mappings in the order in which the records of one person count: the primary one, then by name."""
    return sorted(mappings, key=lambda mapping: (not mapping.primary, mapping.name))


def matching_of(mappings: Iterable[Mapping], salt: bytes) -> Matching:
    """How records of several sources are known to be one person."""
    ordered = in_order(mappings)
    by_address = frozenset(mapping.name for mapping in ordered if mapping.leads.same_person.email)
    spelt = {mapping.name: mapping.id_of for mapping in ordered}
    return Matching(tuple(mapping.name for mapping in ordered), by_address, salt, spelt)


def earlier_targets(mappings: Iterable[Mapping], target: Mapping) -> dict[str, tuple[str, ...]]:
    """By scorecard the targets that show it in this one's place where a person has a record there."""
    if target.always_written:
        return {}
    before = list(takewhile(lambda mapping: mapping.name != target.name, in_order(mappings)))
    return {card: tuple(each.name for each in before if card in each.scores) for card in target.scores}
