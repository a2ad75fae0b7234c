"""Which hosts and addresses this deployment may speak to: the guard against requests that turn inwards."""

from __future__ import annotations

import re
from collections.abc import Iterator, Mapping
from dataclasses import dataclass, field
from ipaddress import IPv4Address, IPv4Network, IPv6Address, IPv6Network, ip_address, ip_network

from rescore.errors import SettingsIncomplete

Address = IPv4Address | IPv6Address
Network = IPv4Network | IPv6Network

SETTING = "RESCORE_ALLOWED_HOSTS"
DEFAULT = "api.hubapi.com hooks.slack.com login.salesforce.com test.salesforce.com *.my.salesforce.com"
"""Without the setting only these, over TLS: what a vendor's own Connection needs."""

ENTRY = re.compile(
    r"(?:(?P<scheme>https?)://)?"
    r"(?:\[(?P<six>[0-9a-f:.]+)\]|(?P<host>\*|(?:\*\.)?[a-z0-9_](?:[a-z0-9_.-]*[a-z0-9_])?))"
    r"(?::(?P<port>\*|[0-9]{1,5}))?/?"
)
PORTS = {"http": 80, "https": 443}

NAT64 = IPv6Network("64:ff9b::/96")
TRANSITION = tuple(
    map(IPv6Network, ("64:ff9b:1::/48", "2001::/32", "2002::/16", "fec0::/10", "::/96", "::ffff:0:0:0/96"))
)
"""Local NAT64, Teredo, 6to4, site-local, IPv4-compatible, IPv4-translated: an IPv4 address of any kind may
hide in them, and no public service needs them."""
ISATAP = (0x00005EFE, 0x02005EFE)


@dataclass(frozen=True, slots=True)
class _Host:
    scheme: str
    name: str  # a name, `*.` and a domain, or `*`
    port: int | None  # None: any

    def covers(self, scheme: str, host: str, port: int) -> bool:
        if scheme != self.scheme or self.port not in (None, port):
            return False
        if self.name.startswith("*."):
            return host.endswith(self.name[1:])
        return self.name in ("*", host)


@dataclass(frozen=True, slots=True)
class AllowedHosts:
    """The hosts that may be asked, and the networks beyond the public internet that they may live in."""

    hosts: tuple[_Host, ...]
    networks: tuple[Network, ...] = field(default=())

    @classmethod
    def from_environment(cls, environment: Mapping[str, str]) -> AllowedHosts:
        """What `RESCORE_ALLOWED_HOSTS` names.

        Raises:
            SettingsIncomplete: An entry is neither a host nor a network.
        """
        return cls.read(environment.get(SETTING) or DEFAULT)

    @classmethod
    def read(cls, text: str) -> AllowedHosts:
        """Entries separated by spaces or commas.

        `api.example.com` stands for https on port 443; `*.example.com` for every host below it; `*` for any
        host. `http://crm:8090` allows plain http too, `:*` every port. `10.0.0.0/8` lets hosts live in that
        network: without one an address has to be public. An address, or `localhost`, is its own network.

        Raises:
            SettingsIncomplete: An entry is neither a host nor a network.
        """
        hosts: list[_Host] = []
        networks: list[Network] = []
        for entry in text.lower().replace(",", " ").split():
            if network := _network(entry):
                networks.append(network)
                continue
            found = ENTRY.fullmatch(entry)
            if found is None:
                raise SettingsIncomplete(
                    f"{SETTING} names `{entry}`, which is neither a host such as api.hubapi.com "
                    "nor a network such as 10.0.0.0/8"
                )
            scheme, name = found["scheme"] or "https", found["six"] or found["host"]
            port = found["port"] or str(PORTS[scheme])
            hosts.append(_Host(scheme, name, None if port == "*" else int(port)))
            networks += _own_networks(name)
        return cls(tuple(hosts), tuple(networks))

    def host_problem(self, scheme: str, host: str, port: int) -> str | None:
        """Why a host must not be asked; None: it may."""
        name = host.lower().strip("[]").removesuffix(".")
        if any(allowed.covers(scheme, name, port) for allowed in self.hosts):
            return None
        shown = f"{scheme}://{host}" + ("" if port == PORTS.get(scheme) else f":{port}")
        return f"this deployment does not allow {shown}; if it is right, add it to {SETTING}"

    def address_problem(self, text: str) -> str | None:
        """Why a host at this address must not be asked; None: it may.

        `text` is a numeric address as a resolver gives it. What an address that wraps an IPv4 address leads
        to is what counts.
        """
        try:
            address = ip_address(text)
        except ValueError:  # also one with a zone, such as fe80::1%eth0
            return "it has no plain address"
        inner = _inner(address)
        if any(one in network for one in (address, inner) for network in self.networks):
            return None
        if not is_public(address):
            return f"it is at an address inside a network; if it is right, add that network to {SETTING}"
        return None


def is_public(address: Address) -> bool:
    """Whether an address is one single host of the public internet; `is_global` alone does not tell."""
    if isinstance(address, IPv6Address):
        if any(address in network for network in TRANSITION):
            return False
        if (int(address) >> 32) & 0xFFFFFFFF in ISATAP:
            return False
    inner = _inner(address)
    return inner.is_global and not (inner.is_multicast or inner.is_reserved or inner.is_unspecified)


def _inner(address: Address) -> Address:
    """The IPv4 address that an IPv6 one leads to, or the address itself."""
    if isinstance(address, IPv6Address):
        if address.ipv4_mapped is not None:
            return address.ipv4_mapped
        if address in NAT64:
            return IPv4Address(int(address) & 0xFFFFFFFF)
    return address


def _network(entry: str) -> Network | None:
    if "/" not in entry or "://" in entry:
        return None
    try:
        return ip_network(entry)
    except ValueError:
        return None


def _own_networks(name: str) -> Iterator[Network]:
    """An address that is named may be used; `localhost` is two of them."""
    for text in ("127.0.0.0/8", "::1/128") if name == "localhost" else (name,):
        try:
            yield ip_network(text)
        except ValueError:
            return  # a name: its addresses have to be public, or in a network that is named
