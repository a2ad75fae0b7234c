"""What can go wrong with a call over HTTP, and which outcome each operation must make of it."""

from __future__ import annotations

import gzip
import json
from collections.abc import Callable, Iterable, Mapping
from dataclasses import dataclass
from typing import Any

from rescore.outcome import Kind
from tests.faults.network_gateway import Answer, Call, Gateway, Play

FAMILIES = ("read", "scores", "back", "look", "task", "see", "set", "webhook", "slack")
"""Reading a stream; writing and reading back scores; looking a task up and making it; reading a property and
setting it; a webhook; a message to Slack."""

CRM = FAMILIES[:7]
Row = Mapping[str, Kind]
Place = Callable[[Gateway], str]
"""Where the product is sent while the fault lasts: a base URL."""

HUGE = 40 * 1024 * 1024
WISH = 7200.0
"""What a limit asks for where it is more than a moment."""


@dataclass(frozen=True)
class Fault:
    """One fault: it plays with calls, or it is in the way to them (`place`).

    Attributes:
        kinds: By family of operations the outcome that it must have; a family that is missing has no such
            fault.
        slow: The caller has to run out of time.
        some: It is about one record of a call, the others are well.
        wish: Seconds for which the other side asks to be left alone.
    """

    name: str
    kinds: Row
    play: Play | None = None
    place: Place | None = None
    slow: bool = False
    some: bool = False
    wish: float | None = None


def row(every: Kind, families: Iterable[str] = FAMILIES, **others: Kind) -> Row:
    """The same outcome for all families but the named ones."""
    return {**dict.fromkeys(families, every), **others}


UNREACHED = row("transient")
LOST = row("transient", scores="unknown", task="unknown", set="unknown", webhook="unknown", slack="unknown")
"""Looking has no effect; what may have had one is of unknown fate."""

ODD = LOST | row("ok", ["webhook", "slack"])
"""A success that is not worth its name: webhooks and Slack promise no more than the status."""

OUR_FAULT = row("transient", scores="unknown", set="unknown")
"""A call that is refused as such: the CRM's path is wrong, or it is in no mood."""

BAD = row("transient", scores="record", task="record", set="record", slack="record")
LATER = row("quota", webhook="transient")


# ── ways of playing ──────────────────────────────────────────────────────────────────────────────────


def status(code: int, body: Any = None, *, after: bool = False, **headers: str) -> Play:
    """An answer of this status in place of the effect, or `after` it."""

    def play(call: Call) -> None:
        if after:
            call.effect()
        content = body if isinstance(body, bytes) else json.dumps(body or {"status": "error"}).encode()
        call.answer(Answer(code, content, {name.replace("_", "-"): text for name, text in headers.items()}))

    return play


def says(body: Any, **headers: str) -> Play:
    """The effect, and a success that says this instead."""
    return status(200, body, after=True, **headers)


def changed(change: Callable[[Any], Any]) -> Play:
    """The effect, and its answer changed."""

    def play(call: Call) -> None:
        answer = call.effect()
        call.answer(answer.saying(change(answer.json)))

    return play


def raw(content: bytes, *, then: str = "close") -> Play:
    """The effect, bytes that are no answer or only a part of one, and an end."""

    def play(call: Call) -> None:
        call.effect()
        call.raw(content)
        if then == "wait":
            call.until_left()
        call.reset() if then == "reset" else call.close()

    return play


def cut(*, after: bool, reset: bool) -> Play:
    """The connection ends without an answer, before or after the effect."""

    def play(call: Call) -> None:
        if after:
            call.effect()
        call.reset() if reset else call.close()

    return play


def stall(*, after: bool) -> Play:
    """No answer for as long as the caller waits; the effect comes before that, or never."""

    def play(call: Call) -> None:
        if after:
            call.effect()
        call.until_left()
        call.close()

    return play


def late(call: Call) -> None:
    """The effect comes when nobody waits for it any more."""
    call.until_left()
    call.effect()
    call.close()


def drip(content: bytes, *, again: bool = False) -> Play:
    """After the effect the answer comes byte by byte, and never to its end."""

    def play(call: Call) -> None:
        call.effect()
        left = bytearray(content)

        def tick() -> None:
            call.raw(content if again else bytes([left.pop(0)]) if left else b" ")

        call.until_left(0.02, tick)
        call.close()

    return play


def one_error(category: str, code: str = "") -> Play:
    """One record of the batch is refused so; the others have their effect."""

    def play(call: Call) -> None:
        asked = json.loads(call.body)
        first, rest = asked["inputs"][0], asked["inputs"][1:]
        said: dict[str, Any] = {"status": "COMPLETE", "results": []}
        if rest:
            said = call.effect(asked | {"inputs": rest}).json
        error = {"status": "error", "category": category, "context": {"ids": [first["id"]]}}
        if code:
            error["errors"] = [{"code": code, "context": {"propertyName": ["rescore_score"]}}]
        call.answer(Answer(207, json.dumps(said | {"errors": [*said.get("errors", []), error]}).encode()))

    return play


def spoilt(call: Call) -> None:
    """A batch is refused as a whole because of the one record that has a score of 0."""
    if any(one["properties"].get("rescore_score") == "0" for one in json.loads(call.body)["inputs"]):
        call.answer(Answer(400, json.dumps({"status": "error", "category": "VALIDATION_ERROR"}).encode()))
    else:
        call.answer(call.effect())


def in_results(change: Callable[[list[Any]], list[Any]]) -> Play:
    """The list in an answer, under whichever name, changed."""

    def changes(said: Any) -> Any:
        name = next(name for name in ("results", "events") if name in said)
        return said | {name: change(said[name])}

    return changed(changes)


def head(*lines: str) -> bytes:
    """The head of an answer."""
    return "\r\n".join(["HTTP/1.1 200 OK", "Content-Type: application/json", *lines, "", ""]).encode()


# ── the faults ───────────────────────────────────────────────────────────────────────────────────────

REACHING = [
    Fault("no such host", UNREACHED, place=lambda gateway: "http://no-such-host.invalid"),
    Fault("nothing listens", UNREACHED, place=lambda gateway: "http://127.0.0.1:1"),
    Fault("no TLS where it is expected", UNREACHED, place=lambda gateway: f"https://{gateway.address}"),
    Fault("a certificate that nobody vouches for", UNREACHED, place=lambda g: f"https://{g.untrusted}"),
    Fault("a host that is not allowed", row("unready"), place=lambda gateway: "https://example.org"),
]

SILENCE = [
    Fault("no answer in time, no effect", LOST, stall(after=False), slow=True),
    Fault("no answer in time, after the effect", LOST, stall(after=True), slow=True),
    Fault("the effect comes after the time is up", LOST, late, slow=True),
    Fault("an answer that dribbles", LOST, drip(head("Content-Length: 100000")), slow=True),
    Fault("`100 Continue` without end", LOST, drip(b"HTTP/1.1 100 Continue\r\n\r\n", again=True), slow=True),
    Fault(
        "half an answer, then silence", LOST, raw(head("Content-Length: 99") + b"{", then="wait"), slow=True
    ),
    Fault("reset before the effect", LOST, cut(after=False, reset=True)),
    Fault("reset after the effect", LOST, cut(after=True, reset=True)),
    Fault("closed before the effect", LOST, cut(after=False, reset=False)),
    Fault("closed after the effect", LOST, cut(after=True, reset=False)),
    Fault("reset within the answer", LOST, raw(head("Content-Length: 99") + b"{", then="reset")),
    Fault("less than its length says", LOST, raw(head("Content-Length: 99", "Connection: close") + b"{")),
    Fault("a chunk that is cut off", LOST, raw(head("Transfer-Encoding: chunked") + b"ff\r\n{")),
    Fault("a chunk without a size", LOST, raw(head("Transfer-Encoding: chunked") + b"x\r\n{")),
    Fault("no HTTP at all", LOST, raw(b"SSH-2.0-OpenSSH_9.6\r\n")),
    Fault("a header without end", LOST, raw(b"HTTP/1.1 200 OK\r\nX: " + b"x" * 70_000)),
    Fault("more headers than anybody needs", LOST, raw(head(*[f"X-{n}: x" for n in range(200)]))),
    Fault("an answer beyond all bounds", LOST, says(b" " * HUGE)),
    Fault("a gzip bomb", LOST, says(gzip.compress(b" " * HUGE), Content_Encoding="gzip")),
    Fault("no gzip where it says so", LOST, says(b"{}", Content_Encoding="gzip")),
]

STATUSES = [
    Fault("400", BAD, status(400)),
    Fault("401 in the middle of a run", row("auth"), status(401)),
    Fault(
        "403",
        row("unready", read="auth", scores="auth", back="auth", webhook="transient", slack="auth"),
        status(403),
    ),
    Fault("404", OUR_FAULT | {"slack": "auth"}, status(404)),
    Fault("404 of a record", {"task": "gone"}, status(404, {"category": "OBJECT_NOT_FOUND"})),
    Fault("405", OUR_FAULT, status(405)),
    Fault("408", LOST | row("transient", ["webhook", "slack"]), status(408)),
    Fault("409", BAD | {"slack": "transient"}, status(409)),
    Fault(
        "409 of category CONFLICT",
        {"scores": "transient", "set": "transient", "task": "record"},
        status(409, {"category": "CONFLICT"}),
    ),
    Fault("410", OUR_FAULT | {"webhook": "gone", "slack": "auth"}, status(410)),
    Fault("412", OUR_FAULT, status(412)),
    Fault("413", BAD, status(413)),
    Fault("422", BAD | {"slack": "transient"}, status(422)),
    Fault("423", OUR_FAULT, status(423)),
    Fault("451", OUR_FAULT, status(451)),
    Fault("500", LOST | row("transient", ["webhook", "slack"]), status(500)),
    Fault("500 after the effect", LOST | row("transient", ["webhook", "slack"]), status(500, after=True)),
    Fault(
        "502 as HTML, after the effect",
        LOST | row("transient", ["webhook", "slack"]),
        status(502, b"<html>Bad gateway", after=True, Content_Type="text/html"),
    ),
    Fault(
        "503 with Retry-After",
        LOST | row("transient", ["webhook", "slack"]),
        status(503, Retry_After=f"{WISH:.0f}"),
        wish=WISH,
    ),
    Fault("503", LOST | row("transient", ["webhook", "slack"]), status(503)),
    Fault("504 after the effect", LOST | row("transient", ["webhook", "slack"]), status(504, after=True)),
    Fault("599", LOST | row("transient", ["webhook", "slack"]), status(599)),
    *(
        Fault(f"{code}", UNREACHED, status(code, Location="https://example.org/"))
        for code in (301, 302, 307, 308)
    ),
    Fault("304", UNREACHED, status(304, b"")),
    Fault("an error page as a success", ODD, says(b"<html>Log in", Content_Type="text/html")),
    Fault("204", ODD | {"slack": "transient"}, status(204, b"", after=True)),
]

LIMITED = [
    Fault("429, `Retry-After` in seconds", LATER, status(429, Retry_After=f"{WISH:.0f}"), wish=WISH),
    Fault("429, `Retry-After` in a moment", LATER, status(429, Retry_After="1"), wish=1),
    Fault("429, `Retry-After` as a date", LATER, status(429, Retry_After="Mon, 02 Nov 2026 12:00:00 GMT")),
    Fault("429, `Retry-After` missing", LATER, status(429)),
    Fault("429, `Retry-After` negative", LATER, status(429, Retry_After="-5")),
    Fault("429, `Retry-After` of ages", LATER, status(429, Retry_After="9" * 18)),
    Fault("429, `Retry-After` infinite", LATER, status(429, Retry_After="inf")),
    Fault("429, `Retry-After` not a number", LATER, status(429, Retry_After="soon")),
    Fault("429, policy SECONDLY", row("quota", CRM), status(429, {"policyName": "SECONDLY"})),
    Fault(
        "429, policy TEN_SECONDLY_ROLLING",
        row("quota", CRM),
        status(429, {"policyName": "TEN_SECONDLY_ROLLING"}),
    ),
    Fault(
        "429, policy DAILY: the quota is spent",
        row("quota", CRM),
        status(429, {"policyName": "DAILY"}),
        wish=3600,
    ),
    Fault("429 as HTML", LATER, status(429, b"<html>Slow down", Content_Type="text/html")),
    Fault(
        "429 said in the body of a 200",
        row("quota", CRM, task="unknown"),
        says({"status": "error", "errorType": "RATE_LIMIT"}),
    ),
]

BODIES = [
    Fault("truncated JSON", ODD, says(b'{"results": [{"id": "1", "prop')),
    Fault("an empty body", ODD, says(b"")),
    Fault("`null`", ODD, says(b"null")),
    Fault("a list", ODD, says(b"[]")),
    Fault("`NaN` and other words", ODD, says(b'{"results": NaN, "id": Infinity}')),
    Fault("JSON nested 50,000 deep", ODD, says(b"[" * 50_000)),
    Fault("a number of 5,000 digits", ODD, says(b'{"results": ' + b"9" * 5_000 + b"}")),
    Fault("bytes that are no text", ODD, says(b'{"results": "\xff\xfe\x80"}')),
    Fault("results that are no list", ODD, says({"results": {"id": "1"}})),
    Fault(
        "results that are no objects",
        {"scores": "unknown", "set": "unknown", "see": "transient", "back": "ok"},
        says({"results": [None, 7, "x", [], {}]}),
    ),
    Fault(
        "results reordered",
        row("ok", ["read", "scores", "back", "set", "see"]),
        in_results(lambda rows: rows[::-1]),
    ),
    Fault(
        "results duplicated",
        row("ok", ["read", "scores", "back", "set", "see"]),
        in_results(lambda rows: rows + rows),
    ),
    Fault(
        "foreign results",
        row("ok", ["scores", "back", "set", "see"]),
        in_results(lambda rows: [{"id": "999999999", "properties": {"rescore_score": "7"}}, *rows]),
    ),
    Fault(
        "a result missing",
        {"scores": "unknown", "set": "unknown", "see": "transient", "back": "ok"},
        in_results(lambda rows: rows[1:]),
        some=True,
    ),
    Fault(
        "every result missing",
        {"scores": "unknown", "set": "unknown", "see": "transient", "back": "ok"},
        in_results(lambda rows: []),
    ),
]

PARTLY = [
    Fault(
        "one record refused",
        row("record", ["scores", "set"]),
        one_error("VALIDATION_ERROR", "INVALID"),
        some=True,
    ),
    Fault("one record spoils its batch", {"scores": "record"}, spoilt, some=True),
    Fault(
        "one record gone",
        row("gone", ["scores", "set", "see", "back"]),
        one_error("OBJECT_NOT_FOUND"),
        some=True,
    ),
    Fault("one record later", row("transient", ["scores", "set"]), one_error("RATE_LIMITS"), some=True),
    Fault(
        "one record failed inside",
        row("transient", ["scores", "set"]),
        one_error("INTERNAL_ERROR"),
        some=True,
    ),
    Fault(
        "a property is missing",
        {"scores": "schema", "set": "unready"},
        status(400, {"category": "VALIDATION_ERROR", "errors": [{"code": "PROPERTY_DOESNT_EXIST"}]}),
    ),
    Fault(
        "a property is missing, said of one record",
        {"scores": "schema", "set": "unready"},
        one_error("VALIDATION_ERROR", "PROPERTY_DOESNT_EXIST"),
    ),
]

GROUPS: Mapping[str, list[Fault]] = {
    "reaching it": REACHING,
    "silence": SILENCE,
    "statuses": STATUSES,
    "limits": LIMITED,
    "bodies": BODIES,
    "one of several": PARTLY,
}
FAULTS = [fault for group in GROUPS.values() for fault in group]
