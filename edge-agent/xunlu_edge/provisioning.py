"""Provisioning by claim (自动注册): ask once, be answered with an identity of one's own."""

import asyncio
import logging
import secrets

from xunlu_edge.identity import Identity, store_identity
from xunlu_edge.settings import AgentSettings
from xunlu_kit.backoff import backoff_s
from xunlu_kit.clock import Clock
from xunlu_kit.errors import ConfigError, TransportError
from xunlu_kit.mqtt import Broker, Session, SessionOptions, Subscription
from xunlu_protocol.errors import ProtocolError
from xunlu_protocol.provision import ProvisionRequest, ProvisionResponse
from xunlu_protocol.topics import provision_request, provision_response

log = logging.getLogger(__name__)

ANSWER_TIMEOUT_S = 20.0
RETRY_CAP_S = 300.0


async def claim(settings: AgentSettings, clock: Clock) -> Identity:
    """Ask until the platform answers with an identity; it is on disk when this returns.

    A refusal is asked again, ever more rarely: an administrator may change their mind while the recorder is on a shelf.

    Raises:
        ConfigError: there is no claim password to ask with.
    """
    waits = backoff_s(first_s=2.0, cap_s=RETRY_CAP_S)
    # The same nonce at every try: an answer that got lost is told again, to this nonce alone.
    nonce = secrets.token_hex(16)
    while True:
        try:
            answer = await _ask(settings, nonce)
        except (TransportError, ProtocolError, TimeoutError) as error:
            log.warning("claim not answered", extra={"serial": settings.serial, "error": repr(error)})
        else:
            if (identity := _identity_of(answer)) is not None:
                store_identity(settings.state, identity)
                log.info("identity received", extra={"did": identity.did, "status": answer.status})
                return identity
            log.warning("claim refused", extra={"serial": settings.serial, "why": answer.why})
        await clock.sleep(next(waits))


async def _ask(settings: AgentSettings, nonce: str) -> ProvisionResponse:
    request = ProvisionRequest(serial=settings.serial, vendor=settings.vendor, model=settings.model, kind=settings.kind)
    options = SessionOptions(
        client_id=f"claim-{nonce}",
        subscriptions=(Subscription(topic=provision_response(nonce)),),
        retry_cap_s=settings.retry_cap_s,
    )
    async with Session(_claim_broker(settings), options) as session, asyncio.timeout(None) as deadline:
        await session.wait_connected()
        deadline.reschedule(asyncio.get_running_loop().time() + ANSWER_TIMEOUT_S)
        await session.publish(provision_request(nonce), request.encode())
        async for message in session.messages():
            session.acknowledge(message)
            return ProvisionResponse.decode(message.payload)
    raise TransportError("The session of the claim ended without an answer.")


def _claim_broker(settings: AgentSettings) -> Broker:
    if settings.claim_password_file is None:
        raise ConfigError("This recorder has no identity yet: set XUNLU_AGENT_CLAIM_PASSWORD_FILE.")
    try:
        password = settings.claim_password_file.read_text("utf-8").strip()
    except OSError as error:
        raise ConfigError(f"The claim password cannot be read: {error}.") from error
    return Broker(
        host=settings.broker_host,
        port=settings.broker_port,
        username=settings.claim_username,
        password=password,
        ca_file=settings.broker_ca_file,
    )


def _identity_of(answer: ProvisionResponse) -> Identity | None:
    if answer.status == "refused" or not (answer.did and answer.tenant and answer.username and answer.password):
        return None
    return Identity(did=answer.did, tenant=answer.tenant, username=answer.username, password=answer.password)
