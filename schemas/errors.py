"""The one tree of errors that a user can see.

    CdpError                what went wrong, where, and what to do about it
    |-- ConfigError         settings, sources, identity or definition files that cannot be used
    |   `-- GenesisMismatch settings that contradict what the deployment's first record fixed
    |-- MissingTool         a program that this command needs is not installed
    |-- PortInUse           another process listens where ours should
    |-- Unavailable         Kafka or ClickHouse cannot be reached, or refused what we are allowed to expect
    |-- TopicMismatch       a topic exists and is not as the deployment needs it
    |-- NotFound            an identifier or customer that nobody has seen
    |-- TooManyRejected     a worker stopped because it rejected more than it may
    `-- ProcessFailed       a supervised process did not come up

What is wrong with one *event* is never an exception that travels: it is a `schemas.rejected.Rejection`.
"""


class CdpError(Exception):
    """An error told in three parts: `what` happened, `where` (file, setting, topic), `hint` (what to do)."""

    def __init__(self, what: str, where: str = "", hint: str = "") -> None:
        super().__init__(what)
        self.what, self.where, self.hint = what, where, hint

    def __str__(self) -> str:
        return " | ".join(part for part in (self.what, self.where, self.hint) if part)


class ConfigError(CdpError):
    """A configuration or definition file cannot be used; `where` names the file and the place in it."""


class GenesisMismatch(ConfigError):
    """The settings contradict the deployment's genesis record."""


class MissingTool(CdpError):
    """A program that this command needs is not installed; `hint` says how to get it."""


class PortInUse(CdpError):
    """Another process listens on a port that ours should have."""


class Unavailable(CdpError):
    """A server cannot be reached or does not answer as it must."""


class TopicMismatch(CdpError):
    """A topic exists with other partitions or settings than the deployment needs."""


class NotFound(CdpError):
    """An identifier or customer that nobody has seen."""


class TooManyRejected(CdpError):
    """More of the log is rejected than an operator should accept unseen; the worker has stopped."""


class ProcessFailed(CdpError):
    """A supervised process did not come up; `where` names its log."""
