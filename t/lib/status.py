"""What ws_status shows, as the tests look at it."""

import json

from prometheus_client.parser import text_string_to_metric_families

from client import get
from expectation import equal, wait_until


def answer(path, **request):
    """(Content-Type, body) of a 200."""
    c = get(path, **request)
    equal(c.status, 200, f"status of {path}")
    text = c.body.decode()
    c.close()
    return c.header("Content-Type"), text


def figures(path="/status"):
    """The JSON."""
    kind, text = answer(f"{path}?format=json")
    equal(kind, "application/json")
    return json.loads(text)


def until(condition, message, path="/status"):
    """Polls until the JSON is so; answers it."""
    latest = None

    def look():
        nonlocal latest
        latest = figures(path)
        return condition(latest)
    try:
        wait_until(look, message)
    except AssertionError as failure:
        raise type(failure)(f"{failure}\n  {latest!r}") from None
    return latest


def closes(found):
    """{(code, by): count}"""
    return {(entry["code"], entry["by"]): entry["count"] for entry in found["closes"]}


class Metrics:
    """A scrape, read by Prometheus' own client library."""

    def __init__(self, path="/status"):
        self.type, self.text = answer(f"{path}?format=prometheus")
        self.families = {family.name: family for family in text_string_to_metric_families(self.text)}
        self.samples = {}
        for family in self.families.values():
            for sample in family.samples:
                self.samples[sample.name, tuple(sorted(sample.labels.items()))] = sample.value

    def value(self, name, **labels):
        return self.samples[name, tuple(sorted(labels.items()))]
