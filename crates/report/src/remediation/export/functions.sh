# Needs the AWS CLI and credentials that may assume the roles named below; EXTERNAL_ID is for roles
# that ask for one. Run it again at any time: what is there is left alone, and something else of the
# same name ends the script.
#
# Filter patterns and queries are meant literally:
# shellcheck disable=SC2016
set -eu

say() {
    printf '%s\n' "$*" >&2
}

give_up() {
    say "$*: nothing more was changed"
    exit 1
}

# enter ACCOUNT REGION ROLE: the rest of the subshell acts there.
enter() {
    AWS_REGION=$2
    AWS_DEFAULT_REGION=$2
    export AWS_REGION AWS_DEFAULT_REGION
    caller=$(aws sts get-caller-identity --query Account --output text)
    if [ "$caller" = "$1" ]; then
        return 0
    fi
    credentials=$(aws sts assume-role --role-arn "$3" --role-session-name trailproof \
        ${EXTERNAL_ID:+--external-id "$EXTERNAL_ID"} \
        --query 'Credentials.[AccessKeyId, SecretAccessKey, SessionToken]' --output text)
    AWS_ACCESS_KEY_ID=$(printf '%s' "$credentials" | cut -f 1)
    AWS_SECRET_ACCESS_KEY=$(printf '%s' "$credentials" | cut -f 2)
    AWS_SESSION_TOKEN=$(printf '%s' "$credentials" | cut -f 3)
    export AWS_ACCESS_KEY_ID AWS_SECRET_ACCESS_KEY AWS_SESSION_TOKEN
    unset AWS_PROFILE
}

# how_many COMMAND...: a number, or two, that a query counted: "[1,0]". Who cannot look must not
# create either.
how_many() {
    counted=$("$@" --output json) || give_up "cannot see what is there"
    printf '%s' "$counted" | tr -d ' \n'
}

# metric_filter LOG-GROUP NAME PATTERN TRANSFORMATIONS QUERY: the query counts the filters of that
# name, and those that are the same in everything.
metric_filter() {
    found=$(how_many aws logs describe-metric-filters --log-group-name "$1" \
        --filter-name-prefix "$2" --query "$5") || exit 1
    case $found in
    '[0,0]')
        aws logs put-metric-filter --log-group-name "$1" --filter-name "$2" \
            --filter-pattern "$3" --metric-transformations "$4"
        say "created the metric filter $2 on $1"
        ;;
    '[1,1]') say "the metric filter $2 on $1 is there" ;;
    *) give_up "there is another metric filter $2 on $1" ;;
    esac
}

# topic ARN NAME TAGS [ATTRIBUTES]: creating a topic that is there changes nothing, and AWS refuses
# when the one that is there has other tags or attributes.
topic() {
    if [ "$#" -gt 3 ]; then
        aws sns create-topic --name "$2" --tags "$3" --attributes "$4" --query TopicArn --output text
    else
        aws sns create-topic --name "$2" --tags "$3" --query TopicArn --output text
    fi
}

# topic_of_any_origin ARN NAME TAGS [ATTRIBUTES]: a topic of that name is used, whoever made it.
topic_of_any_origin() {
    if aws sns get-topic-attributes --topic-arn "$1" --query Attributes.TopicArn --output text; then
        say "the topic $2 is there"
    else
        topic "$@"
    fi
}

# subscription TOPIC PROTOCOL ENDPOINT QUERY: the query counts the same subscriptions.
subscription() {
    found=$(how_many aws sns list-subscriptions-by-topic --topic-arn "$1" --query "$4") || exit 1
    if [ "$found" = 0 ]; then
        aws sns subscribe --topic-arn "$1" --protocol "$2" --notification-endpoint "$3" \
            --query SubscriptionArn --output text
    else
        say "the $2 subscription of $1 is there"
    fi
}

# alarm QUERY TAGS NAME DESCRIPTION NAMESPACE METRIC PERIOD THRESHOLD TOPIC: the query counts the
# alarms of that name, and those that this plan made.
alarm() {
    found=$(how_many aws cloudwatch describe-alarms --alarm-names "$3" \
        --alarm-types MetricAlarm CompositeAlarm --query "$1") || exit 1
    case $found in
    '[0,0]')
        name=$3 description=$4 namespace=$5 metric=$6 period=$7 threshold=$8 topic=$9
        set -- "$2"
        if [ -n "$1" ]; then
            set -- --tags "$1"
        else
            shift
        fi
        aws cloudwatch put-metric-alarm --alarm-name "$name" --alarm-description "$description" \
            --namespace "$namespace" --metric-name "$metric" --statistic Sum --period "$period" \
            --evaluation-periods 1 --threshold "$threshold" \
            --comparison-operator GreaterThanOrEqualToThreshold \
            --treat-missing-data notBreaching --alarm-actions "$topic" "$@"
        say "created the alarm $name"
        ;;
    '[1,1]') say "the alarm $3 is there" ;;
    *) give_up "there is another alarm $3" ;;
    esac
}
