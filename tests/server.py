"""The real program as a process: started on a free port, killed or stopped by its own id."""

import contextlib
import json
import os
import signal
import subprocess
import sys
from pathlib import Path

SOURCE = Path(__file__).parent.parent / "src"


def command(*arguments, **options):
    """`endcap …` to its end, with what it printed."""
    return subprocess.run(
        [sys.executable, "-c", "from endcap.cli import main; main()", *map(str, arguments)],
        capture_output=True,
        text=True,
        check=False,
        timeout=options.pop("timeout", 120),
        env=environment(options.pop("env", {})),
        **options,
    )


def environment(extra):
    kept = {k: v for k, v in os.environ.items() if not k.startswith(("ENDCAP_", "COV_"))}
    return {**kept, "PYTHONPATH": str(SOURCE), **extra}


class Server:
    """One `endcap serve` or `endcap demo`."""

    def __init__(self, *arguments, env=None):
        self.process = subprocess.Popen(
            [sys.executable, "-c", "from endcap.cli import main; main()", *map(str, arguments)],
            stdout=subprocess.PIPE,
            stderr=subprocess.PIPE,
            text=True,
            env=environment(env or {}),
        )

    @property
    def pid(self):
        return self.process.pid

    def url(self):
        """The address, once the server answers; its JSON line says it."""
        for line in self.process.stdout:
            with contextlib.suppress(ValueError, KeyError, TypeError):
                return json.loads(line)["url"]
        raise AssertionError(f"it did not come up: {self.process.stderr.read()[-2000:]}")

    def memory(self):
        """Resident bytes."""
        pages = Path(f"/proc/{self.pid}/statm").read_text().split()[1]
        return int(pages) * os.sysconf("SC_PAGE_SIZE")

    def kill(self):
        self.process.send_signal(signal.SIGKILL)
        self.process.communicate()

    def stop_when_done(self):
        """Wait for its own end and return its exit code."""
        self.output = self.process.communicate(timeout=60)
        return self.process.returncode

    def stop(self):
        """Ask it to stop and return its exit code."""
        if self.process.poll() is None:
            self.process.send_signal(signal.SIGTERM)
        try:
            self.output = self.process.communicate(timeout=60)
        except subprocess.TimeoutExpired:
            self.kill()
            raise
        return self.process.returncode


@contextlib.contextmanager
def serving(folder, *arguments, env=None):
    """`endcap serve` on a free port; gives the server and its address."""
    server = Server("serve", "--port", 0, "--json", "--data", folder, *arguments, env=env)
    try:
        yield server, server.url()
    finally:
        server.stop()
