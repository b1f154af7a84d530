"""The wire contract between recorders, stations and servers: value types and topics, no input or output.

Everything here is documented for strangers in `docs/protocol.md`. A change to what is on the wire needs a
new `PROTOCOL_VERSION`; the version is a level of every topic (`xunlu/v1/…`).
"""

__version__ = "0.1.0"

PROTOCOL_VERSION = 1
