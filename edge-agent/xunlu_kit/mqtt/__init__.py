"""MQTT sessions for asyncio: the only user of paho."""

from xunlu_kit.mqtt.session import Session
from xunlu_kit.mqtt.values import Broker, Message, SessionOptions, Subscription, Will

__all__ = ["Broker", "Message", "Session", "SessionOptions", "Subscription", "Will"]
