"""Every error of Rescore, grouped by what happens next.

    RescoreError
    ├── ConfigurationError   a person edits a file    ScorecardInvalid · MappingInvalid · SettingsIncomplete
    │                                                  PolicyInvalid · InputUnreadable · LedgerBehind
    │                                                  CommandMiswritten · ConnectionLeadsElsewhere
    ├── TerminalError        a person looks outside   CrmRejectedCredentials · CrmLacksScope · CrmFieldMissing
    │                                                  CursorStuck · LakeBehind
    ├── RetryableError       the same call, later     CrmUnavailable · CrmRateLimited · LedgerBusy
    ├── RecordError          set one record aside     RecordUnreadable · RecordRefused · RecordGone
    └── Superseded           a newer writer took over Fenced

The core raises; only the Airflow side decides what a task does about each family. A message names
the thing, the value and the way out in one sentence, and never holds lead data.
"""


class RescoreError(Exception):
    """Anything Rescore raises on purpose; its text is fit to be read by a person."""


class ConfigurationError(RescoreError):
    """A person has to edit something in the project before the same call can succeed."""


class TerminalError(RescoreError):
    """A person has to change something outside the project; trying again does not help."""


class RetryableError(RescoreError):
    """The same call may succeed later."""


class RecordError(RescoreError):
    """One record cannot be used; the others go on."""


class Superseded(RescoreError):
    """A newer writer owns this work now; stop without a trace."""


class ScorecardInvalid(ConfigurationError):
    """A rules file does not hold; `problems` lists everything wrong with it, as `file:line:col: message`."""

    def __init__(self, problems: list[str]) -> None:
        self.problems = problems
        super().__init__("\n".join(problems))


class MappingInvalid(ConfigurationError):
    """A mapping file does not hold."""


class PolicyInvalid(ConfigurationError):
    """The file with the gate's limits does not hold."""


class SettingsIncomplete(ConfigurationError):
    """A setting or a Connection is missing or cannot be read."""


class ConnectionLeadsElsewhere(ConfigurationError):
    """A Connection leads to another account than at its first use."""


class InputUnreadable(ConfigurationError):
    """A file given on the command line cannot be read as what it should be."""


class CommandMiswritten(ConfigurationError):
    """A command's words do not go together, or one is missing; nothing was looked at yet."""


class LedgerBehind(ConfigurationError):
    """The ledger's tables are not those of this build."""


class CrmRejectedCredentials(TerminalError):
    """The CRM refused the token, or the token lacks a scope."""


class CrmLacksScope(CrmRejectedCredentials):
    """The token is good, but may not do this call."""


class CrmFieldMissing(TerminalError):
    """The CRM does not have a property that the mapping names."""


class ReceiverRefused(TerminalError):
    """A receiver of automations refuses our credentials, lacks what we write to, or could not be served."""


class CursorStuck(TerminalError):
    """A page led to itself: going on would never end."""


class LakeBehind(TerminalError):
    """The lake lacks facts that the ledger has committed: it is an older copy, or it is not there."""


class CrmUnavailable(RetryableError):
    """No usable answer from the CRM; `sent` tells whether the call may have had its effect all the same.

    `retry_after` are the seconds that it asked for, if it did.
    """

    def __init__(self, message: str, *, sent: bool = True, retry_after: float | None = None) -> None:
        self.sent = sent
        self.retry_after = retry_after
        super().__init__(message)


class CrmRateLimited(RetryableError):
    """The CRM asked for a pause of `retry_after` seconds."""

    def __init__(self, message: str, *, retry_after: float) -> None:
        self.retry_after = retry_after
        super().__init__(message)


class LedgerBusy(RetryableError):
    """The ledger's database did not get to us in time."""


class RecordUnreadable(RecordError):
    """A record from a source cannot be read as a fact."""


class RecordRefused(RecordError):
    """The CRM does not take what it was asked to write or make for one record."""


class RecordGone(RecordError):
    """The CRM has no such record any more."""


class Fenced(Superseded):
    """A newer attempt at the same run, or at the same source stream, holds the fence."""
