"""What the services tell each other."""

import json


def pack(name, **values):
    """Return an event as one line."""
    return json.dumps({"event": name, **values}, sort_keys=True)
