"""Rules files that must be refused."""

from tests.rules.bad_files.actions import ACTIONS
from tests.rules.bad_files.automations import THRESHOLDS
from tests.rules.bad_files.conditions import CONDITIONS
from tests.rules.bad_files.examples import EXAMPLES
from tests.rules.bad_files.quarantine import QUARANTINE
from tests.rules.bad_files.rules import LIMITS_AND_DECAY, RULES
from tests.rules.bad_files.scorecards import SHAPE
from tests.rules.bad_files.writing import BadFile

BAD_FILES = [*SHAPE, *RULES, *LIMITS_AND_DECAY, *CONDITIONS, *THRESHOLDS, *ACTIONS, *EXAMPLES, *QUARANTINE]

__all__ = ["BAD_FILES", "BadFile"]
