"""The one tree of errors.

    XunluError
      ConfigError       a setting is missing or out of its bounds
      TransportError    the network or a peer failed; trying again may help
      ProtocolError     bytes from outside break the contract          (xunlu_protocol.errors)
      DeviceError       hardware said no                               (xunlu_edge.errors)
      StoreError        the database said no                           (xunlu_platform.errors)
      StreamError       live video said no                             (xunlu_streaming.errors)
      MapError          a map source cannot be used                    (xunlu_gis.errors)
      TrackError        a track file cannot be read                    (xunlu_gis.errors)
      ZoneError         a zone cannot be used as it was drawn          (xunlu_gis.errors)

The message tells a person what to do next.
"""


class XunluError(Exception):
    """Something in Xunlu failed."""


class ConfigError(XunluError):
    """A setting is missing or out of its bounds."""


class TransportError(XunluError):
    """The network or a peer failed; trying again may help."""
