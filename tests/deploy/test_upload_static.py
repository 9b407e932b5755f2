from __future__ import annotations

import os
import subprocess
from pathlib import Path

from purelymanage.environment import BASE_DIR
from tests.requirements import require_program


def test_hashed_files_are_copied_and_no_others(tmp_path: Path) -> None:
    require_program("rclone")
    collected, bucket = tmp_path / "static", tmp_path / "bucket"
    (collected / "css").mkdir(parents=True)
    for name in (
        *("staticfiles.json", "css/base.css", "css/base.0123456789ab.css"),
        *("css/base.0123456789ab.css.gz", "icon.0123456789ab.svg"),
    ):
        (collected / name).write_text(name)
    subprocess.run(
        [BASE_DIR / "deploy" / "upload-static", str(bucket), "--quiet"],
        env={"PATH": os.environ["PATH"], "STATIC_ROOT": str(collected), "HOME": "/"},
        check=True,
    )
    found = {str(it.relative_to(bucket)) for it in bucket.rglob("*") if it.is_file()}
    assert found == {"css/base.0123456789ab.css", "icon.0123456789ab.svg"}
