#!/bin/sh
# Records what it takes to judge one account with a trail of its own, with nothing but the AWS CLI:
#
#     collect.sh TRAIL HOME_REGION > evidence.ndjson
#     trailproof evaluate --evidence evidence.ndjson
#
# The credentials are those of the account. A call that fails ends the script: write down why as
# docs/evidence.md says, and what rests on it is UNKNOWN.
set -eu
trail=$1
export AWS_REGION="$2" AWS_DEFAULT_REGION="$2"

# record OPERATION PARAMETERS COMMAND...: the answer of the AWS CLI, as one line of evidence.
record() {
    operation=$1
    parameters=$2
    shift 2
    # No name or text contains a line feed in JSON: those of the layout are all there are.
    answer=$(aws "$@" --output json | tr -d '\n')
    test -n "$answer"
    printf '{"operation":"%s","account":"%s","region":"%s","parameters":%s,"observed_at":"%s","response":%s}\n' \
        "$operation" "$account" "$AWS_REGION" "$parameters" "$(date -u +%Y-%m-%dT%H:%M:%SZ)" "$answer"
}

# text COMMAND...: some members of an answer, each a word.
text() {
    aws "$@" --output text
}

account=$(text sts get-caller-identity --query Account)
trail=$(text cloudtrail describe-trails --trail-name-list "$trail" --query 'trailList[].TrailARN')
group=$(text cloudtrail describe-trails --trail-name-list "$trail" --query 'trailList[].CloudWatchLogsLogGroupArn')
group=${group#*:log-group:}
group=${group%:\*}

record cloudtrail:DescribeTrails '{"includeShadowTrails":true}' cloudtrail describe-trails --include-shadow-trails
record cloudtrail:GetTrailStatus "{\"Name\":\"$trail\"}" cloudtrail get-trail-status --name "$trail"
record cloudtrail:GetEventSelectors "{\"TrailName\":\"$trail\"}" cloudtrail get-event-selectors --trail-name "$trail"
record logs:DescribeLogGroups "{\"logGroupNamePrefix\":\"$group\"}" logs describe-log-groups --log-group-name-prefix "$group"
record logs:DescribeMetricFilters "{\"logGroupName\":\"$group\"}" logs describe-metric-filters --log-group-name "$group"
record cloudwatch:DescribeAlarms '{"AlarmTypes":["MetricAlarm","CompositeAlarm"]}' \
    cloudwatch describe-alarms --alarm-types MetricAlarm CompositeAlarm
record cloudwatch:ListAlarmMuteRules '{}' cloudwatch list-alarm-mute-rules
for topic in $(text cloudwatch describe-alarms --query 'MetricAlarms[].AlarmActions[]' | tr '\t' '\n' | grep ':sns:' | sort -u); do
    record sns:GetTopicAttributes "{\"TopicArn\":\"$topic\"}" sns get-topic-attributes --topic-arn "$topic"
    record sns:ListSubscriptionsByTopic "{\"TopicArn\":\"$topic\"}" sns list-subscriptions-by-topic --topic-arn "$topic"
    for subscription in $(text sns list-subscriptions-by-topic --topic-arn "$topic" --query 'Subscriptions[].SubscriptionArn' | tr '\t' '\n' | grep '^arn:'); do
        record sns:GetSubscriptionAttributes "{\"SubscriptionArn\":\"$subscription\"}" \
            sns get-subscription-attributes --subscription-arn "$subscription"
    done
    key=$(text sns get-topic-attributes --topic-arn "$topic" --query Attributes.KmsMasterKeyId)
    case $key in
    None | alias/aws/* | *:alias/aws/*) ;;
    *)
        record kms:DescribeKey "{\"KeyId\":\"$key\"}" kms describe-key --key-id "$key"
        key=$(text kms describe-key --key-id "$key" --query KeyMetadata.Arn)
        record kms:GetKeyPolicy "{\"KeyId\":\"$key\",\"PolicyName\":\"default\"}" \
            kms get-key-policy --key-id "$key" --policy-name default
        ;;
    esac
done
