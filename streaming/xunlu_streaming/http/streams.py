"""The list of streams."""

from dataclasses import dataclass

from fastapi import APIRouter, Request

from xunlu_protocol.media import PathState
from xunlu_streaming.http.callers import bearer, is_this_machine
from xunlu_streaming.http.signalling import Signalling


@dataclass(frozen=True, kw_only=True)
class StreamPages:
    """Paths, publishers, viewers, bitrates, loss.

    Attributes:
        signalling: what the page works with.
    """

    signalling: Signalling

    def router(self) -> APIRouter:
        """Its route."""
        router = APIRouter(prefix="/api", tags=["streams"])
        router.add_api_route("/streams", self.streams, methods=["GET"])
        return router

    async def streams(self, request: Request) -> list[PathState]:
        """This machine sees all paths; the holder of a media token sees the one that it is for."""
        streams = self.signalling.relay.streams()
        if is_this_machine(request):
            return streams
        claims = self.signalling.claims(bearer(request))
        return [stream for stream in streams if stream.did == claims.path]
