"""Compose file, Kubernetes manifests and Dockerfile: parsed, and true to the code.

No container engine runs here, so that is as far as it goes.
"""

import re
from pathlib import Path

import msgspec
import yaml

from endcap.settings import PREFIX, Settings, read_settings
from endcap.web.app import all_operations

DEPLOY = Path(__file__).parents[2] / "deploy"
NAMES = {PREFIX + field.name.upper() for field in msgspec.structs.fields(Settings)}
PATHS = {operation.path for operation in all_operations()}


def taken(environment):
    """The settings that this environment makes; refused ones raise."""
    assert environment.keys() <= NAMES
    return read_settings(None, {k: str(v) for k, v in environment.items()})


def test_the_compose_file():
    content = yaml.safe_load((DEPLOY / "compose.yaml").read_text())
    services = content["services"]
    replicas = [services[f"endcap{n}"] for n in (1, 2, 3)]
    for replica in replicas:
        settings = taken(replica["environment"])
        assert settings.store_url.startswith("postgresql://")
        assert {v.partition(":")[0] for v in replica["volumes"]} <= content["volumes"].keys()
        assert replica["depends_on"].keys() <= services.keys()
        assert int(replica["stop_grace_period"].rstrip("s")) > settings.drain_seconds + 10
    text = (DEPLOY / "haproxy.cfg").read_text()
    hosts = set(re.findall(r"server \w+ (\w+):8400", text))
    assert hosts == {f"endcap{n}" for n in (1, 2, 3)}
    assert "./haproxy.cfg:" in services["haproxy"]["volumes"][0]
    assert "bind :8080" in text
    dockerfile = replicas[0]["build"]["dockerfile"]
    assert (DEPLOY.parent / dockerfile).is_file()


def test_the_kubernetes_manifests():
    documents = list(yaml.safe_load_all((DEPLOY / "kubernetes" / "endcap.yaml").read_text()))
    by_kind = {document["kind"]: document for document in documents}
    assert all({"apiVersion", "kind", "metadata"} <= document.keys() for document in documents)
    deployment = by_kind["Deployment"]["spec"]
    pod = deployment["template"]
    labels = pod["metadata"]["labels"]
    assert deployment["selector"]["matchLabels"].items() <= labels.items()
    assert by_kind["Service"]["spec"]["selector"].items() <= labels.items()
    assert (
        by_kind["PodDisruptionBudget"]["spec"]["selector"]["matchLabels"].items() <= labels.items()
    )
    (container,) = pod["spec"]["containers"]
    ports = {port["name"]: port["containerPort"] for port in container["ports"]}
    for probe in ("startupProbe", "livenessProbe", "readinessProbe"):
        assert container[probe]["httpGet"]["path"] in PATHS
        assert container[probe]["httpGet"]["port"] in ports
    assert by_kind["Service"]["spec"]["ports"][0]["targetPort"] in ports
    settings = taken(by_kind["ConfigMap"]["data"])
    assert settings.port in ports.values()
    assert {one["name"] for one in container["env"]} <= NAMES
    volumes = {volume["name"] for volume in pod["spec"]["volumes"]}
    assert {mount["name"] for mount in container["volumeMounts"]} == volumes
    assert settings.data in {mount["mountPath"] for mount in container["volumeMounts"]}
    grace = pod["spec"]["terminationGracePeriodSeconds"]
    probe = container["readinessProbe"]
    # Unready is noticed while the replica still serves, and it ends before it is killed.
    assert probe["periodSeconds"] * (probe["failureThreshold"] + 1) <= settings.drain_seconds
    assert settings.drain_seconds + 10 < grace


def test_the_dockerfile():
    text = (DEPLOY / "Dockerfile").read_text()
    taken(dict(re.findall(r"(ENDCAP_\w+)=(\S+)", text)))
    for sources in re.findall(r"^COPY (?!--from)(.+) \S+$", text, re.MULTILINE):
        for source in sources.split():
            assert (DEPLOY.parent / source).exists(), source
    assert re.search(r"^USER 10001$", text, re.MULTILINE)
    (path,) = re.findall(r"127\.0\.0\.1:8400(/\w+)", text)
    assert path in PATHS
