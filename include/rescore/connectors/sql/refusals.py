"""What a database says no with, as one of our errors; its own words may quote a row and are not repeated."""

from __future__ import annotations

from rescore.connectors.connection import Connection
from rescore.errors import (
    CrmFieldMissing,
    CrmLacksScope,
    CrmRejectedCredentials,
    CrmUnavailable,
    RescoreError,
    TerminalError,
)

REFUSED = (  # a connect that failed has no code, only these words
    "password authentication failed",
    "no password supplied",
    "no pg_hba.conf entry",
    "does not exist",
    "permission denied",
    "not permitted to log in",
    "access denied",
)
MYSQL = {
    1044: "28000",
    1045: "28000",
    1049: "28000",
    1142: "42501",
    1143: "42501",
    1146: "42P01",
    1054: "42703",
}
SQLITE = {
    "SQLITE_CANTOPEN": "is not there, or closed to us; correct the path",
    "SQLITE_PERM": "is closed to us; let us read it, or correct the path",
    "SQLITE_NOTADB": "is no SQLite database; correct the path",
    "SQLITE_IOERR_READ": "is no file that can be read; correct the path",
}
TLS = (
    "not support ssl",
    "ssl error",
    "root certificate",
    "server certificate",
    "could not read certificate",
    "private key",
    "channel binding",
)
"""What libpq says where both sides do not agree on encryption; it has no code for that either."""
_NO_TLS = "TLS"
LATER = ("08", "40", "53", "55", "57", "58")
"""Classes of SQLSTATE after which the same call may succeed."""


def in_plain_words(error: BaseException | None, connection: Connection, table: str) -> RescoreError:
    """The sentence for an error of a driver: psycopg, ADBC, sqlite3 or another; `table` is what was read."""
    code, where = _code(error), f"the Airflow Connection `{connection.id}`"
    who = f"`{connection.login}`" if connection.login else "us"
    if code in SQLITE:
        path = connection.host or connection.schema
        return CrmRejectedCredentials(f"the SQLite file {path} {SQLITE[code]} in {where}")
    if code == _NO_TLS:
        return CrmRejectedCredentials(
            f"the database and {where} do not agree on encryption; see to its certificate, or correct "
            "`sslmode` and the like in the extra"
        )
    if code.startswith("28") or code == "3D000":
        return CrmRejectedCredentials(
            f"the database refuses {who}; put host, database, login and password that it takes into {where}"
        )
    if code == "42501":
        return CrmLacksScope(
            f"the database does not let {who} read `{table}`; grant the right to select from it, or take it "
            "out of the mapping"
        )
    if code in ("42P01", "42703", "3F000"):
        return CrmFieldMissing(f"`{table}` has changed while it was read; run this again")
    if not code or code[:2] in LATER or code.startswith("SQLITE"):
        why = f" ({code})" if code else ""
        at = f" at {connection.host}" if connection.host else ""
        return CrmUnavailable(
            f"the database of {where} did not answer{at}{why}; the next run tries again, and if it never "
            "does, correct host and port"
        )
    return TerminalError(
        f"the database cannot read `{table}` ({code}); look at it there, where you are told more"
    )


def _code(error: BaseException | None) -> str:
    """A SQLSTATE where there is one or we know what stands for it; SQLite's own name; TLS; or nothing."""
    if code := getattr(error, "sqlstate", None):
        return str(code)
    if name := getattr(error, "sqlite_errorname", None):
        return str(name).removesuffix("_ISDIR")
    number = next(iter(getattr(error, "args", ())), None)
    if isinstance(number, int):
        return MYSQL.get(number, "")
    said = str(error).lower()
    if any(words in said for words in TLS):
        return _NO_TLS
    return "28000" if any(words in said for words in REFUSED) else ""
