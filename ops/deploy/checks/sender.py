"""A forum: sends posts to the HTTP API in batches, again until each is accepted, and writes their ids.

sender.py URL POSTS FILE. A batch of 20 every 100 ms, so that servers can be killed in the meantime.
"""

import json
import sys
import time
import urllib.error
import urllib.request
import uuid

url, posts, receipts = sys.argv[1], int(sys.argv[2]), sys.argv[3]
deadline = time.monotonic() + 300


def send(batch):
    """The posts of the batch that were not accepted."""
    body = "\n".join(json.dumps(post) for post in batch).encode()
    request = urllib.request.Request(url + "/posts/batch", body, {"content-type": "application/x-ndjson"})
    try:
        with urllib.request.urlopen(request, timeout=10) as answer:
            results = [json.loads(line) for line in answer.read().splitlines()]
    except (OSError, urllib.error.URLError):
        return batch
    accepted = {result["id"] for result in results if result.get("status") == "queued"}
    return [post for post in batch if post["id"] not in accepted]


with open(receipts, "w", encoding="utf-8") as file:
    for begin in range(0, posts, 20):
        batch = [
            {"id": str(uuid.uuid4()), "title": f"Post {number}", "content": "A walk along the river."}
            for number in range(begin, min(begin + 20, posts))
        ]
        waiting = batch
        while waiting := send(waiting):
            if time.monotonic() > deadline:
                sys.exit("the API does not accept posts any more")
            time.sleep(0.5)
        file.writelines(post["id"] + "\n" for post in batch)
        file.flush()
        time.sleep(0.1)
