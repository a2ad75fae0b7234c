"""What every connector promises, as a source and as a target. Subclass, supply `rig`, write nothing else."""

from dataclasses import replace
from datetime import UTC, datetime, timedelta
from itertools import pairwise
from typing import Any, Protocol

import pytest

from rescore.connectors.base import ScoreUpdate, Source, Target
from rescore.errors import CrmRateLimited, CrmRejectedCredentials, CrmUnavailable
from rescore.lake.records import ActivityRecord, Page

UNTIL = datetime(2026, 11, 21, 12, tzinfo=UTC)


class SourceAndTarget(Source, Target, Protocol):
    pass


class SourceRig(Protocol):
    """A source of known leads."""

    connector: Source
    leads: list[str]  # ids of at least 250 leads

    def lock_out(self) -> None:
        """The token is no longer good."""


class Rig(SourceRig, Protocol):
    """A CRM that tests can look into."""

    connector: SourceAndTarget
    score: str  # a number property
    text: str  # a text property

    def shown(self, lead_id: str, name: str) -> str | None: ...

    def people(self) -> int: ...

    def edit_by_hand(self, lead_id: str, name: str, value: str) -> None:
        """A person changes a property."""

    def limit_rate(self, seconds: float) -> None:
        """The next call is told to come back later."""

    def go_down(self) -> None:
        """The next call gets no answer, and has had no effect."""


def read(connector: Source, stream: str, cursor: dict[str, Any] | None = None) -> list[Page]:
    return list(connector.pages(stream, cursor, until=UNTIL))


def known(pages: list[Page]) -> dict[str, Any]:
    """What a lake keeps of some pages: the last of each lead and activity, merges, and what was set aside."""
    leads = {f"lead {record.lead_id}": replace(record, merged=()) for page in pages for record in page.leads}
    merges = {
        f"merge {gone}": record.lead_id for page in pages for record in page.leads for gone in record.merged
    }
    activities = {
        f"activity {record.activity_id}": record for page in pages for record in activities_of(page)
    }
    aside = {f"aside {one.record_id} {one.reason}": one for page in pages for one in page.set_aside}
    return leads | merges | activities | aside


def activities_of(page: Page) -> list[ActivityRecord]:
    """A page's activities one by one, those that came as columns among them."""
    records = list(page.activities)
    for row in page.batch.to_pylist() if page.batch is not None else []:
        further = {name: row.pop(name) for name in [*row] if name not in ActivityRecord.__slots__}
        fields = {name: text for name, text in further.items() if text is not None}
        records.append(ActivityRecord(**row, fields=fields))
    return records


class SourceContract:
    """The promises of whatever is read. Each test gets a fresh `rig`."""

    def test_it_is_a_source(self, rig: SourceRig):
        assert isinstance(rig.connector, Source)

    def test_resuming_from_any_cursor_repeats_nothing_new_and_misses_nothing(self, rig: SourceRig):
        for stream in rig.connector.streams:
            pages = read(rig.connector, stream)
            everything = known(pages)
            for number, page in enumerate(pages[:: max(1, len(pages) // 8)]):
                before = known(pages[: number * max(1, len(pages) // 8) + 1])
                after = known(read(rig.connector, stream, page.cursor))
                assert before | after == everything, (stream, number)

    def test_reading_on_from_the_last_cursor_finds_nothing_new(self, rig: SourceRig):
        for stream in rig.connector.streams:
            pages = read(rig.connector, stream)
            again = known(read(rig.connector, stream, pages[-1].cursor))
            assert again.items() <= known(pages).items(), stream

    def test_every_lead_is_read(self, rig: SourceRig):
        leads = read(rig.connector, rig.connector.streams[0])
        assert {record.lead_id for page in leads for record in page.leads} == set(rig.leads)

    def test_a_bad_token_is_told_apart_in_reading(self, rig: SourceRig):
        rig.lock_out()
        with pytest.raises(CrmRejectedCredentials):
            read(rig.connector, rig.connector.streams[0])


class ConnectorContract(SourceContract):
    """The promises of a CRM, which is read and shows scores."""

    def test_it_is_a_target(self, rig: Rig):
        assert isinstance(rig.connector, Target)

    def test_it_says_which_account_it_is_and_the_same_every_time(self, rig: Rig):
        first = rig.connector.fingerprint()
        assert first
        assert rig.connector.fingerprint() == first

    def test_an_update_lands_on_its_record_alone(self, rig: Rig):
        one, other = rig.leads[:2]
        results = rig.connector.write([ScoreUpdate(one, {rig.score: 87})])
        assert [(result.lead_id, result.kind) for result in results] == [(one, "ok")]
        assert rig.shown(one, rig.score) == "87"
        assert not rig.shown(other, rig.score)

    def test_the_same_update_sent_twice_changes_the_crm_once(self, rig: Rig):
        update = ScoreUpdate(rig.leads[0], {rig.score: 40, rig.text: "A · pricing"})
        first, second = rig.connector.write([update]), rig.connector.write([update])
        assert first == second
        assert (rig.shown(rig.leads[0], rig.score), rig.shown(rig.leads[0], rig.text)) == (
            "40",
            "A · pricing",
        )

    def test_none_empties_a_property(self, rig: Rig):
        rig.connector.write([ScoreUpdate(rig.leads[0], {rig.score: 40})])
        rig.connector.write([ScoreUpdate(rig.leads[0], {rig.score: None})])
        assert not rig.shown(rig.leads[0], rig.score)

    def test_zero_and_negative_scores_are_values(self, rig: Rig):
        rig.connector.write(
            [ScoreUpdate(rig.leads[0], {rig.score: 0}), ScoreUpdate(rig.leads[1], {rig.score: -5})]
        )
        assert (rig.shown(rig.leads[0], rig.score), rig.shown(rig.leads[1], rig.score)) == ("0", "-5")

    def test_an_unknown_record_fails_alone_and_is_never_created(self, rig: Rig):
        people = rig.people()
        updates = [ScoreUpdate(lead, {rig.score: 7}) for lead in (rig.leads[0], "999999999", rig.leads[1])]
        results = rig.connector.write(updates)
        assert [(result.lead_id, result.kind) for result in results] == [
            (rig.leads[0], "ok"),
            ("999999999", "gone"),
            (rig.leads[1], "ok"),
        ]
        assert results[1].reason
        assert rig.people() == people

    def test_a_record_named_twice_gets_both_updates_and_two_results(self, rig: Rig):
        lead = rig.leads[0]
        results = rig.connector.write([ScoreUpdate(lead, {rig.score: 7}), ScoreUpdate(lead, {rig.text: "B"})])
        assert [result.kind for result in results] == ["ok", "ok"]
        assert (rig.shown(lead, rig.score), rig.shown(lead, rig.text)) == ("7", "B")

    def test_what_is_shown_is_read_back_by_record_and_a_record_that_is_gone_is_told(self, rig: Rig):
        one, other = rig.leads[0], rig.leads[149]
        rig.connector.write([ScoreUpdate(one, {rig.score: 0, rig.text: "A"})])
        found = rig.connector.read([other, one, "999999999", one], [rig.score, rig.text])
        assert found == {
            one: {rig.score: "0", rig.text: "A"},
            other: {rig.score: None, rig.text: None},
            "999999999": None,
        }

    def test_more_records_than_a_batch_are_read_back(self, rig: Rig):
        found = rig.connector.read(rig.leads[:250], [rig.score])
        assert set(found) == set(rig.leads[:250])
        assert None not in found.values()

    def test_a_persons_edit_is_told_from_what_a_program_wrote(self, rig: Rig):
        one, other = rig.leads[:2]
        rig.connector.write([ScoreUpdate(lead, {rig.score: 7}) for lead in (one, other)])
        rig.edit_by_hand(one, rig.score, "99")
        edits = rig.connector.edits([one, other], [rig.score])
        newest = edits[one, rig.score][0]
        assert (newest.value, newest.by_person) == ("99", True)
        assert newest.by
        assert not any(edit.by_person for edit in edits.get((other, rig.score), []))
        rig.connector.write([ScoreUpdate(one, {rig.score: 8})])
        assert not any(
            edit.by_person for edit in rig.connector.edits([one], [rig.score]).get((one, rig.score), [])[:1]
        )

    def test_a_rate_limit_surfaces_with_the_wait_the_server_asked_for(self, rig: Rig):
        rig.limit_rate(1234)
        with pytest.raises(CrmRateLimited) as caught:
            rig.connector.write([ScoreUpdate(rig.leads[0], {rig.score: 1})])
        assert caught.value.retry_after == 1234

    def test_no_answer_is_retryable_and_the_same_call_later_succeeds(self, rig: Rig):
        update = ScoreUpdate(rig.leads[0], {rig.score: 1})
        rig.go_down()
        with pytest.raises(CrmUnavailable):
            rig.connector.write([update])
        assert rig.connector.write([update])[0].kind == "ok"

    def test_a_bad_token_is_told_apart_in_writing(self, rig: Rig):
        rig.lock_out()
        with pytest.raises(CrmRejectedCredentials):
            rig.connector.write([ScoreUpdate(rig.leads[0], {rig.score: 1})])


class DatedRig(Rig, Protocol):
    """A CRM that knows when each of its records changed."""

    dates: dict[str, Any]  # when leads of one kind changed, in several pages


class VendorContract(ConnectorContract):
    """The promises of a CRM that somebody used for years before we came."""

    def test_a_first_reading_brings_the_newest_leads_first(self, rig: DatedRig):
        pages = read(rig.connector, rig.connector.streams[0])
        came = [[rig.dates[one.lead_id] for one in page.leads if one.lead_id in rig.dates] for page in pages]
        came = [dates for dates in came if dates]
        assert len(came) > 1
        assert all(min(newer) >= max(older) for newer, older in pairwise(came))

    def test_what_is_read_later_than_the_first_page_is_missed_by_nobody(self, rig: DatedRig):
        for stream in rig.connector.streams:
            everything = known(read(rig.connector, stream))
            first = next(rig.connector.pages(stream, None, until=UNTIL - timedelta(days=30)), None)
            later = read(rig.connector, stream, first.cursor if first else None)
            assert known([first, *later] if first else later).items() >= everything.items(), stream
