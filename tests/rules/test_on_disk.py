"""Rules files as they lie in a folder: which may be read, through which links, and what they are called."""

import os
import stat

import pytest
from hypothesis import given
from hypothesis import strategies as st

from rescore.rules.on_disk import printable, read_rules, rules_files, rules_paths
from rescore.strict.yaml import MAX_BYTES

BODY = b"scorecard: test\n"
NAMES = st.binary(min_size=1, max_size=20).filter(lambda name: not {0, ord("/")} & set(name)).map(os.fsdecode)


@pytest.fixture
def folder(tmp_path):
    (tmp_path / "rules").mkdir()
    (tmp_path / "connections.env").write_text("SECRET=quetzal\n")
    return tmp_path / "rules"


def test_a_link_counts_for_what_it_leads_to_below_the_folder(folder):
    (folder / "..2026").mkdir()  # as Kubernetes mounts a ConfigMap
    (folder / "..2026" / "test.yaml").write_bytes(BODY)
    (folder / "..data").symlink_to("..2026")
    (folder / "test.yaml").symlink_to("..data/test.yaml")
    [file] = rules_files(folder)
    assert (file.name, file.body, file.trouble, file.is_whole) == ("test.yaml", BODY, None, True)


def test_the_folder_itself_may_be_a_link(folder):
    (folder / "test.yaml").write_bytes(BODY)
    elsewhere = folder.with_name("current")
    elsewhere.symlink_to("rules")
    assert [file.body for file in rules_files(elsewhere)] == [BODY]


@pytest.mark.parametrize("target", ["../connections.env", "up/connections.env", "/dev/zero", "../missing"])
def test_a_link_out_of_the_folder_is_not_followed(folder, target):
    (folder / "up").symlink_to("..")
    (folder / "test.yaml").symlink_to(target)
    [file] = rules_files(folder)
    assert (file.body, file.lists, file.is_whole) == (b"", {}, False)
    assert (
        file.trouble == "a link that leads out of the rules folder is not followed; put the file itself there"
    )


def test_what_is_no_file_is_never_opened(folder):
    (folder / "folder.yaml").mkdir()
    os.mkfifo(folder / "pipe.yaml")
    assert [file.trouble.partition(";")[0] for file in rules_files(folder)] == ["this is no file"] * 2


def test_links_in_a_circle_lead_nowhere(folder):
    (folder / "a.yaml").symlink_to("b.yaml")
    (folder / "b.yaml").symlink_to("a.yaml")
    (folder / "own.yaml").symlink_to("own.yaml")
    assert ["leads back to itself" in file.trouble for file in rules_files(folder)] == [True] * 3


def test_of_a_file_that_is_too_long_only_so_much_is_read_that_it_shows(folder):
    with (folder / "long.yaml").open("wb") as file:
        file.truncate(2**40)  # which no disk holds and no memory
    [found] = rules_files(folder)
    assert (len(found.body), found.is_whole) == (MAX_BYTES + 1, False)


def test_a_file_with_a_list_that_is_too_long_is_not_whole(folder):
    (folder / "test.yaml").write_bytes(BODY + b"lists: {a: a.txt}\n")
    (folder / "a.txt").write_bytes(b"x\n" * 600_000)
    [found] = rules_files(folder)
    assert not found.is_whole


def test_a_file_that_is_being_replaced_is_left_for_the_next_look(folder):
    (folder / ".#test.yaml").symlink_to("ute@laptop.4711")  # how Emacs locks a file
    assert list(rules_files(folder)) == []
    assert read_rules(folder / "gone.yaml", folder) is None


@pytest.mark.parametrize(
    ("name", "shown"),
    [
        pytest.param(b"b2b_saas.yaml", "b2b_saas.yaml", id="a plain one"),
        pytest.param("für_alle.yaml".encode(), "für_alle.yaml", id="letters of any language"),
        pytest.param(b"caf\xe9.yaml", r"caf\xe9.yaml", id="not UTF-8"),
        pytest.param(b"\x1b[31m.yaml", r"\x1b[31m.yaml", id="an escape sequence"),
        pytest.param(b"a\nb.yaml", r"a\nb.yaml", id="two lines"),
        pytest.param("\u202elmay.yaml".encode(), r"\u202elmay.yaml", id="written backwards"),
        pytest.param(rb"caf\xe9.yaml", r"caf\\xe9.yaml", id="a backslash"),
    ],
)
def test_a_file_is_called_by_one_printable_line(folder, name, shown):
    (folder / os.fsdecode(name)).write_bytes(BODY)
    [file] = rules_files(folder)
    assert (file.name, list(rules_paths(folder))) == (shown, [shown])
    assert (file.trouble is None) == (shown.encode() == name)
    assert file.body == (b"" if file.trouble else BODY)


@given(NAMES, NAMES)
def test_two_names_never_become_the_same(one, other):
    assert printable(one).isprintable()
    assert (printable(one) == printable(other)) == (one == other)


def test_what_was_not_read_is_known_again_by_its_name_and_the_reason(folder):
    (folder / "a.yaml").mkdir()
    (folder / "b.yaml").mkdir()
    before = [file.sha256 for file in rules_files(folder)]
    assert len(set(before)) == 2
    assert [file.sha256 for file in rules_files(folder)] == before
    (folder / "a.yaml").rmdir()
    (folder / "a.yaml").symlink_to("/etc/hostname")
    assert next(rules_files(folder)).sha256 != before[0]


def test_a_file_that_nobody_may_read_is_told_in_a_sentence(folder):
    (folder / "test.yaml").write_bytes(BODY)
    (folder / "test.yaml").chmod(stat.S_IWUSR)
    [file] = rules_files(folder)
    if os.geteuid():  # root reads everything
        assert file.trouble == "cannot be read (Permission denied); make it readable or remove it"
