"""Makes a page of HTML from every text file."""

import html
import os
import sys
from pathlib import Path

PAGE = """<!doctype html>
<title>{title}</title>
<link rel="stylesheet" href="/assets/style.css">
<h1>{title}</h1>
{body}
"""


def render(text):
    """Return a text's paragraphs as HTML."""
    paragraphs = [html.escape(one.strip()) for one in text.split("\n\n")]
    return "\n".join(f"<p>{one}</p>" for one in paragraphs if one)


def main(source, target):
    """Write a page for every text in one folder to another."""
    title = os.environ.get("SITE_TITLE", "Site")
    Path(target).mkdir(parents=True, exist_ok=True)
    for page in sorted(Path(source).glob("*.txt")):
        made = PAGE.format(title=html.escape(title), body=render(page.read_text()))
        (Path(target) / f"{page.stem}.html").write_text(made)


main(*sys.argv[1:])
