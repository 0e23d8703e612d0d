"""Checks findings.json against the JSON Schema with a validator that is not ours.

Reads {"schema": SCHEMA, "document": DOCUMENT} from stdin and prints a JSON list of what is wrong.
The check itself is checked: damaged documents must not pass.
"""

import copy
import json
import sys

from jsonschema import Draft202012Validator

QUESTION = json.load(sys.stdin)
Draft202012Validator.check_schema(QUESTION["schema"])
VALIDATOR = Draft202012Validator(QUESTION["schema"])
DOCUMENT = QUESTION["document"]

wrong = [
    f"{'/'.join(map(str, error.absolute_path))}: {error.message}"
    for error in VALIDATOR.iter_errors(DOCUMENT)
]


def damaged(what, damage):
    document = copy.deepcopy(DOCUMENT)
    damage(document["findings"][0])
    if VALIDATOR.is_valid(document):
        wrong.append(f"a document with {what} passes")


damaged("an unknown status", lambda finding: finding.update(status="GREEN"))
damaged("an unknown link", lambda finding: finding.update(broken_link="bucket"))
damaged("a number for an account", lambda finding: finding["account"].update(id=111111111111))
damaged("no chain", lambda finding: finding.pop("chain"))
damaged("no broken link", lambda finding: finding.pop("broken_link"))

json.dump(wrong, sys.stdout)
