"""Programs of Node: the packages of `node/package-lock.json`, installed once per state of it."""

import hashlib
import os
import shutil
import subprocess
import sys
import tempfile
from pathlib import Path

import pytest

from servers import IN_CI, program

HERE = Path(__file__).parent / "node"


@pytest.fixture(scope="session")
def node():
    """Runs a script of `node/`: gives the command that does."""
    program("node")
    npm = program("npm")
    scripts = sorted(HERE.glob("*.mjs"))
    packages = [HERE / "package.json", HERE / "package-lock.json"]
    state = hashlib.sha256(b"\0".join(f.read_bytes() for f in packages)).hexdigest()
    folder = Path(sys.prefix) / "node" / state[:16]
    if not (folder / "node_modules").is_dir():
        _install(npm, folder, packages)
    for script in scripts:
        shutil.copy(script, folder)  # modules are looked for beside the script

    def command(script, *arguments):
        return ["node", str(folder / script), *map(str, arguments)]

    return command


def _install(npm, folder, files):
    folder.parent.mkdir(parents=True, exist_ok=True)
    # Made beside it and then renamed, so that a torn installation is never used.
    made = Path(tempfile.mkdtemp(dir=folder.parent))
    for file in files:
        shutil.copy(file, made)
    options = ("--ignore-scripts", "--no-audit", "--no-fund", "--no-update-notifier")
    ran = subprocess.run(
        [npm, "ci", *options],
        cwd=made,
        capture_output=True,
        text=True,
        timeout=240,
        check=False,
        env={**os.environ, "npm_config_cache": str(folder.parent / "cache")},
    )
    if ran.returncode:
        shutil.rmtree(made)
        message = f"the packages of Node cannot be installed: {ran.stderr[-500:]}"
        if IN_CI:
            pytest.fail(message)
        pytest.skip(message)
    for other in folder.parent.glob("????????????????"):
        shutil.rmtree(other, ignore_errors=True)  # of an earlier state
    made.rename(folder)
