"""The `curl` examples of the pages, run as they stand against a real server."""

import json
import re
import shutil
import subprocess
from pathlib import Path
from urllib.request import Request, urlopen

import pytest

from server import serving

ROOT = Path(__file__).parents[2]
BLOCK = re.compile(r"```sh\n(.*?)```", re.DOTALL)
# What the examples are about: the demo's products, a few of them.
PRODUCTS = ("85123A", "22423", "21733", "22470", "22804")
STATUS = "curl() { command curl -sS -o /dev/null -w '%{http_code} %{url_effective}\\n' \"$@\"; }\n"


def examples(page):
    """Blocks with curl that need nothing else, and whether they show an error on purpose."""
    text = (ROOT / page).read_text("utf-8")
    for found in BLOCK.finditer(text):
        heading = text[: found.start()].rpartition("\n## ")[2].partition("\n")[0]
        if "curl" in found[1] and not re.search(r"^endcap |\$[A-Z]", found[1], re.MULTILINE):
            yield found[1], heading


@pytest.fixture(scope="module")
def url(tmp_path_factory):
    with serving(tmp_path_factory.mktemp("docs")) as (_, address):
        for product in PRODUCTS:
            body = json.dumps({"title": f"Product {product}", "price": "1.00", "stock": 9})
            put = Request(f"{address}/v1/products/{product}", body.encode(), method="PUT")
            urlopen(put, timeout=30).close()
        yield address


@pytest.mark.skipif(shutil.which("curl") is None, reason="curl is not installed")
@pytest.mark.parametrize(
    ("page", "least"), [("README.md", 3), ("docs/api.md", 15), ("docs/operations.md", 4)]
)
def test_the_examples_work(url, page, least):
    run = 0
    for block, heading in examples(page):
        script = STATUS + block.replace("http://127.0.0.1:8400", url)
        ran = subprocess.run(
            ["bash", "-c", script], capture_output=True, text=True, timeout=60, check=False
        )
        assert ran.returncode == 0, (block, ran.stderr)
        for line in ran.stdout.splitlines():
            status = int(line.split()[0])
            wanted = range(400, 500) if "rror" in heading else range(200, 300)
            assert status in wanted, (line, block)
            run += 1
    assert run >= least
