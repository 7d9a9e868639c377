"""How a run ends. The codes are what the Job's podFailurePolicy goes by."""

DONE = 0
BELOW_GATE = 65  # the model isn't good enough; another try would make the same one
INTERRUPTED = 75  # told to stop, or a peer was lost; what was reached is saved, and another try goes on from it
MISCONFIGURED = 78  # no try can succeed


class Ended(Exception):
    """The run can't go on. The message is the reason, for people to read."""

    code = 1


class BelowGate(Ended):
    code = BELOW_GATE


class Interrupted(Ended):
    code = INTERRUPTED


class Misconfigured(Ended):
    code = MISCONFIGURED
