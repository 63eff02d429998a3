"""The fenced blocks of a guide, and what it takes to run them."""

import re
import sys
from dataclasses import dataclass
from pathlib import Path
from typing import Final

from tests.tables import ROOT

BASE_URL: Final = "http://127.0.0.1:8470"
"""Where guides say that onefold listens."""

CURL: Final = '''\
"""curl, as far as the guides use it: curl URL -H HEADER -d BODY."""
import argparse, sys, urllib.request
parser = argparse.ArgumentParser()
parser.add_argument("url")
parser.add_argument("-H", action="append", default=[])
parser.add_argument("-d")
given = parser.parse_args()
headers = dict(header.split(": ", 1) for header in given.H)
request = urllib.request.Request(given.url, given.d.encode(), headers)
sys.stdout.write(urllib.request.urlopen(request, timeout=30).read().decode())
'''


@dataclass(frozen=True)
class Block:
    """A fenced block: its language, and the text in it."""

    language: str
    text: str


def blocks(guide: str) -> list[Block]:
    """The fenced blocks of a guide, by its path from the root of the project."""
    found = re.findall(r"^```(\w+)\n(.*?)^```$", (ROOT / guide).read_text(), re.MULTILINE | re.DOTALL)
    return [Block(language, text) for language, text in found]


def prepare(folder: Path) -> None:
    """What readers have in the folder they work in, and this machine may lack: the environment, and curl."""
    (folder / ".venv").symlink_to(sys.prefix)
    curl = folder / "bin" / "curl"
    curl.parent.mkdir()
    curl.write_text(f"#!{sys.executable}\n{CURL}")
    curl.chmod(0o755)


def without_ids(text: str) -> str:
    """Public ids are keyed with a secret of the store, so they differ from store to store; segments are numbered."""
    return re.sub(r"\b(cus|idn|tp)_[0-9a-hjkmnp-tv-z]{26}\b|\b(seg)_[0-9a-z]{13}\b", r"\1\2_…", text)


def files(guide: str) -> dict[str, str]:
    """The files of a guide, by name: its blocks of YAML that begin with one (`# big-spenders.yaml`)."""
    named = [(re.match(r"# (\S+\.yaml)\b", block.text), block) for block in blocks(guide) if block.language == "yaml"]
    return {found[1]: block.text for found, block in named if found}
