"""Reads and changes the simulator with boto3 and the AWS CLI, and checks what they understand.

Reads {"endpoint": URL, "operations": [NAMES]} from stdin. Every operation that the simulator serves
has to be used at least once. Prints a JSON list of what went wrong; nothing when all is well.
"""

import json
import os
import subprocess
import sys
import urllib.request
from datetime import datetime, timedelta, timezone

import simulator_mistakes
import simulator_pages
from simulator_client import (
    CLOUDWATCH_PROTOCOLS,
    ENDPOINT,
    MANAGEMENT,
    MEMBER,
    OPERATIONS,
    ROLE,
    SUSPENDED,
    check,
    client,
    code,
    enter,
    used,
    wrong,
)


def organizations():
    api = client("organizations")
    organization = api.describe_organization()["Organization"]
    check("management account", organization["MasterAccountId"], MANAGEMENT)
    pages = list(api.get_paginator("list_accounts").paginate())
    accounts = [account for page in pages for account in page["Accounts"]]
    check("account pages", [len(page["Accounts"]) for page in pages], [20, 20, 8])
    check("account states", {a["Id"]: a["State"] for a in accounts}[SUSPENDED], "SUSPENDED")
    check("one account", api.describe_account(AccountId=MEMBER)["Account"], accounts[1])
    root = api.list_roots()["Roots"][0]["Id"]
    unit = api.list_organizational_units_for_parent(ParentId=root)["OrganizationalUnits"][0]
    check("unit", unit["Name"], "Workloads")
    inner = api.list_organizational_units_for_parent(ParentId=unit["Id"])["OrganizationalUnits"][0]
    inside = api.list_accounts_for_parent(ParentId=inner["Id"])["Accounts"]
    check("accounts of a unit", [a["Id"] for a in inside], [MEMBER])
    check("parent", api.list_parents(ChildId=MEMBER)["Parents"][0]["Id"], inner["Id"])
    path = f"{organization['Id']}/{root}/{unit['Id']}/{inner['Id']}/{MEMBER}/"
    check("path", accounts[1]["Paths"], [path])
    tags = api.list_tags_for_resource(ResourceId=MEMBER)["Tags"]
    expected = {"environment": "production", "team": "payments"}
    check("tags", {tag["Key"]: tag["Value"] for tag in tags}, expected)
    check("tags of a unit", api.list_tags_for_resource(ResourceId=unit["Id"])["Tags"], [])
    missing = code(api.list_tags_for_resource, ResourceId="123456789012")
    check("tags of nothing", missing, "TargetNotFoundException")
    administrators = api.list_delegated_administrators(ServicePrincipal="cloudtrail.amazonaws.com")
    check("delegated", [a["Id"] for a in administrators["DelegatedAdministrators"]], [SUSPENDED])


def identities(member):
    check("member", client("sts", member).get_caller_identity()["Account"], MEMBER)
    check("caller", client("sts").get_caller_identity()["Account"], MANAGEMENT)
    denied = code(
        client("sts").assume_role,
        RoleArn=f"arn:aws:iam::{SUSPENDED}:role/{ROLE}",
        RoleSessionName="fidelity",
    )
    check("suspended", denied, "AccessDenied")
    regions = client("account").list_regions(AccountId=MEMBER)["Regions"]
    check("regions", len(regions), 34)
    own = client("account", member).list_regions(RegionOptStatusContains=["ENABLED"])["Regions"]
    check("opted in", [region["RegionName"] for region in own], ["me-south-1"])
    security = {"AlternateContactType": "SECURITY"}
    contact = client("account").get_alternate_contact(AccountId=MEMBER, **security)["AlternateContact"]
    person = {"Name": "Ann", "Title": "CISO", "EmailAddress": "ann@example.com", "PhoneNumber": "+1 555 0100"}
    check("security contact", contact, {**person, **security})
    contact = client("account", member).get_alternate_contact(**security)["AlternateContact"]
    check("its own contact", contact["Name"], "Ann")
    nobody = code(client("account").get_alternate_contact, AccountId=MEMBER, AlternateContactType="BILLING")
    check("no contact for bills", nobody, "ResourceNotFoundException")
    other = code(client("account", member).get_alternate_contact, AccountId=MANAGEMENT, **security)
    check("a contact of others", other, "AccessDeniedException")
    closed = code(client("cloudtrail", member, "af-south-1").describe_trails)
    check("region not enabled", closed, "UnrecognizedClientException")
    closed = code(client("sns", member, "af-south-1").list_topics)
    check("region not enabled, SNS", closed, "InvalidClientTokenId")


def trails(member):
    organization = f"arn:aws:cloudtrail:us-east-1:{MANAGEMENT}:trail/everything"
    own = f"arn:aws:cloudtrail:us-east-1:{MEMBER}:trail/management-events"
    api = client("cloudtrail", member)
    seen = {trail["TrailARN"]: trail for trail in api.describe_trails()["trailList"]}
    check("trails", sorted(seen), [organization, own])
    check("organization trail", seen[organization]["IsOrganizationTrail"], True)
    check(
        "log group",
        seen[own]["CloudWatchLogsLogGroupArn"],
        f"arn:aws:logs:us-east-1:{MEMBER}:log-group:cloudtrail:*",
    )
    only_own = api.describe_trails(includeShadowTrails=False)["trailList"]
    check("without shadows", [trail["TrailARN"] for trail in only_own], [own])
    check("by name", len(api.describe_trails(trailNameList=["management-events"])["trailList"]), 1)
    check("one trail", api.get_trail(Name=own)["Trail"], seen[own])
    check("list", {t["TrailARN"] for t in api.list_trails()["Trails"]}, {organization, own})
    status = api.get_trail_status(Name=organization)
    check("logging", status["IsLogging"], True)
    age = datetime.now(timezone.utc) - status["LatestCloudWatchLogsDeliveryTime"]
    check("age", timedelta(minutes=4) < age < timedelta(minutes=15), True)
    selectors = api.get_event_selectors(TrailName=own)
    check("selectors", [s["ReadWriteType"] for s in selectors["EventSelectors"]], ["WriteOnly"])
    refused = code(api.get_event_selectors, TrailName=organization)
    check("foreign selectors", refused, "CloudTrailARNInvalidException")
    advanced = client("cloudtrail").get_event_selectors(TrailName=organization)
    fields = advanced["AdvancedEventSelectors"][0]["FieldSelectors"]
    check("advanced", fields, [{"Field": "eventCategory", "Equals": ["Management"]}])
    elsewhere = code(client("cloudtrail", member, "eu-west-1").get_event_selectors, TrailName=own)
    check("selectors elsewhere", elsewhere, "TrailNotFoundException")
    api.stop_logging(Name=own)
    check("stopped", api.get_trail_status(Name=own)["IsLogging"], False)
    api.start_logging(Name=own)
    check("started", api.get_trail_status(Name=own)["IsLogging"], True)


def logs(member):
    api = client("logs", member)
    api.create_log_group(logGroupName="cheap", logGroupClass="INFREQUENT_ACCESS")
    groups = api.describe_log_groups()["logGroups"]
    check("groups", [g["logGroupName"] for g in groups], ["cheap", "cloudtrail"])
    check("class", groups[0]["logGroupClass"], "INFREQUENT_ACCESS")
    transformation = {
        "metricName": "m",
        "metricNamespace": "n",
        "metricValue": "$.size",
        "dimensions": {"Who": "$.userIdentity.type"},
        "unit": "Count",
    }
    put = {
        "filterName": "sized",
        "filterPattern": "{ $.size > 1 }",
        "metricTransformations": [transformation],
        "fieldSelectionCriteria": f"@aws.account = \"{MEMBER}\"",
        "emitSystemFieldDimensions": ["@aws.account"],
    }
    check(
        "filter on a cheap group",
        code(api.put_metric_filter, logGroupName="cheap", **put),
        "InvalidOperationException",
    )
    api.delete_log_group(logGroupName="cheap")
    missing = code(api.describe_metric_filters, logGroupName="cheap")
    check("missing group", missing, "ResourceNotFoundException")
    api.put_metric_filter(logGroupName="cloudtrail", **put)
    [seen] = api.describe_metric_filters(logGroupName="cloudtrail", filterNamePrefix="sized")[
        "metricFilters"
    ]
    check("filter", {name: seen[name] for name in put}, put)
    changed = dict(put, filterPattern="{ $.size > 2 }")
    api.put_metric_filter(logGroupName="cloudtrail", **changed)
    count = len(api.describe_metric_filters(logGroupName="cloudtrail")["metricFilters"])
    check("overwritten, not added", count, 2)
    found = api.test_metric_filter(
        filterPattern="{ $.size > 2 }", logEventMessages=['{"size":1}', '{"size":3}']
    )["matches"]
    check("matches", [match["eventNumber"] for match in found], [2])
    bad = code(api.test_metric_filter, filterPattern="{ $.size >", logEventMessages=["x"])
    check("bad pattern", bad, "InvalidParameterException")
    api.delete_metric_filter(logGroupName="cloudtrail", filterName="sized")


def alarms(member, protocol):
    api = client("cloudwatch", member, protocol=protocol)
    topic = f"arn:aws:sns:us-east-1:{MEMBER}:security-alarms"
    put = {
        "AlarmName": "ünïcode & <more>",
        "AlarmDescription": "for\npeople",
        "ActionsEnabled": False,
        "AlarmActions": [topic],
        "MetricName": "m",
        "Namespace": "n",
        "ExtendedStatistic": "p99",
        "Dimensions": [{"Name": "Who", "Value": "Root"}],
        "Period": 60,
        "Unit": "Count",
        "EvaluationPeriods": 3,
        "DatapointsToAlarm": 2,
        "Threshold": 2.5,
        "ComparisonOperator": "GreaterThanThreshold",
        "TreatMissingData": "notBreaching",
        "EvaluateLowSampleCountPercentile": "ignore",
    }
    api.put_metric_alarm(**put, Tags=[{"Key": "k", "Value": "v"}])
    [seen] = api.describe_alarms(AlarmNames=[put["AlarmName"]])["MetricAlarms"]
    check("alarm", {name: seen.get(name) for name in put}, put)
    check("new alarm's state", seen["StateValue"], "INSUFFICIENT_DATA")
    [seen] = api.describe_alarms_for_metric(
        MetricName="m", Namespace="n", Dimensions=put["Dimensions"]
    )["MetricAlarms"]
    arn = seen["AlarmArn"]
    api.tag_resource(ResourceARN=arn, Tags=[{"Key": "more", "Value": "w"}])
    api.untag_resource(ResourceARN=arn, TagKeys=["k"])
    tags = api.list_tags_for_resource(ResourceARN=arn)["Tags"]
    check("alarm tags", tags, [{"Key": "more", "Value": "w"}])
    name = [put["AlarmName"]]
    api.enable_alarm_actions(AlarmNames=name)
    check("enabled", api.describe_alarms(AlarmNames=name)["MetricAlarms"][0]["ActionsEnabled"], True)
    api.disable_alarm_actions(AlarmNames=name)
    api.set_alarm_state(AlarmName=name[0], StateValue="ALARM", StateReason="test")
    check("state", len(api.describe_alarms(StateValue="ALARM")["MetricAlarms"]), 1)
    math = [
        {
            "Id": "e1",
            "Expression": "SUM(METRICS())",
            "Label": "all",
            "ReturnData": True,
        },
        {
            "Id": "m1",
            "MetricStat": {
                "Metric": {"Namespace": "n", "MetricName": "m", "Dimensions": []},
                "Period": 300,
                "Stat": "Sum",
            },
            "ReturnData": False,
            "AccountId": MANAGEMENT,
        },
    ]
    api.put_metric_alarm(
        AlarmName="math",
        Metrics=math,
        EvaluationPeriods=1,
        Threshold=1,
        ComparisonOperator="GreaterThanOrEqualToThreshold",
    )
    check("math", api.describe_alarms(AlarmNames=["math"])["MetricAlarms"][0]["Metrics"], math)
    api.put_composite_alarm(
        AlarmName="both",
        AlarmRule="ALARM(math)",
        AlarmActions=[topic],
        ActionsSuppressor="math",
        ActionsSuppressorWaitPeriod=60,
        ActionsSuppressorExtensionPeriod=30,
    )
    everything = api.describe_alarms(AlarmTypes=["MetricAlarm", "CompositeAlarm"])
    check("composite", everything["CompositeAlarms"][0]["AlarmRule"], "ALARM(math)")
    check("suppressor", everything["CompositeAlarms"][0]["ActionsSuppressorWaitPeriod"], 60)
    check("metric alarms only", api.describe_alarms()["CompositeAlarms"], [])
    pages = api.get_paginator("describe_alarms").paginate(
        AlarmTypes=["MetricAlarm", "CompositeAlarm"], PaginationConfig={"PageSize": 2}
    )
    check("alarm pages", [len(p["CompositeAlarms"]) + len(p["MetricAlarms"]) for p in pages], [2, 2])
    [rule] = api.list_alarm_mute_rules(Statuses=["ACTIVE"])["AlarmMuteRuleSummaries"]
    check("mute rule", rule["AlarmMuteRuleArn"].endswith(":night"), True)
    targets = api.get_alarm_mute_rule(AlarmMuteRuleName="night")["MuteTargets"]
    check("muted alarms", targets, {"AlarmNames": ["console-auth-failures"]})
    api.delete_alarms(AlarmNames=["both", "math", put["AlarmName"]])
    check("deleted", len(api.describe_alarms()["MetricAlarms"]), 1)
    check("deleted again", code(api.delete_alarms, AlarmNames=["math"]) is None, False)


def topics(member):
    api = client("sns", member)
    arn = api.create_topic(Name="new", Tags=[{"Key": "k", "Value": "v"}])["TopicArn"]
    again = api.create_topic(Name="new", Tags=[{"Key": "k", "Value": "v"}])["TopicArn"]
    check("made once", again, arn)
    check("topics", arn in [topic["TopicArn"] for topic in api.list_topics()["Topics"]], True)
    api.set_topic_attributes(TopicArn=arn, AttributeName="DisplayName", AttributeValue="a & b")
    queue = f"arn:aws:sqs:us-east-1:{MEMBER}:queue"
    pending = api.subscribe(TopicArn=arn, Protocol="email", Endpoint="someone@example.com")
    check("pending", pending["SubscriptionArn"], "pending confirmation")
    confirmed = api.subscribe(TopicArn=arn, Protocol="sqs", Endpoint=queue)["SubscriptionArn"]
    attributes = api.get_topic_attributes(TopicArn=arn)["Attributes"]
    check("display name", attributes["DisplayName"], "a & b")
    check(
        "counters",
        [attributes[f"Subscriptions{state}"] for state in ("Confirmed", "Pending", "Deleted")],
        ["1", "1", "0"],
    )
    check("policy", json.loads(attributes["Policy"])["Statement"][0]["Effect"], "Allow")
    listed = api.list_subscriptions_by_topic(TopicArn=arn)["Subscriptions"]
    check("listed", [s["SubscriptionArn"] for s in listed], ["PendingConfirmation", confirmed])
    policy = json.dumps({"Source": ["x"]})
    api.set_subscription_attributes(
        SubscriptionArn=confirmed, AttributeName="FilterPolicy", AttributeValue=policy
    )
    seen = api.get_subscription_attributes(SubscriptionArn=confirmed)["Attributes"]
    check("filter policy", seen["FilterPolicy"], policy)
    with urllib.request.urlopen(f"{ENDPOINT}/_trailproof/subscriptions") as answer:
        tokens = {s["endpoint"]: s["token"] for s in json.load(answer) if s["topic"] == arn}
    token = tokens["someone@example.com"]
    confirmed_arn = api.confirm_subscription(TopicArn=arn, Token=token)["SubscriptionArn"]
    check("confirmed", confirmed_arn.startswith(arn), True)
    api.unsubscribe(SubscriptionArn=confirmed)
    check("one left", len(api.list_subscriptions_by_topic(TopicArn=arn)["Subscriptions"]), 1)
    api.tag_resource(ResourceArn=arn, Tags=[{"Key": "l", "Value": "w"}])
    api.untag_resource(ResourceArn=arn, TagKeys=["k"])
    tags = api.list_tags_for_resource(ResourceArn=arn)["Tags"]
    check("topic tags", tags, [{"Key": "l", "Value": "w"}])
    api.delete_topic(TopicArn=arn)
    check("gone", code(api.get_topic_attributes, TopicArn=arn), "NotFound")
    foreign = f"arn:aws:sns:us-east-1:{MANAGEMENT}:security-alarms"
    check("foreign", code(api.get_topic_attributes, TopicArn=foreign), "AuthorizationError")


def keys(member):
    api = client("kms", member)
    key = api.describe_key(KeyId="alias/alerts")["KeyMetadata"]
    check("key", (key["KeyState"], key["KeyManager"]), ("Enabled", "CUSTOMER"))
    policy = json.loads(api.get_key_policy(KeyId=key["KeyId"], PolicyName="default")["Policy"])
    root = f"arn:aws:iam::{MEMBER}:root"
    check("key policy", [s["Principal"] for s in policy["Statement"]], [{"AWS": root}])
    check("policy of an alias", code(api.get_key_policy, KeyId="alias/alerts"), "NotFoundException")
    foreign = f"arn:aws:kms:us-east-1:{MANAGEMENT}:key/1234abcd"
    check("foreign key", code(api.describe_key, KeyId=foreign), "AccessDeniedException")


def links(member):
    api = client("oam", member)
    [link] = api.list_links()["Items"]
    check("link", link["ResourceTypes"], ["AWS::CloudWatch::Metric"])
    details = api.get_link(Identifier=link["Arn"])
    metrics = details["LinkConfiguration"]["MetricConfiguration"]
    check("what it shares", metrics["Filter"], "Namespace NOT LIKE 'AWS/%'")
    own = client("oam")
    attached = own.list_attached_links(SinkIdentifier=link["SinkArn"])["Items"]
    check("attached links", [item["LinkArn"] for item in attached], [link["Arn"]])
    refused = code(api.list_attached_links, SinkIdentifier=link["SinkArn"])
    check("another's sink", refused, "ResourceNotFoundException")
    check("another's link", code(own.get_link, Identifier=link["Arn"]), "ResourceNotFoundException")
    check("too many links", code(api.list_links, MaxResults=6), "InvalidParameterException")


def other_designs(member):
    api = client("observabilityadmin")
    listed = api.list_centralization_rules_for_organization(AllRegions=True)
    (rule,) = listed["CentralizationRuleSummaries"]
    check("central rule", (rule["CreatedRegion"], rule["RuleHealth"]), ("eu-west-1", "Healthy"))
    check("copied to", (rule["DestinationAccountId"], rule["DestinationRegion"]), (MEMBER, "eu-west-1"))
    here = api.list_centralization_rules_for_organization()["CentralizationRuleSummaries"]
    check("central rules of a region", here, [])
    there = client("observabilityadmin", region="eu-west-1")
    details = there.get_centralization_rule_for_organization(RuleIdentifier=rule["RuleArn"])
    source = details["CentralizationRule"]["Source"]
    check("source", (source["Regions"], source.get("Scope")), (["us-east-1"], None))
    missing = code(api.get_centralization_rule_for_organization, RuleIdentifier="central")
    check("rule of another region", missing, "ResourceNotFoundException")
    (rule,) = api.list_telemetry_rules_for_organization()["TelemetryRuleSummaries"]
    check("telemetry rule", (rule["RuleName"], rule["ResourceType"]), ("trails", "AWS::CloudTrail"))
    details = api.get_telemetry_rule_for_organization(RuleIdentifier=rule["RuleArn"])
    check("its scope", details["TelemetryRule"]["Scope"], f"AccountId = '{MEMBER}'")
    own = client("observabilityadmin", member)
    (rule,) = own.list_telemetry_rules()["TelemetryRuleSummaries"]
    check("own telemetry rule", rule["ResourceType"], "AWS::EC2::VPC")
    refused = code(own.list_telemetry_rules_for_organization)
    check("the organization's rules", refused, "AccessDeniedException")
    rules = client("events", member).list_rules()["Rules"]
    check("event rules", [rule["Name"] for rule in rules], ["alarms", "nightly"])
    pattern = json.loads(rules[0]["EventPattern"])
    check("event pattern", (pattern, rules[0]["State"]), ({"source": ["aws.cloudwatch"]}, "ENABLED"))
    check("another bus", code(client("events", member).list_rules, EventBusName="x"), "ResourceNotFoundException")


def findings(member):
    api = client("securityhub", member)
    product = f"arn:aws:securityhub:us-east-1:{MEMBER}:product/{MEMBER}/default"
    finding = {
        "SchemaVersion": "2018-10-08",
        "Id": "fidelity/1",
        "ProductArn": product,
        "GeneratorId": "fidelity",
        "AwsAccountId": MEMBER,
        "CreatedAt": "2026-01-01T00:00:00Z",
        "UpdatedAt": "2026-01-02T00:00:00Z",
        "Title": "first",
        "Description": "a finding",
        "Resources": [{"Type": "AwsAccount", "Id": f"AWS::::Account:{MEMBER}"}],
        "FindingProviderFields": {"Types": ["Software and Configuration Checks"], "Severity": {"Label": "LOW"}},
    }
    other = dict(finding, Id="fidelity/2")
    lacking = dict(finding, Id="fidelity/3", Title="x" * 257)
    answer = api.batch_import_findings(Findings=[finding, other, lacking])
    check("imported", (answer["SuccessCount"], answer["FailedCount"]), (2, 1))
    check("refused", [f["ErrorCode"] for f in answer["FailedFindings"]], ["InvalidInput"])
    api.batch_import_findings(Findings=[dict(finding, Title="not later")])
    api.batch_import_findings(Findings=[dict(other, Title="later", UpdatedAt="2026-01-03T00:00:00Z")])
    filters = {"Id": [{"Value": "fidelity/", "Comparison": "PREFIX"}]}
    pages = api.get_paginator("get_findings").paginate(Filters=filters, PaginationConfig={"PageSize": 1})
    pages = [page["Findings"] for page in pages]
    check("findings by page", [len(page) for page in pages], [1, 1])
    check("titles", [f["Title"] for page in pages for f in page], ["first", "later"])
    own = {"ProductArn": [{"Value": product, "Comparison": "EQUALS"}]}
    check("findings of a product", len(api.get_findings(Filters=own)["Findings"]), 2)
    administrator = client("securityhub")
    refused = code(administrator.batch_import_findings, Findings=[finding])
    check("findings of another account", refused, "AccessDeniedException")
    unchecked = client("securityhub", member, parameter_validation=False)
    check("too many findings", code(unchecked.get_findings, MaxResults=101), "InvalidInputException")
    off = client("securityhub", member, "eu-west-1")
    check("a hub that is off", code(off.get_findings), "InvalidAccessException")
    there = dict(finding, ProductArn=product.replace("us-east-1", "eu-west-1"))
    [failed] = off.batch_import_findings(Findings=[there])["FailedFindings"]
    check("import where it is off", failed["ErrorCode"], "InvalidAccess")


def command_line(member):
    """The AWS CLI, as the environment of an assumed role."""
    environment = dict(
        os.environ,
        AWS_ENDPOINT_URL=ENDPOINT,
        AWS_REGION="us-east-1",
        AWS_DEFAULT_REGION="us-east-1",
        AWS_ACCESS_KEY_ID=member["aws_access_key_id"],
        AWS_SECRET_ACCESS_KEY=member["aws_secret_access_key"],
        AWS_SESSION_TOKEN=member["aws_session_token"],
    )
    aws = [sys.executable, "-m", "awscli"]

    def run(*arguments):
        finished = subprocess.run(
            [*aws, *arguments, "--output", "json"], env=environment, capture_output=True, text=True
        )
        if finished.returncode:
            wrong.append(f"aws {' '.join(arguments)}: {finished.stderr}")
            return {}
        return json.loads(finished.stdout)

    trails = run("cloudtrail", "describe-trails").get("trailList", [])
    check("aws: trails", len(trails), 2)
    alarms = run("cloudwatch", "describe-alarms").get("MetricAlarms", [])
    check("aws: alarms", [alarm["Threshold"] for alarm in alarms], [1.0])
    topics = run("sns", "list-topics").get("Topics", [])
    check("aws: topics", len(topics), 1)
    filters = run("logs", "describe-metric-filters", "--log-group-name", "cloudtrail")
    check("aws: filters", len(filters.get("metricFilters", [])), 1)


def main():
    member = enter(MEMBER)
    organizations()
    identities(member)
    trails(member)
    logs(member)
    for protocol in CLOUDWATCH_PROTOCOLS:
        alarms(member, protocol)
    topics(member)
    keys(member)
    links(member)
    other_designs(member)
    findings(member)
    simulator_mistakes.run(member, CLOUDWATCH_PROTOCOLS)
    simulator_pages.run(member)
    command_line(member)
    for operation in sorted(OPERATIONS - used):
        wrong.append(f"{operation} is served but was not tried")
    json.dump(wrong, sys.stdout)


main()
