"""The examples of docs/protocol.md are what they claim to be."""

import re

import pytest

from tests.repository import ROOT
from xunlu_protocol.base import Wire, decode_json
from xunlu_protocol.command import LiveStart, PlayNote, Reply, Request, check
from xunlu_protocol.confirm import Confirmation
from xunlu_protocol.event import Event
from xunlu_protocol.location import Location
from xunlu_protocol.media import (
    Gap,
    MediaAck,
    MediaClaims,
    MediaEnd,
    MediaFrame,
    PathState,
    RecordingOrder,
    RecordingReport,
    Viewing,
)
from xunlu_protocol.phone import PhoneAck, PhoneAsk, PhoneHello, PhonePing, PhonePong, PhoneReport, PhoneWelcome
from xunlu_protocol.provision import ProvisionRequest, ProvisionResponse
from xunlu_protocol.shadow import RecorderConfig, Shadow
from xunlu_protocol.status import Birth, State, Telemetry
from xunlu_protocol.talk import FloorState, TalkClaims, TalkGroup, TalkInvitation
from xunlu_protocol.talk_reports import BurstReport, FloorEntry, TalkAck, TalkLog

MESSAGES = (Birth, State, Location, Telemetry, Event, Confirmation, Request, PlayNote, Reply, Shadow)
MEDIA = (LiveStart, MediaClaims, MediaFrame, MediaAck, MediaEnd, RecordingOrder, RecordingReport)
TALK = (TalkInvitation, TalkClaims, FloorState, TalkGroup, TalkLog, BurstReport, TalkAck)
PHONE = (PhoneHello, PhoneWelcome, PhoneReport, PhoneAck, PhoneAsk, PhonePing, PhonePong)
OTHERS = (ProvisionRequest, ProvisionResponse)
TYPES: dict[str, type[Wire]] = {one.__name__: one for one in (*MESSAGES, *MEDIA, *TALK, *PHONE, *OTHERS)}
PARTS = (RecorderConfig, PathState, Viewing, Gap, FloorEntry)
DOCUMENT = (ROOT / "docs" / "protocol.md").read_text("utf-8")
EXAMPLES = re.findall(r"```json (\w+)\n(.*?)```", DOCUMENT, re.DOTALL)
# Fields of OwnTracks that we accept and keep out.
FOREIGN = {"tid", "created_at"}


@pytest.mark.parametrize(("name", "text"), EXAMPLES, ids=[f"{name}-{i}" for i, (name, _) in enumerate(EXAMPLES)])
def test_every_example_parses_and_names_only_known_fields(name: str, text: str) -> None:
    payload = text.encode()
    kind = TYPES[name]
    kind.decode(payload)
    known = {field.alias or name for name, field in kind.model_fields.items()}
    assert set(decode_json(payload)) <= known | FOREIGN


def test_every_message_has_an_example() -> None:
    assert {name for name, _ in EXAMPLES} == set(TYPES)


def test_the_example_of_a_command_has_valid_arguments() -> None:
    for name, text in EXAMPLES:
        if name == "Request":
            check(Request.decode(text.encode()))


@pytest.mark.parametrize("kind", [*TYPES.values(), *PARTS], ids=lambda kind: kind.__name__)
def test_every_field_is_documented(kind: type[Wire]) -> None:
    fields = {field.alias or name for name, field in kind.model_fields.items()}
    assert not [field for field in fields if f"`{field}`" not in DOCUMENT and f'"{field}"' not in DOCUMENT]
