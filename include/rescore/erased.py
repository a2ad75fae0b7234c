"""Who was erased and must not come back: known by salted hashes alone."""

from __future__ import annotations

import hmac
from collections.abc import Iterable
from dataclasses import dataclass, field


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
    """An address as it is compared."""
    return address.strip().lower()


def is_key(text: str) -> bool:
    """Whether this can be a lead's key: `hubspot:1042`."""
    source, _, lead_id = text.partition(":")
    return bool(source and lead_id)


def is_address(text: str) -> bool:
    """Whether this can be an e-mail address."""
    return "@" in text.strip("@ ")


def hash_of_lead(salt: bytes, key: str) -> str:
    """What a tombstone keeps of a lead key."""
    return _hash(salt, f"lead {key}")


def hash_of_address(salt: bytes, address: str) -> str:
    """What a tombstone keeps of an e-mail address."""
    return _hash(salt, f"address {folded(address)}")


def _hash(salt: bytes, text: str) -> str:
    return hmac.digest(salt, text.encode("utf-8", "surrogatepass"), "sha256").hex()
