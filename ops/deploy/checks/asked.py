"""Asks a Prometheus everything that the dashboard asks: asked.py URL DASHBOARD METRIC…

Every query has to be valid, and those that name one of the metrics have to have an answer.
"""

import json
import sys
import urllib.error
import urllib.parse
import urllib.request

url, dashboard, metrics = sys.argv[1], sys.argv[2], sys.argv[3:]
with open(dashboard, encoding="utf-8") as file:
    panels = json.load(file)["panels"]
queries = [target["expr"].replace("$__rate_interval", "1m") for panel in panels for target in panel.get("targets", [])]
failed = 0
for metric in metrics:
    if not any(metric in query for query in queries):
        failed += 1
        print(f"nothing asks for {metric}")
for query in queries:
    try:
        with urllib.request.urlopen(url + "/api/v1/query?" + urllib.parse.urlencode({"query": query}), timeout=10) as answer:
            result = json.load(answer)["data"]["result"]
    except urllib.error.HTTPError as error:
        failed += 1
        print(f"{query}: {error.read().decode()}")
        continue
    if not result and any(metric in query for metric in metrics):
        failed += 1
        print(f"no answer: {query}")
print(f"{len(queries)} queries")
sys.exit(1 if failed else 0)
