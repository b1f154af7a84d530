"""The owner of all paths of a worker: who may begin, who must end, and what is told about it."""

import asyncio
import logging
import secrets
import time
from collections import Counter
from collections.abc import Callable, Sequence
from dataclasses import dataclass
from typing import Literal

from xunlu_protocol.media import MediaAck, MediaClaims, MediaEnd, PathState, Viewing
from xunlu_streaming.errors import NotWantedError, OverloadedError, PathBusyError, TokenBusyError, WithdrawnError
from xunlu_streaming.fanout import Stage
from xunlu_streaming.negotiation import Accepted, accept_publisher, accept_viewer
from xunlu_streaming.path import Path, Tap
from xunlu_streaming.peers import Peers
from xunlu_streaming.publisher import Publisher
from xunlu_streaming.relay import Session
from xunlu_streaming.sdp import Local, Offer, write_answer
from xunlu_streaming.tokens import CLOCK_SKEW_S
from xunlu_streaming.viewer import Viewer

log = logging.getLogger(__name__)

ATTEND_S = 0.01
TICK_S = 1.0
PATH_KEPT_S = 60.0
"""A path that nobody uses keeps its numbering so long: a recorder that comes back goes on in it."""
RETRY_AFTER_S = 5
ENDED_VIEWINGS_MAX = 10_000
SPENT_TOKENS_MAX = 10_000
WITHDRAWN_S = 300
"""How long a token that has begun nothing stays refused: the platform repeats itself while it could begin something."""

Policy = Literal["replace", "refuse"]


@dataclass(frozen=True, kw_only=True, slots=True)
class Limits:
    """What a worker admits.

    Attributes:
        publishers_max: publishers at once.
        viewers_max: viewers at once.
        opening_max: of them, those that have not shaken hands yet.
        idle_grace_s: how long a publication outlives its last receiver; 0 keeps it for ever.
        second_publisher: whether a second one of a path takes the place of the first.
    """

    publishers_max: int = 500
    viewers_max: int = 2000
    opening_max: int = 200
    idle_grace_s: float = 15.0
    second_publisher: Policy = "replace"


class PathManager:
    """All paths.

    Attributes:
        paths: by name.
        viewings: that ended and are not confirmed yet, by id.
        viewings_lost: ended ones that were given up because nobody confirmed them.
        opened: sessions begun since the start, by role.
    """

    def __init__(
        self,
        peers: Peers,
        tasks: asyncio.TaskGroup,
        limits: Limits,
        changed: Callable[[], None],
    ) -> None:
        """Begin without paths.

        Args:
            peers: makes the sessions below publishers and viewers.
            tasks: owner of the sessions' tasks.
            limits: what is admitted.
            changed: called when a path or a viewing begins or ends.
        """
        self.paths: dict[str, Path] = {}
        self.viewings: dict[str, Viewing] = {}
        self.viewings_lost = 0
        self.opened: Counter[type] = Counter()
        self.stage = Stage()
        self._peers = peers
        self._everywhere: set[Tap] = set()
        self._tasks = tasks
        self._limits = limits
        self._changed = changed
        self._sessions: dict[str, Publisher | Viewer] = {}
        self._told: dict[str, Session] = {}
        self._unsent = 0
        self._refused: Counter[str] = Counter()
        self._spent: dict[str, float] = {}

    # -- sessions -----------------------------------------------------------------------------------------------------

    async def publish(self, claims: MediaClaims, offer: Offer) -> Session:
        """Begin a publication (RFC 9725 §4.2).

        Raises:
            SdpError: nothing in the offer can be relayed.
            NotWantedError: the publication of this token ended because nobody received it.
            PathBusyError: somebody publishes here, and the policy is to refuse.
            OverloadedError: the worker is full.
        """
        if claims.jti in self._spent:
            raise NotWantedError("Nobody watches any more. Publish again when you are asked to.")
        accepted = accept_publisher(offer)
        path = self._path(claims.path)
        if path.publisher is not None and path.exclusive:
            raise PathBusyError("This device publishes already. End the other session first.")
        self._admit(Publisher, self._limits.publishers_max)
        peer, candidates = await self._peers.make(offer)
        publisher = Publisher(secrets.token_urlsafe(16), claims, path, peer, accepted)
        return self._begin(publisher, accepted, offer, candidates)

    async def play(self, claims: MediaClaims, offer: Offer) -> Session:
        """Begin to watch; a path without a publication is waited for.

        Raises:
            SdpError: nothing in the offer can be relayed.
            WithdrawnError: the platform has ended this viewing.
            TokenBusyError: it goes on; one look is one viewing.
            OverloadedError: the worker is full.
        """
        if claims.jti in self._spent:
            raise WithdrawnError("This account may not look there any more. Ask the platform anew.")
        if any(one.claims == claims and not one.peer.closed for one in self._sessions.values()):
            raise TokenBusyError("End the other session first, or ask the platform for another token.")
        path = self._path(claims.path)
        accepted = accept_viewer(offer, path.tracks)
        self._admit(Viewer, self._limits.viewers_max)
        peer, candidates = await self._peers.make(offer)
        viewer = Viewer(secrets.token_urlsafe(16), claims, path, peer, accepted, self.stage)
        path.join(viewer)
        return self._begin(viewer, accepted, offer, candidates)

    def _begin(
        self, resident: Publisher | Viewer, accepted: Accepted, offer: Offer, candidates: tuple[str, ...]
    ) -> Session:
        peer, path = resident.peer, resident.path
        local = Local(
            name=path.name,
            ufrag=peer.ufrag,
            password=peer.password,
            fingerprint=self._peers.fingerprint,
            candidates=candidates,
            lite=self._peers.lite,
        )
        session = Session(
            id=resident.id,
            claims=resident.claims,
            answer=write_answer(offer, accepted.media, local),
            etag=peer.ufrag,
            remote_ufrag=offer.ufrag,
        )
        self._sessions[resident.id] = resident
        self._told[resident.id] = session
        self.opened[type(resident)] += 1
        peer.open(resident, self._tasks, name=f"{type(resident).__name__.lower()} {path.name}")
        return session

    async def close(self) -> None:
        """End every session, with a farewell."""
        for session in self._sessions.values():
            session.peer.close("shutdown")
        for session in list(self._sessions.values()):
            await session.peer.wait_closed()
            self._bury(session)

    def find(self, path: str, session: str) -> Session | None:
        """A session of a path that goes on."""
        found = self._sessions.get(session)
        if found is None or found.path.name != path or found.peer.closed:
            return None
        return self._told[session]

    async def trickle(self, path: str, session: str, candidates: Sequence[str]) -> None:
        """Hand a session's peer the candidates that its offer did not have."""
        if self.find(path, session) is not None:
            await self._sessions[session].peer.trickle(candidates)

    async def end(self, path: str, session: str) -> bool:
        """End a session of a path; whether there was one."""
        if self.find(path, session) is None:
            return False
        self._sessions[session].peer.close("left")
        return True

    def withdraw(self, end: MediaEnd) -> None:
        """End what the platform allows no more; what has not begun yet is refused."""
        for jti in end.viewings:
            self._spend(jti, time.time() + WITHDRAWN_S)
        for session in list(self._sessions.values()):
            publishes = isinstance(session, Publisher) and session.path.name in end.paths
            if not session.peer.closed and (publishes or session.claims.jti in end.viewings):
                log.info("session withdrawn", extra={"path": session.path.name, "jti": session.claims.jti})
                self._spend(session.claims.jti, session.claims.exp)
                session.peer.close("withdrawn")

    def streams(self) -> list[PathState]:
        """What is carried now."""
        return [path.state() for path in self.paths.values() if path.publisher is not None or path.viewers]

    def _admit(self, kind: type[Publisher | Viewer], sessions_max: int) -> None:
        count = sum(isinstance(one, kind) for one in self._sessions.values())
        opening = sum(one.peer.keys is None for one in self._sessions.values())
        if count >= sessions_max or opening >= self._limits.opening_max:
            raise OverloadedError("The relay is full. Try again in a moment.", retry_after_s=RETRY_AFTER_S)

    # -- paths --------------------------------------------------------------------------------------------------------

    def _path(self, name: str) -> Path:
        path = self.paths.get(name)
        if path is None:
            exclusive = self._limits.second_publisher == "refuse"
            path = self.paths[name] = Path(name, self.stage, self._changed, exclusive=exclusive)
            for tap in self._everywhere:
                path.take(tap, keep=False, now_s=time.monotonic())
        return path

    def take(self, name: str, tap: Tap) -> None:
        """A process of ours wants a path; it is kept up for it."""
        self._path(name).take(tap, keep=True, now_s=time.monotonic())

    def take_every(self, tap: Tap) -> None:
        """A process of ours wants each path while it is live, and keeps none of them up."""
        self._everywhere.add(tap)
        for path in self.paths.values():
            path.take(tap, keep=False, now_s=time.monotonic())

    def leave(self, name: str, tap: Tap) -> None:
        """It does not want a path any more."""
        if (path := self.paths.get(name)) is None:
            return
        path.drop(tap)
        if tap in self._everywhere:
            path.take(tap, keep=False, now_s=time.monotonic())

    def leave_every(self, tap: Tap) -> None:
        """It has gone."""
        self._everywhere.discard(tap)
        for path in self.paths.values():
            path.drop(tap)

    def ask_for_keyframe(self, name: str) -> None:
        """A process of ours has lost the picture."""
        path = self.paths.get(name)
        if path is not None and path.publisher is not None:
            path.publisher.request_keyframe(time.monotonic())

    def live(self) -> list[Path]:
        """The paths that are published."""
        return [path for path in self.paths.values() if path.publisher is not None]

    # -- time ---------------------------------------------------------------------------------------------------------

    async def run(self) -> None:
        """Let time pass, for ever."""
        ticked_s = time.monotonic()
        while True:
            await asyncio.sleep(ATTEND_S)
            now_s = time.monotonic()
            for path in list(self.paths.values()):
                if path.publisher is not None:
                    self._attend(path.publisher, now_s)
            if now_s - ticked_s >= TICK_S:
                self._tick(now_s, now_s - ticked_s)
                ticked_s = now_s

    def _attend(self, publisher: Publisher, now_s: float) -> None:
        try:
            publisher.attend(now_s)
        except Exception:
            # A mistake of ours that one publisher brings to light is no reason for the others to stop.
            log.exception("publisher ended by an error", extra={"path": publisher.path.name})
            publisher.peer.close("error")

    def _tick(self, now_s: float, passed_s: float) -> None:
        for session in list(self._sessions.values()):
            session.peer.tick(now_s)
            if session.peer.closed:
                self._bury(session)
        for path in list(self.paths.values()):
            path.tick(passed_s)
            if path.publisher is not None:
                path.publisher.tick(now_s)
            self._end_idle(path, now_s)

    def _end_idle(self, path: Path, now_s: float) -> None:
        idle_s = now_s - path.idle_since_s if path.idle_since_s is not None else 0.0
        grace_s = self._limits.idle_grace_s
        if path.publisher is not None and grace_s and idle_s > grace_s:
            log.info("nobody watches, the publication ends", extra={"path": path.name})
            self._spend(path.publisher.claims.jti, path.publisher.claims.exp)
            path.publisher.peer.close("idle")
        elif path.publisher is None and idle_s > PATH_KEPT_S:
            del self.paths[path.name]

    def _spend(self, jti: str, until_s: float) -> None:
        """Let a token begin nothing until it has expired (UTC seconds)."""
        now_s = time.time()
        self._spent = {one: end_s for one, end_s in self._spent.items() if end_s + CLOCK_SKEW_S > now_s}
        if len(self._spent) < SPENT_TOKENS_MAX:
            self._spent[jti] = max(until_s, self._spent.get(jti, 0.0))

    def _bury(self, session: Publisher | Viewer) -> None:
        if self._sessions.pop(session.id, None) is None:
            # At the end of the worker, time goes on while farewells are said.
            return
        del self._told[session.id]
        self._unsent += session.peer.unsent
        self._refused += session.peer.refused
        if session.peer.refused:
            extra = {"path": session.path.name, "session": type(session).__name__.lower(), **session.peer.refused}
            log.warning("session sent what was refused", extra=extra)
        viewing = session.viewing if isinstance(session, Viewer) else None
        if viewing is not None:
            self._tell_end(viewing)

    @property
    def unsent(self) -> int:
        """Sends of media that the kernel refused, since the start."""
        return self._unsent + sum(one.peer.unsent for one in self._sessions.values())

    @property
    def refused(self) -> Counter[str]:
        """Packets of known peers that were refused, by reason (see `Peer.refused`), since the start."""
        return sum((one.peer.refused for one in self._sessions.values()), self._refused)

    @property
    def sessions(self) -> int:
        """How many there are, those that have just ended included."""
        return len(self._sessions)

    # -- what is told -------------------------------------------------------------------------------------------------

    def viewers(self) -> list[Viewer]:
        """All who watch or wait."""
        return [one for one in self._sessions.values() if isinstance(one, Viewer)]

    def confirm(self, ack: MediaAck) -> None:
        """Forget the viewings whose end the database holds."""
        for viewing in ack.viewings:
            self.viewings.pop(viewing, None)

    def _tell_end(self, viewing: Viewing) -> None:
        """A viewer has ended: its viewing is told until it is confirmed."""
        if len(self.viewings) >= ENDED_VIEWINGS_MAX:
            self.viewings.pop(next(iter(self.viewings)))
            self.viewings_lost += 1
        self.viewings[viewing.id] = viewing
        self._changed()
