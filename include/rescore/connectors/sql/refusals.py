"""What a database says no with, as one of our errors; its own words may quote a row and are not repeated."""

from __future__ import annotations

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
SQLITE = {"SQLITE_CANTOPEN": "28000", "SQLITE_PERM": "42501", "SQLITE_NOTADB": "28000"}
LATER = ("08", "40", "53", "55", "57", "58")
"""Classes of SQLSTATE after which the same call may succeed."""


def in_plain_words(error: BaseException | None, connection: str, login: str, table: str) -> RescoreError:
    """The sentence for an error of a driver.

    Args:
        error: Of psycopg, ADBC, sqlite3 or another driver.
        connection: The id of the Airflow Connection.
        login: Whom the database knows us as.
        table: What was being read.
    """
    code = _code(error)
    who = f"`{login}`" if login else "us"
    if code.startswith("28") or code == "3D000":
        return CrmRejectedCredentials(
            f"the database refuses {who}; put host, database, login and password that it takes into the "
            f"Airflow Connection `{connection}`"
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
        return CrmUnavailable(
            f"the database of the Airflow Connection `{connection}` did not answer{why}; the next run tries "
            "again"
        )
    return TerminalError(
        f"the database cannot read `{table}` ({code}); look at it there, where you are told more"
    )


def _code(error: BaseException | None) -> str:
    """A SQLSTATE where the driver has one or we know what stands for it; SQLite's own name; or nothing."""
    if code := getattr(error, "sqlstate", None):
        return str(code)
    if name := getattr(error, "sqlite_errorname", None):
        return SQLITE.get(name.removesuffix("_ISDIR"), str(name))
    number = next(iter(getattr(error, "args", ())), None)
    if isinstance(number, int):
        return MYSQL.get(number, "")
    return "28000" if any(words in str(error).lower() for words in REFUSED) else ""
