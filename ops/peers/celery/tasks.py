"""The Celery peer: what a site would write in Python if it had no Sluice, a task that stores a post.

`sluice-lab bench` kills its worker and counts which posts are lost, with Celery's defaults and with late acknowledgement.

    python3 tasks.py publish QUEUE < POSTS           a task for each post, one JSON object a line, each confirmed
    python3 -m celery -A tasks worker -Q QUEUE       runs them

    AMQP_URL          the broker, as amqp://user:password@host:port/vhost
    DATABASE_URL      the database, as mysql://user:password@host:port/name
    CELERY_QUEUE      the worker's queue
    CELERY_ACKS_LATE  1: a task is acknowledged after it was run; else before, which is Celery's default
"""

import json
import os
import sys
from datetime import datetime, timezone
from urllib.parse import unquote, urlsplit

import pymysql
from celery import Celery
from kombu.transport import pyamqp

# A second delivery of the same post finds the row, and leaves it as it is.
INSERTION = """INSERT INTO posts
    (id, title, content, author, verdict, reasons, ruleset, submitted_at, reviewed_at, recorded_at, worker, attempts, scores)
    VALUES (%s, %s, %s, %s, 'approved', '[]', 'none', %s, %s, %s, %s, 1, '[]') ON DUPLICATE KEY UPDATE id = id"""

# Kombu before 5.6 limits the prefetched messages of a channel and not those of a consumer, which RabbitMQ 4.3 refuses.
# The channel has one consumer, so both are the same.
pyamqp.Transport.qos_semantics_matches_spec = lambda transport, connection: True

late = os.environ.get("CELERY_ACKS_LATE") == "1"
app = Celery("tasks", broker=os.environ["AMQP_URL"])
app.conf.update(
    task_default_queue=os.environ.get("CELERY_QUEUE", "celery"),
    task_ignore_result=True,
    task_acks_late=late,
    task_reject_on_worker_lost=late,
    broker_transport_options={"confirm_publish": True},
    # Its queues are transient and not exclusive, which RabbitMQ 4.3 refuses.
    worker_enable_remote_control=False,
)

# Of this process: a connection cannot be shared with those that it forks.
connection = None


def database():
    """The connection of this process, opened by its first task."""
    global connection
    if connection is None:
        url = urlsplit(os.environ["DATABASE_URL"])
        connection = pymysql.connect(
            host=url.hostname,
            port=url.port or 3306,
            user=unquote(url.username or ""),
            password=unquote(url.password or ""),
            database=unquote(url.path.lstrip("/")),
            charset="utf8mb4",
            autocommit=True,
        )
    return connection


def utc(time):
    """A time as the columns hold it: in UTC, without saying so."""
    return time.astimezone(timezone.utc).replace(tzinfo=None)


@app.task(name="store")
def store(post):
    """Stores one post."""
    submitted, now = datetime.fromisoformat(post["submitted_at"]), datetime.now(timezone.utc)
    values = (post["id"], post["title"], post["content"], post.get("author"), utc(submitted), utc(now), utc(now))
    with database().cursor() as cursor:
        cursor.execute(INSERTION, (*values, f"celery-{os.getpid()}"))


def publish(queue):
    """Publishes a task for each post of standard input; each is persistent, and its confirm is waited for."""
    with app.producer_or_acquire() as producer:
        for line in sys.stdin.buffer:
            store.apply_async((json.loads(line),), queue=queue, producer=producer)


if __name__ == "__main__":
    match sys.argv[1:]:
        case ["publish", queue]:
            publish(queue)
        case _:
            sys.exit("usage: tasks.py publish QUEUE < POSTS, one JSON object a line")
