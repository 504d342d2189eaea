"""Render the chart with the values on standard input and judge each manifest; JSON of them all.

    echo '{}' | var/deploy/bin/python tests/deploy/chart_tool.py config/deploy/chart

Runs in the tools' own environment. Of Kubernetes' kinds it asks Kubernetes' schemas, strictly; of
KEDA's and the Prometheus operator's the classes that are made of theirs: a field that such a class
does not give back is none.
"""

import json
import sys

import kubernetes_validate
import yaml
from cloudcoil.models.keda import v1alpha1 as keda
from cloudcoil.models.prometheus_operator import v1 as watching
from cloudcoil.models.prometheus_operator import v1alpha1 as newer
from helm_python import Chart
from helm_python.errors import HelmError

OLDEST, NEWEST = "1.27", "1.37"
GROUPS = {
    "keda.sh/v1alpha1": keda,
    "monitoring.coreos.com/v1": watching,
    "monitoring.coreos.com/v1alpha1": newer,
}


def main(folder: str) -> None:
    """Exits with what helm or a schema has against it."""
    try:
        with Chart.load(folder) as chart:
            rendered = chart.render(values=json.load(sys.stdin), name="house", namespace="images")
    except HelmError as error:
        sys.exit(str(error))
    found = [each for text in rendered.values() for each in yaml.safe_load_all(text) if each]
    for each in found:
        judge(each)
    json.dump(found, sys.stdout)


def judge(manifest: dict[str, object]) -> None:
    group = GROUPS.get(str(manifest["apiVersion"]))
    if group is None:
        for version in (OLDEST, NEWEST):
            kubernetes_validate.validate(manifest, version, strict=True)
        return
    told = getattr(group, str(manifest["kind"])).model_validate(manifest)
    if lost := lost_in(manifest, told.model_dump(mode="json", by_alias=True, exclude_none=True)):
        sys.exit(f"{manifest['kind']} has no {lost}")


def lost_in(said: object, kept: object, path: str = "") -> str:
    """The first field of `said` that `kept` has not; none of them: an empty word."""
    if isinstance(said, dict):
        kept = kept if isinstance(kept, dict) else {}
        for key, value in said.items():
            if key not in kept:
                return f"{path}.{key}"
            if lost := lost_in(value, kept[key], f"{path}.{key}"):
                return lost
    if isinstance(said, list) and isinstance(kept, list):
        pairs = enumerate(zip(said, kept, strict=True))
        return next(filter(None, (lost_in(a, b, f"{path}[{n}]") for n, (a, b) in pairs)), "")
    return ""


if __name__ == "__main__":
    main(sys.argv[1])
