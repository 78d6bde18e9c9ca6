"""Prints a report, and what made it."""

import argparse
from pathlib import Path
from string import Template

RELEASE = "working copy"
ROOT = Path(__file__).parent.parent

parser = argparse.ArgumentParser(prog="reports", description=__doc__)
parser.add_argument("--name", default="weekly")
name = parser.parse_args().name

text = (ROOT / "templates" / f"{name}.txt").read_text()
print(Template(text).substitute(release=RELEASE, revision=(ROOT / "REVISION").read_text().strip()))
