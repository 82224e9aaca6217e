"""A rehearsal plays a whole drop, tells how it went, and leaves nothing behind."""

import json
import os
import signal
import subprocess
import sys
from collections import Counter
from pathlib import Path

import fakeredis
import pytest
import redis

from storefront.domain.catalogue_file import read_catalogue
from storefront.domain.orders import State
from storefront.domain.products import Level
from storefront.rehearsal import crowd, processes
from storefront.rehearsal.crowd import Told
from storefront.rehearsal.drop import Played
from storefront.rehearsal.processes import CannotRehearse, environment, shop_id_for
from storefront.settings import load_settings
from storefront.storage.clearing import REHEARSAL, clear, left
from storefront.storage.store import open_store
from tests.contest.market import catalogue
from tests.harness import ROOT, RedisServer, clean_environment, runs, wait_until

GOOD = [{"name": "I1", "ok": True, "detail": ""}]


def shop_command(env: dict[str, str], *arguments: str) -> subprocess.Popen[str]:
    return subprocess.Popen(
        [sys.executable, "-m", "flask", "--app", "wsgi", "shop", *arguments],
        cwd=ROOT,
        env=env,
        stdout=subprocess.PIPE,
        stderr=subprocess.PIPE,
        text=True,
    )


def run(env: dict[str, str], *arguments: str) -> tuple[int, str, str]:
    process = shop_command(env, *arguments)
    out, err = process.communicate(timeout=120)
    return process.returncode, out, err


@pytest.fixture
def env(redis_server: RedisServer, real_client: redis.Redis, tmp_path: Path) -> dict[str, str]:
    """An installation with twenty posters and thirty zines."""
    found = {
        **clean_environment(tmp_path),
        "REDIS_URL": redis_server.url,
        "STRIPE_SECRET_KEY": "sk_live_never",
        "STRIPE_WEBHOOK_SECRET": "whsec_x",
        "STRIPE_API_BASE": "http://127.0.0.1:9",
        "WEB_CONCURRENCY": "1",
    }
    file = tmp_path / "catalogue.toml"
    file.write_text(catalogue({"poster": 20, "zine": 30}))
    # No Stripe is there to be asked whether the shop has sold before, so its goods come by hand.
    products = read_catalogue(file.read_text(), "usd", []).products
    open_store(real_client, "popup").scripts.publish_catalogue(
        {product.slug: json.dumps(product.to_json()) for product in products},
        {"poster": 20, "zine": 30},
        version="1",
        who="tests",
    )
    return found


def picture(server: RedisServer) -> dict[bytes, bytes]:
    """Every key with its value."""
    with redis.Redis.from_url(server.url) as client:
        return {name: client.dump(name) for name in client.scan_iter()}


def test_sixty_shoppers_play_a_drop_that_adds_up_and_leaves_nothing(
    env: dict[str, str], redis_server: RedisServer
) -> None:
    before = picture(redis_server)
    code, out, err = run(env, "rehearse", "--shoppers", "60", "--seed", "7", "--json")
    found = json.loads(out)
    assert (code, found["ok"]) == (0, True), (found, err)
    assert found["shoppers"] == 60
    assert found["held"] + found["refused"] == 60
    assert found["sold"] >= 1
    assert sum(row["stocked"] for row in found["stock"]) == 50
    assert sum(row["held"] for row in found["stock"]) == 0
    assert set(found["ways"]) == set(crowd.WAYS)
    asked_back = found["ways"]["pay and ask back"] - found["too_slow"]
    assert found["refunded"] >= max(1, asked_back)
    assert found["orders"]["refunded"] == found["refunded"]
    assert found["checks"] > 10
    assert 0 < found["checkout_ms"]["p50"] <= found["checkout_ms"]["p99"]
    assert found["keys_deleted"] > 60
    assert "60 of 60 shoppers" in err
    assert picture(redis_server) == before, "the real shop's own keys, and no other"


def test_one_that_is_told_to_end_leaves_nothing_either(
    env: dict[str, str], redis_server: RedisServer, real_client: redis.Redis
) -> None:
    before = picture(redis_server)
    process = shop_command(env, "rehearse", "--shoppers", "3000")
    tasks = Path(f"/proc/{process.pid}/task")

    def plays() -> bool:
        return any("rehearsal" in name and ":order:" in name for name in real_client.scan_iter())

    wait_until(plays, "shoppers have come")
    children = [int(pid) for one in tasks.glob("*/children") for pid in one.read_text().split()]
    assert len(children) == 3, "stand-in, gunicorn, worker"
    process.send_signal(signal.SIGTERM)
    process.communicate(timeout=90)
    assert process.returncode == 143
    assert not [pid for pid in children if runs(pid)]
    assert picture(redis_server) == before


def test_in_production_and_while_somebody_buys_it_must_be_wanted(
    env: dict[str, str], real_client: redis.Redis
) -> None:
    real_client.zadd("{popup}:holds", {"o1": 1})
    code, _, err = run(env, "rehearse", "--shoppers", "1")
    assert code == 1
    assert "1 shoppers hold units just now" in err
    assert not [name for name in real_client.scan_iter() if "rehearsal" in name]


def test_a_live_key_is_never_used(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    for name, value in clean_environment(tmp_path).items():
        monkeypatch.setenv(name, value)
    monkeypatch.setenv("STRIPE_SECRET_KEY", "sk_live_x")
    monkeypatch.setenv("SMTP_URL", "smtp://mail.example")
    settings = load_settings(dict(os.environ), tmp_path)
    found = environment(settings, "redis://127.0.0.1:1", tmp_path, "a", (1, 2), 10)
    assert found["STRIPE_SECRET_KEY"] == processes.KEY
    assert found["STRIPE_API_BASE"] == "http://127.0.0.1:2"
    assert found["SMTP_URL"] == "", "no mail leaves"
    monkeypatch.setattr(processes, "KEY", "sk_live_x")
    with pytest.raises(CannotRehearse, match="never talks to Stripe"):
        environment(settings, "redis://127.0.0.1:1", tmp_path, "a", (1, 2), 10)


def test_only_a_rehearsal_s_keys_are_deleted() -> None:
    client = fakeredis.FakeRedis(decode_responses=True)
    mine, other = shop_id_for("popup"), shop_id_for("popup")
    assert REHEARSAL.fullmatch(shop_id_for("x" * 64))
    for number in range(1200):
        client.set(f"{{{mine}}}:key-{number}", "1")
    client.set(f"{{{other}}}:stock", "1")
    client.set("{popup}:stock", "1")
    assert clear(client, mine) == 1200
    assert sorted(client.keys()) == sorted([f"{{{other}}}:stock", "{popup}:stock"])
    for real in ("popup", "popup-rehearsal-", f"{mine}*", "*"):
        with pytest.raises(ValueError, match="no rehearsal"):
            clear(client, real)


def played(**changes: object) -> Played:
    fine = {
        "told": Told(),
        "levels": [Level("a", 1, 0, 2, 0, 3)],
        "orders": {State.PAID: 2},
        "sold": 2,
        "refunded": 0,
        "rested": True,
        "checks": GOOD,
        "seconds": 1.0,
        "keys": 9,
        "forgotten": 0,
    }
    return Played(**{**fine, **changes})  # type: ignore[arg-type]


def test_all_well_is_well() -> None:
    assert played().well


@pytest.mark.parametrize(
    "changes",
    [
        {"levels": [Level("a", 1, 0, 3, 0, 3)]},
        {"checks": []},
        {"checks": [{"name": "I1", "ok": False, "detail": "a: -1"}]},
        {"rested": False},
        {"forgotten": 1},
        {"told": Told(wrong=Counter({"checkout 500": 1}))},
    ],
    ids=["equation", "no audit", "audit", "not at rest", "a key left", "wrong answer"],
)
def test_each_thing_that_goes_wrong_is_told(changes: dict[str, object]) -> None:
    assert not played(**changes).well


def test_a_key_left_behind_is_found() -> None:
    client = fakeredis.FakeRedis(decode_responses=True)
    mine = shop_id_for("popup")
    assert left(client, mine) == []
    client.set(f"{{{mine}}}:late", "1")
    assert left(client, mine) == [f"{{{mine}}}:late"]
