"""The `grades` of a rules file: bands of dimensions, and one label that puts them together."""

from collections.abc import Iterator, Mapping
from typing import Annotated, Any, Final

from pydantic import PlainValidator, ValidationInfo, WithJsonSchema

from rescore.model import MILLI
from rescore.rules.card import Band, Grades
from rescore.rules.grade_labels import LABEL, MAX_GRADES, MAX_LABEL, PLACE, labels_of
from rescore.rules.names import Names
from rescore.rules.values import MAX_POINTS, thousandths_of
from rescore.strict.messages import described
from rescore.strict.model import Trouble, did_you_mean, refuse, refuse_all

MAX_NAME: Final = 40
LABEL_PATTERN: Final = r"^[^{}]*(\{[^{}]+\}[^{}]*)+$"
SAMPLE: Final = "`{fit: {A: 60, B: 0}, label: '{fit}'}`"


def _read(value: Any, info: ValidationInfo) -> Grades:
    if not isinstance(value, dict):
        refuse(f"`grades` must be a map, not {described(value)}; write one such as {SAMPLE}")
    names: Names = info.context or Names()
    parts = {name: bands for name, bands in value.items() if name != LABEL}
    troubles = [trouble for name, bands in parts.items() for trouble in _troubles(name, bands, names)]
    if not parts:
        troubles.append(Trouble((), f"`grades` has no dimension; write one such as {SAMPLE}"))
    if said := _trouble_with_label(value.get(LABEL), parts):
        troubles.append(Trouble((LABEL,), said))
    refuse_all(troubles)
    bands = ((name, tuple(_bands(found))) for name, found in parts.items())
    return Grades(tuple(bands), value[LABEL])


def _bands(found: Mapping[str, Any]) -> Iterator[Band]:
    for name, bound in sorted(found.items(), key=lambda band: band[1], reverse=True):
        yield Band(name, int(bound * MILLI))


def _troubles(dimension: str, bands: Any, names: Names) -> Iterator[Trouble]:
    if names.dimensions and dimension not in names.dimensions:
        hint = did_you_mean(dimension, [*names.dimensions, LABEL])
        yield Trouble((dimension,), f"there is no dimension `{dimension}`; {hint}", at_key=True)
    elif not isinstance(bands, dict) or not bands:
        given = "an empty map" if isinstance(bands, dict) else described(bands)
        yield Trouble((dimension,), f"`{dimension}` takes bands, not {given}; write `{{A: 60, B: 0}}`")
    else:
        taken: dict[int, str] = {}
        for name, bound in bands.items():
            points = thousandths_of(bound)
            if not 0 < len(name) <= MAX_NAME or "{" in name or "}" in name:
                message = f"a band has 1 to {MAX_NAME} characters without braces; name this one otherwise"
                yield Trouble((dimension, name), message, at_key=True)
            elif isinstance(points, str):
                yield Trouble((dimension, name), points)
            elif points in taken:
                message = f"band `{name}` begins where `{taken[points]}` does; move one of them"
                yield Trouble((dimension, name), message)
            else:
                taken[points] = name


def _trouble_with_label(label: Any, parts: Mapping[str, Any]) -> str | None:
    sample = "".join(f"{{{name}}}" for name in parts)
    if label is None:
        return f"`label` is missing; write how the bands are put together: `label: '{sample}'`"
    if not isinstance(label, str) or not 0 < len(label) <= MAX_LABEL:
        return f"`label` cannot be {described(label)}; write a short text such as `'{sample}'`"
    places = PLACE.findall(label)
    if "{" in PLACE.sub("", label) or "}" in PLACE.sub("", label):
        return f"`label` has a brace that stands alone; write `'{sample}'`"
    for name in places:
        if name not in parts:
            return f"`label` names `{name}`, which has no bands here; {did_you_mean(name, parts)}"
    for name in parts:
        if name not in places:
            return f"`label` leaves out `{name}`; write `{{{name}}}` into it, or take its bands out"
    readable = {name: list(bands) for name, bands in parts.items() if isinstance(bands, dict)}
    seen: set[str] = set()
    for number, grade in enumerate(labels_of(label, readable)):
        if number == MAX_GRADES:
            return f"there are more than {MAX_GRADES} grades; take bands or dimensions out"
        if grade in seen:
            return f"two different grades are both written `{grade}`; put something between: `'A-1'`"
        seen.add(grade)
    return None


GradesFile = Annotated[
    Grades,
    PlainValidator(_read),
    WithJsonSchema(
        {
            "type": "object",
            "description": "Bands of dimensions, and a label that puts them together: '{fit}{engagement}'.",
            "required": [LABEL],
            "minProperties": 2,
            "properties": {
                LABEL: {
                    "type": "string",
                    "maxLength": MAX_LABEL,
                    "pattern": LABEL_PATTERN,
                }
            },
            "additionalProperties": {
                "type": "object",
                "minProperties": 1,
                "propertyNames": {"pattern": f"^[^{{}}]{{1,{MAX_NAME}}}$"},
                "additionalProperties": {"type": "number", "minimum": -MAX_POINTS, "maximum": MAX_POINTS},
            },
        }
    ),
]
