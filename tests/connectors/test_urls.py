"""Web addresses: every spelling of a page becomes one."""

import pytest
from hypothesis import given
from hypothesis import strategies as st

from rescore.connectors.urls import PageAddress, page_address, page_path

LANGUAGES = frozenset({"de", "en", "fr", "pt"})


@pytest.mark.parametrize(
    ("url", "host", "path", "query"),
    [
        ("https://example.com/pricing", "example.com", "/pricing", ""),
        ("HTTPS://WWW.Example.COM/pricing", "www.example.com", "/pricing", ""),
        ("https://example.com./pricing", "example.com", "/pricing", ""),
        ("https://example.com:443/pricing", "example.com", "/pricing", ""),
        ("http://example.com:80/pricing", "example.com", "/pricing", ""),
        ("http://example.com:8080/a", "example.com:8080", "/a", ""),
        ("https://user:pw@example.com/a", "example.com", "/a", ""),
        ("https://example.com/pricing/", "example.com", "/pricing", ""),
        ("https://example.com//a///b", "example.com", "/a/b", ""),
        ("https://example.com", "example.com", "/", ""),
        ("https://example.com/de/pricing", "example.com", "/pricing", ""),
        ("https://example.com/de-AT/pricing", "example.com", "/pricing", ""),
        ("https://example.com/DE", "example.com", "/", ""),
        ("https://example.com/de/en/pricing", "example.com", "/pricing", ""),
        ("https://de.example.com/pricing", "de.example.com", "/pricing", ""),
        ("https://example.com/demo", "example.com", "/demo", ""),
        ("https://example.com/sv/x", "example.com", "/sv/x", ""),
        ("https://example.com/a/index.html", "example.com", "/a", ""),
        ("https://example.com/de/Index.PHP", "example.com", "/", ""),
        ("https://example.com/a/../b/./c", "example.com", "/b/c", ""),
        ("https://example.com/../../a", "example.com", "/a", ""),
        ("https://example.com/%70ricing", "example.com", "/pricing", ""),
        ("https://example.com/gr%c3%b6%C3%9Fe", "example.com", "/größe", ""),
        ("https://example.com/a%2fb%20c", "example.com", "/a%2Fb%20c", ""),
        ("https://example.com/a b", "example.com", "/a%20b", ""),
        ("https://example.com/100%", "example.com", "/100%25", ""),
        ("https://example.com/%ff%41", "example.com", "/%FFA", ""),
        ("https://example.com/de/pricing/?utm_source=x&p=a#t", "example.com", "/pricing", "utm_source=x&p=a"),
        ("example.com/pricing", "example.com", "/pricing", ""),
        ("//example.com/pricing", "example.com", "/pricing", ""),
        ("/pricing?x=1", "", "/pricing", "x=1"),
        ("  https://example.com/a \n", "example.com", "/a", ""),
    ],
)
def test_every_spelling_of_a_page_becomes_one(url, host, path, query):
    assert page_address(url, LANGUAGES) == PageAddress(host, path, query)


@pytest.mark.parametrize(
    "url", ["https://[broken/", "https://example.com:port/a", "https://example.com:99999/"]
)
def test_what_is_no_address_is_refused(url):
    with pytest.raises(ValueError, match=r"."):
        page_address(url)


PLAIN = ["/", "//", "..", ".", "de", "DE-at", "index.html", "pricing", "ö", "4", " ", "\u2003"]
ESCAPED = ["%", "%2f", "%2E%2e", "%25", "%41", "%c3%b6", "%ff"]
PIECES = st.sampled_from(PLAIN + ESCAPED)


@given(st.lists(PIECES | st.text(max_size=3), max_size=12).map("".join))
def test_a_normalised_path_is_its_own_normal_form(path):
    once = page_path(path, LANGUAGES)
    assert page_path(once, LANGUAGES) == once
    assert once.startswith("/")


@given(
    st.lists(PIECES, max_size=8).map("".join),
    st.sampled_from(["a.example", "A.example:443", "b.example:8080"]),
)
def test_a_normalised_address_is_its_own_normal_form(path, host):
    once = page_address(f"https://{host}/{path}", LANGUAGES)
    assert page_address(f"https://{once.host}{once.path}", LANGUAGES) == once
