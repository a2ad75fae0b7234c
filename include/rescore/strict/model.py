"""The base of every map that people write: unknown and empty keys are refused with a way out."""

import re
from collections.abc import Iterable, Mapping
from dataclasses import dataclass
from difflib import get_close_matches
from typing import Any, ClassVar, NamedTuple, NoReturn, Self

from pydantic import (
    BaseModel,
    ConfigDict,
    GetCoreSchemaHandler,
    GetJsonSchemaHandler,
    ModelWrapValidatorHandler,
    ValidationError,
    model_validator,
)
from pydantic.json_schema import JsonSchemaValue
from pydantic_core import CoreSchema, InitErrorDetails, PydanticCustomError
from pydantic_core.core_schema import no_info_after_validator_function

from rescore.strict.messages import described

Path = tuple[str | int, ...]

RULES = "docs/rules.md"
MANY = 12  # names beyond this make a message nobody reads


class Trouble(NamedTuple):
    """One problem in our own words: where below the value being checked, what, and whether it is the key.

    `{name}` in the message becomes the key it is about.
    """

    path: Path
    message: str
    at_key: bool = False


class StrictMap(BaseModel):
    """A map whose keys are its fields.

    A key without a value is refused too: nobody can say whether it means nothing or the default.

    Attributes:
        not_yet: Keys of the language that this build cannot execute; refused by name.
        misplaced: Keys that belong elsewhere, each with the way out.
        listed_in: Where all keys are listed, for a map that has too many for a message.
    """

    model_config = ConfigDict(extra="forbid", strict=True, frozen=True)

    not_yet: ClassVar[frozenset[str]] = frozenset()
    misplaced: ClassVar[Mapping[str, str]] = {}
    listed_in: ClassVar[str] = RULES

    @model_validator(mode="wrap")
    @classmethod
    def _only_known_keys(cls, value: Any, handler: ModelWrapValidatorHandler[Self]) -> Self:
        if not isinstance(value, dict):
            return handler(value)
        meant = cls.meant(value)
        known = {
            meant.get(key, key): item for key, item in value.items() if key in {*cls.model_fields, *meant}
        }
        empty = {key for key, item in known.items() if item is None}
        troubles = [
            Trouble((key,), cls._about_key(key), at_key=True)
            if key not in cls.model_fields
            else Trouble((key,), f"`{key}` has no value; write one, or take the key out")
            for key, item in value.items()
            if key not in cls.model_fields or item is None
        ]
        if not troubles:
            return handler(value)
        try:
            handler({key: item for key, item in known.items() if item is not None})
        except ValidationError as error:
            others = [detail for detail in _details(error) if detail["loc"] not in {(key,) for key in empty}]
        else:
            others = []
        written = {field: key for key, field in meant.items()}
        for detail in others:
            if detail["loc"]:
                detail["loc"] = (written.get(str(detail["loc"][0]), detail["loc"][0]), *detail["loc"][1:])
        raise ValidationError.from_exception_data(cls.__name__, [*map(_detail, troubles), *others])

    @classmethod
    def unknown(cls, value: Mapping[str, Any]) -> list[str]:
        """The keys of a map that mean nothing anywhere: neither a field nor refused by name."""
        refused = cls.not_yet | cls.misplaced.keys()
        return [key for key in value if key not in cls.model_fields and key not in refused]

    @classmethod
    def meant(cls, value: Mapping[str, Any]) -> dict[str, str]:
        """The misspelt keys of a map, each with the field it stands for when that is not there as well.

        What stands under them is checked like that field: a person should not have to mend a key to be
        told what else is wrong.
        """
        meant: dict[str, str] = {}
        for key in cls.unknown(value):
            near = nearest(key, cls.model_fields)
            if near is not None and near not in value and near not in meant.values():
                meant[key] = near
        return meant

    @classmethod
    def _about_key(cls, key: str) -> str:
        if key in cls.not_yet:
            return not_yet(key)
        hint = did_you_mean(key, cls.model_fields, listed_in=cls.listed_in)
        return cls.misplaced.get(key) or f"unknown key `{key}`; {hint}"


def refuse(message: str, *path: str | int) -> NoReturn:
    """Refuse the value being checked, or what is at a path below it."""
    refuse_all([Trouble(path, message)])
    raise AssertionError


def refuse_all(troubles: Iterable[Trouble]) -> None:
    """Refuse with every problem found, if any."""
    if details := [_detail(trouble) for trouble in troubles]:
        raise ValidationError.from_exception_data("", details)


@dataclass(frozen=True, slots=True)
class Formed:
    """A text of a pattern; `words` say what to write in its place."""

    pattern: str
    words: str

    def __get_pydantic_core_schema__(self, source: Any, handler: GetCoreSchemaHandler) -> CoreSchema:
        """Checks the text after all that stands before this in the annotation."""
        return no_info_after_validator_function(self._checked, handler(source))

    def __get_pydantic_json_schema__(
        self, schema: CoreSchema, handler: GetJsonSchemaHandler
    ) -> JsonSchemaValue:
        """What editors are told."""
        return {**handler(schema), "pattern": f"^{self.pattern}$"}

    def _checked(self, text: str) -> str:
        if not re.fullmatch(self.pattern, text):
            refuse(f"`{{name}}` cannot be {described(text)}; write {self.words}")
        return text


def not_yet(word: str) -> str:
    """A word of the language that this build leaves to a later one."""
    return f"this build cannot execute `{word}` yet; take it out"


def nearest(word: str, known: Iterable[str]) -> str | None:
    """The known word that this one is a misspelling of, as far as anybody can tell."""
    return next(iter(get_close_matches(word.lower(), list(known), n=1)), None)


def did_you_mean(word: str, known: Iterable[str], *, listed_in: str = RULES) -> str:
    """A hint at the nearest known word, else at all of them."""
    known = list(known)
    if near := nearest(word, known):
        return f"did you mean `{near}`?"
    if len(known) > MANY:
        return f"{listed_in} lists what can stand here"
    return "write one of " + ", ".join(f"`{name}`" for name in known) if known else "take it out"


def _said(message: str, *, at_key: bool) -> PydanticCustomError:
    return PydanticCustomError("at_key" if at_key else "rescore", "{message}", {"message": message})


def _detail(trouble: Trouble) -> InitErrorDetails:
    error = _said(trouble.message, at_key=trouble.at_key)
    return InitErrorDetails(type=error, loc=trouble.path, input=None)


def _details(error: ValidationError) -> list[InitErrorDetails]:
    """The problems of an error, ready to be raised again together with others."""
    details = []
    for found in error.errors(include_url=False):
        kind: Any = found["type"]
        if kind in {"rescore", "at_key"}:
            kind = _said(found["msg"], at_key=kind == "at_key")
        details.append(
            InitErrorDetails(type=kind, loc=found["loc"], input=found["input"], ctx=found.get("ctx", {}))
        )
    return details
