"""Every listing of the simulator comes in pages of the size that AWS documents, and no larger.

A page holds the most that AWS allows, one more than that is refused, everything comes exactly once,
and what AWS does not cut into pages is whole.
"""

from simulator_client import MEMBER, check, client, code

# One more than the largest page.
LOGS, ALARMS, TOPICS = 51, 101, 101


def sizes(api, operation, member, page_size=None, **parameters):
    """How many items every page has, after making sure that none comes twice."""
    configuration = {"PageSize": page_size} if page_size else {}
    pages = api.get_paginator(operation).paginate(PaginationConfig=configuration, **parameters)
    items = [page[member] for page in pages]
    texts = [repr(item) for page in items for item in page]
    check(f"{operation}: every item once", len(set(texts)), len(texts))
    return [len(page) for page in items]


def organization():
    api = client("organizations")
    root = api.list_roots()["Roots"][0]["Id"]
    check("accounts", sizes(api, "list_accounts", "Accounts"), [20, 20, 8])
    check("accounts by five", sizes(api, "list_accounts", "Accounts", 5), [5] * 9 + [3])
    check("too many accounts", code(api.list_accounts, MaxResults=21), "InvalidInputException")
    check("made-up token", code(api.list_accounts, NextToken="x"), "InvalidInputException")
    inside = sizes(api, "list_accounts_for_parent", "Accounts", ParentId=root)
    check("accounts of the root", inside, [20, 6])
    units = sizes(
        api, "list_organizational_units_for_parent", "OrganizationalUnits", ParentId=root
    )
    check("units", units, [20, 2])
    administrators = sizes(
        api,
        "list_delegated_administrators",
        "DelegatedAdministrators",
        ServicePrincipal="config.amazonaws.com",
    )
    check("administrators", administrators, [20, 1])


def regions():
    api = client("account")
    check("regions", sizes(api, "list_regions", "Regions", AccountId=MEMBER), [34])
    by_twenty = sizes(api, "list_regions", "Regions", 20, AccountId=MEMBER)
    check("regions by twenty", by_twenty, [20, 14])
    check("too many regions", code(api.list_regions, MaxResults=51), "ValidationException")


def logs(member):
    api = client("logs", member, "eu-west-1")
    for number in range(LOGS):
        api.create_log_group(logGroupName=f"group-{number:03}")
        api.put_metric_filter(
            logGroupName="group-000",
            filterName=f"filter-{number:03}",
            filterPattern="ERROR",
            metricTransformations=[
                {"metricName": "m", "metricNamespace": "n", "metricValue": "1"}
            ],
        )
    check("log groups", sizes(api, "describe_log_groups", "logGroups"), [50, 1])
    filters = {"logGroupName": "group-000"}
    check("filters", sizes(api, "describe_metric_filters", "metricFilters", **filters), [50, 1])
    by_metric = {"metricName": "m", "metricNamespace": "n"}
    seen = sizes(api, "describe_metric_filters", "metricFilters", 30, **by_metric)
    check("filters of a metric", seen, [30, 21])
    for call in (api.describe_log_groups, api.describe_metric_filters):
        check("too many", code(call, limit=51), "InvalidParameterException")
        check("made-up token", code(call, nextToken="x"), "InvalidParameterException")
    messages = ["ERROR"] * 50
    found = api.test_metric_filter(filterPattern="ERROR", logEventMessages=messages)["matches"]
    check("messages", len(found), 50)
    refused = code(api.test_metric_filter, filterPattern="ERROR", logEventMessages=messages * 2)
    check("too many messages", refused, "InvalidParameterException")


def alarms(member):
    api = client("cloudwatch", member, "eu-west-1")
    for number in range(ALARMS):
        api.put_metric_alarm(
            AlarmName=f"alarm-{number:03}",
            MetricName="m",
            Namespace="n",
            Statistic="Sum",
            Period=300,
            EvaluationPeriods=1,
            Threshold=1,
            ComparisonOperator="GreaterThanOrEqualToThreshold",
        )
    check("alarms", sizes(api, "describe_alarms", "MetricAlarms"), [50, 50, 1])
    check("alarms by 100", sizes(api, "describe_alarms", "MetricAlarms", 100), [100, 1])
    check("too many alarms", code(api.describe_alarms, MaxRecords=101), "ValidationError")
    check("made-up token", code(api.describe_alarms, NextToken="x"), "InvalidNextToken")
    # Not cut into pages (DescribeAlarmsForMetric).
    whole = api.describe_alarms_for_metric(MetricName="m", Namespace="n")["MetricAlarms"]
    check("alarms of a metric", len(whole), ALARMS)
    names = [f"alarm-{number:03}" for number in range(ALARMS)]
    check("names", len(api.describe_alarms(AlarmNames=names[:100])["MetricAlarms"]), 50)
    for call in (api.describe_alarms, api.delete_alarms):
        check("too many names", code(call, AlarmNames=names), "ValidationError")
    rules = sizes(api, "list_alarm_mute_rules", "AlarmMuteRuleSummaries")
    check("mute rules", rules, [50, 50, 1])
    rules = sizes(api, "list_alarm_mute_rules", "AlarmMuteRuleSummaries", 100)
    check("mute rules by 100", rules, [100, 1])
    check("too many rules", code(api.list_alarm_mute_rules, MaxRecords=101), "ValidationError")


def topics(member):
    api = client("sns", member, "eu-west-1")
    arns = [api.create_topic(Name=f"topic-{number:03}")["TopicArn"] for number in range(TOPICS)]
    for number in range(TOPICS):
        endpoint = f"{number:03}@example.com"
        api.subscribe(TopicArn=arns[0], Protocol="email", Endpoint=endpoint)
    check("topics", sizes(api, "list_topics", "Topics"), [100, 1])
    subscriptions = sizes(api, "list_subscriptions_by_topic", "Subscriptions", TopicArn=arns[0])
    check("subscriptions", subscriptions, [100, 1])
    for call, parameters in (
        (api.list_topics, {}),
        (api.list_subscriptions_by_topic, {"TopicArn": arns[0]}),
    ):
        check("made-up token", code(call, NextToken="x", **parameters), "InvalidParameter")


def trails(member):
    """CloudTrail cuts neither of these here: no account has so many trails."""
    api = client("cloudtrail", member)
    check("trails", sizes(api, "list_trails", "Trails"), [2])


def run(member):
    organization()
    regions()
    logs(member)
    alarms(member)
    topics(member)
    trails(member)
