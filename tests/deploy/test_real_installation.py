from __future__ import annotations

import os
import re
import shutil
import subprocess
import sys
from pathlib import Path

import pytest

from deploy.installation import preflight, release
from deploy.installation.machine import Failed
from purelymanage.environment import BASE_DIR
from tests.imap.certificates import make_certificates
from tests.imap.packages import is_installed

SBIN = f"{os.environ.get('PATH', '')}:/usr/sbin:/sbin"
NEEDED = ("unshare", "runuser", "ip")
# From in there nothing can be fetched; deploy/checks.py installs them.
PACKAGES = ("ca-certificates", "python3-venv", "postgresql")
WITH_NGINX = "--certificate {folder}/server.pem --certificate-key {folder}/server.key"
UNSHARE = ("unshare", "--mount", "--pid", "--net", "--ipc", "--fork", "--kill-child")
# A copy of this machine that only its own processes see, which ends with them: its
# changes lie in memory, and its network leads nowhere.
ROOM = """
set -eu
room=$1; shift
mount -t tmpfs tmpfs "$room"
mkdir "$room/changes" "$room/work" "$room/tree"
mount -t overlay -o "lowerdir=/,upperdir=$room/changes,workdir=$room/work" \
  overlay "$room/tree" || exit 77
[ -f "$room/tree$PWD/manage.py" ] || exit 77
mount --rbind /dev "$room/tree/dev"
mount -t proc proc "$room/tree/proc"
mount -t tmpfs tmpfs "$room/tree/run"
ip link set lo up
# The panel's user has to reach the packages of the tests, which are taken for its own.
for path in "$@"; do
  while [ "$path" != / ]; do
    chmod o+x "$room/tree$path"
    path=$(dirname "$path")
  done
done
exec chroot "$room/tree" /bin/sh -eu -c "cd $PWD; $INSIDE"
"""
INSIDE = """
mkdir -p {venvs} /run/postgresql
chown postgres /run/postgresql
ln -s {packages} {venv}
touch {venv}/.complete
mkdir /src
cp -r {content} /src
cd /run
echo pm-live-only-for-tests >token
mkdir /etc/purelymanage
echo '#!/bin/sh' >/etc/purelymanage/before-start
echo 'cp var/static/staticfiles.json /run/uploaded' >>/etc/purelymanage/before-start
chmod +x /etc/purelymanage/before-start
umask 077
/src/deploy/install --domain panel.example.org --token-file token {web}
echo ==== once more
/src/deploy/install
echo ==== afterwards
purelymanage create_owner owner@example.org --random
stat -c '%n %a %U' /etc/purelymanage/env /etc/purelymanage/secrets/* \
  /opt/purelymanage/current/purelymanage/settings.py
ls /opt/purelymanage/current/var/static/staticfiles.json /run/uploaded
echo only-for-tests >/etc/purelymanage/secrets/BACKUP
chown purelymanage /etc/purelymanage/secrets/BACKUP
cd /var/lib/purelymanage
/opt/purelymanage/current/deploy/backup --to saved \
  --passphrase-file /etc/purelymanage/secrets/BACKUP
stat -c '%U %F' saved/*
runuser -u postgres -- psql -tAc "SELECT 'role', rolpassword IS NULL, rolsuper
  FROM pg_authid WHERE rolname = 'purelymanage'"
"""


@pytest.mark.slow
def test_it_installs_and_installs_again(tmp_path: Path) -> None:
    missing = [name for name in NEEDED if not shutil.which(name, path=SBIN)]
    missing += [name for name in PACKAGES if not is_installed(name)]
    if os.geteuid() != 0 or missing:
        pytest.skip(f"needs {', '.join(['root', *missing])}")
    if subprocess.run([*UNSHARE, "true"], capture_output=True, check=False).returncode:
        pytest.skip("this machine lets nobody have a network of their own")
    try:
        system = preflight.system()
    except Failed as exc:
        pytest.skip(str(exc))
    make_certificates(tmp_path)
    venv = release.venv_for(system.name)
    packages = Path(sys.prefix)
    inside = INSIDE.format(
        venv=venv,
        venvs=venv.parent,
        packages=packages,
        content=" ".join(release.CONTENT),
        web=WITH_NGINX.format(folder=tmp_path)
        if is_installed("nginx")
        else "--no-nginx",
    )
    (tmp_path / "room").mkdir()
    reached = (packages, packages.joinpath("bin/python").resolve())
    done = subprocess.run(
        [*UNSHARE, "sh", "-c", ROOM, "sh", tmp_path / "room", *reached],
        cwd=BASE_DIR,
        env={"PATH": SBIN, "INSIDE": inside, "PYTHONDONTWRITEBYTECODE": "1"},
        stdin=subprocess.DEVNULL,
        stdout=subprocess.PIPE,
        stderr=subprocess.STDOUT,
        text=True,
        check=False,
    )
    if done.returncode == 77:
        pytest.skip("this machine cannot be laid over by another file system")
    assert done.returncode == 0, done.stdout

    first, again, afterwards = done.stdout.split("====")
    assert "pm-live-only-for-tests" not in done.stdout
    assert re.search(r"^  write     .*/secrets/ENCRYPTION_KEYS", first, re.MULTILINE)
    # The second time, everything is as it is but for what is always looked at.
    changed = re.findall(r"^  (?:make|write|copy|link) .*", again, re.MULTILINE)
    assert changed == []
    for name in ("env", "secrets/SECRET_KEY", "secrets/AUDIT_KEY"):
        assert f"/etc/purelymanage/{name} 600 purelymanage\n" in afterwards
    assert "settings.py 644 root\n" in afterwards
    assert "staticfiles.json\n/run/uploaded\n" in afterwards
    assert "purelymanage regular file\n" in afterwards
    # Without a password: whoever is that user may be that role.
    assert "role|t|f" in afterwards
    assert not Path("/opt/purelymanage/current").exists()
