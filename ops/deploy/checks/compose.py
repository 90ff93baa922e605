"""What holds of compose.yaml beyond its schema: compose.py SECONDS FILE. SECONDS is how long a worker may drain."""

import sys

import yaml

DRAIN, FILE = int(sys.argv[1]), sys.argv[2]
with open(FILE, encoding="utf-8") as file:
    compose = yaml.safe_load(file)
services = compose["services"]
ours = {name: service for name, service in services.items() if service["image"].startswith("sluice:")}


def seconds(text):
    return int(text.removesuffix("s"))


def problems():
    if set(ours) != {"producer", "worker", "console"}:
        yield "there are three programs"
    for name, service in ours.items():
        if not service.get("read_only") or service.get("cap_drop") != ["ALL"] or service.get("security_opt") != ["no-new-privileges:true"]:
            yield f"{name} may do more than it needs"
        check = service["healthcheck"]["test"]
        listen = [value for key, value in service["environment"].items() if key.endswith("LISTEN")][0]
        if check != ["CMD", "sluice", "probe", f"http://127.0.0.1:{listen.split(':')[1]}/readyz"]:
            yield f"{name} is not asked where it listens, or needs a shell"
        if seconds(service["stop_grace_period"]) < (DRAIN + 10 if name == "worker" else 10):
            yield f"{name} is killed before it has drained"
        for server in service["depends_on"].values():
            if server["condition"] != "service_healthy":
                yield f"{name} does not wait for its servers"
    if "DATABASE_URL" in ours["producer"]["environment"]:
        yield "the producer knows the database"
    if services["worker"]["deploy"]["replicas"] < 2:
        yield "one worker is all there is"
    for name, service in services.items():
        for port in service.get("ports", []):
            if not port.startswith("127.0.0.1:"):
                yield f"{name} is published to other machines"
        if "hostname" not in service and service["image"].startswith("rabbitmq:"):
            yield "RabbitMQ loses its data with its container's name"
        for key, value in service.get("environment", {}).items():
            if any(word in key for word in ("PASS", "URL", "KEY")) and "RANDOM" not in key and "${" not in str(value):
                yield f"{name}: {key} holds a secret"
        for volume in service.get("volumes", []):
            volume = volume if isinstance(volume, str) else volume["source"]
            if not volume.startswith((".", "$")) and volume.split(":")[0] not in compose["volumes"]:
                yield f"{name}: the volume {volume} does not exist"
    if not compose["networks"]["servers"].get("internal"):
        yield "the servers can be reached from outside"


found = list(problems())
print("\n".join(found))
sys.exit(1 if found else 0)
