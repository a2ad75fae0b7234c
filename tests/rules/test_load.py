"""Loading: a bad rules file is refused with all its problems, each at its place and with a way out."""

import pytest

from rescore.rules.load import check_scorecard
from tests.rules.bad_files import BAD_FILES, BadFile


def places(marked: str) -> list[tuple[int, int]]:
    """Line and column of what follows each `¶`."""
    found = []
    for number, line in enumerate(marked.split("\n"), start=1):
        parts = line.split("¶")
        found += [(number, len("".join(parts[: index + 1])) + 1) for index in range(len(parts) - 1)]
    return found


@pytest.mark.parametrize("bad", [pytest.param(bad, id=bad.name) for bad in BAD_FILES])
def test_a_bad_file_is_refused_with_every_problem_at_its_place(bad: BadFile) -> None:
    card, problems = check_scorecard(bad.text.replace("¶", "").encode())

    assert card is None
    assert [(problem.line, problem.column) for problem in problems] == places(bad.text)
    for problem, said in zip(problems, bad.says, strict=True):
        assert said in problem.message
