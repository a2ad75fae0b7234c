"""A rules file that nobody may read is rejected alone; the others are adopted and nothing of it is kept."""

import os
from io import StringIO
from pathlib import Path

import pytest
from rich.console import Console
from sqlalchemy import select

from rescore.cli.pictures import status_picture
from rescore.ledger import tables
from rescore.ledger.status import status
from rescore.pipeline.rules import edited_files
from rescore.rules.on_disk import rules_paths
from tests.support.main_job import RULES

SECRET = "AIRFLOW_CONN_HUBSPOT: quetzal\n"


def link(folder: Path) -> None:
    (folder.parent / "connections.env").write_text(SECRET)
    (folder / "x.yaml").symlink_to("../connections.env")


def without_end(folder: Path) -> None:
    (folder / "x.yaml").symlink_to("/dev/zero")


def circle(folder: Path) -> None:
    (folder / "x.yaml").symlink_to("x.yaml")


def directory(folder: Path) -> None:
    (folder / "x.yaml").mkdir()


def pipe(folder: Path) -> None:
    os.mkfifo(folder / "x.yaml")


def sparse(folder: Path) -> None:
    with (folder / "x.yaml").open("wb") as file:
        file.truncate(2**40)


def latin(folder: Path) -> None:
    (folder / os.fsdecode(b"caf\xe9.yaml")).write_text(RULES)


def escape(folder: Path) -> None:
    (folder / "\x1b[2Jx\ny.yaml").write_text(RULES)


def long_list(folder: Path) -> None:
    (folder / "x.yaml").write_text(RULES.replace("b2b_saas", "x") + "lists: {a: a.txt}\n")
    (folder / "a.txt").write_text("x.com\n" * 200_000)


def shown(job) -> str:
    """What `rescore status` says."""
    with job.ws.ledger.reading() as connection:
        now = status(connection, job.now, files=rules_paths(job.ws.rules_dir))
    page = StringIO()
    Console(file=page, width=200).print(status_picture(now))
    return page.getvalue()


def kept(job, name: str) -> tuple[bytes | None, str | None]:
    """The body and the list files that the ledger has of a file."""
    version = tables.rules_version
    with job.ws.ledger.reading() as connection:
        [row] = connection.execute(select(version).where(version.c.path == name))
    assert "quetzal" not in str(row)
    return row.body, row.lists


@pytest.mark.parametrize(
    ("plant", "name", "says"),
    [
        pytest.param(link, "x.yaml", "a link that leads out of the rules folder is not followed", id="link"),
        pytest.param(without_end, "x.yaml", "leads out of the rules folder", id="link to a device"),
        pytest.param(circle, "x.yaml", "this link leads back to itself", id="circle"),
        pytest.param(directory, "x.yaml", "this is no file", id="directory"),
        pytest.param(pipe, "x.yaml", "this is no file", id="pipe"),
        pytest.param(sparse, "x.yaml", "the file has more than 262,144 bytes", id="a terabyte"),
        pytest.param(latin, r"caf\xe9.yaml", "what cannot be printed; rename", id="name not UTF-8"),
        pytest.param(escape, r"\x1b[2Jx\ny.yaml", "what cannot be printed; rename", id="name that escapes"),
        pytest.param(long_list, "x.yaml", "has more than 1,048,576 bytes", id="a list file too long"),
    ],
)
def test_it_is_rejected_alone_with_one_sentence_and_nothing_of_it_is_kept(job, plant, name, says):
    plant(job.ws.rules_dir)
    assert name in edited_files(job.ws)

    news = {one.path: one for one in job.adopt()}

    assert {path: one.what for path, one in news.items()} == {"b2b_saas.yaml": "activated", name: "rejected"}
    [line] = news[name].problems
    assert line.startswith(f"{name}:")
    assert says in line
    assert line.isprintable()
    assert edited_files(job.ws) == {}
    assert job.adopt() == [], "it is remembered and not looked at again"
    assert line in shown(job)
    assert "\x1b" not in shown(job)
    assert kept(job, name) == (None, None)


def test_in_the_place_of_rules_in_force_it_leaves_them_in_force_until_it_is_mended(job):
    job.visit("bob")
    job.run()
    file = job.ws.rules_dir / "b2b_saas.yaml"
    file.unlink()
    file.symlink_to("/etc/hostname")
    [news] = job.adopt()
    assert (news.what, news.scorecard) == ("rejected", "b2b_saas")
    job.visit("bob")
    job.run()
    assert job.scores()["bob"] == 20

    file.unlink()
    job.write_rules(RULES.replace("points: 10", "points: 11"))
    assert [news.what for news in job.adopt()] == ["activated"]
