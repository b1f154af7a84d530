"""Writes docs/configuration.md from the settings classes: `python -m xunlu_deploy.configuration FILE`."""

import importlib
import inspect
import sys
from collections.abc import Iterator
from importlib.util import find_spec
from pathlib import Path
from typing import Any, get_args, get_origin

from pydantic import AliasChoices
from pydantic.fields import FieldInfo
from pydantic_settings import BaseSettings

PACKAGES = (
    "xunlu_deploy",
    "xunlu_platform",
    "xunlu_streaming",
    "xunlu_streaming.record",
    "xunlu_streaming.talk",
    "xunlu_edge",
    "xunlu_sim",
    "xunlu_gis",
)
MODULES = ("settings", "config")

HEAD = """# Configuration

Every setting of every program, from the environment. Written by `make docs`; a test compares it with the code. Secrets
are never settings: they are files, see [operations.md](operations.md).
"""


def settings_classes() -> list[type[BaseSettings]]:
    """Every settings class of the programs, in the order of `PACKAGES`."""
    found = []
    for name in (f"{package}.{module}" for package in PACKAGES for module in MODULES):
        if find_spec(name) is None:
            continue
        module = importlib.import_module(name)
        found += [
            member
            for _, member in inspect.getmembers(module, inspect.isclass)
            if issubclass(member, BaseSettings) and member.__module__ == name
        ]
    return found


def document() -> str:
    """The whole page."""
    return "\n".join([HEAD, *(part for settings in settings_classes() for part in _section(settings))])


def _section(settings: type[BaseSettings]) -> Iterator[str]:
    prefix = settings.model_config.get("env_prefix", "")
    program = settings.__module__.split(".", maxsplit=1)[0].replace("_", "-")
    yield f"## {program}: `{prefix}…`\n"
    yield f"{inspect.getdoc(settings)}\n"
    yield "| variable | default | values | what |\n|---|---|---|---|"
    for name, field in settings.model_fields.items():
        variable = _variable(prefix, name, field)
        yield f"| `{variable}` | {_default(field)} | {_values(field)} | {field.description or ''} |"
    yield ""


def _variable(prefix: str, name: str, field: FieldInfo) -> str:
    alias = field.validation_alias
    if isinstance(alias, AliasChoices):
        return str(alias.choices[0])
    return str(alias) if alias else f"{prefix}{name}".upper()


def _default(field: FieldInfo) -> str:
    if field.is_required():
        return "required"
    # What a factory makes differs from machine to machine: the description says how.
    value = None if field.default_factory else field.default
    if isinstance(value, tuple):
        value = ",".join(map(str, value))
    return "–" if value in (None, "") else f"`{value}`"


def _values(field: FieldInfo) -> str:
    choices = [choice for choice in get_args(field.annotation) if isinstance(choice, str)]
    if choices:
        return ", ".join(f"`{choice}`" for choice in choices)
    bounds: dict[str, Any] = {
        sign: getattr(mark, key)
        for mark in field.metadata
        for key, sign in (("ge", "≥"), ("gt", ">"), ("le", "≤"), ("lt", "<"))
        if getattr(mark, key, None) is not None
    }
    return ", ".join(f"{sign} {bound}" for sign, bound in bounds.items()) or _kind(field.annotation)


def _kind(annotation: object) -> str:
    names = {"Path": "path", "str": "text", "bool": "`true`, `false`", "int": "number", "float": "number"}
    if get_origin(annotation) is tuple:
        return "list"
    kinds = get_args(annotation) or (annotation,)
    return next((names[kind.__name__] for kind in kinds if getattr(kind, "__name__", "") in names), "")


def main() -> None:
    """Write the page to the file that is named on the command line."""
    Path(sys.argv[1]).write_text(document(), "utf-8")


if __name__ == "__main__":
    main()
