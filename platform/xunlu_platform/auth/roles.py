"""The one table of who may do what."""

from collections.abc import Mapping
from typing import Literal, get_args

Role = Literal["administrator", "supervisor", "dispatcher", "clerk", "evidence", "auditor", "officer"]

Permission = Literal[
    # Everybody who is signed in: their own login, and the devices and units in their scope.
    "self",
    "see",
    # Where a person was: every look leaves an audit row.
    "track",
    # The same of a time that is over, with all that happened; somebody of the role `officer` asks only for themselves.
    "review",
    # Alarms, and the event stream of the console.
    "events",
    "command",
    # Live pictures of a person, and having them recorded: every look is written down.
    "live",
    # What the server recorded of them.
    "recordings",
    # The radio net: joining it, its groups, orders by text.
    "talk",
    "alarm",
    # Drawing zones; everybody sees them.
    "zones",
    # The roster: who is on duty when; everybody sees it.
    "roster",
    # Incidents: making and changing them, showing them to strangers, handing them over.
    "incidents",
    "devices",
    "approve",
    "officers",
    "organisation",
    "users",
    "audit",
    "system",
]

_EVERYBODY: frozenset[Permission] = frozenset({"self", "see"})
_DESK: frozenset[Permission] = _EVERYBODY | frozenset(
    {"track", "review", "events", "command", "live", "recordings", "talk", "alarm", "zones", "incidents"}
)

PERMISSIONS: Mapping[Role, frozenset[Permission]] = {
    "administrator": frozenset(get_args(Permission)),
    "supervisor": _DESK | {"roster", "audit"},
    "dispatcher": _DESK,
    "clerk": _EVERYBODY | {"events", "devices", "officers", "roster"},
    "evidence": _EVERYBODY | {"track", "review", "events", "recordings", "incidents"},
    "auditor": _EVERYBODY | {"track", "review", "events", "audit"},
    "officer": _EVERYBODY | {"review", "talk"},
}
