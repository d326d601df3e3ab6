"""Feeds a journal to actions-graph, as its hook's process does, but with one connection.

    reference.py URL WARM JOURNAL SECONDS

The events of the folder WARM all, to warm the server, then those of the folder JOURNAL
for SECONDS. Prints the actions that the second part made and the seconds it took, as
JSON.
"""

import dataclasses
import json
import pathlib
import re
import sys
import time

from actions_graph import ActionsGraph
from actions_graph.connector import ActionsGraphConnector
from memgraph_context_graph import events
from memgraph_toolbox.api.memgraph import Memgraph


class OnNeo4j(Memgraph):
    """Says in Neo4j's words what setup() says in Memgraph's; every other query is as it is."""

    constrained = set()

    def query(self, query, params=None):
        if m := re.fullmatch(r"CREATE CONSTRAINT ON \(\w+:(\w+)\) ASSERT \w+\.(\w+) IS UNIQUE;", query):
            self.constrained.add(m.groups())
            query = "CREATE CONSTRAINT IF NOT EXISTS FOR (n:%s) REQUIRE n.%s IS UNIQUE" % m.groups()
        elif m := re.fullmatch(r"CREATE INDEX ON :(\w+)\((\w+)\);", query):
            if m.groups() in self.constrained:
                return []  # In Neo4j a constraint has its index.
            query = "CREATE INDEX IF NOT EXISTS FOR (n:%s) ON (n.%s)" % m.groups()
        return super().query(query, params)


KINDS = {
    kind.__dataclass_fields__["event_type"].default.value: kind
    for kind in vars(events).values()
    if isinstance(kind, type) and issubclass(kind, events.Event) and kind is not events.Event
}


def read(folder):
    """The events of a journal, as the protocol's classes. Their names for fields are ours."""
    for path in sorted(pathlib.Path(folder).glob("*.jsonl")):
        for line in path.read_bytes().splitlines():
            if not line.strip():
                continue
            record = json.loads(line)
            kind = KINDS.get(record["event_type"])
            if kind is None:
                continue
            agent = record.get("agent_id")  # It is what the adapter names an agent by.
            record["metadata"] = record.get("extra", {}) | ({"agent_id": agent} if agent else {})
            if agent:
                record["agent_name"] = agent
            names = {f.name for f in dataclasses.fields(kind) if f.init}
            yield kind(**{k: v for k, v in record.items() if k in names})


def main(url, warm, journal, seconds):
    db = OnNeo4j(url, "", "", "neo4j", driver_config={"notifications_min_severity": "OFF"})
    graph = ActionsGraph(db)
    graph.setup()
    connector = ActionsGraphConnector(graph)

    def count():
        return db.query("MATCH (a:Action) RETURN count(a) AS n")[0]["n"]

    for event in read(warm):
        connector.on_event(event)
    there = count()
    start = time.monotonic()
    for event in read(journal):
        connector.on_event(event)
        if time.monotonic() - start > float(seconds):
            break
    took = time.monotonic() - start
    print(json.dumps({"actions": count() - there, "seconds": took}))


main(*sys.argv[1:])
