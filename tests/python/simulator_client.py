"""Clients of the simulator, and the list of what they found wrong."""

import json
import sys
from datetime import datetime, timedelta, timezone

import boto3
import botocore.session
from botocore.config import Config
from botocore.exceptions import ClientError

QUESTION = json.load(sys.stdin)
ENDPOINT = QUESTION["endpoint"]
OPERATIONS = set(QUESTION["operations"])
MANAGEMENT, MEMBER, SUSPENDED = "111111111111", "222222222222", "333333333333"
ROLE = "OrganizationAccountAccessRole"
PREFIXES = {"monitoring": "cloudwatch"}

# What CloudWatch can be spoken to in, and what each looks like on the wire.
CLOUDWATCH_PROTOCOLS = {
    "smithy-rpc-v2-cbor": "application/cbor",
    "json": "application/x-amz-json-1.0",
    "query": "application/x-www-form-urlencoded",
}

used = set()
wrong = []


def check(what, seen, wanted):
    if seen != wanted:
        wrong.append(f"{what}: {seen!r} is not {wanted!r}")


def speaking(protocol):
    """A session in which CloudWatch's model knows no other protocol than this."""
    session = botocore.session.get_session()
    loader = session.get_component("data_loader")
    load = loader.load_service_model

    def load_one(service_name, type_name, api_version=None):
        model = load(service_name, type_name, api_version)
        if (service_name, type_name) == ("cloudwatch", "service-2"):
            metadata = dict(model["metadata"], protocol=protocol, protocols=[protocol])
            model = dict(model, metadata=metadata)
        return model

    loader.load_service_model = load_one
    return boto3.Session(botocore_session=session)


def client(service, credentials=None, region="us-east-1", protocol=None, **config):
    session = speaking(protocol) if protocol else boto3
    made = session.client(
        service,
        endpoint_url=ENDPOINT,
        region_name=region,
        config=Config(retries={"total_max_attempts": 1}, **config),
        **(credentials or {"aws_access_key_id": "AKIAANYBODY", "aws_secret_access_key": "x"}),
    )

    def note(model, params, **_):
        prefix = model.service_model.signing_name
        used.add(f"{PREFIXES.get(prefix, prefix)}:{model.name}")
        if protocol:
            sent = params["headers"]["Content-Type"].split(";")[0]
            check(f"{model.name} in {protocol}", sent, CLOUDWATCH_PROTOCOLS[protocol])

    made.meta.events.register("before-call", note)
    return made


def code(call, **parameters):
    """The code of the error that a call ends in, if it does."""
    try:
        call(**parameters)
    except ClientError as error:
        return error.response["Error"]["Code"]
    return None


def enter(account):
    issued = client("sts").assume_role(
        RoleArn=f"arn:aws:iam::{account}:role/{ROLE}", RoleSessionName="fidelity"
    )["Credentials"]
    left = issued["Expiration"] - datetime.now(timezone.utc)
    check("session length", timedelta(minutes=59) < left <= timedelta(hours=1), True)
    return {
        "aws_access_key_id": issued["AccessKeyId"],
        "aws_secret_access_key": issued["SecretAccessKey"],
        "aws_session_token": issued["SessionToken"],
    }
