"""What can go wrong while services are made and started; see `xunlu_kit.errors` for the tree."""

from xunlu_kit.errors import XunluError


class DeployError(XunluError):
    """A service cannot be installed or started on this machine."""
