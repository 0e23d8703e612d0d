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

# metric_filter LOG-GROUP NAME QUERY COMMAND...: the query counts the filters of that name, and those
# that are the same in everything.
metric_filter() {
    group=$1 name=$2
    found=$(how_many aws logs describe-metric-filters --log-group-name "$group" \
        --filter-name-prefix "$name" --query "$3") || exit 1
    shift 3
    case $found in
    '[0,0]')
        "$@"
        say "created the metric filter $name on $group"
        ;;
    '[1,1]') say "the metric filter $name on $group is there" ;;
    *) give_up "there is another metric filter $name on $group" ;;
    esac
}

# topic COMMAND...: creating a topic that is there changes nothing, and AWS refuses when the one that
# is there has other tags or attributes.
topic() {
    "$@" --query TopicArn --output text
}

# topic_of_any_origin ARN NAME COMMAND...: a topic of that name is used, whoever made it.
topic_of_any_origin() {
    if aws sns get-topic-attributes --topic-arn "$1" --query Attributes.TopicArn --output text; then
        say "the topic $2 is there"
    else
        shift 2
        topic "$@"
    fi
}

# topic_statement TOPIC SID STATEMENT COMMAND...: the statement goes before all others in the policy,
# which stay as they are.
topic_statement() {
    topic=$1 sid=$2
    policy=$(aws sns get-topic-attributes --topic-arn "$topic" --query Attributes.Policy \
        --output text) || give_up "cannot see what is there"
    case $policy in
    *"\"$sid\""*) say "the policy of $topic has the statement $sid" ;;
    *'"Statement":['*)
        aws sns set-topic-attributes --topic-arn "$topic" --attribute-name Policy \
            --attribute-value "${policy%%'"Statement":['*}\"Statement\":[$3,${policy#*'"Statement":['}"
        say "added the statement $sid to the policy of $topic"
        ;;
    *) give_up "add this statement to the policy of $topic: $3" ;;
    esac
}

# subscription TOPIC PROTOCOL QUERY COMMAND...: the query counts the same subscriptions.
subscription() {
    topic=$1 protocol=$2
    found=$(how_many aws sns list-subscriptions-by-topic --topic-arn "$topic" --query "$3") || exit 1
    shift 3
    if [ "$found" = 0 ]; then
        "$@" --query SubscriptionArn --output text
    else
        say "the $protocol subscription of $topic is there"
    fi
}

# alarm NAME QUERY COMMAND...: the query counts the alarms of that name, and those that this plan
# made.
alarm() {
    name=$1
    found=$(how_many aws cloudwatch describe-alarms --alarm-names "$name" \
        --alarm-types MetricAlarm CompositeAlarm --query "$2") || exit 1
    shift 2
    case $found in
    '[0,0]')
        "$@"
        say "created the alarm $name"
        ;;
    '[1,1]') say "the alarm $name is there" ;;
    *) give_up "there is another alarm $name" ;;
    esac
}
