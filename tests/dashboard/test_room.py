from __future__ import annotations

from pathlib import Path
from tempfile import TemporaryDirectory
from unittest import mock

from django.db.backends.postgresql.base import DatabaseWrapper
from django.test import SimpleTestCase

from purelymanage.dashboard import machine


class RoomTests(SimpleTestCase):
    def room(self, host: str, free: int) -> bool:
        where = mock.patch.object(
            DatabaseWrapper, "get_connection_params", return_value={"host": host}
        )
        usage = mock.Mock(free=free)
        with where, mock.patch("shutil.disk_usage", return_value=usage) as self.asked:
            return machine.database_has_room()

    def test_the_disk_beside_the_socket_is_looked_at(self) -> None:
        with TemporaryDirectory() as folder:
            data = Path(folder) / "data"
            data.mkdir()
            socket = str(data.parent / "socket")
            self.assertTrue(self.room(socket, machine.NO_ROOM))
            self.assertFalse(self.room(socket, machine.NO_ROOM - 1))
            self.asked.assert_called_once_with(data)

    def test_nobody_knows_the_disk_of_another_machine(self) -> None:
        self.assertTrue(self.room("db.example.org", 0))
        self.asked.assert_not_called()
