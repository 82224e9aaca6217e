"""What all tests share. No test reaches beyond this machine."""

from collections.abc import Generator, Iterator

import fakeredis
import pytest
import redis

from tests import harness, once, sharing
from tests.browser import launch_arguments
from tests.harness import RedisServer, start_redis


@pytest.hookimpl(tryfirst=True)
def pytest_configure(config: pytest.Config) -> None:
    """Sockets reach this machine only, so a test that would call Stripe fails at once."""
    config.option.allow_hosts = "127.0.0.1,::1,localhost"
    config.option.allow_unix_socket = True
    once.build_once()


def pytest_collection_modifyitems(items: list[pytest.Item]) -> None:
    """What takes longest is begun first, and what a browser did too late is tried once more."""
    items[:] = sharing.sort(items)
    for item in items:
        if "browser" in getattr(item, "fixturenames", ()):
            item.add_marker(pytest.mark.flaky(reruns=1))


def pytest_xdist_auto_num_workers() -> int:
    """What ``-n auto`` means."""
    return sharing.workers()


def pytest_xdist_make_scheduler(config: pytest.Config, log: object) -> sharing.Units:
    """How tests are handed to the processes of ``-n``."""
    return sharing.Units(config, log)


@pytest.hookimpl(wrapper=True)
def pytest_runtest_makereport(
    item: pytest.Item, call: pytest.CallInfo[None]
) -> Generator[None, pytest.TestReport, pytest.TestReport]:
    """A failed test shows what the processes beside it said last."""
    report = yield
    if report.when == "call" and report.failed:
        said = [(process.name, process.log[-harness.LOG_SHOWN :]) for process in harness.running]
        report.sections.extend(said)
    return report


def pytest_sessionfinish(session: pytest.Session) -> None:
    """A skipped test counts as a failed one: what is not tested is not known."""
    reporter = session.config.pluginmanager.get_plugin("terminalreporter")
    if reporter and reporter.stats.get("skipped") and session.exitstatus == 0:
        session.exitstatus = pytest.ExitCode.TESTS_FAILED


def pytest_terminal_summary(terminalreporter: pytest.TerminalReporter) -> None:
    """What a test has to tell is shown, passed or failed, captured or in another process."""
    for reports in ("passed", "failed"):
        for report in terminalreporter.getreports(reports):
            for name, value in report.user_properties:
                if name == "told":
                    terminalreporter.write_line(str(value))


@pytest.fixture(scope="session")
def browser_type_launch_args() -> dict[str, object]:
    """How pytest-playwright launches the browser."""
    return launch_arguments()


@pytest.fixture(scope="session")
def redis_server() -> Iterator[RedisServer]:
    """A real Redis of this test run alone, with an append-only file; empty it before use."""
    with start_redis() as server:
        yield server


@pytest.fixture
def real_client(redis_server: RedisServer) -> Iterator[redis.Redis]:
    """A client of the real server, emptied."""
    with redis_server.client() as client:
        client.flushall()
        client.script_flush()
        yield client


@pytest.fixture(params=["fakeredis", "real"])
def redis_client(request: pytest.FixtureRequest) -> Iterator[redis.Redis]:
    """An empty Redis: once fakeredis with real Lua, once a real server."""
    if request.param == "real":
        yield request.getfixturevalue("real_client")
        return
    with fakeredis.FakeRedis(
        server=fakeredis.FakeServer(version=(7, 0)), decode_responses=True
    ) as client:
        yield client


@pytest.fixture
def store(redis_client: redis.Redis) -> object:
    """An empty shop's storage, on fakeredis and on a real server."""
    from storefront.storage.store import open_store

    return open_store(redis_client, "test")
