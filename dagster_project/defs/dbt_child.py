"""dbt as a child process that dies with its parent; started by its path.

Belongs here: what must be true of the process that runs dbt. Does not belong here: anything that
needs another module of this project, for the start-up time of this script is part of every refresh.

`refresh [selection]` builds seeds and models first and then runs every data test. `dbt build`
would skip the models behind a failed test, and what is not built cannot be examined; here the
audit sees all of it and blocks the publication. Both run in one process, for importing dbt takes
longer than a small build. Unit tests examine formulas, not data: `make test` runs them.
"""

import ctypes
import os
import signal
import sys
import threading
import time

#: Everything was built and some data test failed; dbt itself uses 1 and 2.
TESTS_FAILED = 3

_PR_SET_PDEATHSIG = 1
_WITHOUT_UNIT_TESTS = ["--exclude-resource-type", "unit_test"]
_WITHOUT_TESTS = ["--exclude-resource-type", "test", *_WITHOUT_UNIT_TESTS]


def die_with_parent() -> None:
    """Let the kernel kill this process when its parent dies; elsewhere than Linux, watch it.

    The parent holds the writer's lock. Without this, dbt would go on writing to the warehouse
    after a killed parent lost the lock, and the next run would meet DuckDB's own lock.
    """
    parent = int(os.environ.get("MISSION_PARENT_PID") or os.getppid())
    if sys.platform == "linux":
        ctypes.CDLL(None).prctl(_PR_SET_PDEATHSIG, signal.SIGKILL)
    else:
        threading.Thread(target=_watch, args=(parent,), daemon=True).start()
    if os.getppid() != parent:  # it died before the kernel was told
        os.kill(os.getpid(), signal.SIGKILL)


def _watch(parent: int) -> None:
    while os.getppid() == parent:
        time.sleep(0.2)
    os.kill(os.getpid(), signal.SIGKILL)


def run(arguments: list[str]) -> int:
    """Run dbt once; its exit code (0 done, 1 some node failed, 2 could not run)."""
    from dbt.cli.main import dbtRunner

    result = dbtRunner().invoke(arguments)
    if result.exception is not None:
        print(result.exception, file=sys.stderr)
        return 2
    return 0 if result.success else 1


def main(arguments: list[str]) -> int:
    """`refresh` as described above; everything else is passed to dbt."""
    die_with_parent()
    if arguments[:1] != ["refresh"]:
        return run(arguments)
    selection = arguments[1:]
    built = run(["build", *_WITHOUT_TESTS, *selection])
    if built:
        return built
    tested = run(["test", *_WITHOUT_UNIT_TESTS, *selection])
    return TESTS_FAILED if tested == 1 else tested


if __name__ == "__main__":
    sys.exit(main(sys.argv[1:]))
