"""Strict YAML: what a file says is unambiguous, or it is refused with a place and a way out."""

import time
from decimal import Decimal

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from rescore.strict.yaml import MAX_BYTES, read_document


def value_of(text: str) -> object:
    document, problems = read_document(f"a: {text}\n".encode())
    assert not problems
    assert document is not None
    return document.data["a"]


@pytest.mark.parametrize(
    ("written", "read"),
    [
        pytest.param("NO", "NO", id="Norway is a text"),
        pytest.param("yes", "yes", id="yes is a text"),
        pytest.param("on", "on", id="on is a text"),
        pytest.param("2026-11-01", "2026-11-01", id="a date is a text"),
        pytest.param("12:30", "12:30", id="a time is a text, not minutes"),
        pytest.param("1_000", "1_000", id="underscores are text"),
        pytest.param("True", True, id="a flag in capitals"),
        pytest.param("false", False, id="a flag"),
        pytest.param("~", None, id="a tilde is nothing"),
        pytest.param("", None, id="nothing is nothing"),
        pytest.param("12", 12, id="a whole number"),
        pytest.param("-3", -3, id="a negative number"),
        pytest.param("+3", 3, id="a number with its sign"),
        pytest.param("0.1", Decimal("0.1"), id="a decimal keeps its digits"),
        pytest.param("2.50", Decimal("2.50"), id="and its zeros"),
        pytest.param("1e2", Decimal("1e2"), id="an exponent"),
        pytest.param(".5", Decimal("0.5"), id="a decimal without zero"),
        pytest.param("'12'", "12", id="quotes make a text"),
        pytest.param("/pricing", "/pricing", id="a path needs no quotes"),
        pytest.param("https://a.example/b?c=d#e", "https://a.example/b?c=d#e", id="nor does an address"),
        pytest.param('"caf\\u00e9"', "café", id="escapes in double quotes"),
        pytest.param("🦔", "🦔", id="beyond the basic plane"),
        pytest.param("[1, b, {c: 2}]", [1, "b", {"c": 2}], id="nested"),
    ],
)
def test_a_value_is_read_by_the_core_schema_of_yaml_1_2(written: str, read: object) -> None:
    found = value_of(written)
    assert found == read
    assert type(found) is type(read)
    assert str(found) == str(read)


@pytest.mark.parametrize(
    ("body", "place", "says"),
    [
        pytest.param(b"", (1, 1), "the file is empty", id="empty"),
        pytest.param(b"# nothing\n", (1, 1), "the file is empty", id="only comments"),
        pytest.param(b"---\n", (1, 1), "the file is empty", id="only a marker"),
        pytest.param(b"- a\n", (1, 1), "must be a map", id="a list"),
        pytest.param(b"text", (1, 1), "must be a map", id="a text"),
        pytest.param(b"a: 1\nb: 2\na: 3\n", (3, 1), "`a` is already on line 1; keep one", id="duplicate key"),
        pytest.param(b"a: {b: 1, b: 2}", (1, 11), "`b` is already on line 1", id="duplicate key inside"),
        pytest.param(b'a: 1\n"a": 2', (2, 1), "`a` is already on line 1", id="duplicate key in quotes"),
        pytest.param(b"a: &x 1", (1, 4), "the anchor `&x` is not read here", id="anchor"),
        pytest.param(
            b"a: 1\nb: *x", (2, 4), "the alias `*x` is not read here; write the value out", id="alias"
        ),
        pytest.param(b"a: !!str 1", (1, 4), "a tag", id="tag"),
        pytest.param(b"a: !python/object:os.system x", (1, 4), "a tag", id="a tag with a grudge"),
        pytest.param(b"%YAML 1.1\n---\na: NO", (2, 1), "a `%` directive", id="directive"),
        pytest.param(b"a: 1\n---\nb: 2", (2, 1), "a second document begins here", id="two documents"),
        pytest.param(b"a: .nan", (1, 4), "`.nan` is not a number to count with", id="not a number"),
        pytest.param(b"a: -.INF", (1, 4), "`-.INF` is not a number to count with", id="infinity"),
        pytest.param(b"a: 0o17", (1, 4), "two different numbers", id="octal"),
        pytest.param(b"a: 007", (1, 4), 'write `"007"` for the text', id="leading zeros"),
        pytest.param(b"a: 1e999999999", (1, 4), "a number of more than 30 digits", id="a huge exponent"),
        pytest.param(b"a: " + b"9" * 5000, (1, 4), "a number of more than 30 digits", id="a huge number"),
        pytest.param(b"a: caf\xe9", (1, 7), "the byte 0xe9 is not UTF-8", id="Latin-1"),
        pytest.param("a: é".encode("utf-16"), (1, 1), "is not UTF-8", id="UTF-16"),
        pytest.param(b"a: b\x00c", (1, 5), "the control character U+0000", id="NUL"),
        pytest.param(b"a: 1\nb: \x1b[31m", (2, 4), "the control character U+001B", id="terminal escape"),
        pytest.param(b'a: "\\0"', (1, 4), "the control character U+0000", id="escaped NUL"),
        pytest.param(b'a: "\\ud800"', (1, 4), "U+D800 is half a character; write", id="half a character"),
        pytest.param(b'a: "\\UFFFFFFFF"', (1, 1), "not readable as YAML", id="no character at all"),
        pytest.param(b'a: "\\q"', (1, 6), "a backslash in double quotes", id="unknown escape"),
        pytest.param(
            b"1.5: a", (1, 1), 'the key `1.5` is not a text; write it in quotes: `"1.5"`', id="number as key"
        ),
        pytest.param(b"true: a", (1, 1), "the key `true` is not a text", id="flag as key"),
        pytest.param(b"? [a]\n: b", (1, 3), "a key must be a text", id="list as key"),
        pytest.param(b": b", (1, 1), "a key must be a text", id="no key"),
        pytest.param(b"a: b: c", (1, 5), "put a text that has `: ` in it in quotes", id="colon in a text"),
        pytest.param(b"a:\n\tb: c", (2, 1), "indent with spaces", id="tab"),
        pytest.param(b"a:\n  b: 1\n c: 2", (3, 2), "the indentation fits nothing above", id="indentation"),
        pytest.param(b"a: [1, 2\nb: 3", (2, 2), "a `{` or `[` is not closed", id="open bracket"),
        pytest.param(b"a: 'b\nc: d", (2, 5), "a quote is opened and never closed", id="open quote"),
        pytest.param(
            b"a: - b", (1, 4), "begin the list on a line of its own", id="list on the line of its key"
        ),
        pytest.param(b"a: @b", (1, 4), "put it in quotes", id="a character YAML keeps for itself"),
        pytest.param(b"a: " + b"[" * 30 + b"]" * 30, (1, 23), "nested more than 20 levels", id="too deep"),
        pytest.param(
            b"a: [" + b"b," * 13_000 + b"]", (1, 23999), "more than 12000 keys and values", id="too many"
        ),
        pytest.param(b"a: b\n" * 60000, (1, 1), "more than 262,144 bytes; split it", id="too long"),
    ],
)
def test_what_can_be_misread_is_refused(body: bytes, place: tuple[int, int], says: str) -> None:
    _, problems = read_document(body)
    assert (problems[0].line, problems[0].column) == place
    assert says in problems[0].message
    assert ";" in problems[0].message, "a message names the way out"


def test_all_problems_of_a_file_come_at_once() -> None:
    _, problems = read_document(b"a: 1\na: 2\nb: .nan\nc: !x 1\nd: &y 2\n")
    assert [problem.line for problem in problems] == [2, 3, 4, 5]


HOSTILE = {
    "brackets": b"[" * MAX_BYTES,
    "braces": b"{a: " * (MAX_BYTES // 4),
    "dashes": b"- " * (MAX_BYTES // 2),
    "question marks": b"? " * (MAX_BYTES // 2),
    "commas": b"a: [" + b"b," * 120_000 + b"]",
    "colons": b"a: " + b"b:c" * 80_000,
    "keys": b"".join(b"k%d: 1\n" % number for number in range(22_000)),
    "flow keys": b"{" + b"[a]: 1," * 30_000 + b"}",
    "quotes": b"'" * MAX_BYTES,
    "escapes": b'a: "' + b'\\"' * 120_000,
    "tabs": b"\t" * MAX_BYTES,
    "newlines": b"a: b" + b"\n" * 250_000,
    "spaces": b"a:" + b" " * 250_000 + b"b",
    "comments": b"#\n" * 120_000,
    "a long key": b"a" * 250_000 + b": 1",
    "a long block": b"a: |\n" + b" x\n" * 80_000,
    "a billion laughs": b"a: &a [x]\n" + b"".join(b"b%d: &b%d [*a, *a]\n" % (n, n) for n in range(9)),
    "random bytes": bytes(range(256)) * 1000,
}


@pytest.mark.parametrize("body", [pytest.param(body, id=name) for name, body in HOSTILE.items()])
def test_a_hostile_file_costs_next_to_nothing(body: bytes) -> None:
    started = time.process_time()
    read_document(body[:MAX_BYTES])
    assert time.process_time() - started < 5, "meant to be below one second; five on a busy machine"


@settings(max_examples=300)
@given(
    st.one_of(st.binary(max_size=80), st.text(alphabet="ab:-?[]{},&*!|>'\"%@`# \n\t\\0Uu~.<", max_size=40))
)
def test_any_bytes_are_read_or_refused_and_never_crash(given: bytes | str) -> None:
    document, problems = read_document(given if isinstance(given, bytes) else given.encode())
    assert document is not None or problems


def test_the_place_of_a_value_of_its_key_and_of_what_is_not_there() -> None:
    document, _ = read_document(b"rules:\n  - id: a\n    when: [1, 2]\nempty:\n")
    assert document is not None
    assert document.where(("rules", 0, "id")) == (2, 9)
    assert document.where(("rules", 0, "id"), key=True) == (2, 5)
    assert document.where(("rules", 0, "when", 1)) == (3, 15)
    assert document.where(("rules", 0, "points")) == (2, 5)
    assert document.where(("rules", "some tag", 0, "id")) == (2, 9)
    assert document.where(("empty",)) == (4, 1)
    assert document.where(()) == (1, 1)


def test_columns_count_characters_whatever_their_bytes() -> None:
    _, problems = read_document('é: "🦔", a'.encode())
    assert problems
    _, problems = read_document('{"é🦔": 1, "é🦔": 2}'.encode())
    assert (problems[0].line, problems[0].column) == (1, 11)


def test_a_byte_order_mark_is_skipped() -> None:
    document, problems = read_document(b"\xef\xbb\xbfa: 1\n")
    assert document is not None
    assert document.data == {"a": 1}
    assert not problems
