"""What a database does not have, does not let us do, and how it is reached and described."""

import socket
import threading

import pytest

from rescore.connectors.connection import Connection, connection_from_environment
from rescore.connectors.sql import SqlSource
from rescore.connectors.sql.database import Database
from rescore.errors import (
    CrmFieldMissing,
    CrmLacksScope,
    CrmRejectedCredentials,
    CrmUnavailable,
    SettingsIncomplete,
    TerminalError,
)
from tests.connectors.warehouse import MAPPING, a_view, ids, views, warehouse


def test_columns_that_are_missing_are_named_all_at_once(db):
    wrong = MAPPING.replace(b"asset: page", b"asset: pag").replace(b"cursor: loaded", b"cursor: landed")
    with pytest.raises(CrmFieldMissing) as caught:
        views(db.source(wrong))
    assert str(caught.value) == (
        "`views` has no columns `landed` (did you mean `loaded`?), `pag` (did you mean `page`?); correct the "
        "mapping, `rescore describe` lists those it has"
    )


@pytest.mark.parametrize(
    ("old", "new", "said"),
    [
        (b"table: views", b"table: visits", "no table or view `visits`; correct `table` in the mapping"),
        (b"asset: page", b"asset: pag", "`views` has no column `pag`; did you mean `page`?"),
        (b"cursor: loaded", b"cursor: landed", "`views` has no column `landed`; did you mean `loaded`?"),
    ],
    ids=["table", "column", "cursor"],
)
def test_what_the_database_does_not_have_is_named(db, old, new, said):
    with pytest.raises(CrmFieldMissing) as caught:
        views(db.source(MAPPING.replace(old, new)))
    assert said in str(caught.value)
    assert "\n" not in str(caught.value)


def test_a_table_that_vanished_between_two_runs_is_named(db):
    source = db.source()
    views(source)
    db.run("DROP TABLE views")
    with pytest.raises(CrmFieldMissing, match="`views`; correct `table` in the mapping"):
        views(source)


def test_a_right_that_was_taken_away_is_named_with_the_table(tmp_path):
    with warehouse("postgresql", tmp_path) as db:
        source = db.source()
        with db.engine.begin() as owner:
            owner.exec_driver_sql(f"REVOKE SELECT ON views FROM {db.connection.login}")
        with pytest.raises(CrmLacksScope, match=f"does not let `{db.connection.login}` read `views`; grant"):
            views(source)


def test_nothing_can_be_written_through_it(tmp_path):
    with warehouse("postgresql", tmp_path) as db:
        db.fill("views", [a_view(1)])
        with db.engine.begin() as owner:
            owner.exec_driver_sql(
                "CREATE FUNCTION spy() RETURNS text SECURITY DEFINER LANGUAGE sql AS "
                "$$ INSERT INTO views (id) VALUES (99) RETURNING 'x' $$"
            )
            owner.exec_driver_sql("CREATE VIEW trap AS SELECT *, spy() AS caught FROM views")
        db.let_read()
        mapping = MAPPING.replace(b"table: views", b"table: trap").replace(b"asset: page", b"asset: caught")
        with pytest.raises(TerminalError, match=r"`trap` \(25006\)"):
            views(db.source(mapping))
        assert ids(views(db.source())[0]) == ["1"]


@pytest.mark.parametrize(
    ("change", "error"),
    [
        ({"login": "nobody_of_that_name"}, CrmRejectedCredentials),
        ({"schema": "no_such_database"}, CrmRejectedCredentials),
        ({"host": "127.0.0.1", "port": 1}, CrmUnavailable),
    ],
    ids=["login", "database", "nobody there"],
)
def test_a_connection_that_leads_nowhere_is_one_sentence_without_the_password(tmp_path, change, error):
    with warehouse("postgresql", tmp_path) as db:
        given = {name: getattr(db.connection, name) for name in Connection.__slots__} | {"password": "s3cr3t"}
        source = SqlSource(Database(Connection(**(given | change))), db.source().mapping)
        with pytest.raises(error) as caught:
            views(source)
    assert "rescore_warehouse" in str(caught.value)
    assert "s3cr3t" not in repr(caught.value)
    assert "\n" not in str(caught.value)


@pytest.mark.parametrize(
    ("given", "said"),
    [
        ({}, "has no type; make it a database's"),
        ({"kind": "http"}, "is of type `http`, which is no database that is known here; make it Postgres"),
        ({"kind": "oracle"}, "needs the SQLAlchemy driver `oracle`, which is not installed"),
        ({"kind": "http", "extra": {"driver": "my+sql"}}, "names the driver `my+sql`, which is no database"),
        ({"kind": "postgres", "host": ""}, "has no host; write there where the database's server is"),
        ({"kind": "sqlite", "host": ""}, "has no host; write the file's path there"),
        ({"kind": "postgres", "extra": {"sslmode": "requir"}}, "cannot be `requir`; did you mean `require`?"),
    ],
    ids=["no type", "http", "no driver", "odd driver", "no host", "no path", "sslmode"],
)
def test_a_connection_that_cannot_be_one_is_told_before_anything_is_asked(given, said):
    with pytest.raises(SettingsIncomplete) as caught:
        Database(Connection("w", **({"host": "h"} | given)))
    assert said in str(caught.value)
    assert "Connection `w`" in str(caught.value)


@pytest.mark.parametrize(
    ("content", "said"),
    [
        (None, "is not there, or closed to us; correct the path in the Airflow Connection `w`"),
        ("id,name\n" * 500, "is no SQLite database; correct the path in the Airflow Connection `w`"),
    ],
    ids=["missing", "a text"],
)
def test_a_sqlite_file_that_is_none_is_told_by_its_path_and_never_made(tmp_path, content, said):
    path = tmp_path / "some.db"
    if content:
        path.write_text(content)
    with pytest.raises(CrmRejectedCredentials) as caught:
        Database(Connection("w", str(path), kind="sqlite")).check_columns("views", ["id"])
    assert str(caught.value) == f"the SQLite file {path} {said}"
    assert path.exists() == bool(content)


def test_a_server_without_tls_is_told_from_one_that_does_not_answer():
    with socket.create_server(("127.0.0.1", 0)) as server:

        def no_tls():
            with server.accept()[0] as client:
                client.recv(8)
                client.sendall(b"N")

        answering = threading.Thread(target=no_tls)
        answering.start()
        connection = Connection(
            "w", "127.0.0.1", kind="postgres", port=server.getsockname()[1], extra={"sslmode": "require"}
        )
        with pytest.raises(CrmRejectedCredentials, match="do not agree on encryption"):
            Database(connection).check_columns("views", ["id"])
        answering.join()


@pytest.mark.parametrize("uri", ["sqlite://%2FSome%2FWhere.db", "sqlite:////Some/Where.db"])
def test_the_environments_connections_lead_to_databases_too(uri):
    found = connection_from_environment("w", {"AIRFLOW_CONN_W": uri})
    assert (found.kind, found.host or found.schema) == ("sqlite", "/Some/Where.db")


def test_a_database_is_described_by_its_tables_and_the_columns_of_those_that_are_used(db):
    db.run("CREATE VIEW recent AS SELECT * FROM views")
    db.fill("views", [a_view(1, page="ask 0301234")])
    tables, *columns = db.source(MAPPING.replace(b"asset: page", b"asset: pag")).describe()
    offered = [(one.name, one.kind) for one in tables.offered]
    assert {("people", "table"), ("views", "table"), ("recent", "view")} <= set(offered)
    assert ("people", "leads.table") in [(use.field, use.place) for use in tables.uses]
    [views] = [listing for listing in columns if listing.what == "views columns"]
    assert {"page", "loaded"} <= {one.name for one in views.offered}
    assert {"pag", "loaded"} <= {use.field for use in views.uses}
    assert "0301234" not in repr([tables, *columns])


def test_a_table_that_is_not_there_is_not_described(db):
    tables, *columns = db.source(MAPPING.replace(b"table: views", b"table: visits")).describe()
    assert "visits" in {use.field for use in tables.uses} - {one.name for one in tables.offered}
    assert "visits columns" not in [listing.what for listing in columns]
