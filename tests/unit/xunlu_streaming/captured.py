"""Offers of real clients, as they were sent; only addresses and host names are others."""

from pathlib import Path

FOLDER = Path(__file__).parent / "offers"

PUBLISHERS = (
    "aiortc-publisher",
    "chromium-publisher",
    "ffmpeg-active",
    "ffmpeg-passive",
    "gstreamer-publisher",
    "libwebrtc-simulcast",
)
VIEWERS = ("chromium-viewer", "gstreamer-viewer", "libwebrtc-viewer")


def offer_text(name: str) -> str:
    return (FOLDER / f"{name}.sdp").read_bytes().decode()


def without(text: str, *beginnings: str) -> str:
    """The offer without lines that begin so."""
    return "\r\n".join(line for line in text.split("\r\n") if not line.startswith(beginnings))
