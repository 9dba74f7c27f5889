"""The secret that makes person keys pseudonymous.

Belongs here: making and reading it. Does not belong here: computing keys (SQL does, in schema pii).
"""

from __future__ import annotations

import os
import secrets

from dagster_project.errors import MissionError
from dagster_project.landing.storage import commit, private_directory
from dagster_project.settings import Mission

_KEY_BYTES = 32
_BLOCK_BYTES = 64


def person_pads(mission: Mission) -> tuple[str, str]:
    """Inner and outer pad of HMAC-SHA256 (RFC 2104) in hex, 64 bytes each.

    The secret is made once, in <storage>/secrets/person_key, mode 0600. Raises MissionError where
    that file is damaged: another secret would give every person another key.
    """
    path = private_directory(mission.secrets) / "person_key"
    if not path.exists():
        temporary = path.with_name(".tmp-person_key")
        temporary.unlink(missing_ok=True)
        descriptor = os.open(temporary, os.O_WRONLY | os.O_CREAT | os.O_EXCL, 0o600)
        with os.fdopen(descriptor, "w") as file:
            file.write(secrets.token_hex(_KEY_BYTES))
        commit(temporary, path)
    try:
        key = bytes.fromhex(path.read_text(encoding="ascii").strip())
    except ValueError:
        key = b""
    if len(key) != _KEY_BYTES:
        raise MissionError(
            f"{path} does not hold a secret of {_KEY_BYTES} bytes in hex",
            "restore it from a backup; if there is none, remove it, and all person keys change.",
        )
    block = key.ljust(_BLOCK_BYTES, b"\0")
    return bytes(b ^ 0x36 for b in block).hex(), bytes(b ^ 0x5C for b in block).hex()
