"""Looks at accounts of an emulator or the simulator with boto3, and acts in them as somebody else.

Reads one JSON document per line from stdin and answers each with one line:

    {"dump": [ACCOUNTS], "regions": [REGIONS]}
        every trail, log group, metric filter, alarm, topic and subscription with tags and
        attributes, by "ACCOUNT REGION KIND NAME"
    {"account", "region", "service", "operation", "parameters"}
        one call of boto3, by its name there

An answer is {"answer": ...} or {"error": TEXT}. Names that occur twice, which AWS does not allow
and an emulator may, get a number: nothing is hidden.
"""

import argparse
import json
import sys
from functools import cache

import boto3
import botocore.session
from botocore.config import Config
from botocore.exceptions import ClientError

ROLE = "OrganizationAccountAccessRole"

# What moves by itself, or says in numbers what the dump has in full.
MOVING = {
    "ResponseMetadata",
    "metricFilterCount",
    "storedBytes",
    "SubscriptionsConfirmed",
    "SubscriptionsDeleted",
    "SubscriptionsPending",
}
# How an operation is refused that is not served at all.
NOT_SERVED = {
    "404",
    "InternalFailure",
    "InvalidAction",
    "InvalidOperationException",
    "UnknownOperationException",
}


class Witness:
    """Clients are slow to make, so they share credentials that are changed with the account."""

    def __init__(self, emulator, endpoint, management):
        self.emulator = emulator
        self.endpoint = endpoint
        self.management = management
        self.core = botocore.session.get_session()
        self.core.set_credentials("none", "none")
        self.session = boto3.Session(botocore_session=self.core)

    @cache
    def client(self, service, region):
        return self.session.client(
            service,
            region_name=region,
            endpoint_url=self.endpoint,
            config=Config(retries={"total_max_attempts": 1}),
        )

    @cache
    def credentials(self, account):
        if self.emulator == "ministack":
            # It takes the number of an account for the key of its root user.
            return account, "test", None
        if account == self.management:
            return "test", "test", None
        self.act_as(self.management)
        issued = self.client("sts", "us-east-1").assume_role(
            RoleArn=f"arn:aws:iam::{account}:role/{ROLE}", RoleSessionName="witness"
        )["Credentials"]
        return issued["AccessKeyId"], issued["SecretAccessKey"], issued["SessionToken"]

    def act_as(self, account):
        access_key, secret_key, token = self.credentials(account)
        current = self.core.get_credentials()
        current.access_key, current.secret_key, current.token = access_key, secret_key, token

    def call(self, question):
        self.act_as(question["account"])
        client = self.client(question["service"], question["region"])
        return getattr(client, question["operation"])(**question["parameters"])

    def dump(self, accounts, regions):
        found = {}

        def note(kind, name, **content):
            key = f"{account} {region} {kind} {name}"
            number = 1
            while key in found:
                number += 1
                key = f"{account} {region} {kind} {name} ({number})"
            found[key] = still(content)

        for account in accounts:
            self.act_as(account)
            for region in regions:
                self.trails(region, note)
                self.log_groups(region, note)
                self.alarms(region, note)
                self.topics(region, note)
        return found

    def trails(self, region, note):
        api = self.client("cloudtrail", region)
        for trail in api.describe_trails(includeShadowTrails=False)["trailList"]:
            name = trail["Name"]
            selectors = api.get_event_selectors(TrailName=name)
            logging = api.get_trail_status(Name=name)["IsLogging"]
            note("trail", name, trail=trail, selectors=selectors, logging=logging)

    def log_groups(self, region, note):
        api = self.client("logs", region)
        for group in pages(api, "describe_log_groups", "logGroups"):
            name = group["logGroupName"]
            arn = group["arn"].removesuffix(":*")
            tags = served(api.list_tags_for_resource, resourceArn=arn)
            note("log-group", name, group=group, tags=tags)
            filters = pages(api, "describe_metric_filters", "metricFilters", logGroupName=name)
            for item in filters:
                note("metric-filter", f"{name}/{item['filterName']}", filter=item)

    def alarms(self, region, note):
        api = self.client("cloudwatch", region)
        for page in api.get_paginator("describe_alarms").paginate(
            AlarmTypes=["MetricAlarm", "CompositeAlarm"]
        ):
            for alarm in page.get("MetricAlarms", []) + page.get("CompositeAlarms", []):
                tags = served(api.list_tags_for_resource, ResourceARN=alarm["AlarmArn"])
                note("alarm", alarm["AlarmName"], alarm=alarm, tags=tags)

    def topics(self, region, note):
        api = self.client("sns", region)
        for topic in pages(api, "list_topics", "Topics"):
            arn = topic["TopicArn"]
            name = arn.rpartition(":")[2]
            attributes = api.get_topic_attributes(TopicArn=arn)["Attributes"]
            tags = served(api.list_tags_for_resource, ResourceArn=arn)
            note("topic", name, attributes=attributes, tags=tags)
            for item in pages(api, "list_subscriptions_by_topic", "Subscriptions", TopicArn=arn):
                more = {}
                if item["SubscriptionArn"].startswith("arn:"):
                    answer = api.get_subscription_attributes(
                        SubscriptionArn=item["SubscriptionArn"]
                    )
                    more = answer["Attributes"]
                note(
                    "subscription",
                    f"{name}/{item['Protocol']}:{item['Endpoint']}",
                    subscription=item,
                    attributes=more,
                )


def pages(api, operation, member, **parameters):
    return [
        item
        for page in api.get_paginator(operation).paginate(**parameters)
        for item in page.get(member, [])
    ]


def served(operation, **parameters):
    """An answer, or that there is none to be had here, which stays the same too."""
    try:
        return operation(**parameters)
    except ClientError as error:
        code = error.response["Error"]["Code"]
        if code not in NOT_SERVED:
            raise
        return f"not served: {code}"


def still(value):
    """Without what moves by itself; tags in order."""
    if isinstance(value, dict):
        return {name: still(member) for name, member in value.items() if name not in MOVING}
    if isinstance(value, list):
        if all(isinstance(item, dict) and item.keys() == {"Key", "Value"} for item in value):
            value = sorted(value, key=lambda tag: tag["Key"])
        return [still(item) for item in value]
    return value


def main():
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--emulator", choices=["ministack", "moto", "simulator"], required=True)
    parser.add_argument("--endpoint", required=True)
    parser.add_argument("--management", required=True)
    arguments = parser.parse_args()
    witness = Witness(arguments.emulator, arguments.endpoint, arguments.management)
    for line in sys.stdin:
        question = json.loads(line)
        try:
            if "dump" in question:
                answer = {"answer": witness.dump(question["dump"], question["regions"])}
            else:
                answer = {"answer": still(witness.call(question))}
        except ClientError as error:
            answer = {"error": str(error)}
        print(json.dumps(answer, sort_keys=True, default=str), flush=True)


if __name__ == "__main__":
    sys.exit(main())
