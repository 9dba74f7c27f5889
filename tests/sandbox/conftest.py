"""The tiny company that every test of the sandbox looks at, simulated once a session.

Belongs here: whole companies and what is written of them. Does not belong here: expectations.
Whoever changes hidden rows builds a company of its own.
"""

from __future__ import annotations

from pathlib import Path
from typing import TYPE_CHECKING

import pytest

if TYPE_CHECKING:
    from sandbox.world import World


@pytest.fixture(scope="session")
def world() -> World:
    """The default company: tiny, seed 7, messy."""
    from sandbox.spec import Spec
    from sandbox.world import build

    return build(Spec.of("tiny"))


@pytest.fixture(scope="session")
def clean_world() -> World:
    """The same company where everything is observable."""
    from sandbox.spec import Spec
    from sandbox.world import build

    return build(Spec.of("tiny", profile="clean"))


@pytest.fixture(scope="session")
def written(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """The folder that `mission sandbox write` makes of the default company."""
    from sandbox.files import write
    from sandbox.spec import Spec

    return write(tmp_path_factory.mktemp("sandbox") / "written", Spec.of("tiny")).folder
