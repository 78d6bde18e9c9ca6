"""Tells every few seconds that it is there."""

import os
import time

import requests
from events import pack

RELEASE = "working copy"

while True:
    print(pack("alive", release=RELEASE, requests=requests.__version__))
    time.sleep(float(os.environ.get("WORKER_PAUSE", "5")))
