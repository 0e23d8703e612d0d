"""Reads Terraform with a parser that is not ours.

Reads a configuration from stdin and prints a JSON list of {"type", "name", "attributes"}, one for
every resource; nested blocks and maps are objects, and strings are what Terraform would make of
them.
"""

import json
import sys

import hcl2


def text(literal):
    """The value of a quoted string without interpolations, or an expression as it is."""
    if len(literal) < 2 or not (literal[0] == literal[-1] == '"'):
        return literal
    # HCL escapes as JSON does, and begins templates with a single $ or %.
    return json.loads(literal).replace("$${", "${").replace("%%{", "%{")


def value(node):
    if isinstance(node, dict):
        return {
            text(name): value(member)
            for name, member in node.items()
            if not name.startswith("__")
        }
    if isinstance(node, list):
        return [value(member) for member in node]
    return text(node) if isinstance(node, str) else node


resources = []
for block in hcl2.loads(sys.stdin.read()).get("resource", []):
    for kind, named in block.items():
        for name, body in named.items():
            resources.append(
                {"type": text(kind), "name": text(name), "attributes": value(body)}
            )
json.dump(resources, sys.stdout)
