"""What holds of the manifests beyond their schema: kubernetes.py SECONDS, manifests on stdin.

SECONDS is how long a worker may drain. Prints what does not hold, and exits with 1 if anything is printed.
"""

import sys

import yaml

DRAIN = int(sys.argv[1])
documents = [document for document in yaml.safe_load_all(sys.stdin) if document]


def of(kind):
    return [document for document in documents if document["kind"] == kind]


def names(kind):
    return {document["metadata"]["name"] for document in of(kind)}


def selected(selector, labels):
    pairs = selector.get("matchLabels", {}).items()
    expressions = selector.get("matchExpressions", [])
    return all(labels.get(key) == value for key, value in pairs) and all(
        labels.get(one["key"]) in one["values"] for one in expressions if one["operator"] == "In"
    )


def problems():
    deployments = of("Deployment")
    if len(deployments) != 3:
        yield "there are three programs"
    for deployment in deployments:
        name = deployment["metadata"]["name"]
        template = deployment["spec"]["template"]
        labels, pod = template["metadata"]["labels"], template["spec"]
        yield from (f"{name}: {problem}" for problem in of_pod(name, labels, pod))
    targets = [(document, document["spec"]["scaleTargetRef"]["name"]) for kind in ("HorizontalPodAutoscaler", "ScaledObject") for document in of(kind)]
    if {target for _, target in targets} != {"sluice-producer", "sluice-worker"}:
        yield "the producer and the workers are scaled, each by one resource"
    for deployment in deployments:
        if deployment["metadata"]["name"] in {target for _, target in targets} and "replicas" in deployment["spec"]:
            yield f"{deployment['metadata']['name']}: replicas would undo what the scaler does"
    for scaled in of("ScaledObject"):
        trigger = scaled["spec"]["triggers"][0]
        facts = trigger["metadata"]
        if (trigger["type"], facts.get("protocol"), facts.get("mode"), facts.get("excludeUnacknowledged")) != ("rabbitmq", "http", "QueueLength", "false"):
            yield "workers are scaled by all posts in the queue, those in flight included"
        if trigger["authenticationRef"]["name"] not in names("TriggerAuthentication"):
            yield "the trigger's authentication does not exist"
    for service in of("Service"):
        if not any(selected({"matchLabels": service["spec"]["selector"]}, one["spec"]["template"]["metadata"]["labels"]) for one in deployments):
            yield f"the service {service['metadata']['name']} leads nowhere"


def of_pod(name, labels, pod):
    container = pod["containers"][0]
    security, own = pod["securityContext"], container["securityContext"]
    if not (security.get("runAsNonRoot") and security.get("runAsUser") and security.get("seccompProfile")):
        yield "it may run as root"
    if not own.get("readOnlyRootFilesystem") or own.get("allowPrivilegeEscalation") is not False or own["capabilities"].get("drop") != ["ALL"]:
        yield "its container may do more than it needs"
    if pod.get("automountServiceAccountToken") is not False or pod["serviceAccountName"] not in names("ServiceAccount"):
        yield "it can speak to Kubernetes, or has no account"
    if container["livenessProbe"]["httpGet"]["path"] != "/healthz":
        yield "an outage of a server would restart it"
    if container["readinessProbe"]["httpGet"]["path"] != "/readyz":
        yield "it gets requests that it cannot serve"
    ports = {port["name"]: port["containerPort"] for port in container["ports"]}
    listen = [one["value"] for one in container["env"] if one["name"].endswith("LISTEN")]
    if listen != [f"0.0.0.0:{ports['http']}"]:
        yield "it does not listen where it is asked"
    if pod.get("terminationGracePeriodSeconds", 0) < DRAIN + 10:
        yield "it is killed before it has drained"
    if {one["topologyKey"] for one in pod["topologySpreadConstraints"]} != {"topology.kubernetes.io/zone", "kubernetes.io/hostname"}:
        yield "its pods may all be in one place"
    if not all(selected(one["labelSelector"], labels) for one in pod["topologySpreadConstraints"]):
        yield "it is spread by the labels of others"
    if not any(selected(one["spec"]["selector"], labels) for one in of("PodDisruptionBudget")):
        yield "a drained node may take all of it"
    secret = {one["name"]: one["valueFrom"]["secretKeyRef"]["name"] for one in container["env"] if "secretKeyRef" in one.get("valueFrom", {})}
    if any("@" in one.get("value", "") or ("KEY" in one["name"] and "value" in one) for one in container["env"]) or "AMQP_URL" not in secret:
        yield "its secrets are not references"
    if ("DATABASE_URL" in secret) != (name != "sluice-producer"):
        yield "workers and the console know the database's address, and the producer does not"
    policies = [one["spec"] for one in of("NetworkPolicy") if selected(one["spec"]["podSelector"], labels)]
    if not any(set(one["policyTypes"]) == {"Ingress", "Egress"} and not one.get("egress") and not one.get("ingress") for one in policies):
        yield "what no policy names is allowed"
    reached = {port["port"] for one in policies for rule in one.get("egress", []) for port in rule.get("ports", [])}
    if 5672 not in reached or (3306 in reached) != (name != "sluice-producer"):
        yield f"it reaches {sorted(reached)}"


found = list(problems())
print("\n".join(found))
sys.exit(1 if found else 0)
