"""What is said about a file that is not strict YAML, or not of the shape asked for; each with a way out."""

from typing import Final

from pydantic_core import ErrorDetails

EMPTY: Final = "the file is empty; write at least the required keys, or delete it"
NOT_A_MAP: Final = "the file must be a map; start it with lines such as `key: value`"
DIRECTIVE: Final = "a `%` directive changes how the file is read; take the line out"
SECOND_DOCUMENT: Final = "a second document begins here; keep one per file and take the `---` out"
TAG: Final = "a tag (`!...`) changes what a value is; take it out"

SYNTAX: Final = {
    "mapping values are not allowed": "a `: ` where no value can begin; put a text that has `: ` in it in "
    "quotes, or check the indentation",
    "found character '\\t'": "a tab where indentation is expected; indent with spaces",
    "found character": "a text cannot begin with this character; put it in quotes",
    "could not find expected ':'": "a line that is neither `key: value` nor a list item; add the `:` and a "
    "space, or check the indentation",
    "expected <block end>": "the indentation fits nothing above; line it up with what it belongs to",
    "expected ',' or": "a `{` or `[` is not closed where the next value begins; add the `,` or the bracket",
    "found unexpected end of stream": "a quote is opened and never closed; close it",
    "expected the node content": "a value is missing here; write it, or take the character out",
    "did not find expected": "the structure breaks off here; check brackets and indentation",
    "found unknown escape": "a backslash in double quotes begins an escape; use single quotes instead",
    "sequence entries are not allowed": "a list item where none can be; begin the list on a line of its own",
    "block sequence entries are not": "a list item where none can be; begin the list on a line of its own",
    "mapping keys are not allowed": "a `?` where no key can begin; put a text in quotes",
    "duplicate anchor": "anchors are not read here; write the value out",
    "undefined alias": "aliases are not read here; write the value out",
}

A_FLAG: Final = "`{name}` must be true or false, not {given}; write `{name}: true` or leave it out"
A_WHOLE_NUMBER: Final = "`{name}` must be a whole number, not {given}; write it without quotes"
A_NUMBER: Final = "`{name}` must be a number, not {given}; write it without quotes"
A_LIST: Final = "`{name}` must be a list, not {given}; write `[...]`, or one item a line after `- `"
A_MAP: Final = "`{name}` must be a map, not {given}; write it as `key: value` lines"

VALIDATION: Final = {
    "missing": "`{name}` is missing; add it",
    "string_type": "`{name}` must be text, not {given}; {quote}",
    "bool_type": A_FLAG,
    "bool_parsing": A_FLAG,
    "int_type": A_WHOLE_NUMBER,
    "int_parsing": A_WHOLE_NUMBER,
    "int_from_float": "`{name}` must be a whole number; leave the decimals out",
    "decimal_type": A_NUMBER,
    "is_instance_of": A_NUMBER,
    "list_type": A_LIST,
    "tuple_type": A_LIST,
    "set_type": A_LIST,
    "frozen_set_type": A_LIST,
    "dict_type": A_MAP,
    "model_type": A_MAP,
    "model_attributes_type": A_MAP,
    "mapping_type": A_MAP,
    "too_short": "`{name}` is empty; write at least {min_length}, or take it out",
    "too_long": "`{name}` has {actual_length} items; write at most {max_length}",
    "string_too_short": "`{name}` is empty; write something, or take it out",
    "string_too_long": "`{name}` is longer than {max_length} characters; shorten it",
    "literal_error": "`{name}` cannot be {given}; write {expected}",
    "enum": "`{name}` cannot be {given}; write {expected}",
    "greater_than": "`{name}` is {given}; write a number above {gt}",
    "greater_than_equal": "`{name}` is {given}; write {ge} or more",
    "less_than_equal": "`{name}` is {given}; write {le} or less",
    "extra_forbidden": "unknown key `{name}`; take it out or correct its spelling",
    "string_pattern_mismatch": "`{name}` is not of the form `{pattern}`; correct it",
    "union_tag_invalid": "{discriminator} cannot be `{tag}`; write {expected_tags}",
    "union_tag_not_found": "{discriminator} is missing; add it",
}


def too_long(limit: int) -> str:
    """A file of too many bytes."""
    return f"the file has more than {limit:,} bytes; split it"


def not_utf8(byte: int) -> str:
    """A byte that is no UTF-8."""
    return f"the byte {byte:#04x} is not UTF-8; save the file with the encoding UTF-8"


def control_character(character: str) -> str:
    """A character that cannot be seen, or not alone."""
    if 0xD800 <= ord(character) < 0xE000:
        return f"U+{ord(character):04X} is half a character; write the whole one as it is"
    return f"the control character U+{ord(character):04X} is not allowed; delete it"


def too_deep(limit: int) -> str:
    """Maps in maps in maps."""
    return f"nested more than {limit} levels deep; flatten it"


def too_many(limit: int) -> str:
    """More values than anybody writes."""
    return f"more than {limit} keys and values; split the file"


def alias(name: str) -> str:
    """`*name`."""
    return f"the alias `*{name}` is not read here; write the value out"


def anchor(name: str) -> str:
    """`&name`."""
    return f"the anchor `&{name}` is not read here; take it out"


def duplicate(key: str, first_line: int) -> str:
    """The same key again in one map."""
    return f"the key `{key}` is already on line {first_line}; keep one of them"


def key_not_text(written: str | None) -> str:
    """A key that YAML reads as a number, a flag, nothing, a list or a map."""
    if not written:
        return "a key must be a text; write `key: value`"
    return f'the key `{written}` is not a text; write it in quotes: `"{written}"`'


def not_finite(text: str) -> str:
    """NaN, infinity."""
    return f"`{text}` is not a number to count with; write a finite number"


def odd_number(text: str) -> str:
    """Hexadecimal, octal, or with leading zeros: a code rather than a count."""
    return f'`{text}` can be read as two different numbers; write `"{text}"` for the text, or a plain number'


def wild_number(digits: int) -> str:
    """Out of every proportion."""
    return f"a number of more than {digits} digits; round it, or write it in quotes if it is a text"


def syntax(problem: str) -> str:
    """What the parser stumbled over."""
    for beginning, message in SYNTAX.items():
        if problem.startswith(beginning):
            return message
    return "not readable as YAML here; check quotes, brackets and indentation"


def validation(detail: ErrorDetails) -> str:
    """One pydantic error; a message of our own (any type not listed) is passed on as it is.

    Steps of its place in brackets are no keys: `[key]`, or which of several forms a value has.
    """
    names = [step for step in detail["loc"] if isinstance(step, str) and not step.startswith("[")]
    name = names[-1] if names else "the file"
    template = VALIDATION.get(detail["type"])
    if template is None:
        message = detail["msg"]
        if "[key]" in detail["loc"]:  # the key is the value
            message = message.replace("`{name}` cannot be", "no key here can be")
        return message.replace("{name}", name)
    given = described(detail["input"])
    quote = "put it in quotes" if isinstance(detail["input"], int | float) else "write a text"
    context = {key: str(value).replace("'", "`") for key, value in detail.get("ctx", {}).items()}
    return template.format(name=name, given=given, quote=quote, **context)


def described(value: object) -> str:
    """A value as a person would call it: a list, nothing, `true`, the number 3."""
    match value:
        case None:
            return "nothing"
        case bool():
            return f"`{str(value).lower()}`"
        case str():
            return f"`{value}`" if len(value) <= 40 else f"`{value[:37]}...`"
        case dict():
            return "a map"
        case list() | tuple():
            return "a list"
        case _:
            return f"the number {value}"
