"""Checks the job definitions for scans in parts: the Kubernetes job against the API's own schema,
and the shell commands of both by running them with programs that only pretend.

Prints a JSON list of what is wrong; nothing when all is well. The folder with the definitions is
the first argument.
"""

import json
import os
import re
import stat
import subprocess
import sys
import tempfile
from pathlib import Path

import kubernetes_validate
import yaml

FOLDER = Path(sys.argv[1])
# The newest API that the pinned package knows, and the oldest that has retries per index enabled.
VERSIONS = (kubernetes_validate.latest_version(), "1.29.0")

wrong = []


def check(what, seen, wanted):
    if seen != wanted:
        wrong.append(f"{what}: {seen!r} is not {wanted!r}")


class Template(yaml.SafeLoader):
    """CloudFormation's short functions, left as their text."""


Template.add_multi_constructor("!", lambda loader, _, node: loader.construct_scalar(node))


def pretender(folder, name, code):
    """A program that writes down its arguments and ends with a code."""
    program = folder / name
    program.write_text(f'#!/bin/sh\necho {name} "$@" >> "$LOG"\nexit {code}\n')
    program.chmod(program.stat().st_mode | stat.S_IXUSR)


def run(command, variables, trailproof, aws=0):
    """The exit code of a container's command, and what it called."""
    with tempfile.TemporaryDirectory() as name:
        folder = Path(name)
        pretender(folder, "trailproof", trailproof)
        pretender(folder, "aws", aws)
        log = folder / "log"
        environment = {"PATH": f"{folder}:{os.environ['PATH']}", "LOG": str(log), **variables}
        code = subprocess.run(command, env=environment, capture_output=True).returncode
        return code, log.read_text().splitlines()


def kubernetes():
    listing, job = yaml.safe_load_all((FOLDER / "job.yaml").read_text())
    for document in (listing, job):
        for version in VERSIONS:
            try:
                kubernetes_validate.validate(document, version, strict=True)
            except kubernetes_validate.ValidationError as error:
                wrong.append(f"job.yaml, Kubernetes {version}: {error.message}")
    [container] = listing["spec"]["template"]["spec"]["containers"]
    code, called = run(container["command"], {}, 0)
    check("listing", (code, called), (0, ["trailproof accounts list --out /runs/listing.json"]))
    # A schema that lets everything pass would prove nothing.
    for damage in ({"completionmode": "Indexed"}, {"completions": "four"}):
        spoilt = dict(job, spec=dict(job["spec"], **damage))
        try:
            kubernetes_validate.validate(spoilt, VERSIONS[0], strict=True)
            wrong.append(f"job.yaml: {damage} is not noticed")
        except kubernetes_validate.ValidationError:
            pass
    [container] = job["spec"]["template"]["spec"]["containers"]
    command = [*container["command"], *container["args"]]
    parts = job["spec"]["completions"]
    with tempfile.TemporaryDirectory() as runs:
        command = [word.replace("/runs", runs) for word in command]
        variables = {"JOB_COMPLETION_INDEX": "2"}
        for code in (0, 1, 3):
            check(f"verdict {code}", run(command, variables, code)[0], 0)
        for code in (2, 4, 130):
            check(f"failure {code}", run(command, variables, code)[0] != 0, True)
        _, called = run(command, variables, 0)
        check("first attempt", called, [f"trailproof scan --shard {parts} --listing {runs}/listing.json --out {runs}/2"])
        # What the first attempt left on the volume is gone on with.
        os.makedirs(f"{runs}/2")
        Path(f"{runs}/2/run.json").touch()
        _, called = run(command, variables, 0)
        check("second attempt", called, [f"trailproof scan --resume {runs}/2 --listing {runs}/listing.json"])


def batch():
    template = yaml.load((FOLDER / "batch.yaml").read_text(), Loader=Template)
    command = template["Resources"]["List"]["Properties"]["ContainerProperties"]["Command"]
    code, called = run(command, {"BUCKET": "bucket"}, 0)
    wanted = [
        "trailproof accounts list --out /tmp/listing.json",
        "aws s3 cp /tmp/listing.json s3://bucket/run/listing.json",
    ]
    check("listing", (code, called), (0, wanted))
    check("no listing", run(command, {"BUCKET": "bucket"}, 4)[0], 4)
    check("listing not copied", run(command, {"BUCKET": "bucket"}, 0, aws=1)[0], 1)

    properties = template["Resources"]["Scan"]["Properties"]["ContainerProperties"]
    command = properties["Command"]
    given = {variable["Name"] for variable in properties["Environment"]}
    used = set(re.findall(r"\$([A-Z_]+)", " ".join(command))) - {"AWS_BATCH_JOB_ARRAY_INDEX"}
    check("variables", used, given)
    variables = {"PARTS": "4", "BUCKET": "bucket", "AWS_BATCH_JOB_ARRAY_INDEX": "2"}
    for code in (0, 1, 3):
        check(f"verdict {code}", run(command, variables, code)[0], 0)
    for code in (2, 4, 130):
        check(f"failure {code}", run(command, variables, code)[0], code)
    check("nothing copied", run(command, variables, 0, aws=1)[0], 4)
    _, called = run(command, variables, 1)
    wanted = [
        "aws s3 cp s3://bucket/run/listing.json /tmp/listing.json",
        "trailproof scan --shard 4 --listing /tmp/listing.json --out /tmp/run",
        "aws s3 cp --recursive /tmp/run s3://bucket/run/2/",
    ]
    check("calls", called, wanted)


kubernetes()
batch()
json.dump(wrong, sys.stdout)
