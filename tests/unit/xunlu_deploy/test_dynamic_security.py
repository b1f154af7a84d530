"""A start renews the servers' accounts and leaves the devices' alone."""

from xunlu_deploy.dynamic_security import ACCOUNTS, Document, with_accounts

PASSWORDS = dict.fromkeys(ACCOUNTS, "secret")
DEVICE = {"username": "rec-1", "roles": [{"rolename": "device-rec-1"}], "password": "…", "salt": "…", "iterations": 101}
ROLE: Document = {"rolename": "device-rec-1", "acls": []}


def test_accounts_of_devices_survive_a_start() -> None:
    kept = with_accounts({"clients": [DEVICE], "roles": [ROLE], "groups": []}, PASSWORDS)
    assert DEVICE in kept["clients"]
    assert ROLE in kept["roles"]


def test_rights_that_somebody_widened_are_put_back() -> None:
    first = with_accounts({}, PASSWORDS)
    widened = {**first, "roles": [{**role, "acls": [{"acltype": "x"}]} for role in first["roles"]]}
    assert with_accounts(widened, PASSWORDS)["roles"] == first["roles"]


def test_a_password_is_never_stored_as_it_is() -> None:
    assert "secret" not in str(with_accounts({}, PASSWORDS))


def test_what_is_not_allowed_is_denied() -> None:
    access = with_accounts({"defaultACLAccess": {"subscribe": True}}, PASSWORDS)["defaultACLAccess"]
    assert access == {
        "publishClientSend": False,
        "publishClientReceive": False,
        "subscribe": False,
        "unsubscribe": True,
    }
