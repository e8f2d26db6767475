"""What holds for every test."""

import signal
from collections.abc import Iterator
from pathlib import Path

import pytest

from tests.programs import PROGRAMS, count_missing

TESTS = Path(__file__).parent
# Their tests run a server, a worker, a pipeline or a command: `make test-quick` leaves them out.
SLOW_FOLDERS = ("e2e", "integration")
# A file of minutes that is begun last would be waited for by all other processes of the run.
FIRST = TESTS / "e2e" / "test_endurance.py"
LAST = TESTS / "e2e"  # whose browsers and servers run on from one file to the next


@pytest.fixture(scope="session", autouse=True)
def processes_as_on_a_terminal() -> Iterator[None]:
    """Let processes of the tests hear Ctrl-C, and keep what they compile.

    A shell lets what it starts in the background ignore Ctrl-C, and so would all that is started
    from there. And a hundred processes load the same modules.
    """
    if signal.getsignal(signal.SIGINT) == signal.SIG_IGN:
        signal.signal(signal.SIGINT, signal.default_int_handler)
    with pytest.MonkeyPatch.context() as patch:
        patch.delenv("PYTHONDONTWRITEBYTECODE", raising=False)
        yield


def pytest_collection_modifyitems(items: list[pytest.Item]) -> None:
    """Mark the tests of the slow folders; in others a test or a module is marked by itself.

    The order is the one in which processes that run side by side take files over.
    """
    items.sort(key=lambda item: (item.path != FIRST, LAST in item.path.parents))
    folders = [TESTS / name for name in SLOW_FOLDERS]
    for item in items:
        if any(folder in item.path.parents for folder in folders):
            item.add_marker(pytest.mark.slow)
        if LAST in item.path.parents and item.path != FIRST:
            # Browsers on a busy machine: one more chance, which the summary names.
            item.add_marker(pytest.mark.flaky(reruns=1))


def pytest_terminal_summary(terminalreporter: pytest.TerminalReporter) -> None:
    """Say in a line each which tests ran twice, which programs were missing, what that left out."""
    for report in terminalreporter.getreports("rerun"):
        terminalreporter.write_line(f"failed once, and ran again: {report.nodeid}")
    reports = terminalreporter.getreports("skipped")
    counts = count_missing(str(report.longrepr[-1]) for report in reports if report.longrepr)
    for name, count in counts.most_common():
        package = PROGRAMS[name].package
        terminalreporter.write_line(
            f"{name} is missing (Debian's package: {package}); tests left out: {count}"
        )
