"""What the proofs on a real server share: the server, its clients, and the figures reached."""

from collections.abc import Callable, Iterator

import pytest

from tests.harness import RedisServer, start_redis
from tests.races.clients import Clients
from tests.races.sizes import CLIENTS

Figure = Callable[[str], None]


@pytest.fixture(scope="package")
def server() -> Iterator[RedisServer]:
    """A Redis for races alone. What a crash may lose is not their subject, so it syncs rarely."""
    with start_redis(appendfsync="everysec") as server:
        yield server


@pytest.fixture(scope="package")
def clients(server: RedisServer) -> Iterator[Clients]:
    """Thirty-two clients of it."""
    with Clients(server.url, CLIENTS) as clients:
        yield clients


@pytest.fixture
def figure(request: pytest.FixtureRequest) -> Figure:
    """Print a sentence with figures once all tests are over."""
    return lambda text: request.node.user_properties.append(("races", text))


def pytest_terminal_summary(terminalreporter: pytest.TerminalReporter) -> None:
    lines = [
        str(text)
        for reports in terminalreporter.stats.values()
        for report in reports
        if isinstance(report, pytest.TestReport) and report.when == "call"
        for name, text in report.user_properties
        if name == "races"
    ]
    if lines:
        terminalreporter.section("races")
        for line in sorted(lines):
            terminalreporter.write_line(line)
