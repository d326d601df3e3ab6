"""What the second seed's examples do, over HTTP: add, a failed action, a batch, a chain by
parent_task_id, recall, recall of failures. Standard library only.

usage: seed.py SOCKET
"""

import http.client
import json
import socket
import sys


class UnixConnection(http.client.HTTPConnection):
    def __init__(self, path):
        super().__init__("localhost", timeout=30)
        self.path = path

    def connect(self):
        self.sock = socket.socket(socket.AF_UNIX, socket.SOCK_STREAM)
        self.sock.settimeout(self.timeout)
        self.sock.connect(self.path)


class Memory:
    """areev.open("./data") of the seed."""

    def __init__(self, path, name="default"):
        self.conn, self.name = UnixConnection(path), name

    def post(self, verb, body):
        self.conn.request("POST", f"/api/memories/{self.name}/{verb}", json.dumps(body), {"Content-Type": "application/json"})
        answer = self.conn.getresponse()
        return answer.status, json.load(answer)

    def batch_add(self, *grains):
        status, answer = self.post("batch-add", {"grains": [{"grain_type": kind, "fields": fields} for kind, fields in grains]})
        assert status == 200, (status, answer)
        assert answer["added"] == len(grains) and answer["failed"] == 0, answer
        return answer["hashes"]

    def add(self, kind, fields):
        return self.batch_add((kind, fields))[0]

    def recall(self, **question):
        status, answer = self.post("recall", question)
        assert status == 200, (status, answer)
        assert answer["count"] == len(answer["results"]) and "behind" not in answer, answer
        return answer["results"]


def show(title, results):
    print(f"{title}:")
    for r in results:
        print(" ", json.dumps(r["fields"], sort_keys=True))


def main(path):
    db = Memory(path)

    # Successful action
    searched = db.add("action", {
        "tool_name": "web_search",
        "input": {"query": "weather in tokyo"},
        "content": "72F, partly cloudy, humidity 65%",
        "duration_ms": 340,
    })

    # Failed action
    failed = db.add("action", {
        "tool_name": "database_query",
        "input": {"sql": "SELECT * FROM users"},
        "is_error": True,
        "error": "connection timeout after 5000ms",
        "duration_ms": 5000,
    })
    assert len(searched) == len(failed) == 64 and searched != failed

    # A sequence of actions for a workflow, in one batch; the second depends on the first.
    step1, step2 = db.batch_add(
        ("action", {"tool_name": "fetch_data", "content": "200 OK, 1.2MB", "parent_task_id": "task-001", "tags": ["api-call"]}),
        ("action", {"tool_name": "transform_data", "content": "processed 500 records", "parent_task_id": "task-001"}),
    )
    linked = db.add("action", {"tool_name": "store_data", "content": "stored", "parent_task_id": "task-001", "related_to": [step2, "0" * 64], "tags": ["store", "api-call"]})

    # The same again is the same grain.
    again = db.add("action", {"tool_name": "fetch_data", "content": "200 OK, 1.2MB", "parent_task_id": "task-001", "tags": ["api-call"]})
    assert again == step1, (again, step1)

    # One that is wrong, and nothing of its batch is there.
    status, answer = db.post("batch-add", {"grains": [
        {"grain_type": "action", "fields": {"tool_name": "never_added"}},
        {"grain_type": "action", "fields": {"content": "without a tool"}},
    ]})
    assert status == 400 and (answer["error"]["item"], answer["error"]["field"]) == (1, "tool_name"), (status, answer)

    results = db.recall(query="web_search weather", grain_type="action", limit=10)
    assert results[0]["blob_hash"] == searched and results[0]["score"] > 0, results
    show("web_search weather", results)
    results = db.recall(query="error timeout", grain_type="action")
    assert [r["blob_hash"] for r in results] == [failed], results
    show("error timeout", results)
    show("failed", db.recall(is_error=True))
    chain = db.recall(parent_task_id="task-001")
    assert [r["blob_hash"] for r in chain] == [linked, step2, step1], chain
    show("task-001", chain)
    assert [r["blob_hash"] for r in db.recall(query="data", parent_task_id="task-001", tags=["api-call"])] == [linked, step1]
    # Several tags: all of them. What was added comes back as it was.
    both = db.recall(tags=["api-call", "store"])
    assert [r["blob_hash"] for r in both] == [linked] and db.recall(tags=["store", "nonesuch"]) == [], both
    assert both[0]["fields"]["tags"] == ["store", "api-call"] and both[0]["fields"]["related_to"] == [step2, "0" * 64], both
    assert [r["blob_hash"] for r in db.recall(related_to=step2)] == [linked]
    assert [r["blob_hash"] for r in db.recall(tool_name="database_query")] == [failed]
    assert db.recall(query="never_added") == [] and db.recall(namespace="other") == []
    assert db.recall(query="web_search", until="2001-01-01T00:00:00Z") == []
    assert len(db.recall(limit=2)) == 2


main(sys.argv[1])
