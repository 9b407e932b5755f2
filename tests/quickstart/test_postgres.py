from __future__ import annotations

import os
import shutil
import stat
import tempfile
from collections.abc import Iterator
from pathlib import Path

import psycopg
import pytest

from purelymanage.quickstart.postgres import LONGEST_SOCKET, Cluster


@pytest.fixture
def home() -> Iterator[Path]:
    """A folder that every user can pass through."""
    folder = Path(tempfile.mkdtemp(prefix="purelymanage-"))
    folder.chmod(0o711)
    yield folder / "postgres"
    shutil.rmtree(folder)


def cluster_in(home: Path) -> Cluster:
    return Cluster(home, log=home.parent / "postgres.log", durable=False)


@pytest.fixture
def cluster(home: Path) -> Iterator[Cluster]:
    cluster = cluster_in(home)
    yield cluster
    cluster.stop()
    cluster.remove()


def ask(cluster: Cluster, question: str) -> str:
    with psycopg.connect(cluster.url("panel"), autocommit=True) as connection:
        row = connection.execute(question.encode()).fetchone()
    assert row is not None
    return str(row[0])


@pytest.mark.slow
def test_it_keeps_the_data_from_start_to_start(cluster: Cluster, home: Path) -> None:
    cluster.start()
    cluster.create_database("panel")
    cluster.create_database("panel")
    with psycopg.connect(cluster.url("panel")) as connection:
        connection.execute("CREATE TABLE kept AS SELECT 1")
    cluster.stop()
    assert not (cluster.data / "postmaster.pid").exists()

    again = cluster_in(home)
    again.start()
    assert ask(again, "SELECT count(*) FROM kept") == "1"
    assert ask(again, "SHOW server_encoding") == "UTF8"
    assert ask(again, "SELECT lower('ÄÖ')") == "äö"
    again.stop()


@pytest.mark.slow
def test_it_listens_on_nothing_but_a_closed_socket(cluster: Cluster) -> None:
    cluster.start()
    cluster.create_database("panel")
    assert ask(cluster, "SHOW listen_addresses") == ""
    assert stat.S_IMODE(cluster.sockets.stat().st_mode) == 0o700
    assert stat.S_IMODE(cluster.data.stat().st_mode) == 0o700


@pytest.mark.slow
def test_it_starts_again_after_it_was_killed(cluster: Cluster) -> None:
    child = cluster.start()
    child.kill()
    # By now, the number in the file may be that of somebody else: here, it is ours.
    lock = cluster.data / "postmaster.pid"
    lines = lock.read_text().splitlines(keepends=True)
    lock.write_text("".join([f"{os.getpid()}\n", *lines[1:]]))
    cluster.start()
    cluster.create_database("panel")
    assert ask(cluster, "SELECT 1") == "1"


@pytest.mark.slow
def test_it_ends_a_server_that_was_left_behind(cluster: Cluster, home: Path) -> None:
    left = cluster.start()
    again = cluster_in(home)
    again.start()
    assert not left.is_alive()
    again.stop()


@pytest.mark.slow
def test_a_half_made_cluster_is_made_anew(cluster: Cluster) -> None:
    (cluster.home / "data.new").mkdir()
    cluster.data.mkdir()
    (cluster.data / "base").mkdir()
    cluster.start()
    cluster.create_database("panel")


@pytest.mark.slow
def test_a_path_too_long_for_a_socket(home: Path) -> None:
    cluster = cluster_in(home.with_name("long" * 25))
    cluster.start()
    assert len(str(cluster.sockets)) < LONGEST_SOCKET
    assert cluster.url("panel").startswith("postgres://postgres@/panel?host=/tmp/")
    cluster.create_database("panel")
    cluster.stop()
    assert not cluster.sockets.exists()
    cluster.remove()


@pytest.mark.slow
def test_no_process_of_it_belongs_to_root(cluster: Cluster) -> None:
    child = cluster.start()
    lines = Path(f"/proc/{child.pid}/status").read_text().splitlines()
    status = {
        name: rest.split() for name, _, rest in (it.partition(":") for it in lines)
    }
    # Only root starts it as somebody else, who is in no group.
    owner = os.geteuid() or cluster.uid
    assert owner
    assert status["Uid"] == [str(owner)] * 4
    assert status["Groups"] == (
        [] if cluster.uid else [str(it) for it in os.getgroups()]
    )


@pytest.mark.slow
def test_closed_folders_stay_closed(home: Path) -> None:
    closed = home.parent / "closed"
    closed.mkdir(mode=0o700)
    cluster = cluster_in(closed / "postgres")
    try:
        cluster.start()
        cluster.create_database("panel")
        assert stat.S_IMODE(closed.stat().st_mode) == 0o700
        # Whoever closed it may enter, unless that is root, whose server may not.
        assert (closed in cluster.data.parents) == (os.geteuid() != 0)
        elsewhere = cluster.home
        cluster.stop()
        # The same folder again, and not yet another one.
        assert cluster_in(closed / "postgres").home == elsewhere
    finally:
        cluster.stop()
        cluster.remove()
    assert not elsewhere.exists()
