from __future__ import annotations

import socket
from collections.abc import Iterator
from pathlib import Path
from unittest import mock

import pytest
from django.db import OperationalError

from purelymanage import service_manager
from purelymanage.broker import PulsingBroker
from purelymanage.watched_worker import WatchedWorker


@pytest.fixture
def manager(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Iterator[socket.socket]:
    """What systemd listens at."""
    monkeypatch.setattr(service_manager, "_told_at", {})
    with socket.socket(socket.AF_UNIX, socket.SOCK_DGRAM) as listener:
        listener.bind(str(tmp_path / "notify"))
        listener.settimeout(0)
        monkeypatch.setenv("NOTIFY_SOCKET", str(tmp_path / "notify"))
        yield listener


def told(manager: socket.socket) -> list[str]:
    states = []
    while True:
        try:
            states.append(manager.recv(1000).decode())
        except BlockingIOError:
            return states


def test_a_loop_tells_now_and_then(manager: socket.socket) -> None:
    with mock.patch("purelymanage.service_manager.time.monotonic") as clock:
        for clock.return_value in (100.0, 100.1, 104.9, 105.0):
            service_manager.tell_now_and_then(service_manager.ALIVE)
    assert told(manager) == ["WATCHDOG=1", "WATCHDOG=1"]


def test_nobody_has_to_listen(monkeypatch: pytest.MonkeyPatch, tmp_path: Path) -> None:
    monkeypatch.setenv("NOTIFY_SOCKET", str(tmp_path / "nothing"))
    service_manager.tell(service_manager.READY)
    monkeypatch.delenv("NOTIFY_SOCKET")
    service_manager.tell(service_manager.READY)


def test_an_abstract_name_is_one(monkeypatch: pytest.MonkeyPatch) -> None:
    with socket.socket(socket.AF_UNIX, socket.SOCK_DGRAM) as listener:
        listener.bind("\0purelymanage-test-notify")
        listener.settimeout(0)
        monkeypatch.setenv("NOTIFY_SOCKET", "@purelymanage-test-notify")
        service_manager.tell(service_manager.READY)
        assert told(listener) == ["READY=1"]


@pytest.mark.django_db
def test_a_cluster_is_alive_while_the_database_is_away(manager: socket.socket) -> None:
    broker = PulsingBroker()
    away = mock.patch.object(broker, "_dequeue", side_effect=OperationalError)
    closing = mock.patch("purelymanage.broker.connection")
    with away, closing, mock.patch("purelymanage.broker.time.sleep"):
        assert broker.dequeue() is None
    assert told(manager) == ["READY=1\nWATCHDOG=1"]


def test_the_web_server_is_alive_while_it_accepts_requests(
    manager: socket.socket,
) -> None:
    worker = WatchedWorker.__new__(WatchedWorker)
    worker.tmp = mock.Mock()
    worker.notify()
    worker.tmp.notify.assert_called_once_with()
    assert told(manager) == ["WATCHDOG=1"]
