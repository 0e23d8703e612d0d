"""Evidence made with the AWS CLI, as an auditor would make it by hand.

Every answer is what `aws ... --output json` prints, put unchanged into a line of evidence.ndjson on
stdout. The CLI runs inside this process: starting it anew for each call would take a second each.
Calls that a person would write shorter than trailproof sends them are written shorter.
"""

import argparse
import contextlib
import datetime
import io
import json
import os
import re
import sys

import awscli.clidriver

DENIED = re.compile("AccessDenied|AuthorizationError|Unauthorized")


class Account:
    def __init__(self, number, endpoint, access_key, secret_key, token=None):
        self.number = number
        self.endpoint = endpoint
        self.credentials = {
            "AWS_ACCESS_KEY_ID": access_key,
            "AWS_SECRET_ACCESS_KEY": secret_key,
            "AWS_SESSION_TOKEN": token,
        }
        self.driver = None

    def aws(self, *words):
        """The exit code and what was printed to stdout and stderr."""
        for name, value in self.credentials.items():
            os.environ.pop(name, None)
            if value:
                os.environ[name] = value
        if self.driver is None:
            self.driver = awscli.clidriver.create_clidriver()
        output, errors = io.StringIO(), io.StringIO()
        words = [*words, "--endpoint-url", self.endpoint, "--output", "json"]
        with contextlib.redirect_stdout(output), contextlib.redirect_stderr(errors):
            code = self.driver.main(words)
        return code, output.getvalue(), errors.getvalue()

    def call(self, operation, command, region, parameters):
        """Makes a call, writes its record, and returns the response, or None."""
        service, name = command
        words = [service, name, "--region", region]
        for member, value in parameters.items():
            option = "--" + re.sub("(?<=[a-z])(?=[A-Z])", "-", member).lower()
            if value is True:
                words.append(option)
            elif isinstance(value, list):
                words.extend([option, *value])
            else:
                words.extend([option, value])
        code, output, errors = self.aws(*words)
        record = {
            "operation": operation,
            "account": self.number,
            "region": region,
            "parameters": parameters,
            "observed_at": datetime.datetime.now(datetime.timezone.utc).isoformat(),
        }
        if code == 0:
            record["response"] = json.loads(output or "{}")
        else:
            match = re.search(r"\((\w+)\) when calling [^:]*: (.*)", errors)
            assert match, errors
            kind = "other"
            if DENIED.search(match[1]):
                kind = "denied"
            elif "NotFound" in match[1]:
                kind = "not-found"
            record["error"] = {"code": match[1], "message": match[2], "class": kind}
        print(json.dumps(record))
        return record.get("response")


def log_group_name(arn):
    return arn.split(":log-group:")[1].removesuffix(":*")


def look_at(account):
    described = account.call(
        "cloudtrail:DescribeTrails", ("cloudtrail", "describe-trails"), "us-east-1", {}
    )
    regions = set()
    for trail in (described or {}).get("trailList", []):
        home, arn = trail["HomeRegion"], trail["TrailARN"]
        account.call(
            "cloudtrail:GetTrailStatus", ("cloudtrail", "get-trail-status"), home, {"Name": arn}
        )
        account.call(
            "cloudtrail:GetEventSelectors",
            ("cloudtrail", "get-event-selectors"),
            home,
            {"TrailName": arn},
        )
        if not trail.get("CloudWatchLogsLogGroupArn"):
            continue
        # All log groups of the region, and every filter of the one.
        account.call("logs:DescribeLogGroups", ("logs", "describe-log-groups"), home, {})
        account.call(
            "logs:DescribeMetricFilters",
            ("logs", "describe-metric-filters"),
            home,
            {"logGroupName": log_group_name(trail["CloudWatchLogsLogGroupArn"])},
        )
        regions.add(home)
    topics = set()
    for region in sorted(regions):
        alarms = account.call(
            "cloudwatch:DescribeAlarms",
            ("cloudwatch", "describe-alarms"),
            region,
            {"AlarmTypes": ["MetricAlarm", "CompositeAlarm"]},
        )
        account.call(
            "cloudwatch:ListAlarmMuteRules", ("cloudwatch", "list-alarm-mute-rules"), region, {}
        )
        for alarm in (alarms or {}).get("MetricAlarms", []) + (alarms or {}).get(
            "CompositeAlarms", []
        ):
            topics.update(
                (region, action)
                for action in alarm.get("AlarmActions", [])
                if ":sns:" in action
            )
    for region, arn in sorted(topics):
        parameters = {"TopicArn": arn}
        account.call(
            "sns:GetTopicAttributes", ("sns", "get-topic-attributes"), region, parameters
        )
        listed = account.call(
            "sns:ListSubscriptionsByTopic",
            ("sns", "list-subscriptions-by-topic"),
            region,
            parameters,
        )
        for subscription in (listed or {}).get("Subscriptions", []):
            if subscription["SubscriptionArn"].startswith("arn:"):
                account.call(
                    "sns:GetSubscriptionAttributes",
                    ("sns", "get-subscription-attributes"),
                    region,
                    {"SubscriptionArn": subscription["SubscriptionArn"]},
                )


def main():
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--endpoint", required=True)
    parser.add_argument("--access-key", required=True)
    arguments = parser.parse_args()

    caller = Account(None, arguments.endpoint, arguments.access_key, "test")
    code, output, errors = caller.aws("sts", "get-caller-identity", "--region", "us-east-1")
    assert code == 0, errors
    caller.number = json.loads(output)["Account"]
    home = "us-east-1"
    caller.call("sts:GetCallerIdentity", ("sts", "get-caller-identity"), home, {})
    caller.call(
        "organizations:DescribeOrganization", ("organizations", "describe-organization"), home, {}
    )
    listed = caller.call("organizations:ListAccounts", ("organizations", "list-accounts"), home, {})
    for member in listed["Accounts"]:
        if member.get("State", member.get("Status")) != "ACTIVE":
            continue
        if member["Id"] == caller.number:
            look_at(caller)
            continue
        role = f"arn:aws:iam::{member['Id']}:role/OrganizationAccountAccessRole"
        code, output, errors = caller.aws(
            "sts", "assume-role", "--region", home, "--role-arn", role,
            "--role-session-name", "audit",
        )  # fmt: skip
        assert code == 0, errors
        issued = json.loads(output)["Credentials"]
        look_at(
            Account(
                member["Id"],
                arguments.endpoint,
                issued["AccessKeyId"],
                issued["SecretAccessKey"],
                issued["SessionToken"],
            )
        )


if __name__ == "__main__":
    sys.exit(main())
