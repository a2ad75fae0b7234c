"""Who was erased and must not come back: known by salted hashes alone."""

from __future__ import annotations

import hmac
from collections.abc import Iterable
from contextlib import suppress
from dataclasses import dataclass, field
from typing import Final
from unicodedata import category, normalize

from rescore.text import fold, is_whole

LONGEST_LABEL: Final = 63
"""Of a domain; what is longer is none, and costs no time."""

_PREFIX: Final = "xn--"
_APART: Final = frozenset('@"()<>[],;:\\')
"""What sets an address apart from a name or from another address."""


@dataclass(frozen=True, slots=True)
class Person:
    """Everything one person is known under.

    `leads` are lead keys (`hubspot:1042`), of merged-away records too. `addresses` are e-mail addresses as
    they are compared: see `folded`.
    """

    leads: frozenset[str]
    addresses: frozenset[str] = frozenset()

    @classmethod
    def of(cls, leads: Iterable[str], addresses: Iterable[str] = ()) -> Person:
        """From keys and addresses as people write them."""
        return cls(frozenset(leads), frozenset(map(folded, addresses)))


@dataclass(frozen=True, slots=True)
class Erased:
    """The tombstones of one installation; nobody can read from them who was erased, only ask.

    `barred` are keys of living records that a source says are one with an erased person, `let_in` those of
    which a person has said that they are somebody else.
    """

    salt: bytes = field(default=b"", repr=False)
    hashes: frozenset[str] = frozenset()
    barred: frozenset[str] = frozenset()
    let_in: frozenset[str] = frozenset()

    def __bool__(self) -> bool:
        return bool(self.hashes or self.barred)

    def lead(self, key: str) -> bool:
        """Whether the lead of this key was erased, or is barred."""
        return key in self.barred or (bool(self.hashes) and hash_of_lead(self.salt, key) in self.hashes)

    def address(self, address: str) -> bool:
        """Whether the person behind this e-mail address was erased."""
        return bool(self.hashes) and hash_of_address(self.salt, address) in self.hashes


NOBODY = Erased()


def folded(address: str) -> str:
    """An address as it is compared: folded like every text, its domain as it is sent (`xn--bcher-kva.de`)."""
    name, at, domain = fold(address.strip()).rpartition("@")
    return name + at + ".".join(map(_as_sent, domain.split(".")))


def spellings(address: str) -> set[str]:
    """How a folded address may stand in a text, but for the case of its letters."""
    name, at, domain = address.rpartition("@")
    written = ".".join(map(_as_written, domain.split(".")))
    return {normalize(form, name + at + each) for form in ("NFC", "NFD") for each in (domain, written)}


def is_key(text: str) -> bool:
    """Whether this can be a lead's key: `hubspot:1042`."""
    source, _, lead_id = text.partition(":")
    return bool(source and lead_id) and "\0" not in text and is_whole(text)


def is_address(text: str) -> bool:
    """Whether this is one e-mail address alone: with a sign around it, it would be one that nobody has."""
    name, at, domain = fold(text.strip()).rpartition("@")
    return (
        bool(name and at)
        and _APART.isdisjoint(name)
        and not any(category(character)[0] in "CZ" for character in name)
        and all(map(_is_label, domain.split(".")))
    )


def hash_of_lead(salt: bytes, key: str) -> str:
    """What a tombstone keeps of a lead key."""
    return _hash(salt, f"lead {key}")


def hash_of_address(salt: bytes, address: str) -> str:
    """What a tombstone keeps of an e-mail address."""
    return _hash(salt, f"address {folded(address)}")


def _as_sent(label: str) -> str:
    """A label of a domain in the letters of the wire: `bücher` is `xn--bcher-kva`."""
    if label.isascii() or len(label) > LONGEST_LABEL:
        return label
    return _PREFIX + label.encode("punycode").decode()


def _as_written(label: str) -> str:
    """The other way round."""
    with suppress(ValueError):  # of a label that only looks as if
        if label.startswith(_PREFIX):
            return label.removeprefix(_PREFIX).encode().decode("punycode")
    return label


def _is_label(label: str) -> bool:
    """Whether it can be a label of a domain: letters, digits and what joins them."""
    return bool(label) and all(character in "-_" or category(character)[0] in "LMN" for character in label)


def _hash(salt: bytes, text: str) -> str:
    return hmac.digest(salt, text.encode("utf-8", "surrogatepass"), "sha256").hex()
