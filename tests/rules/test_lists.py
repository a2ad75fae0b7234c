"""List files: what they may say, where they may be, and that every mistake is told at its place."""

import pytest

from rescore.rules.diff import diff
from rescore.rules.fingerprint import fingerprint
from rescore.rules.lint import lint
from rescore.rules.lists import (
    MAX_BYTES,
    MAX_TROUBLES,
    list_paths,
    list_text,
    lists_as_json,
    lists_from_json,
    read_lists,
    sha256_of,
)
from rescore.rules.load import check_scorecard, load_scorecard

RULES = b"""\
scorecard: test
dimensions: {fit: {}}
lists:
  rivals: lists/rivals.txt
  unused: lists/more/unused.txt
rules:
  - {id: rival, dimension: fit, points: -5, lead: {email: {domain_in_list: rivals}}}
  - {id: named, dimension: fit, points: -5, lead: {company: {in_list: rivals}}}
"""


@pytest.fixture
def folder(tmp_path):
    (tmp_path / "rules" / "lists" / "more").mkdir(parents=True)
    (tmp_path / "rules" / "lists" / "rivals.txt").write_text("acme.com\n")
    (tmp_path / "rules" / "lists" / "more" / "unused.txt").write_text("x\n")
    return tmp_path / "rules"


def problems(content: bytes | None, body: bytes = RULES) -> list[tuple[int, int, str]]:
    lists = {"lists/more/unused.txt": b"x\n"} | ({} if content is None else {"lists/rivals.txt": content})
    return [(one.line, one.column, one.message) for one in check_scorecard(body, lists=lists)[1]]


@pytest.mark.parametrize(
    ("content", "values"),
    [
        pytest.param("acme.com\nexample.com\n", {"acme.com", "example.com"}, id="one a line"),
        pytest.param(
            "\ufeff  Acme.COM \r\n\r\n\tSTRASSE\t\r\n", {"acme.com", "strasse"}, id="as editors save"
        ),
        pytest.param("# ours\nacme.com # the big one\n #x\n", {"acme.com"}, id="comments"),
        pytest.param("C#\nissue #1\n", {"c#", "issue"}, id="a # in a word is no comment"),
        pytest.param("a, b\n'quoted'\n", {"a, b", "'quoted'"}, id="nothing else is special"),
        pytest.param("x\nX\n", {"x"}, id="twice the same"),
        pytest.param("last line without end", {"last line without end"}, id="no last newline"),
    ],
)
def test_a_list_file_has_one_value_a_line(content, values):
    assert list_text(content.encode()) == (values, ())


@pytest.mark.parametrize(
    ("content", "says"),
    [
        pytest.param(
            None, "there is no readable file `lists/rivals.txt` below the rules folder", id="missing"
        ),
        pytest.param(b"", "`lists/rivals.txt` has no values, so it can never hold", id="empty"),
        pytest.param(b"# nothing\n\n", "has no values", id="comments only"),
        pytest.param(b"ok.com\n\xff\xfe\n", "`lists/rivals.txt` line 2 is not UTF-8", id="another encoding"),
        pytest.param(b"ok.com\na\x00b\n", "line 2: the control character U+0000", id="binary"),
        pytest.param(b"ok.com\n" + b"x" * 501, "line 2 has more than 500 characters", id="a giant value"),
        pytest.param(b"x.com\n" * (MAX_BYTES // 6 + 1), "has more than 1,048,576 bytes", id="a giant file"),
    ],
)
def test_what_is_wrong_with_a_list_file_is_told_where_the_rules_name_it(content, says):
    [(line, column, message)] = problems(content)
    assert (line, column) == (4, 11)
    assert says in message
    assert "; " in message


def test_what_is_wrong_with_one_list_hides_no_other():
    body = RULES.replace(
        b"rules:\n", b"  outside: ../x.txt\n  missing: lists/missing.txt\n  no_text: 5\nrules:\n"
    )
    found = problems(b"# nothing\n", body)
    assert [line for line, _, _ in found] == [4, 6, 7, 8]
    for (_, _, message), said in zip(
        found, ("no values", "`../x.txt`", "no readable file", "text"), strict=True
    ):
        assert said in message


def test_of_a_file_that_is_no_list_at_all_the_first_lines_are_told():
    assert len(problems(b"\x01\n" * 100_000)) == MAX_TROUBLES


def test_a_list_of_domains_holds_nothing_but_domains():
    [(line, _, message)] = problems(b"acme.com\n@gmail.com\n")
    assert (line, "`@gmail.com`, not a domain" in message) == (7, True)


@pytest.mark.parametrize(
    ("written", "says"),
    [
        pytest.param(b"{in_list: rival}", "there is no list `rival`; did you mean `rivals`?", id="misspelt"),
        pytest.param(b"{in_list: [a, b]}", "takes the name of a list, not a list; for values", id="values"),
        pytest.param(b"{domain_in_list: 5}", "takes the name of a list, not the number 5", id="a number"),
    ],
)
def test_a_condition_names_a_list_that_is_declared(written, says):
    [(line, _, message)] = problems(b"acme.com\n", RULES.replace(b"{in_list: rivals}", written))
    assert line == 8
    assert says in message


def test_lists_are_read_below_the_folder_of_the_rules(folder):
    assert read_lists(RULES, folder) == {"lists/rivals.txt": b"acme.com\n", "lists/more/unused.txt": b"x\n"}


def test_a_link_counts_while_it_leads_below_the_folder(folder):
    secret = folder.parent / "secret.txt"
    secret.write_text("password\n")
    (folder / "lists" / "rivals.txt").unlink()
    (folder / "lists" / "rivals.txt").symlink_to(secret)
    assert list(read_lists(RULES, folder)) == ["lists/more/unused.txt"]
    (folder / "..data.txt").write_text("acme.com\n")  # as Kubernetes mounts a ConfigMap
    (folder / "lists" / "rivals.txt").unlink()
    (folder / "lists" / "rivals.txt").symlink_to("../..data.txt")
    assert read_lists(RULES, folder)["lists/rivals.txt"] == b"acme.com\n"


def test_a_folder_or_links_in_a_circle_are_no_list(folder):
    rivals = folder / "lists" / "rivals.txt"
    rivals.unlink()
    rivals.mkdir()
    assert "lists/rivals.txt" not in read_lists(RULES, folder)
    rivals.rmdir()
    rivals.symlink_to("rivals.txt")
    assert "lists/rivals.txt" not in read_lists(RULES, folder)


@pytest.mark.parametrize(
    "body",
    [b"lists: [a]", b"lists: {a: ../../x.txt}", b"lists: {a: /etc/passwd}", b"lists: {a: 5}", b"{", b"\xff"],
    ids=["no map", "upwards", "elsewhere", "no path", "no YAML", "no text"],
)
def test_a_broken_part_names_no_files(body):
    assert list_paths(body) == ()


def test_a_version_is_its_body_and_its_lists():
    one = {"lists/a.txt": b"a\n"}
    others = [
        {},
        {"lists/a.txt": b"b\n"},
        {"lists/b.txt": b"a\n"},
        {"lists/a.txt": b"a\n", "lists/b.txt": b""},
    ]
    assert len({sha256_of(RULES, lists) for lists in [one, *others]}) == 5
    assert sha256_of(RULES, dict(one)) == sha256_of(RULES, one)


def test_the_very_bytes_come_back_from_json():
    lists = {"lists/a.txt": b"caf\xc3\xa9\r\n", "lists/b.txt": b"\xff\x00\xfe"}
    assert lists_from_json(lists_as_json(lists)) == lists
    assert lists_as_json({}) is None


@pytest.mark.parametrize(
    ("content", "wakes"),
    [
        pytest.param(b"# rivals\nExample.com\nACME.com\n", None, id="comments, capitals, order"),
        pytest.param(b"acme.com\nexample.com\nx.com\n", "scoring", id="a value more"),
        pytest.param(b"acme.com\n", "scoring", id="a value less"),
    ],
)
def test_what_a_list_says_is_part_of_the_scoring_fingerprint(content, wakes):
    cards = [
        load_scorecard(RULES, name="x.yaml", lists={"lists/rivals.txt": one, "lists/more/unused.txt": b"x\n"})
        for one in (b"acme.com\nexample.com\n", content)
    ]
    old, new = map(fingerprint, cards)
    assert new.wakes(old) == wakes


ASKED_BY_AN_AUTOMATION = b"""\
automations:
  - id: mql
    fire_when: {score: {at_least: 5}}
    unless: {not: {company: {in_list: unused}}}
    do: [{webhook: {connection: a}}]
"""


@pytest.mark.parametrize(
    ("rules", "wakes"),
    [
        pytest.param(RULES, "wording", id="nobody"),
        pytest.param(RULES + ASKED_BY_AN_AUTOMATION, "thresholds", id="an automation"),
        pytest.param(RULES.replace(b"in_list: rivals", b"in_list: unused"), "scoring", id="a rule"),
    ],
)
def test_who_asks_for_a_list_decides_what_an_edit_of_it_wakes(rules, wakes):
    old, new = (
        load_scorecard(
            rules, name="x", lists={"lists/rivals.txt": b"a.com\n", "lists/more/unused.txt": values}
        )
        for values in (b"x.com\n", b"y.com\n")
    )
    assert fingerprint(new).wakes(fingerprint(old)) == wakes
    assert [(change.part, str(change)) for change in diff(old, new)] == [(wakes, "unused list +1 -1")]
    warned = [(one.line, one.code) for one in lint(new, body=rules)]
    assert warned.count((5, "unused-list")) == (wakes == "wording")


def test_the_place_of_a_list_file_means_nothing():
    moved = RULES.replace(b"lists/rivals.txt", b"lists/ours.txt")
    values = b"acme.com\n"
    old = load_scorecard(RULES, name="x", lists={"lists/rivals.txt": values, "lists/more/unused.txt": values})
    new = load_scorecard(moved, name="x", lists={"lists/ours.txt": values, "lists/more/unused.txt": values})
    assert fingerprint(new) == fingerprint(old)
