"""Whose e-mail address is this? E-mail events and form submissions name people by address only."""

from __future__ import annotations

from collections.abc import Iterable, Mapping

from rescore.connectors.hubspot.client import Client, JsonObject
from rescore.connectors.hubspot.windows import rows_of
from rescore.erased import folded
from rescore.text import fold

REMEMBERED = 200_000
ADDRESSES = ("email", "hs_additional_emails")


class Recipients:
    """Contact ids by address: asked for in batches, remembered in memory for the life of a connector."""

    def __init__(self, client: Client, path: str) -> None:
        self._client = client
        self._path = path
        self._known: dict[str, str | None] = {}

    def contacts(self, addresses: Iterable[str]) -> dict[str, str]:
        """The contact of each address that has one, by the address as given."""
        wanted = {address: folded(address) for address in addresses if address.strip()}
        unknown = self._unknown(wanted)
        if len(self._known) + len(unknown) > REMEMBERED:
            self._known.clear()
            unknown = self._unknown(wanted)
        for start in range(0, len(unknown), self._client.limits.batch):
            self._ask(unknown[start : start + self._client.limits.batch])
        return {
            address: contact for address, known_as in wanted.items() if (contact := self._known.get(known_as))
        }

    def _unknown(self, wanted: Mapping[str, str]) -> list[str]:
        """How to ask for those that are not remembered: HubSpot knows a domain as it is written."""
        spelt = {known_as: fold(address.strip()) for address, known_as in wanted.items()}
        return sorted(spelling for known_as, spelling in spelt.items() if known_as not in self._known)

    def learn(self, contact: str, addresses: Iterable[str]) -> None:
        """Remember the addresses of a contact that was read for another reason."""
        if len(self._known) < REMEMBERED:
            self._known.update(dict.fromkeys(addresses, contact))

    def _ask(self, addresses: list[str]) -> None:
        """One batch; HubSpot reports addresses that nobody has beside the contacts found."""
        self._known.update(dict.fromkeys(map(folded, addresses)))
        body = {
            "idProperty": "email",
            "properties": list(ADDRESSES),
            "inputs": [{"id": address} for address in addresses],
        }
        answer = self._client.post(self._path, body)
        for contact in rows_of(answer, "results", what=f"POST {self._path}"):
            if isinstance(contact.get("id"), str | int) and isinstance(contact.get("properties"), dict):
                self.learn(str(contact["id"]), addresses_of(contact["properties"]))


def addresses_of(properties: JsonObject) -> list[str]:
    """Every address of a contact with these properties, as it is compared."""
    texts = [str(properties.get(name) or "") for name in ADDRESSES]
    return [folded(address) for text in texts for address in text.split(";") if address.strip()]
