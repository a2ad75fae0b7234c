"""Requests go where the deployment allows, and to addresses of the public internet unless it names others."""

import pytest

from rescore.connectors.addresses import AllowedHosts
from rescore.errors import SettingsIncomplete


@pytest.mark.parametrize(
    ("entry", "url", "allowed"),
    [
        pytest.param("api.example.com", ("https", "api.example.com", 443), True, id="the host that is named"),
        pytest.param("api.example.com", ("https", "API.Example.com", 443), True, id="in capitals"),
        pytest.param("api.example.com", ("https", "api.example.com.", 443), True, id="with the root's dot"),
        pytest.param("api.example.com", ("http", "api.example.com", 80), False, id="plain http"),
        pytest.param("api.example.com", ("https", "api.example.com", 8443), False, id="another port"),
        pytest.param("api.example.com", ("https", "example.com", 443), False, id="its parent"),
        pytest.param("api.example.com", ("https", "x.api.example.com", 443), False, id="its child"),
        pytest.param("api.example.com", ("https", "api.example.com.evil.net", 443), False, id="its namesake"),
        pytest.param("api.example.com:8443", ("https", "api.example.com", 8443), True, id="the port named"),
        pytest.param("api.example.com:*", ("https", "api.example.com", 8443), True, id="every port"),
        pytest.param("*.example.com", ("https", "a.b.example.com", 443), True, id="below a domain"),
        pytest.param("*.example.com", ("https", "example.com", 443), False, id="the domain itself"),
        pytest.param("*.example.com", ("https", "badexample.com", 443), False, id="a domain that ends alike"),
        pytest.param("*", ("https", "hooks.example.net", 443), True, id="any host"),
        pytest.param("*", ("http", "hooks.example.net", 80), False, id="any host, not over plain http"),
        pytest.param("http://crm:8090", ("http", "crm", 8090), True, id="plain http that is named"),
        pytest.param("http://crm:8090", ("https", "crm", 8090), False, id="only plain http is named"),
        pytest.param("http://[::1]:80", ("http", "[::1]", 80), True, id="an address in brackets"),
    ],
)
def test_a_host_is_allowed_as_it_is_named(entry, url, allowed):
    problem = AllowedHosts.read(f"other.example.org, {entry}").host_problem(*url)
    assert (problem is None) is allowed
    if not allowed:
        assert "RESCORE_ALLOWED_HOSTS" in problem


@pytest.mark.parametrize(
    "entry", ["https://", "ftp://example.com", "10.0.0.0/99", "a b/c", "user@host", "*.*"]
)
def test_an_entry_that_is_neither_a_host_nor_a_network_is_refused(entry):
    with pytest.raises(SettingsIncomplete, match="RESCORE_ALLOWED_HOSTS names"):
        AllowedHosts.read(entry)


def test_without_the_setting_only_the_vendors_are_allowed():
    allowed = AllowedHosts.from_environment({})
    assert allowed.host_problem("https", "api.hubapi.com", 443) is None
    assert allowed.host_problem("https", "hooks.slack.com", 443) is None
    for host in ("login", "test", "acme.my", "acme--uat.sandbox.my"):
        assert allowed.host_problem("https", f"{host}.salesforce.com", 443) is None
    assert allowed.host_problem("https", "my.salesforce.com", 443)
    assert allowed.host_problem("https", "example.com", 443)
    assert allowed.host_problem("http", "api.hubapi.com", 80)


INWARDS = {
    "loopback": "127.0.0.1",
    "another loopback": "127.255.255.254",
    "unspecified": "0.0.0.0",
    "this network": "0.1.2.3",
    "private 10": "10.0.0.1",
    "private 172": "172.16.0.1",
    "private 192": "192.168.1.1",
    "carrier's": "100.64.0.1",
    "metadata service": "169.254.169.254",
    "benchmarking": "198.18.0.1",
    "documentation": "192.0.2.1",
    "multicast": "224.0.0.1",
    "multicast that is global": "233.252.1.1",
    "reserved": "240.0.0.1",
    "broadcast": "255.255.255.255",
    "loopback six": "::1",
    "unspecified six": "::",
    "mapped loopback": "::ffff:127.0.0.1",
    "mapped private": "::ffff:10.0.0.1",
    "translated loopback": "::ffff:0:127.0.0.1",
    "compatible loopback": "::127.0.0.1",
    "NAT64 loopback": "64:ff9b::7f00:1",
    "NAT64 metadata service": "64:ff9b::a9fe:a9fe",
    "local NAT64": "64:ff9b:1::7f00:1",
    "6to4 loopback": "2002:7f00:1::",
    "6to4 of anybody": "2002:808:808::",
    "Teredo": "2001:0:7f00:1::1",
    "ISATAP loopback": "2606:4700::5efe:7f00:1",
    "link-local": "fe80::1",
    "with a zone": "fe80::1%eth0",
    "site-local": "fec0::1",
    "unique local": "fd00::1",
    "metadata service six": "fd00:ec2::254",
    "multicast six": "ff02::1",
    "multicast six that is global": "ff0e::1",
    "documentation six": "2001:db8::1",
    "discard": "100::1",
    "no address": "localhost",
}
PUBLIC = {
    "four": "93.184.216.34",
    "six": "2606:4700:4700::1111",
    "mapped": "::ffff:93.184.216.34",
    "NAT64": "64:ff9b::5db8:d822",
}


@pytest.mark.parametrize("address", INWARDS.values(), ids=INWARDS)
def test_an_address_that_is_not_one_public_host_is_refused(address):
    assert AllowedHosts.read("*").address_problem(address)


@pytest.mark.parametrize("address", PUBLIC.values(), ids=PUBLIC)
def test_a_public_address_is_allowed(address):
    assert AllowedHosts.read("*").address_problem(address) is None


@pytest.mark.parametrize(
    ("entry", "address", "allowed"),
    [
        pytest.param("10.0.0.0/8", "10.1.2.3", True, id="in the network that is named"),
        pytest.param("10.0.0.0/8", "::ffff:10.1.2.3", True, id="the same in six"),
        pytest.param("10.0.0.0/8", "192.168.1.1", False, id="in another"),
        pytest.param("fd00::/8", "fd00::1", True, id="a network of six"),
        pytest.param("http://127.0.0.1:8000", "127.0.0.1", True, id="an address that is named"),
        pytest.param("http://127.0.0.1:8000", "127.0.0.2", False, id="its neighbour"),
        pytest.param("http://localhost:8000", "::1", True, id="localhost"),
        pytest.param("http://crm:8090", "172.18.0.5", False, id="a name alone names no network"),
    ],
)
def test_addresses_inside_a_network_are_allowed_when_it_is_named(entry, address, allowed):
    assert (AllowedHosts.read(entry).address_problem(address) is None) is allowed
