"""What can go wrong on a recorder."""

from xunlu_kit.errors import XunluError


class DeviceError(XunluError):
    """Hardware said no."""


class BusyError(DeviceError):
    """The hardware is already doing that."""


class StorageError(DeviceError):
    """The recorder's own disk did not keep what it was given."""


class LiveError(DeviceError):
    """Live video could not be published, or not any longer."""


class TalkError(DeviceError):
    """The radio net could not be joined, or not any longer."""


class TalkRefusedError(TalkError):
    """The talk server answers, and does not let us in now."""
