"""Without a package index the tests of Tryton fail, in one sentence that says what they need."""

import pytest

from tests.support.tryton.installation import TrytonMissing, installation


def test_without_an_index_one_sentence_says_what_is_needed(tmp_path, monkeypatch):
    monkeypatch.setenv("UV_OFFLINE", "1")
    monkeypatch.setenv("UV_CACHE_DIR", str(tmp_path / "nothing"))
    with pytest.raises(TrytonMissing) as caught:
        installation(tmp_path / "tryton")
    said = str(caught.value)
    assert said.startswith(
        "the tests need a Tryton, which they install from the package index into .tryton/ once; "
    )
    assert "\n" not in said
