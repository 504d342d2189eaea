"""The chart: helm renders it, Kubernetes' schemas and KEDA's take it, what it starts is ours."""

from __future__ import annotations

import json
import re
from typing import Any

import pytest
import yaml
from django.conf import settings

from adapters.models import Tier
from config.launch.embedded_servers import ROOT
from config.watching import own_port
from tests.deploy import tools

pytestmark = tools.needed
DEPLOY = ROOT / "config" / "deploy"
EXAMPLE = yaml.safe_load((DEPLOY / "values.example.yaml").read_text())
OPERATE = ROOT / "docs" / "operate"
SECRET_SETTINGS = sorted(
    {"SECRET_KEY", "DATABASE_URL", "DATABASE_OWNER_URL", "AWS_SECRET_ACCESS_KEY"}
    | set(
        re.findall(
            r"`([A-Z0-9_]*(?:SECRET|PASSWORD|PASSPHRASE|TOKEN)[A-Z0-9_]*)`",
            (ROOT / "README.md").read_text(),
        )
    )
)


def rendered(values: dict[str, Any]) -> Any:
    return tools.ran(
        tools.PLACE / "python", "tests/deploy/chart_tool.py", str(DEPLOY / "chart"),
        said=json.dumps(values),
    )  # fmt: skip


@pytest.fixture(scope="module")
def manifests() -> list[dict[str, Any]]:
    done = rendered(EXAMPLE)
    assert done.returncode == 0, done.stderr
    found: list[dict[str, Any]] = json.loads(done.stdout)
    return found


def of(manifests: list[dict[str, Any]], kind: str) -> dict[str, dict[str, Any]]:
    return {each["metadata"]["name"]: each for each in of_kind(manifests, kind)}


def of_kind(manifests: list[dict[str, Any]], kind: str) -> list[dict[str, Any]]:
    return [each for each in manifests if each["kind"] == kind]


def pods(manifests: list[dict[str, Any]]) -> dict[str, dict[str, Any]]:
    found = of(manifests, "Deployment") | of(manifests, "Job")
    return {name: each["spec"]["template"]["spec"] for name, each in found.items()}


def test_chart_has_every_kind_that_it_promises(manifests: list[dict[str, Any]]) -> None:
    kinds = {each["kind"] for each in manifests}
    assert kinds >= {
        "Deployment", "Job", "Service", "Ingress", "PodDisruptionBudget", "NetworkPolicy",
        "PersistentVolumeClaim", "ConfigMap", "ScaledObject", "TriggerAuthentication",
        "PodMonitor", "ScrapeConfig", "PrometheusRule",
    }  # fmt: skip


def test_pods_are_nobody_in_particular_and_keys_are_read_only(
    manifests: list[dict[str, Any]],
) -> None:
    for name, pod in pods(manifests).items():
        assert pod["securityContext"]["runAsNonRoot"] is True, name
        assert pod["automountServiceAccountToken"] is False, name
        for each in (*pod["containers"], *pod.get("initContainers", ())):
            assert each["securityContext"]["readOnlyRootFilesystem"] is True, name
            for mount in each["volumeMounts"]:
                is_shut = mount.get("readOnly", False) or "prepare" in name
                assert mount["name"] != "keys" or is_shut, name


def test_files_that_settings_name_are_in_every_container() -> None:
    said = yaml.safe_load(fences("```yaml")[0])
    values = EXAMPLE | said | {"settings": EXAMPLE["settings"] | said["settings"]}
    done = rendered(values)
    assert done.returncode == 0, done.stderr
    named = [word for word in values["settings"].values() if word.startswith("/etc/proofsheet/")]
    assert named
    for name, pod in pods(json.loads(done.stdout)).items():
        assert values["extraVolumes"][0] in pod["volumes"], name
        for each in (*pod["containers"], *pod.get("initContainers", ())):
            assert values["extraVolumeMounts"][0] in each["volumeMounts"], name


def fences(begins: str) -> list[str]:
    """What stands between such a line and the end of its fence, on the page of keys."""
    page = (OPERATE / "keys.md").read_text()
    return re.findall(rf"^{begins}\n(.*?)^```", page, re.MULTILINE | re.DOTALL)


def test_job_of_the_page_rotates_keys_once_where_they_can_be_written() -> None:
    lines = "".join(fences("```")).splitlines()
    [line] = [line for line in lines if "helm template" in line]
    [words] = re.findall(r"--set task='\{(\S+)\}'", line)
    done = rendered({**EXAMPLE, "task": words.split(",")})
    assert done.returncode == 0, done.stderr
    [job] = of_kind(json.loads(done.stdout), "Job")
    assert job["metadata"]["generateName"] == "house-rotate-keys-"
    assert job["spec"]["backoffLimit"] == 0
    pod = job["spec"]["template"]["spec"]
    assert pod["restartPolicy"] == "Never"
    [process] = pod["containers"]
    assert process["command"] == ["python", "manage.py", "rotate_keys", "--signer"]
    assert {"name": "keys", "mountPath": "/var/lib/proofsheet"} in process["volumeMounts"]
    assert (DEPLOY / "chart" / line.split("--show-only ")[1].split()[0]).exists()


def test_owner_of_the_tables_is_known_to_the_job_alone(manifests: list[dict[str, Any]]) -> None:
    knowing = {
        name
        for name, pod in pods(manifests).items()
        for source in pod["containers"][0]["envFrom"]
        if source.get("secretRef", {}).get("name") == EXAMPLE["ownerSecret"]
    }
    assert knowing == {"house-prepare-1"}


def test_workers_are_those_that_make_starts_and_have_their_time(
    manifests: list[dict[str, Any]],
) -> None:
    found = pods(manifests)
    for name, queue in (
        ("house-cpu", "cpu"), ("house-outbox", "outbox"),
        ("house-render-gpu", "gpu"), ("house-render-gpu-24g", "gpu-24g"),
    ):  # fmt: skip
        [worker] = found[name]["containers"]
        assert tools.named_by_nobody(worker["command"]) == tools.made(queue)
        said = {each["name"]: each["value"] for each in worker.get("env", ())}
        drain_s = int(said.get("DRAIN_SECONDS", settings.PROOFSHEET_DRAIN_SECONDS))
        assert found[name]["terminationGracePeriodSeconds"] == drain_s + 15


def test_probes_ask_the_port_of_their_kind(manifests: list[dict[str, Any]]) -> None:
    for name, each in of(manifests, "Deployment").items():
        [process] = each["spec"]["template"]["spec"]["containers"]
        ports = {port["name"]: port["containerPort"] for port in process["ports"]}
        assert ports["metrics"] == 9300 + own_port.PORTS[process["name"]][0], name
        asked = {process[f"{probe}Probe"]["httpGet"]["port"] for probe in ("liveness", "readiness")}
        assert asked == ({"http"} if process["name"] == "web" else {"metrics"})


def test_tiers_are_queues_and_are_scaled_as_the_page_says(manifests: list[dict[str, Any]]) -> None:
    """docs/operate/keda.yaml is the same without the chart."""
    [said] = [each for each in of(manifests, "ConfigMap").values() if "PUBLIC_URL" in each["data"]]
    assert said["data"]["HARDWARE_QUEUES"] == "gpu-24g"
    by_hand = [
        each
        for each in yaml.safe_load_all((OPERATE / "keda.yaml").read_text())
        if each["kind"] == "ScaledObject"
    ]
    found = of(manifests, "ScaledObject")
    assert len(by_hand) == len(found) == 2
    for each in by_hand:
        spec = dict(found[f"house-{each['metadata']['name']}"]["spec"])
        [ours], [theirs] = spec.pop("triggers"), each["spec"].pop("triggers")
        for name in ("query", "targetQueryValue", "sslmode", "userName", "dbName", "port"):
            assert ours["metadata"][name] == theirs["metadata"][name]
        assert spec.pop("scaleTargetRef")["name"] in of(manifests, "Deployment")
        del each["spec"]["scaleTargetRef"]
        assert spec == each["spec"]


def test_what_is_scaled_by_keda_says_no_number_of_its_own(manifests: list[dict[str, Any]]) -> None:
    deployments = of(manifests, "Deployment")
    scaled = {
        each["spec"]["scaleTargetRef"]["name"] for each in of(manifests, "ScaledObject").values()
    }
    assert {name for name, each in deployments.items() if "replicas" not in each["spec"]} == scaled
    beat = deployments["house-beat"]["spec"]
    assert (beat["replicas"], beat["strategy"]) == (1, {"type": "Recreate"})


def test_rules_and_dashboard_are_those_of_the_page(manifests: list[dict[str, Any]]) -> None:
    [rules] = of(manifests, "PrometheusRule").values()
    assert rules["spec"] == yaml.safe_load((OPERATE / "alerts.yml").read_text())
    dashboard = of(manifests, "ConfigMap")["house-dashboard"]["data"]["proofsheet.json"]
    assert dashboard == (OPERATE / "dashboard.json").read_text()


def test_schema_knows_the_hardware_tiers() -> None:
    schema = json.loads((DEPLOY / "chart" / "values.schema.json").read_text())
    queues = schema["properties"]["render"]["items"]["properties"]["queue"]["enum"]
    assert set(queues) == {"gpu"} | set(Tier.values) - {Tier.CPU}


def test_chart_is_of_this_release() -> None:
    chart = yaml.safe_load((DEPLOY / "chart" / "Chart.yaml").read_text())
    assert chart["appVersion"] == settings.PROOFSHEET_VERSION


def test_settings_of_the_example_stand_in_the_readme() -> None:
    readme = (ROOT / "README.md").read_text()
    for name in EXAMPLE["settings"]:
        assert re.search(rf"`{name}`", readme), name


def changed(path: str, value: object) -> dict[str, Any]:
    values: Any = json.loads(json.dumps(EXAMPLE))
    *folders, name = path.split("/")
    place = values
    for each in folders:
        place = place[int(each)] if isinstance(place, list) else place.setdefault(each, {})
    place[name] = value
    return dict(values)


@pytest.mark.parametrize(
    ("path", "value", "sentence"),
    [
        (
            "settings/BROKER_URL",
            "redis://other/0",
            "BROKER_URL stands in the Secret proofsheet alone",
        ),
        *(
            (f"settings/{name}", "x", f"{name} stands in the Secret proofsheet alone")
            for name in SECRET_SETTINGS
        ),
        ("extraVolumes", [{"name": "keys", "emptyDir": {}}], "/extraVolumes/0/name"),
        ("settings/HARDWARE_QUEUES", "gpu-24g", "made of the queues of render"),
        ("settings/PUBLIC_URL", "http://images.example", "/settings/PUBLIC_URL"),
        ("render/1/queue", "gpu", "render names the queue gpu twice"),
        ("render/1/queue", "gpu-25g", "/render/1/queue"),
        ("render/0/scaling/min", 30, "render.gpu: scaling.min is above its max"),
        ("scaler/host", "", "scaler.host is not set"),
        ("images/cuda", "", "images.cuda is not set"),
        ("web/autoscaling", {"enabled": True, "min": 9, "max": 3}, "web.autoscaling.min is above"),
        ("ingress/tlsSecret", "", "/ingress/tlsSecret"),
        ("celery", {}, "celery"),
    ],
)
def test_what_cannot_work_is_refused_in_a_sentence(path: str, value: object, sentence: str) -> None:
    done = rendered(changed(path, value))
    assert done.returncode != 0
    assert sentence in done.stderr


def test_manifest_with_a_field_that_nobody_knows_is_found(tmp_path: Any) -> None:
    """The judges judge: a misspelt field of Kubernetes' and one of KEDA's."""
    for file, said, misspelt in (
        ("web.yaml", "minReplicas:", "minimumReplicas:"),
        ("scaling.yaml", "pollingInterval:", "pollInterval:"),
    ):
        chart = tmp_path / file
        tools.ran("cp", "-rL", str(DEPLOY / "chart"), str(chart))
        template = chart / "templates" / file
        template.write_text(template.read_text().replace(said, misspelt))
        values = changed("web/autoscaling", {"enabled": True})
        done = tools.ran(
            tools.PLACE / "python", "tests/deploy/chart_tool.py", str(chart),
            said=json.dumps(values),
        )  # fmt: skip
        assert done.returncode != 0, file
        assert misspelt.rstrip(":") in done.stderr
