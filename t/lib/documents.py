"""What t/documents.t works with: the code blocks of a document."""

import json  # for the scripts
import os
import re

ROOT = os.path.dirname(os.path.dirname(os.path.dirname(os.path.abspath(__file__))))
CONNECTION_ID = "c7f3a0d2b1e94c5f8a6d7e0b3c1f2a49"  # in all documents


def blocks(name, language):
    """The texts between ```language and ```."""
    with open(os.path.join(ROOT, name), encoding="utf-8") as file:
        return re.findall(rf"^```{language}\n(.*?)^```$", file.read(), re.MULTILINE | re.DOTALL)
