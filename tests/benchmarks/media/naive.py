"""The peer that everybody writes first: aiortc's own `RTCPeerConnection` and `MediaRelay` behind WHIP and WHEP."""

import argparse
import asyncio

from aiortc import MediaStreamTrack, RTCPeerConnection, RTCSessionDescription
from aiortc.contrib.media import MediaRelay
from fastapi import FastAPI, Request, Response
from granian.constants import Interfaces
from granian.server.embed import Server

SDP = "application/sdp"


def create_app() -> FastAPI:
    """One published track, any number of viewers."""
    app = FastAPI(docs_url=None, redoc_url=None)
    relay = MediaRelay()
    published: asyncio.Future[MediaStreamTrack] = asyncio.get_running_loop().create_future()
    connections: list[RTCPeerConnection] = []

    async def answer(connection: RTCPeerConnection, offer: str) -> Response:
        connections.append(connection)
        await connection.setRemoteDescription(RTCSessionDescription(sdp=offer, type="offer"))
        await connection.setLocalDescription(await connection.createAnswer())
        headers = {"Location": f"/session/{len(connections)}"}
        return Response(connection.localDescription.sdp, 201, headers, media_type=SDP)

    @app.post("/whip")
    async def whip(request: Request) -> Response:
        """Publish."""
        connection = RTCPeerConnection()
        connection.on("track", published.set_result)
        return await answer(connection, (await request.body()).decode())

    @app.post("/whep")
    async def whep(request: Request) -> Response:
        """Play."""
        connection = RTCPeerConnection()
        connection.addTrack(relay.subscribe(published.result()))
        return await answer(connection, (await request.body()).decode())

    @app.delete("/session/{number}")
    async def end(number: int) -> Response:
        """Leave."""
        await connections[number - 1].close()
        return Response(status_code=200)

    @app.get("/ready")
    async def ready() -> Response:
        """It answers."""
        return Response()

    return app


async def main() -> None:
    """Serve until somebody ends the process."""
    parser = argparse.ArgumentParser()
    parser.add_argument("--port", type=int, required=True)
    port: int = parser.parse_args().port
    server = Server(create_app(), address="127.0.0.1", port=port, interface=Interfaces.ASGINL, log_enabled=False)
    await server.serve()


if __name__ == "__main__":
    asyncio.run(main())
