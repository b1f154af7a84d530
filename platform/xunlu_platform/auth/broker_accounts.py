"""Accounts of devices at the broker: the user name is the did, and a role of its own says what it may touch.

Pending devices write their own state and nothing else; approved ones write all of `up` and read `dn`; disabled ones
cannot connect. The broker alone holds the (hashed) passwords.
"""

import logging
from collections.abc import Iterable, Mapping
from typing import Any, Literal

from xunlu_kit.mqtt import Message, Session
from xunlu_platform.auth.dynamic_security import DynamicSecurity, DynamicSecurityError
from xunlu_protocol.topics import PREFIX, up

log = logging.getLogger(__name__)

DeviceStatus = Literal["pending", "approved", "disabled"]
AccountKind = Literal["recorder", "station", "tracker"]
"""Kinds of devices that have an account at the broker. A telephone has none: the platform speaks for it."""
DeviceKind = Literal[AccountKind, "phone"]
Rules = list[dict[str, object]]

ROLES_PAGE = 100
RESERVED_PREFIX = "xunlu"
RESERVED_NAMES = frozenset({"claim", "admin"})


def is_reserved(name: str) -> bool:
    """Whether a name belongs to our own processes: no device may take it."""
    return name.lower().startswith(RESERVED_PREFIX) or name.lower() in RESERVED_NAMES


def access_rules(tenant: str, did: str, status: DeviceStatus, kind: DeviceKind) -> Rules:
    """What the broker lets a device do, in the plug-in's own form."""
    level = "s" if kind == "station" else "d"
    if status == "pending":
        return [_rule("publishClientSend", up(tenant, did, "state", kind="s" if kind == "station" else "d"))]
    if status == "disabled":
        return []
    own = f"{PREFIX}/{tenant}/{level}/{did}"
    return [
        _rule("publishClientSend", f"{own}/up/#"),
        # A telephone with the OwnTracks app.
        _rule("publishClientSend", f"owntracks/{did}/+"),
        _rule("publishClientReceive", f"{own}/dn/#"),
        _rule("subscribePattern", f"{own}/dn/#"),
        _rule("unsubscribePattern", "#"),
    ]


def _rule(kind: str, topic: str) -> dict[str, object]:
    return {"acltype": kind, "topic": topic, "priority": 0, "allow": True}


class BrokerAccounts:
    """Keeps the broker's accounts equal to the devices of the database."""

    def __init__(self, mqtt: Session, tenant: str) -> None:
        self._plugin = DynamicSecurity(mqtt)
        self._tenant = tenant

    def handle(self, message: Message) -> None:
        """Take an answer of the plug-in."""
        self._plugin.handle(message)

    async def put(self, did: str, password: str, status: DeviceStatus, kind: DeviceKind) -> None:
        """Create an account, or give an existing one a new password and the rules of `status`.

        Raises:
            TransportError: refused, or no answer.
        """
        assert not is_reserved(did)
        await self._put_role(did, access_rules(self._tenant, did, status, kind))
        try:
            await self._plugin.call("createClient", username=did, password=password, roles=[{"rolename": _role(did)}])
        except DynamicSecurityError as error:
            if "exists" not in error.reason:
                raise
            await self._plugin.call("setClientPassword", username=did, password=password)
        await self._switch(did, status)

    async def set_status(self, did: str, status: DeviceStatus, kind: DeviceKind) -> None:
        """Give an account the rules of `status`; the plug-in disconnects it, and it comes back with them.

        Raises:
            TransportError: refused, or no answer.
        """
        assert not is_reserved(did)
        await self._put_role(did, access_rules(self._tenant, did, status, kind))
        await self._switch(did, status)

    async def _switch(self, did: str, status: DeviceStatus) -> None:
        try:
            await self._plugin.call("disableClient" if status == "disabled" else "enableClient", username=did)
        except DynamicSecurityError as error:
            if "not found" not in error.reason:
                raise
            log.warning("device has no account at the broker; it needs new credentials", extra={"did": did})

    async def _put_role(self, did: str, rules: Rules) -> None:
        try:
            await self._plugin.call("createRole", rolename=_role(did), acls=rules)
        except DynamicSecurityError as error:
            if "exists" not in error.reason:
                raise
            await self._plugin.call("modifyRole", rolename=_role(did), acls=rules)

    async def reconcile(self, devices: Iterable[Mapping[str, Any]]) -> list[str]:
        """Mend rules that differ from the database, such as after a restored backup of one of the two.

        Args:
            devices: rows with `did`, `status`, `kind`.

        Returns:
            Devices without an account: only new credentials help them, for nobody knows their passwords.
        """
        roles = await self._roles()
        clients = await self._clients()
        for device in devices:
            did = device["did"]
            wanted = access_rules(self._tenant, did, device["status"], device["kind"])
            if did in clients and roles.get(_role(did)) != _shape(wanted):
                await self.set_status(did, device["status"], device["kind"])
                log.info("rules of a device mended", extra={"did": did})
        return sorted({device["did"] for device in devices} - clients)

    async def _clients(self) -> set[str]:
        names: set[str] = set()
        while True:
            data = await self._plugin.call("listClients", verbose=False, count=ROLES_PAGE, offset=len(names))
            found = data.get("clients", [])
            names.update(found)
            if len(found) < ROLES_PAGE:
                return names

    async def _roles(self) -> dict[str, frozenset[tuple[str, str]]]:
        roles: dict[str, frozenset[tuple[str, str]]] = {}
        while True:
            data = await self._plugin.call("listRoles", verbose=True, count=ROLES_PAGE, offset=len(roles))
            found = data.get("roles", [])
            roles.update({role["rolename"]: _shape(role.get("acls", [])) for role in found})
            if len(found) < ROLES_PAGE:
                return roles


def _role(did: str) -> str:
    return f"device-{did}"


def _shape(rules: Iterable[Mapping[str, Any]]) -> frozenset[tuple[str, str]]:
    return frozenset((str(rule["acltype"]), str(rule["topic"])) for rule in rules if rule.get("allow"))
