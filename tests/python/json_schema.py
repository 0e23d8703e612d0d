"""Checks documents against a JSON Schema with a validator that is not ours.

Reads {"schema": SCHEMA, "document": DOCUMENT, "damaged": {WHAT: DOCUMENT}} from stdin and prints a
JSON list of what is wrong. The check itself is checked: damaged documents must not pass.
"""

import json
import sys

from jsonschema import Draft202012Validator

QUESTION = json.load(sys.stdin)
Draft202012Validator.check_schema(QUESTION["schema"])
VALIDATOR = Draft202012Validator(QUESTION["schema"])

wrong = [
    f"{'/'.join(map(str, error.absolute_path))}: {error.message}"
    for error in VALIDATOR.iter_errors(QUESTION["document"])
]
wrong += [
    f"a document with {what} passes"
    for what, document in QUESTION["damaged"].items()
    if VALIDATOR.is_valid(document)
]
json.dump(wrong, sys.stdout)
