"""Files that are there whole or not at all, whenever the power is cut."""

import os
from pathlib import Path


def write_durably(path: Path, data: bytes) -> None:
    """Write a file, readable by its owner alone; its folder is made when it is missing.

    Raises:
        OSError: the disk did not take it; what was there before still is.
    """
    path.parent.mkdir(mode=0o700, parents=True, exist_ok=True)
    draft = path.with_name(f"{path.name}.new")
    descriptor = os.open(draft, os.O_WRONLY | os.O_CREAT | os.O_TRUNC, 0o600)
    with os.fdopen(descriptor, "wb") as file:
        file.write(data)
        file.flush()
        os.fsync(file.fileno())
    draft.replace(path)
    directory = os.open(path.parent, os.O_RDONLY | os.O_DIRECTORY)
    try:
        os.fsync(directory)
    finally:
        os.close(directory)
