"""Connections: either of Airflow's two spellings becomes an address and a token."""

import pytest

from rescore.connectors.connection import Connection, connection_from_environment
from rescore.connectors.hubspot import Limits
from rescore.errors import SettingsIncomplete

VARIABLE = "AIRFLOW_CONN_RESCORE_HUBSPOT"


@pytest.mark.parametrize(
    ("text", "url"),
    [
        ("hubspot://:pat-1@api.hubapi.com", "https://api.hubapi.com"),
        ("http://:pat-1@127.0.0.1:8090", "http://127.0.0.1:8090"),
        ("https://:pat-1@crm.example:8443/", "https://crm.example:8443"),
        ("hubspot://:pat-1@127.0.0.1:8090/http", "http://127.0.0.1:8090"),
        ("hubspot://:pat-1@https%3A%2F%2Fapi.hubapi.com", "https://api.hubapi.com"),
        (
            '{"conn_type": "http", "host": "http://127.0.0.1", "port": 8090, "password": "pat-1"}',
            "http://127.0.0.1:8090",
        ),
        ('{"host": "api.hubapi.com", "password": "pat-1"}', "https://api.hubapi.com"),
        (
            '{"host": "127.0.0.1", "schema": "http", "port": "8090", "password": "pat-1"}',
            "http://127.0.0.1:8090",
        ),
        ('{"host": "https://h.example/T0/B0?team=1", "password": "pat-1"}', "https://h.example/T0/B0?team=1"),
        ('{"host": "https://h.example/hooks/mql/", "password": "pat-1"}', "https://h.example/hooks/mql/"),
    ],
)
def test_every_spelling_of_a_connection_is_understood(text, url):
    connection = connection_from_environment("rescore_hubspot", {VARIABLE: text})
    assert (connection.url, connection.password) == (url, "pat-1")


@pytest.mark.parametrize(
    ("text", "extra"),
    [
        ('{"host": "h", "extra": {"calls": 50}}', {"calls": 50}),
        ('{"host": "h", "extra": "{\\"calls\\": 50}"}', {"calls": 50}),
        ("hubspot://:p@h/?calls=50", {"calls": "50"}),
        ("hubspot://:p@h/?__extra__=%7B%22calls%22%3A+50%7D", {"calls": 50}),
    ],
)
def test_limits_are_in_the_extra(text, extra):
    connection = connection_from_environment("rescore_hubspot", {VARIABLE: text})
    assert connection.extra == extra
    assert Limits.from_extra(connection).calls == 50


@pytest.mark.parametrize(
    "text",
    [
        "",
        "pat-secret",
        "{pat-secret",
        '{"host": null, "password": "pat-secret"}',
        '{"host": "ftp://x", "password": "pat-secret"}',
        '{"host": "h", "port": "pat-secret"}',
        '{"host": "h", "extra": "pat-secret"}',
        "hubspot://:pat-secret@h:notaport",
        "hubspot://:pat-secret@",
        "hubspot://:pat-secret@h/?__extra__={",
    ],
)
def test_what_is_no_connection_is_one_sentence_without_the_token(text):
    with pytest.raises(SettingsIncomplete) as caught:
        assert connection_from_environment("rescore_hubspot", {VARIABLE: text}).url
    assert "rescore_hubspot" in str(caught.value).lower()
    assert "pat-secret" not in str(caught.value)
    assert "\n" not in str(caught.value)


@pytest.mark.parametrize("value", [0, -1, "many", None, [1], "nan"])
def test_a_limit_that_is_none_is_named(value):
    connection = Connection("rescore_hubspot", "https://h", "p", {"calls": value})
    with pytest.raises(SettingsIncomplete, match=r"`calls` in the extra of the Connection `rescore_hubspot`"):
        Limits.from_extra(connection)


def test_a_connection_never_prints_its_token():
    assert "pat-1" not in repr(Connection("c", "https://h", "pat-1", {"secret": "pat-1"}))


@pytest.mark.parametrize("password", ["pat\u2013eu1", "pät-eu1", " pat-eu1", "pat-eu1\n", "pat\r\nX: y"])
def test_a_token_that_cannot_be_one_is_one_sentence_that_does_not_show_it(password):
    with pytest.raises(
        SettingsIncomplete, match="token in the password of the Airflow Connection `c`"
    ) as caught:
        assert Connection("c", "https://h", password).token
    assert password.strip() not in str(caught.value)
    assert Connection("c", "https://h", "pat-eu1-6f_2.b/c+d==").token == "pat-eu1-6f_2.b/c+d=="


@pytest.mark.parametrize("name", ["host", "login", "password", "schema"])
def test_half_a_character_is_one_sentence_that_names_the_field_and_does_not_show_it(name):
    with pytest.raises(SettingsIncomplete) as caught:
        Connection("c", **{name: "half\udce9"})
    assert (
        str(caught.value)
        == f"the {name} of the Airflow Connection `c` is not readable as text; write it anew"
    )


def test_half_a_character_in_the_environment_is_told_too():
    text = '{"host": "https://h", "login": "half\\ud800"}'
    with pytest.raises(SettingsIncomplete, match="the login of the Airflow Connection `rescore_hubspot`"):
        connection_from_environment("rescore_hubspot", {VARIABLE: text})
