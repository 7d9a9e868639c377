"""How a run ends. The Job's podFailurePolicy acts on these exit codes."""

DONE = 0
BELOW_GATE = 65  # the model isn't good enough; another attempt would train the same one
INTERRUPTED = 75  # SIGTERM or a lost peer; the progress is saved, and another attempt resumes from it
MISCONFIGURED = 78  # no attempt can succeed


class Ended(Exception):
    """The run can't continue. The message is the reason, for people to read."""

    code = 1


class BelowGate(Ended):
    code = BELOW_GATE


class Interrupted(Ended):
    code = INTERRUPTED


class Misconfigured(Ended):
    code = MISCONFIGURED
