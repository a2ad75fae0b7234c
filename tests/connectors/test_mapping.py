"""The mapping file: every problem at its place, and nothing half-understood."""

from decimal import Decimal

import pytest

from rescore.connectors.catalog import load_mapping, read_mapping, read_mappings
from rescore.errors import MappingInvalid
from rescore.lake.names import OF_ACTIVITIES, OF_LEADS, is_taken
from rescore.lake.records import BATCH
from rescore.lake.tables import ACCOUNTS, ACTIVITIES, LEADS, SCHEMAS
from rescore.mapping import earlier_targets, matching_of

SMALL = b"""\
mapping: crm
mode: live
group: rescore
languages: [de]
leads:
  search: /search
  read: /read
  update: /update
  properties: /properties
  groups: /groups
  modified: lastmodifieddate
  attributes:
    job_title: {property: jobtitle, type: text}
activities:
  notes: {kind: engagements, search: /s, associations: /a, type: note}
scores:
  b2b: {mode: live, score: my_score, dimensions: {fit: my_fit}}
  other: {mode: shadow, score: other_score}
connector: hubspot
account_details: /account
"""


def test_a_mapping_says_which_scorecards_are_written_and_where():
    mapping = load_mapping(SMALL, "crm.yaml")
    assert mapping.name == "crm"
    assert (mapping.mode_of("b2b"), mapping.mode_of("other")) == ("live", "shadow")
    assert mapping.scores["b2b"].properties == ("my_score", "my_fit")


def test_a_target_in_shadow_keeps_every_scorecard_there():
    mapping = load_mapping(SMALL.replace(b"mode: live\ngroup", b"mode: shadow\ngroup"), "crm.yaml")
    assert mapping.mode_of("b2b") == "shadow"


@pytest.mark.parametrize(
    ("old", "new", "said"),
    [
        (b"modified:", b"modifie:", ["11:3: unknown key `modifie`; did you mean `modified`?"]),
        (b"modified:", b"changed:", ["unknown key `changed`", "`modified` is missing"]),
        (
            b"type: text",
            b"type: string",
            ["13:43: `type`", "or `timestamp`"],
        ),
        (b"jobtitle", b"'job title'", ["13:27: `property`"]),
        (b"mode: shadow", b"mode: quiet", ["18:17: `mode` cannot be `quiet`"]),
        (b"other_score", b"my_fit", ["18:32: property `my_fit` is written twice"]),
        (b"other_score", b"jobtitle", ["18:32: property `jobtitle` is read too"]),
        (b"/search", b"https://elsewhere.example/search", ["6:11: `search`"]),
        (b"mapping: crm", b"mapping: CRM", ["1:10: `mapping`"]),
        (b"group: rescore", b"group: rescore\ngroup: again", ["`group`"]),
        (b"live", b"&a live", ["crm.yaml:2"]),
        (b"kind: engagements", b"kind: engagement", ["15:", "engagements"]),
    ],
    ids=str,
)
def test_a_mistake_is_named_with_its_place(old, new, said):
    with pytest.raises(MappingInvalid) as caught:
        load_mapping(SMALL.replace(old, new, 1), "crm.yaml")
    for words in said:
        assert words in str(caught.value)
    assert all(line.startswith("crm.yaml:") for line in str(caught.value).splitlines())


def test_a_mapping_says_how_its_leads_are_known_elsewhere(tmp_path):
    same = b"leads:\n  same_person: {records: {sales: [sales_id]}, email: true}"
    mapping = load_mapping(SMALL.replace(b"leads:", same), "crm.yaml")
    assert mapping.leads.same_person.keys({"sales_id": " 7 "}.get) == ("sales:7",)
    assert "sales_id" in mapping.leads.read_properties
    for id_, keys in ((7, ("sales:7",)), (7.0, ("sales:7",)), (Decimal("7.00"), ("sales:7",)), (" ", ())):
        assert mapping.leads.same_person.keys({"sales_id": id_}.get) == keys
    with pytest.raises(MappingInvalid, match="is this source itself"):
        load_mapping(SMALL.replace(b"leads:", same.replace(b"sales:", b"crm:")), "crm.yaml")


def test_the_primary_target_comes_first_and_the_others_by_name():
    mappings = [
        load_mapping(SMALL.replace(b"mapping: crm", b"mapping: " + name) + also, "x.yaml")
        for name, also in ((b"a", b""), (b"b", b"always_written: true\n"), (b"c", b"primary: true\n"))
    ]
    assert matching_of(mappings, b"").sources == ("c", "a", "b")
    assert [earlier_targets(mappings, mapping) for mapping in mappings] == [
        {"b2b": ("c",), "other": ("c",)},
        {},
        {"b2b": (), "other": ()},
    ]


def test_only_one_mapping_is_the_primary_one(tmp_path):
    for name in ("a", "b"):
        body = SMALL.replace(b"mapping: crm", b"mapping: " + name.encode()) + b"primary: true\n"
        (tmp_path / f"{name}.yaml").write_bytes(body)
    with pytest.raises(MappingInvalid) as caught:
        read_mappings(tmp_path)
    assert str(caught.value) == (
        "a.yaml:21:1: a and b are all `primary: true`; let one of them be\n"
        "b.yaml:21:1: a and b are all `primary: true`; let one of them be"
    )


def test_what_is_wrong_in_a_folder_is_told_of_all_its_files_at_once(tmp_path):
    (tmp_path / "a.yaml").write_bytes(SMALL.replace(b"type: text", b"type: string"))
    (tmp_path / "b.yaml").write_bytes(b"mapping: b\n")
    (tmp_path / "c.yaml").write_bytes(SMALL)
    (tmp_path / "d.yml").write_bytes(SMALL)
    with pytest.raises(MappingInvalid) as caught:
        read_mappings(tmp_path)
    ending, a, b, c = str(caught.value).splitlines()
    assert ending == "d.yml: the name of a mapping ends in `.yaml`; call it d.yaml, or move it elsewhere"
    assert a.startswith("a.yaml:13:43: `type` cannot be `string`")
    assert b.startswith("b.yaml:1:1: `connector` is missing")
    assert c == (
        "c.yaml:1:1: `mapping: crm` is not the name of its file; call the file crm.yaml, or the mapping c"
    )


def test_a_person_is_known_in_mappings_that_there_are(tmp_path):
    same = b"leads:\n  same_person: {records: {salesforc: [sales_id], hubspot: [a]}}"
    (tmp_path / "crm.yaml").write_bytes(SMALL.replace(b"leads:", same))
    for other in (b"salesforce", b"hubspot"):
        (tmp_path / f"{other.decode()}.yaml").write_bytes(
            SMALL.replace(b"mapping: crm", b"mapping: " + other)
        )
    with pytest.raises(MappingInvalid) as caught:
        read_mappings(tmp_path)
    assert str(caught.value) == "crm.yaml:6:27: no mapping is called `salesforc`; did you mean `salesforce`?"


@pytest.mark.parametrize(
    ("old", "new", "said"),
    [
        pytest.param(
            b"leads:",
            b"leads:\n  same_person: {}",
            "6:16: `same_person` says nothing; write `records` or `email: true`, or take it out",
            id="nothing of persons",
        ),
        pytest.param(
            b"leads:",
            b"leads:\n  same_person: {email: address}",
            "6:24: `email` must be true or false, not `address`; write `email: true` or leave it out",
            id="flag",
        ),
        pytest.param(
            b"[de]",
            b"5",
            "4:12: `languages` must be a list, not the number 5; write `[...]`, or one item a line after "
            "`- `",
            id="list",
        ),
        pytest.param(
            b"kind: engagements",
            b"kind: notes",
            "15:10: `kind` cannot be `notes`; write `engagements`, `deals`, `page_views`, `email_events`, "
            "`forms`",
            id="kind",
        ),
        pytest.param(
            b"score: my_score,",
            b"score: my_score, minimum_change: x,",
            "17:54: `minimum_change` must be a whole number, not `x`; write it without quotes",
            id="whole number",
        ),
        pytest.param(
            b"mapping: crm",
            b"mapping: My CRM",
            "1:10: `mapping` cannot be `My CRM`; write small letters, digits and `_`, a letter first, such "
            "as `page_view`",
            id="name",
        ),
    ],
)
def test_a_mistake_is_told_in_our_words(old, new, said):
    with pytest.raises(MappingInvalid) as caught:
        load_mapping(SMALL.replace(old, new, 1), "crm.yaml")
    assert str(caught.value) == f"crm.yaml:{said}"


TABLES = b"""\
mapping: w
connector: sql
leads: {table: people, id: id, cursor: at, attributes: {}}
activities:
  views: {table: views, id: id, lead: lead, cursor: at, type: page_view, occurred_at: at}
"""


@pytest.mark.parametrize(
    ("old", "new", "said"),
    [
        pytest.param(
            b"page_view",
            b"Page View",
            "5:63: `type` cannot be `Page View`; write small letters, digits and `_`, a letter first, such "
            "as `page_view`",
            id="word",
        ),
        pytest.param(
            b"page_view", b"[a]", "5:63: `type` must be text, not a list; write a text", id="neither form"
        ),
        pytest.param(
            b"page_view",
            b"{proprty: a}",
            "5:64: unknown key `proprty`; did you mean `property`?",
            id="column",
        ),
        pytest.param(
            b"connector: sql",
            b"connector: sql\nalways_written: true",
            "3:1: `always_written` is about showing scores, and no `scores` are here; take it out",
            id="never written",
        ),
        pytest.param(
            b"table: views",
            b"table: views; drop",
            "5:18: `table` cannot be `views; drop`; write the name of one table or view, as `table` or "
            "`schema.table`; what needs SQL is a view",
            id="table",
        ),
        pytest.param(
            b"occurred_at: at",
            b"occurred_at: at, fields: {browser: ua, value: amount}",
            "5:113: field `value` is ours; give it another name",
            id="field",
        ),
        pytest.param(
            b"occurred_at: at",
            b"occurred_at: at, fields: {lead_id: id}",
            "5:100: field `lead_id` is ours; give it another name",
            id="field of batches",
        ),
        pytest.param(
            b"attributes: {}",
            b"attributes: {source: {property: came_by, type: text}}",
            "3:65: attribute `source` is ours; give it another name",
            id="attribute",
        ),
    ],
)
def test_a_mistake_about_tables_is_told_once_and_in_our_words(old, new, said):
    with pytest.raises(MappingInvalid) as caught:
        load_mapping(TABLES.replace(old, new, 1), "w.yaml")
    assert str(caught.value) == f"w.yaml:{said}"


def test_what_the_lake_has_for_itself_no_mapping_brings():
    given = [*BATCH.names, *SCHEMAS[ACTIVITIES].names, "page__words", "page__folded"]
    assert all(is_taken(name, OF_ACTIVITIES) for name in given)
    assert not any(is_taken(name, OF_ACTIVITIES) for name in ("page", "by", "campaign"))
    columns = [*SCHEMAS[LEADS].names, *(name for name in SCHEMAS[ACCOUNTS].names if name != "account")]
    assert all(is_taken(name, OF_LEADS) for name in columns)
    assert not any(is_taken(name, OF_LEADS) for name in ("account", "value", "type", "job_title"))


def test_every_mistake_is_named_at_once():
    body = SMALL.replace(b"type: text", b"type: string").replace(b"mode: shadow", b"mode: quiet")
    with pytest.raises(MappingInvalid) as caught:
        load_mapping(body, "crm.yaml")
    assert len(str(caught.value).splitlines()) == 2


@pytest.mark.parametrize(
    "body", [b"", b"- a\n", b"\xff\xfe", b"mapping: {"], ids=["empty", "list", "UTF-16", "half"]
)
def test_what_is_no_mapping_is_one_sentence(body):
    with pytest.raises(MappingInvalid, match=r"^crm\.yaml:\d+:\d+: "):
        load_mapping(body, "crm.yaml")


def test_a_missing_file_is_one_sentence(tmp_path):
    with pytest.raises(MappingInvalid, match="put the mapping there"):
        read_mapping(tmp_path / "hubspot.yaml")


def test_the_shipped_mapping_writes_b2b_saas_and_rehearses_account_engagement(mapping):
    assert mapping.name == "hubspot"
    assert (mapping.mode_of("b2b_saas"), mapping.mode_of("account_engagement")) == ("live", "shadow")
    assert set(mapping.scores["b2b_saas"].dimensions) == {"engagement", "fit"}
