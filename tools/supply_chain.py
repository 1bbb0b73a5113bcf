"""`./run audit` and `./run sbom`: what we depend on, and whether a hole in it is known.

The audit asks an OSV database (https://osv.dev) about every package of a lock file. It fails when a
package was not answered for, and when the database does not know a hole that has been public for
years: a source that sees nothing is no good news.
"""

import argparse
import json
import re
import sys
import urllib.error
import urllib.request
from importlib import metadata
from pathlib import Path
from typing import Any, NamedTuple

ROOT = Path(__file__).parent.parent
OSV = "https://api.osv.dev"
# Known since 2014 (CVE-2014-1402): the answer must have something on it.
CONTROL = ("jinja2", "2.4.1")
HOLES, BLIND = 1, 2
_PIN = re.compile(r"^([A-Za-z0-9._-]+)(?:\[[^]]*\])?==([^\s;\\]+)")
_HASH = re.compile(r"--hash=(sha256):([0-9a-f]{64})")


class Package(NamedTuple):
    """One pinned package with the hashes of its files."""

    name: str
    version: str
    hashes: tuple[str, ...]


class Blind(Exception):
    """The audit could not see everything."""


def pinned(lock: Path) -> list[Package]:
    """Every package of a lock file. Raises Blind for a line that cannot be read."""
    found: list[Package] = []
    for entry in lock.read_text("utf-8").replace("\\\n", " ").splitlines():
        text = entry.partition("#")[0].strip()
        if not text:
            continue
        match = _PIN.match(text)
        if match is None:
            raise Blind(f"{lock.name}: cannot read `{text[:60]}`")
        hashes = tuple(value for _, value in _HASH.findall(entry))
        found.append(Package(match[1].lower(), match[2], hashes))
    return found


def holes(packages: list[Package], base: str) -> dict[str, list[str]]:
    """Known holes by `name==version`. Raises Blind when an answer is missing."""
    asked = [*((p.name, p.version) for p in packages), CONTROL]
    queries = [
        {"package": {"name": name, "ecosystem": "PyPI"}, "version": version}
        for name, version in asked
    ]
    results = _post(f"{base}/v1/querybatch", {"queries": queries}).get("results")
    if not isinstance(results, list) or len(results) != len(queries):
        raise Blind("the database did not answer for every package")
    found: dict[str, list[str]] = {}
    for (name, version), result in zip(asked, results, strict=True):
        if not isinstance(result, dict):
            raise Blind(f"no answer for {name} {version}")
        if ids := [hole["id"] for hole in result.get("vulns", [])]:
            found[f"{name}=={version}"] = ids
    if not found.pop("==".join(CONTROL), None):
        raise Blind(f"the database knows nothing of {'=='.join(CONTROL)}, so it sees too little")
    return found


def sbom(packages: list[Package]) -> dict[str, Any]:
    """The packages as a CycloneDX 1.5 document."""
    return {
        "bomFormat": "CycloneDX",
        "specVersion": "1.5",
        "version": 1,
        "metadata": {"component": {"type": "application", "name": "endcap", "version": _own()}},
        "components": [_component(package) for package in packages],
    }


def _component(package: Package) -> dict[str, Any]:
    component: dict[str, Any] = {
        "type": "library",
        "name": package.name,
        "version": package.version,
        "purl": f"pkg:pypi/{package.name}@{package.version}",
        "hashes": [{"alg": "SHA-256", "content": value} for value in package.hashes],
    }
    licence = _licence(package.name)
    if licence:
        component["licenses"] = [{"license": {"name": licence}}]
    return component


def _licence(name: str) -> str:
    try:
        about = metadata.metadata(name)
    except metadata.PackageNotFoundError:
        return ""
    trove = [c.rpartition(" :: ")[2] for c in about.get_all("Classifier", []) if "License" in c]
    given = about.get("License-Expression") or " / ".join(trove) or about.get("License") or ""
    return str(given).splitlines()[0][:100] if given else ""


def _own() -> str:
    text = (ROOT / "pyproject.toml").read_text("utf-8")
    found = re.search(r'^version = "([^"]+)"', text, re.MULTILINE)
    return found[1] if found else "0"


def _post(url: str, body: object) -> dict[str, Any]:
    request = urllib.request.Request(  # noqa: S310 - the address is the caller's own option
        url, json.dumps(body).encode(), {"content-type": "application/json"}
    )
    try:
        with urllib.request.urlopen(request, timeout=30) as answer:  # noqa: S310
            found = json.load(answer)
    except (urllib.error.URLError, OSError, ValueError) as error:
        raise Blind(f"{url}: {error}") from error
    return found if isinstance(found, dict) else {}


def main(arguments: list[str]) -> int:
    """Run a command; 0 all well, 1 holes are known, 2 not everything could be seen."""
    parser = argparse.ArgumentParser(prog="./run")
    parser.add_argument("command", choices=["audit", "sbom"])
    parser.add_argument("--lock", type=Path, default=ROOT / "requirements" / "base.txt")
    parser.add_argument("--osv", default=OSV, help="address of the OSV database")
    options = parser.parse_args(arguments)
    try:
        packages = pinned(options.lock)
        if not packages:
            raise Blind(f"{options.lock} names no package")  # noqa: TRY301
        if options.command == "sbom":
            print(json.dumps(sbom(packages), indent=1))
            return 0
        found = holes(packages, options.osv)
    except Blind as error:
        print(f"audit: {error}", file=sys.stderr)
        return BLIND
    for name, ids in found.items():
        print(f"{name}: {', '.join(ids)}")
    print(f"{len(packages)} packages asked for, {len(packages)} answered, {len(found)} with holes")
    return HOLES if found else 0


if __name__ == "__main__":
    sys.exit(main(sys.argv[1:]))
