"""The mistakes that clients make most, and the codes that AWS answers them with.

Two sources: the code that is expected here, and the errors that AWS's own model declares for the
operation. A code that is in neither the model nor the list of codes that every service may answer
is one that no client of AWS would be prepared for.
"""

from simulator_client import MANAGEMENT, MEMBER, SUSPENDED, check, client, code, wrong

# Declared for no operation and answered by all: AWS, "Common errors" of each API reference.
COMMON = {
    "AccessDenied",
    "AccessDeniedException",
    "AuthorizationError",
    "InvalidClientTokenId",
    "InvalidParameterCombination",
    "InvalidParameterValue",
    "MissingAuthenticationToken",
    "MissingParameter",
    "UnrecognizedClientException",
    "ValidationError",
    "ValidationException",
}

# The query services' clients never check what the service itself would refuse.
UNCHECKED = {"parameter_validation": False}


def mistake(api, operation, wanted, **parameters):
    seen = code(getattr(api, operation), **parameters)
    check(f"{operation} with {parameters}", seen, wanted)
    name = api.meta.method_to_api_mapping[operation]
    shapes = api.meta.service_model.operation_model(name).error_shapes
    declared = {shape.error_code for shape in shapes} | {shape.name for shape in shapes}
    if wanted not in declared | COMMON:
        wrong.append(f"{operation}: {wanted} is no code of AWS for it")


def organizations(member):
    api = client("organizations")
    mistake(api, "describe_account", "AccountNotFoundException", AccountId="999999999999")
    mistake(api, "list_parents", "ChildNotFoundException", ChildId="999999999999")
    for operation in ("list_accounts_for_parent", "list_organizational_units_for_parent"):
        mistake(api, operation, "ParentNotFoundException", ParentId="ou-none-00000000")
    # Neither the management account nor a delegated administrator.
    mistake(client("organizations", member), "list_accounts", "AccessDeniedException")


def identities(member):
    api = client("sts")
    role = f"arn:aws:iam::{MEMBER}:role/OrganizationAccountAccessRole"
    fine = {"RoleArn": role, "RoleSessionName": "fidelity"}
    for change in (
        {"RoleArn": f"arn:aws:iam::{MEMBER}:role/NoSuchRole"},
        {"RoleArn": "arn:aws:iam::999999999999:role/OrganizationAccountAccessRole"},
        {"RoleArn": f"arn:aws:iam::{SUSPENDED}:role/OrganizationAccountAccessRole"},
    ):
        mistake(api, "assume_role", "AccessDenied", **(fine | change))
    for change in (
        {"RoleArn": "OrganizationAccountAccessRole"},
        {"RoleSessionName": "with spaces"},
        {"RoleSessionName": "x"},
        {"DurationSeconds": 60},
        {"DurationSeconds": 43201},
    ):
        unchecked = client("sts", **UNCHECKED)
        mistake(unchecked, "assume_role", "ValidationError", **(fine | change))
    stranger = {"aws_access_key_id": "999999999999", "aws_secret_access_key": "x"}
    mistake(client("sts", stranger), "get_caller_identity", "InvalidClientTokenId")
    stale = dict(member, aws_session_token="x")
    mistake(client("cloudtrail", stale), "describe_trails", "UnrecognizedClientException")
    # Only the management account may ask about others, and not about itself by its number.
    own = client("account", member)
    mistake(own, "list_regions", "AccessDeniedException", AccountId=SUSPENDED)
    mistake(client("account"), "list_regions", "ValidationException", AccountId=MANAGEMENT)


def trails(member):
    api = client("cloudtrail", member)
    foreign = f"arn:aws:cloudtrail:us-east-1:{SUSPENDED}:trail/theirs"
    missing = f"arn:aws:cloudtrail:us-east-1:{MEMBER}:trail/missing"
    parameters = {
        "get_trail": "Name",
        "get_trail_status": "Name",
        "get_event_selectors": "TrailName",
        "start_logging": "Name",
        "stop_logging": "Name",
    }
    for operation, parameter in parameters.items():
        mistake(api, operation, "TrailNotFoundException", **{parameter: "missing"})
        mistake(api, operation, "TrailNotFoundException", **{parameter: missing})
        mistake(api, operation, "CloudTrailARNInvalidException", **{parameter: foreign})
        mistake(api, operation, "CloudTrailARNInvalidException", **{parameter: "arn:aws:sns:::x"})
        mistake(api, operation, "InvalidTrailNameException", **{parameter: "no spaces"})
        mistake(api, operation, "InvalidTrailNameException", **{parameter: "ab"})
    elsewhere = client("cloudtrail", member, "eu-west-1")
    own = f"arn:aws:cloudtrail:us-east-1:{MEMBER}:trail/management-events"
    for operation in ("start_logging", "stop_logging"):
        mistake(elsewhere, operation, "InvalidHomeRegionException", Name=own)
    # The shadow is there, but its name is known only at home.
    mistake(elsewhere, "get_trail_status", "TrailNotFoundException", Name="management-events")


def logs(member):
    api = client("logs", member)
    transformation = {"metricName": "m", "metricNamespace": "n", "metricValue": "1"}
    fine = {
        "logGroupName": "cloudtrail",
        "filterName": "f",
        "filterPattern": "ERROR",
        "metricTransformations": [transformation],
    }
    group = {"logGroupName": "missing"}
    mistake(api, "put_metric_filter", "ResourceNotFoundException", **(fine | group))
    mistake(api, "describe_metric_filters", "ResourceNotFoundException", **group)
    mistake(api, "delete_log_group", "ResourceNotFoundException", **group)
    gone = {"logGroupName": "cloudtrail", "filterName": "missing"}
    mistake(api, "delete_metric_filter", "ResourceNotFoundException", **gone)
    again = {"logGroupName": "cloudtrail"}
    mistake(api, "create_log_group", "ResourceAlreadyExistsException", **again)
    mistake(api, "create_log_group", "InvalidParameterException", logGroupName="no spaces")
    both = {"logGroupNamePrefix": "a", "logGroupNamePattern": "b"}
    mistake(api, "describe_log_groups", "InvalidParameterException", **both)
    half = {"metricName": "m"}
    mistake(api, "describe_metric_filters", "InvalidParameterException", **half)
    with_default = dict(transformation, defaultValue=0, dimensions={"A": "$.a"})
    for change in (
        {"filterPattern": "{ $.a = "},
        {"filterPattern": "x" * 1025},
        {"filterName": "a:b"},
        {"metricTransformations": []},
        {"metricTransformations": [transformation] * 2},
        {"filterPattern": "{ $.a = 1 }", "metricTransformations": [with_default]},
        {"metricTransformations": [dict(transformation, dimensions={"A": "$.a"})]},
    ):
        unchecked = client("logs", member, **UNCHECKED)
        mistake(unchecked, "put_metric_filter", "InvalidParameterException", **(fine | change))
    check("nothing was made", len(api.describe_metric_filters()["metricFilters"]), 1)


def alarms(member, protocol):
    api = client("cloudwatch", member, protocol=protocol, **UNCHECKED)
    nothing = f"arn:aws:cloudwatch:us-east-1:{MEMBER}:alarm:missing"
    mistake(api, "delete_alarms", "ResourceNotFound", AlarmNames=["missing"])
    state = {"StateValue": "OK", "StateReason": "x"}
    mistake(api, "set_alarm_state", "ResourceNotFound", AlarmName="missing", **state)
    for operation, more in (
        ("list_tags_for_resource", {}),
        ("tag_resource", {"Tags": [{"Key": "k", "Value": "v"}]}),
        ("untag_resource", {"TagKeys": ["k"]}),
    ):
        mistake(api, operation, "ResourceNotFoundException", ResourceARN=nothing, **more)
    rule = {"AlarmMuteRuleName": "missing"}
    mistake(api, "get_alarm_mute_rule", "ResourceNotFoundException", **rule)
    both = {"AlarmNames": ["a"], "AlarmNamePrefix": "b"}
    mistake(api, "describe_alarms", "ValidationError", **both)
    fine = {
        "AlarmName": "a",
        "MetricName": "m",
        "Namespace": "n",
        "Statistic": "Sum",
        "Period": 300,
        "EvaluationPeriods": 1,
        "Threshold": 1,
        "ComparisonOperator": "GreaterThanThreshold",
    }
    for change in (
        {"AlarmName": ""},
        {"Period": 45},
        {"EvaluationPeriods": 0},
        {"ComparisonOperator": ""},
        {"AlarmActions": ["security-alarms"]},
        {"AlarmActions": [f"arn:aws:sns:us-east-1:{MEMBER}:{n}" for n in range(6)]},
        {"ExtendedStatistic": "p99"},
    ):
        mistake(api, "put_metric_alarm", "ValidationError", **(fine | change))
    rule = {"AlarmName": "a", "AlarmRule": ""}
    mistake(api, "put_composite_alarm", "ValidationError", **rule)
    check("nothing was made", len(api.describe_alarms()["MetricAlarms"]), 1)


def topics(member):
    api = client("sns", member)
    missing = f"arn:aws:sns:us-east-1:{MEMBER}:missing"
    there = f"arn:aws:sns:us-east-1:{MEMBER}:security-alarms"
    mistake(api, "get_topic_attributes", "NotFound", TopicArn=missing)
    mistake(api, "list_subscriptions_by_topic", "NotFound", TopicArn=missing)
    email = {"Protocol": "email", "Endpoint": "someone@example.com"}
    mistake(api, "subscribe", "NotFound", TopicArn=missing, **email)
    subscription = {"SubscriptionArn": f"{there}:00000000-0000-0000-0000-000000000000"}
    mistake(api, "get_subscription_attributes", "NotFound", **subscription)
    attribute = {"AttributeName": "DisplayName", "AttributeValue": "x"}
    mistake(api, "set_topic_attributes", "NotFound", TopicArn=missing, **attribute)
    for operation, more in (
        ("list_tags_for_resource", {}),
        ("tag_resource", {"Tags": [{"Key": "k", "Value": "v"}]}),
        ("untag_resource", {"TagKeys": ["k"]}),
    ):
        mistake(api, operation, "ResourceNotFound", ResourceArn=missing, **more)
    for change in (
        {"Protocol": "pigeon"},
        {"Endpoint": "nobody"},
        {"TopicArn": "security-alarms"},
        {"TopicArn": f"arn:aws:sns:eu-west-1:{MEMBER}:security-alarms"},
    ):
        parameters = {"TopicArn": there, **email} | change
        mistake(api, "subscribe", "InvalidParameter", **parameters)
    mistake(api, "create_topic", "InvalidParameter", Name="no spaces")
    mistake(api, "create_topic", "InvalidParameter", Name="queue.fifo")
    token = {"TopicArn": there, "Token": "x"}
    mistake(api, "confirm_subscription", "InvalidParameter", **token)
    mistake(api, "unsubscribe", "InvalidParameter", SubscriptionArn="PendingConfirmation")
    attribute = {"AttributeName": "NoSuch", "AttributeValue": "x"}
    mistake(api, "set_topic_attributes", "InvalidParameter", TopicArn=there, **attribute)
    attribute = {"AttributeName": "Policy", "AttributeValue": "{"}
    mistake(api, "set_topic_attributes", "InvalidParameter", TopicArn=there, **attribute)


def run(member, protocols):
    organizations(member)
    identities(member)
    trails(member)
    logs(member)
    for protocol in protocols:
        alarms(member, protocol)
    topics(member)
