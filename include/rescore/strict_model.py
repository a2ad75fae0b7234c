"""The base of every map that people write: unknown and empty keys are refused with a way out."""

from collections.abc import Iterable, Mapping
from difflib import get_close_matches
from typing import Any, ClassVar, Self

from pydantic import BaseModel, ConfigDict, ModelWrapValidatorHandler, ValidationError, model_validator
from pydantic_core import InitErrorDetails, PydanticCustomError

Path = tuple[str | int, ...]


class StrictMap(BaseModel):
    """A map whose keys are its fields.

    A key without a value is refused too: nobody can say whether it means nothing or the default.

    Attributes:
        not_yet: Keys of the language that this build cannot execute; refused by name.
        misplaced: Keys that belong elsewhere, each with the way out.
    """

    model_config = ConfigDict(extra="forbid", strict=True, frozen=True)

    not_yet: ClassVar[frozenset[str]] = frozenset()
    misplaced: ClassVar[Mapping[str, str]] = {}

    @model_validator(mode="wrap")
    @classmethod
    def _only_known_keys(cls, value: Any, handler: ModelWrapValidatorHandler[Self]) -> Self:
        if not isinstance(value, dict):
            return handler(value)
        found = [
            complaint((key,), cls._about_key(key), key=True) for key in value if key not in cls.model_fields
        ]
        empty = [key for key in value if key in cls.model_fields and value[key] is None]
        found += [complaint((key,), f"`{key}` has no value; write one, or take the key out") for key in empty]
        if not found:
            return handler(value)
        try:
            handler({key: value[key] for key in value if key in cls.model_fields and value[key] is not None})
        except ValidationError as error:
            found += [problem for problem in again(error) if problem["loc"] not in {(key,) for key in empty}]
        raise ValidationError.from_exception_data(cls.__name__, found)

    @classmethod
    def _about_key(cls, key: str) -> str:
        if key in cls.not_yet:
            return not_yet(key)
        if key in cls.misplaced:
            return cls.misplaced[key]
        return f"unknown key `{key}`; {did_you_mean(key, cls.model_fields)}"


def not_yet(word: str) -> str:
    """A word of the language that this build leaves to a later one."""
    return f"this build cannot execute `{word}` yet; take it out"


def did_you_mean(word: str, known: Iterable[str]) -> str:
    """A hint at the nearest known word, else at all of them."""
    known = list(known)
    if near := get_close_matches(word.lower(), known, n=1, cutoff=0.6):
        return f"did you mean `{near[0]}`?"
    return "write one of " + ", ".join(f"`{name}`" for name in known) if known else "take it out"


def complaint(loc: Path, message: str, *, key: bool = False) -> InitErrorDetails:
    """One problem of our own wording, at a place below the value being checked; `key` puts it on the key.

    `{name}` in the message becomes the key it is about.
    """
    kind = "unknown_key" if key else "rescore"
    return InitErrorDetails(
        type=PydanticCustomError(kind, "{message}", {"message": message}), loc=loc, input=None
    )


def refuse(problems: Iterable[tuple[Path, str]]) -> None:
    """Raise every problem found, if any."""
    if found := [complaint(loc, message) for loc, message in problems]:
        raise ValidationError.from_exception_data("", found)


def again(error: ValidationError) -> list[InitErrorDetails]:
    """The problems of an error, ready to be raised again together with others."""
    problems = []
    for detail in error.errors(include_url=False):
        kind: Any = detail["type"]
        if kind in {"rescore", "unknown_key"}:
            kind = PydanticCustomError(kind, "{message}", {"message": detail["msg"]})
        problems.append(
            InitErrorDetails(type=kind, loc=detail["loc"], input=detail["input"], ctx=detail.get("ctx", {}))
        )
    return problems
