"""The push-to-talk key as a pure state machine: what is said to the floor, and what the officer hears of it.

The states are those of a floor participant (3GPP TS 24.380 §6.2.4), seen from a key that is held or not.
"""

from collections.abc import Collection
from typing import Literal

from xunlu_protocol.talk import Deny, FloorRelease, FloorRequest, Granted, Idle, Position, Revoke, ServerMessage

State = Literal["up", "asking", "queued", "talking", "ending", "refused"]
"""`ending` is a talker whose floor is taken away in a moment, so that the sentence can be finished; `refused` is a key
that is still held after the floor was denied or taken away: it must be let go first."""
Signal = Literal["permit", "deny", "queued", "ending", "revoke", "called", "returned"]
"""`called` and `returned`: the key talks in another group from now on, one that is new or one that was there before."""
Effect = FloorRequest | FloorRelease | Signal

ANSWER_S_MAX = 3.0
"""Without an answer for so long, the connection is dead even if nobody has said so."""


class Key:
    """One key, for one group at a time; every method returns what is to be done, in order.

    Attributes:
        state: of the key.
        stale: grants that were older than one of the same group that came before.
    """

    def __init__(self) -> None:
        self.state: State = "up"
        self.stale = 0
        self._request: FloorRequest | None = None
        self._asked_s = 0.0
        # Numbers of grants are the group's own.
        self._newest: dict[str, int] = {}

    @property
    def is_talking(self) -> bool:
        """Whether what is said goes out."""
        return self.state in ("talking", "ending")

    def press(self, gid: str | None, urgency: int, now_s: float) -> list[Effect]:
        """The key goes down.

        Args:
            gid: main group; None when there is none to talk to, or no connection.
            urgency: 0 normal, 2 emergency.
            now_s: monotonic time.
        """
        if self.state != "up":
            return []
        return self._begin(gid, urgency, now_s)

    def escalate(self, gid: str | None, urgency: int, now_s: float) -> list[Effect]:
        """It became more urgent: a key that is down asks again, even if it was refused; a talker talks on meanwhile.

        Args:
            gid: main group, for a key that was refused; what is asked for already stays in its group.
            urgency: 0 normal, 2 emergency.
            now_s: monotonic time.
        """
        if self.state == "refused":
            return self._begin(gid, urgency, now_s)
        if self._request is None or urgency <= self._request.urgency:
            return []
        self._request = FloorRequest(gid=self._request.gid, urgency=urgency)
        return [self._request] if self.is_talking else self._ask(now_s)

    def let_go(self) -> list[Effect]:
        """The key comes up."""
        request, state = self._request, self.state
        self.state, self._request = "up", None
        if request is None or state == "refused":
            return []
        return [FloorRelease(gid=request.gid)]

    def tune(self, gids: Collection[str | None]) -> list[Effect]:
        """There are no other groups than these from now on: in another one nothing is to be had or waited for."""
        self._newest = {gid: grant for gid, grant in self._newest.items() if gid in gids}
        if self._request is None or self._request.gid in gids:
            return []
        return self._end("revoke" if self.is_talking else "deny")

    def joined(self, now_s: float) -> list[Effect]:
        """There is a new connection: whoever still holds the key asks again."""
        if self._request is None or self.state not in ("asking", "queued", "talking"):
            return []
        return self._ask(now_s)

    def lost(self) -> list[Effect]:
        """The connection is gone: nothing that is said goes out until a new one has granted it."""
        if not self.is_talking:
            return []
        if self.state == "ending":
            return self._end("revoke")
        self.state = "asking"
        return ["revoke"]

    def grace_is_over(self) -> list[Effect]:
        """The server shuts its gate now (T3): stop, and let the floor go rather than have it taken."""
        if self.state != "ending" or self._request is None:
            return []
        gid = self._request.gid
        return [*self._end("revoke"), FloorRelease(gid=gid)]

    def is_unanswered(self, now_s: float) -> bool:
        """Whether the server owes an answer for too long."""
        return self.state == "asking" and now_s - self._asked_s > ANSWER_S_MAX

    def take(self, message: ServerMessage) -> list[Effect]:
        """What the server says; what concerns another group, or an older request, changes nothing."""
        match message:
            case Granted():
                return self._granted(message)
            case Position() if self._is_open(message.gid) and self.state == "asking":
                self.state = "queued"
                return ["queued"]
            case Deny() if self._is_open(message.gid):
                return self._end("deny")
            case Revoke() if self.is_talking and self._is_for(message.gid):
                return self._revoked(message)
            case Idle() if self.is_talking and self._is_for(message.gid):
                return self._end("revoke")
        return []

    def _revoked(self, message: Revoke) -> list[Effect]:
        """TS 24.380 §6.2.4.5.4: the officer is told at once, and what is on the lips goes out while there is grace."""
        is_told, self.state = self.state == "ending", "ending"
        if message.left_s <= 0:
            return self.grace_is_over()
        return [] if is_told else ["ending"]

    def _granted(self, message: Granted) -> list[Effect]:
        if message.grant < self._newest.get(message.gid, 0):
            self.stale += 1
            return []
        self._newest[message.gid] = message.grant
        if self._is_open(message.gid) or (self._is_for(message.gid) and self.state == "ending"):
            self.state = "talking"
            return ["permit"]
        # The key came up while the grant was on its way, or belongs to a request of before.
        return [] if self._is_for(message.gid) and self.is_talking else [FloorRelease(gid=message.gid)]

    def _begin(self, gid: str | None, urgency: int, now_s: float) -> list[Effect]:
        if gid is None:
            self.state = "refused"
            return ["deny"]
        self._request = FloorRequest(gid=gid, urgency=urgency)
        return self._ask(now_s)

    def _ask(self, now_s: float) -> list[Effect]:
        assert self._request is not None
        self.state, self._asked_s = "asking", now_s
        return [self._request]

    def _end(self, signal: Signal) -> list[Effect]:
        self.state, self._request = "refused", None
        return [signal]

    def _is_for(self, gid: str) -> bool:
        return self._request is not None and self._request.gid == gid

    def _is_open(self, gid: str) -> bool:
        return self._is_for(gid) and self.state in ("asking", "queued")
