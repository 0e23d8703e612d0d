"""Makes the organization of a scenario in an emulator, with ordinary AWS calls.

Reads the organization as JSON from stdin and writes JSON to stdout:

    {"accounts": {"111111111111": "384756384756", ...},
     "left_out": {"222222222222": ["what the emulator cannot hold"], ...}}

`accounts` maps the account numbers of the scenario to those the emulator chose. An account that
needs something the emulator cannot hold is left out whole: half of it would have another verdict.
"""

import argparse
import json
import re
import sys
from functools import cache

import botocore.session
from botocore.config import Config

MANAGEMENT = {"ministack": "000000000000", "moto": "123456789012"}


class Emulator:
    """An emulator with one client per service and region. Clients are slow to make, so they share
    credentials that are changed when another account is to act."""

    def __init__(self, name, endpoint, authorization):
        self.name = name
        self.endpoint = endpoint
        self.authorization = authorization
        self.session = botocore.session.get_session()
        self.session.set_credentials("none", "none")
        self.management = MANAGEMENT[name]

    @cache
    def client(self, service, region="us-east-1"):
        return self.session.create_client(
            service,
            region_name=region,
            endpoint_url=self.endpoint,
            config=Config(retries={"total_max_attempts": 3, "mode": "standard"}),
        )

    def act_as(self, account):
        if self.name == "ministack":
            self.use(account, "test", None)
            return
        self.use("test", "test", None)
        if account != self.management:
            role = f"arn:aws:iam::{account}:role/OrganizationAccountAccessRole"
            answer = self.client("sts").assume_role(RoleArn=role, RoleSessionName="provision")
            issued = answer["Credentials"]
            self.use(issued["AccessKeyId"], issued["SecretAccessKey"], issued["SessionToken"])

    def use(self, access_key, secret_key, token):
        credentials = self.session.get_credentials()
        credentials.access_key = access_key
        credentials.secret_key = secret_key
        credentials.token = token


# What an account may need and an emulator cannot hold.


def gaps(emulator, organization, account):
    found = set()
    ministack = emulator.name == "ministack"
    if account["state"] not in ("ACTIVE", "SUSPENDED"):
        found.add(f"the state {account['state']}")
    if account["denials"] or any(role["denials"] for role in account["roles"]):
        found.add("denied operations")
    if account["id"] != organization["management"] and not account["roles"]:
        found.add("a role that does not exist")
    if any(role["name"] != "OrganizationAccountAccessRole" for role in account["roles"]):
        found.add("another role")
    for region, site in account["sites"].items():
        if region in organization["opt_in_regions"]:
            found.add("opt-in regions")
        for trail in site["trails"]:
            if trail["organization"]:
                found.add("organization trails, as members see them")
            if trail["multi_region"] and not trail["global_events"] and not ministack:
                found.add("multi-region trails without global events")
            if trail["selectors"] in ("advanced_default", "none") and ministack:
                found.add("other selectors of a new trail than the older kind's")
            if trail["kms_key"]:
                found.add("the key of a trail's files")
            if not trail["recursive_logging"]:
                # Neither says whether a trail records its own log files.
                found.add("trails that leave their own log files out")
            if trail["never_delivered"] or trail["delivery_error"]:
                found.add("the delivery to CloudWatch Logs")
            # An emulator says nothing about deliveries; a fresh one is taken for granted.
            if not trail["delivery_age"] == organization["fresh_delivery_age"]:
                found.add("the delivery to CloudWatch Logs")
        for group in site["log_groups"]:
            if group["class"] != "STANDARD" and not ministack:
                found.add("log group classes")
            for metric_filter in group["filters"]:
                if metric_filter["apply_on_transformed_logs"]:
                    found.add("filters on transformed logs")
                if metric_filter["field_selection_criteria"]:
                    found.add("field selection criteria")
                if metric_filter["emit_system_field_dimensions"]:
                    found.add("system field dimensions")
        for alarm in site["alarms"]:
            if len(alarm["alarm_actions"]) > 1 and not ministack:
                # moto counts no subscription of any topic.
                found.add("the subscription counters of several topics")
            if alarm["rule"] and not ministack:
                found.add("composite alarms")
            if alarm["metrics"] and ministack:
                found.add("metric math")
            if any(query["account_id"] for query in alarm["metrics"]):
                found.add("metrics of other accounts")
            if alarm["suppressor"]:
                found.add("suppressed actions")
            if alarm["state"] not in ("", "OK", "INSUFFICIENT_DATA") or alarm["state_minutes"]:
                found.add("the state of an alarm")
            if alarm["evaluation_state"] or alarm["warm_up_minutes"] or alarm["configured_minutes"]:
                found.add("how an alarm is evaluated")
            if alarm["wall_clock"]:
                found.add("windows by the clock")
            if alarm["query"] or alarm["log_groups"]:
                found.add("alarms on logs")
        if site["mute_rules"]:
            found.add("mute rules")
        if site["keys"]:
            # An emulator chooses the ids of keys, and scenarios name them.
            found.add("keys of the customer")
        for topic in site["topics"]:
            for subscription in topic["subscriptions"]:
                state = subscription["state"]
                if state == "confirmed" and subscription["protocol"] in ("http", "https") and ministack:
                    found.add("confirmed web addresses")
                if state == "deleted" or (state == "pending" and not ministack):
                    found.add(f"{state} subscriptions")
    return sorted(found)


# Making one account's resources.


def present(**members):
    """Members that are set."""
    return {name: value for name, value in members.items() if value not in (None, "", [], {})}


def dimensions(mapping):
    return [{"Name": name, "Value": value} for name, value in mapping.items()]


def make_log_groups(logs, groups):
    for group in groups:
        logs.create_log_group(logGroupName=group["name"], logGroupClass=group["class"])
        for item in group["filters"]:
            transformation = present(
                metricName=item["metric_name"],
                metricNamespace=item["namespace"],
                metricValue=item["value"],
                defaultValue=item["default_value"],
                dimensions=item["dimensions"],
                unit=item["unit"],
            )
            logs.put_metric_filter(
                logGroupName=group["name"],
                filterName=item["name"],
                filterPattern=item["pattern"],
                metricTransformations=[transformation],
            )


def make_topics(sns, topics):
    for topic in topics:
        attributes = present(
            Policy=topic["policy"],
            KmsMasterKeyId=topic["kms_key"],
            FifoTopic="true" if topic["name"].endswith(".fifo") else "",
        )
        arn = sns.create_topic(Name=topic["name"], Attributes=attributes)["TopicArn"]
        for subscription in topic["subscriptions"]:
            protocol, endpoint = subscription["protocol"], subscription["endpoint"]
            if subscription["state"] == "pending":
                # The protocol that the emulator does not confirm by itself.
                protocol, endpoint = "http", "http://127.0.0.1:9/pending"
            attributes = present(
                FilterPolicy=subscription["filter_policy"],
                FilterPolicyScope=subscription["filter_policy_scope"],
            )
            sns.subscribe(
                TopicArn=arn, Protocol=protocol, Endpoint=endpoint, Attributes=attributes
            )


def make_alarm(cloudwatch, alarm, arn):
    shared = present(
        AlarmName=alarm["name"],
        AlarmDescription=alarm["description"],
        AlarmActions=[arn(action) for action in alarm["alarm_actions"]],
        OKActions=[arn(action) for action in alarm["ok_actions"]],
        InsufficientDataActions=[arn(action) for action in alarm["insufficient_data_actions"]],
    )
    shared["ActionsEnabled"] = alarm["actions_enabled"]
    if alarm["rule"]:
        cloudwatch.put_composite_alarm(AlarmRule=alarm["rule"], **shared)
        return
    metrics = [
        present(
            Id=query["id"],
            Expression=query["expression"],
            Label=query["label"],
            Period=query["period"],
            MetricStat=query["metric"]
            and present(
                Metric=present(
                    Namespace=query["metric"]["namespace"],
                    MetricName=query["metric"]["metric_name"],
                    Dimensions=dimensions(query["metric"]["dimensions"]),
                ),
                Period=query["metric"]["period"],
                Stat=query["metric"]["statistic"],
                Unit=query["metric"]["unit"],
            ),
        )
        | ({} if query["return_data"] is None else {"ReturnData": query["return_data"]})
        for query in alarm["metrics"]
    ]
    cloudwatch.put_metric_alarm(
        **shared,
        **present(
            MetricName=alarm["metric_name"],
            Namespace=alarm["namespace"],
            Dimensions=dimensions(alarm["dimensions"]),
            Statistic=alarm["statistic"],
            ExtendedStatistic=alarm["extended_statistic"],
            Period=alarm["period"],
            EvaluationPeriods=alarm["evaluation_periods"],
            DatapointsToAlarm=alarm["datapoints_to_alarm"],
            Threshold=alarm["threshold"],
            ComparisonOperator=alarm["comparison_operator"],
            TreatMissingData=alarm["treat_missing_data"],
            Unit=alarm["unit"],
            Metrics=metrics,
        ),
    )
    if alarm["state"] == "ALARM":
        cloudwatch.set_alarm_state(
            AlarmName=alarm["name"], StateValue="ALARM", StateReason="as in the scenario"
        )


def make_trail(cloudtrail, s3, trail, region, account):
    bucket = trail["bucket"] or f"cloudtrail-{account}"
    configuration = present() if region == "us-east-1" else {
        "CreateBucketConfiguration": {"LocationConstraint": region}
    }
    try:
        s3.create_bucket(Bucket=bucket, **configuration)
    except (s3.exceptions.BucketAlreadyOwnedByYou, s3.exceptions.BucketAlreadyExists):
        pass
    group = trail["log_group"]
    if group and not group.startswith("arn:"):
        group = f"arn:aws:logs:{region}:{account}:log-group:{group}:*"
    role = f"arn:aws:iam::{account}:role/CloudTrail_CloudWatchLogs_Role"
    delivery = present(CloudWatchLogsLogGroupArn=group, CloudWatchLogsRoleArn=group and role)
    created = cloudtrail.create_trail(
        Name=trail["name"],
        S3BucketName=bucket,
        IsMultiRegionTrail=trail["multi_region"],
        IncludeGlobalServiceEvents=trail["global_events"],
        EnableLogFileValidation=True,
        **delivery,
    )
    if group and not created.get("CloudWatchLogsLogGroupArn"):
        # ministack takes it only from an update.
        cloudtrail.update_trail(Name=trail["name"], **delivery)
    if trail["logging"]:
        cloudtrail.start_logging(Name=trail["name"])
    else:
        cloudtrail.stop_logging(Name=trail["name"])
    selectors = trail["selectors"]
    if not isinstance(selectors, dict):
        return
    if "basic" in selectors:
        cloudtrail.put_event_selectors(
            TrailName=trail["name"],
            EventSelectors=[
                {
                    "ReadWriteType": selector["read_write_type"],
                    "IncludeManagementEvents": selector["include_management_events"],
                    "ExcludeManagementEventSources": selector["exclude_management_event_sources"],
                }
                for selector in selectors["basic"]
            ],
        )
    else:
        names = {
            "equals": "Equals",
            "starts_with": "StartsWith",
            "ends_with": "EndsWith",
            "not_equals": "NotEquals",
            "not_starts_with": "NotStartsWith",
            "not_ends_with": "NotEndsWith",
        }
        cloudtrail.put_event_selectors(
            TrailName=trail["name"],
            AdvancedEventSelectors=[
                present(
                    Name=selector["name"],
                    FieldSelectors=[
                        present(
                            Field=field["field"],
                            **{name: field[key] for key, name in names.items()},
                        )
                        for field in selector["fields"]
                    ],
                )
                for selector in selectors["advanced"]
            ],
        )


def make_account(emulator, account):
    """Everything in an account, by the numbers the emulator chose."""
    number = account["id"]
    emulator.act_as(number)
    if emulator.authorization and number != emulator.management:
        make_role(emulator)
    for region, site in account["sites"].items():

        def arn(action, region=region):
            if action.startswith("arn:"):
                return action
            return f"arn:aws:sns:{region}:{number}:{action}"

        make_log_groups(emulator.client("logs", region), site["log_groups"])
        make_topics(emulator.client("sns", region), site["topics"])
        # A composite alarm may name only what is there already.
        for alarm in sorted(site["alarms"], key=lambda alarm: bool(alarm["rule"])):
            make_alarm(emulator.client("cloudwatch", region), alarm, arn)
        for trail in site["trails"]:
            s3 = emulator.client("s3", region)
            make_trail(emulator.client("cloudtrail", region), s3, trail, region, number)


def make_role(emulator):
    """The role that Organizations makes in a new account, and the emulator only when asked."""
    trust = {
        "Version": "2012-10-17",
        "Statement": [
            {
                "Effect": "Allow",
                "Principal": {"AWS": f"arn:aws:iam::{emulator.management}:root"},
                "Action": "sts:AssumeRole",
            }
        ],
    }
    everything = {
        "Version": "2012-10-17",
        "Statement": [{"Effect": "Allow", "Action": "*", "Resource": "*"}],
    }
    role = "OrganizationAccountAccessRole"
    iam = emulator.client("iam")
    iam.create_role(RoleName=role, AssumeRolePolicyDocument=json.dumps(trust))
    iam.put_role_policy(RoleName=role, PolicyName="access", PolicyDocument=json.dumps(everything))


def make_units(organizations, units):
    """Every unit by its path of names."""
    root = organizations.list_roots()["Roots"][0]["Id"]
    made = {"": root}
    for path in sorted(units):
        parent, _, name = path.rpartition("/")
        answer = organizations.create_organizational_unit(ParentId=made[parent], Name=name)
        made[path] = answer["OrganizationalUnit"]["Id"]
    return made


def main():
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--emulator", choices=sorted(MANAGEMENT), required=True)
    parser.add_argument("--endpoint", required=True)
    parser.add_argument("--authorization", action="store_true")
    arguments = parser.parse_args()
    emulator = Emulator(arguments.emulator, arguments.endpoint, arguments.authorization)
    organization = json.load(sys.stdin)

    management = emulator.management
    emulator.act_as(management)
    organizations = emulator.client("organizations")
    if emulator.name == "moto":
        organizations.create_organization(FeatureSet="ALL")
    units = make_units(organizations, organization["units"])

    left_out = {}
    numbers = {organization["management"]: management}
    held = []
    for account in organization["accounts"]:
        reasons = gaps(emulator, organization, account)
        if reasons:
            left_out[account["id"]] = reasons
            continue
        held.append(account)
        if account["id"] == organization["management"]:
            continue
        answer = organizations.create_account(Email=account["email"], AccountName=account["name"])
        number = answer["CreateAccountStatus"]["AccountId"]
        numbers[account["id"]] = number
        if account["unit"]:
            organizations.move_account(
                AccountId=number,
                SourceParentId=units[""],
                DestinationParentId=units[account["unit"]],
            )
        if account["tags"]:
            tags = [{"Key": key, "Value": value} for key, value in account["tags"].items()]
            organizations.tag_resource(ResourceId=number, Tags=tags)

    scenario_number = re.compile("|".join(numbers))
    for account in held:
        text = scenario_number.sub(lambda match: numbers[match[0]], json.dumps(account))
        make_account(emulator, json.loads(text))
        if account["state"] == "SUSPENDED":
            emulator.act_as(management)
            organizations.close_account(AccountId=numbers[account["id"]])
    if organization["management"] in left_out:
        numbers.pop(organization["management"])
    json.dump({"accounts": numbers, "left_out": left_out}, sys.stdout, indent=2)


if __name__ == "__main__":
    sys.exit(main())
