//! Every collector against canned answers: what is sent, and what becomes of the answer.

use aws_credential_types::Credentials;
use serde_json::{Value, json};
use trailproof_core::account::Region;
use trailproof_core::evidence::{Call, CallError, ErrorClass, Operation};

use super::{Answer, Ask, Clients, Failure, RetryAdvice, Target};
use crate::engine::Role;
use crate::permissions::Limit;
use crate::testing::{Reply, Sent, connection};

fn calls() -> Vec<Call> {
    let arn = || "arn:aws:sns:us-east-1:111111111111:alerts".to_owned();
    let trail = || "arn:aws:cloudtrail:us-east-1:111111111111:trail/t".to_owned();
    let group = || "cloudtrail/all".to_owned();
    let key = || "arn:aws:kms:us-east-1:111111111111:key/1234abcd".to_owned();
    vec![
        Call::DescribeOrganization,
        Call::ListAccounts,
        Call::ListDelegatedAdministrators {
            service_principal: "cloudtrail.amazonaws.com".to_owned(),
        },
        Call::ListTagsForResource {
            account: "111111111111".parse().unwrap(),
        },
        Call::GetCallerIdentity,
        Call::ListRegions { account: None },
        Call::DescribeTrails {
            include_shadow_trails: true,
        },
        Call::GetTrailStatus { trail_arn: trail() },
        Call::GetEventSelectors { trail_arn: trail() },
        Call::DescribeLogGroups {
            log_group_name: group(),
        },
        Call::DescribeMetricFilters {
            log_group_name: Some(group()),
        },
        Call::DescribeAlarms,
        Call::ListAlarmMuteRules { alarm_name: None },
        Call::GetAlarmMuteRule {
            rule_name: "nightly".to_owned(),
        },
        Call::GetTopicAttributes { topic_arn: arn() },
        Call::ListSubscriptionsByTopic { topic_arn: arn() },
        Call::GetSubscriptionAttributes {
            subscription_arn: format!("{}:1", arn()),
        },
        Call::DescribeKey { key: key() },
        Call::GetKeyPolicy { key: key() },
        Call::ListLinks,
        Call::GetLink {
            link_arn: "arn:aws:oam:us-east-1:111111111111:link/l".to_owned(),
        },
        Call::ListAttachedLinks {
            sink_arn: "arn:aws:oam:us-east-1:111111111111:sink/s".to_owned(),
        },
    ]
}

async fn ask_page(
    ask: Ask,
    token: Option<&str>,
    answer: impl Fn(&Sent) -> Reply + Send + Sync + 'static,
) -> (Result<Answer, Failure>, Sent) {
    let (options, journal) = connection(answer);
    let clients = Clients::new(&options.load().await.unwrap().config);
    let target = Target {
        region: Region::new("eu-west-1"),
        credentials: Credentials::new("MEMBER", "secret", None, None, "test"),
    };
    let page = clients.page(&target, &ask, token.map(str::to_owned)).await;
    let mut sent = journal.lock().unwrap();
    assert_eq!(sent.len(), 1, "one page is one request: {sent:?}");
    (page, sent.remove(0))
}

async fn answer_to(call: Call, reply: Reply) -> (Value, Sent) {
    let operation = call.operation();
    let (page, sent) = ask_page(Ask::Evidence(call), None, move |_| reply.clone()).await;
    assert_eq!(sent.operation, operation.as_str());
    (page.unwrap().body, sent)
}

#[tokio::test]
async fn every_call_is_asked_with_the_targets_credentials_and_region() {
    for call in calls() {
        let operation = call.operation();
        let (_, sent) = ask_page(Ask::Evidence(call), None, |_| Reply::Raw(501, "")).await;
        assert_eq!(sent.operation, operation.as_str());
        assert_eq!(sent.access_key, "MEMBER", "{operation}");
        // The account service has one endpoint per partition.
        if operation != Operation::ListRegions {
            assert_eq!(sent.region, "eu-west-1", "{operation}");
        }
    }
}

#[tokio::test]
async fn json_answers_are_kept_as_they_are() {
    let trails = json!({"trailList": [{
        "Name": "t", "TrailARN": "arn:aws:cloudtrail:us-east-1:111111111111:trail/t",
        "IsMultiRegionTrail": true, "NewMember": {"of": ["tomorrow"]},
    }]});
    let call = Call::DescribeTrails {
        include_shadow_trails: true,
    };
    let (body, sent) = answer_to(call, Reply::Answer(trails.clone())).await;
    assert_eq!(body, trails);
    assert_eq!(
        serde_json::from_str::<Value>(&sent.body).unwrap(),
        json!({"includeShadowTrails": true})
    );

    let status = json!({"IsLogging": true, "LatestDeliveryTime": 1_795_384_800.5});
    let call = Call::GetTrailStatus {
        trail_arn: "arn:aws:cloudtrail:us-east-1:111111111111:trail/t".to_owned(),
    };
    let (body, sent) = answer_to(call, Reply::Answer(status.clone())).await;
    assert_eq!(body, status);
    assert!(sent.says("\"Name\":\"arn:aws:cloudtrail:us-east-1:111111111111:trail/t\""));
}

#[tokio::test]
async fn an_answer_that_the_sdk_reads_differently_is_not_lost() {
    // A time as text, where this protocol has numbers: emulators do that.
    let status = json!({"IsLogging": true, "LatestDeliveryTime": "2026-11-22T22:00:00Z"});
    let call = Call::GetTrailStatus {
        trail_arn: "t-1".to_owned(),
    };
    let (body, _) = answer_to(call, Reply::Answer(status.clone())).await;
    assert_eq!(body, status);
}

#[tokio::test]
async fn alarms_come_as_cbor_and_are_kept_as_they_are() {
    let alarms = json!({
        "MetricAlarms": [{
            "AlarmName": "sign-in", "Threshold": 1.0, "Period": 300, "Dimensions": [],
            "ActionsEnabled": true, "NewMember": "kept",
        }],
        "CompositeAlarms": [],
    });
    let (body, sent) = answer_to(Call::DescribeAlarms, Reply::Answer(alarms.clone())).await;
    assert_eq!(body, alarms);
    let asked: Value = serde_json::from_str(&sent.body).unwrap();
    assert_eq!(
        asked,
        json!({"AlarmTypes": ["MetricAlarm", "CompositeAlarm", "LogAlarm"], "MaxRecords": 100})
    );
}

#[tokio::test]
async fn mute_rules_are_asked_for_one_alarm() {
    let rules = json!({"AlarmMuteRuleSummaries": [{"Status": "ACTIVE"}]});
    let call = Call::ListAlarmMuteRules {
        alarm_name: Some("sign-in".to_owned()),
    };
    let (body, sent) = answer_to(call, Reply::Answer(rules.clone())).await;
    assert_eq!(body, rules);
    assert!(sent.says("\"AlarmName\":\"sign-in\""), "{sent:?}");
}

#[tokio::test]
async fn topics_get_the_member_names_of_the_api() {
    let call = Call::GetTopicAttributes {
        topic_arn: "arn:aws:sns:us-east-1:111111111111:alerts".to_owned(),
    };
    let reply = Reply::Xml(
        "<Attributes><entry><key>SubscriptionsConfirmed</key><value>1</value></entry>\
         <entry><key>Owner</key><value>111111111111</value></entry></Attributes>",
    );
    let (body, sent) = answer_to(call, reply).await;
    assert_eq!(
        body,
        json!({"Attributes": {"SubscriptionsConfirmed": "1", "Owner": "111111111111"}})
    );
    assert!(sent.says("TopicArn=arn:aws:sns:us-east-1:111111111111:alerts"));
}

#[tokio::test]
async fn subscriptions_get_the_member_names_of_the_api() {
    let call = Call::ListSubscriptionsByTopic {
        topic_arn: "arn:aws:sns:us-east-1:111111111111:alerts".to_owned(),
    };
    let reply = Reply::Xml(
        "<Subscriptions><member><SubscriptionArn>PendingConfirmation</SubscriptionArn>\
         <Owner>111111111111</Owner><Protocol>email</Protocol><Endpoint>a@b.example</Endpoint>\
         <TopicArn>arn:aws:sns:us-east-1:111111111111:alerts</TopicArn></member></Subscriptions>\
         <NextToken>more</NextToken>",
    );
    let (body, _) = answer_to(call, reply).await;
    assert_eq!(
        body,
        json!({
            "Subscriptions": [{
                "SubscriptionArn": "PendingConfirmation", "Owner": "111111111111",
                "Protocol": "email", "Endpoint": "a@b.example",
                "TopicArn": "arn:aws:sns:us-east-1:111111111111:alerts",
            }],
            "NextToken": "more",
        })
    );
}

#[tokio::test]
async fn an_empty_topic_has_an_empty_list() {
    let call = Call::ListSubscriptionsByTopic {
        topic_arn: "arn:aws:sns:us-east-1:111111111111:alerts".to_owned(),
    };
    let (body, _) = answer_to(call, Reply::Xml("<Subscriptions/>")).await;
    assert_eq!(body, json!({"Subscriptions": []}));
}

#[tokio::test]
async fn page_tokens_are_sent_on() {
    let walks = [Ask::AccountsForParent("ou-1".to_owned())];
    let paged = calls().into_iter().map(Ask::Evidence).chain(walks);
    for ask in paged {
        let unpaged = match &ask {
            Ask::Evidence(call) => call.operation().definition().pages.is_none(),
            _ => false,
        };
        let (_, sent) = ask_page(ask, Some("token-1"), |_| Reply::Raw(501, "")).await;
        assert_eq!(sent.says("token-1"), !unpaged, "{sent:?}");
    }
}

#[tokio::test]
async fn roles_are_entered_without_writing_credentials_down() {
    let (options, journal) =
        connection(|sent| crate::testing::assumed(sent, "2030-01-01T00:00:00Z"));
    let clients = Clients::new(&options.load().await.unwrap().config);
    let target = Target {
        region: Region::new("eu-west-1"),
        credentials: Credentials::new("CALLER", "secret", None, None, "test"),
    };
    let arn = "arn:aws:iam::222222222222:role/Audit";
    let role = Role {
        arn: arn.to_owned(),
        template: arn.into(),
        session_name: "session".into(),
        external_id: Some("external".into()),
    };
    let limit = Limit {
        policy: Some("{}".to_owned()),
        managed: vec!["ReadOnlyAccess"],
    };
    let entered = clients.assume_role(&target, &role, &limit).await.unwrap();
    assert_eq!(entered.credentials.access_key_id(), "MEMBER222222222222");
    assert_eq!(
        entered.expires_at,
        Some("2030-01-01T00:00:00Z".parse().unwrap())
    );
    assert_eq!(
        entered.answer.body,
        json!({"AssumedRoleUser": {
            "Arn": "arn:aws:sts::222222222222:assumed-role/Audit/trailproof",
            "AssumedRoleId": "AROA:trailproof",
        }})
    );
    let sent = journal.lock().unwrap().remove(0);
    for part in [
        "RoleArn=arn:aws:iam::222222222222:role/Audit",
        "RoleSessionName=session",
        "Policy=%7B%7D",
        "PolicyArns.member.1.arn=arn:aws:iam::aws:policy/ReadOnlyAccess",
        "ExternalId=external",
        "DurationSeconds=3600",
    ] {
        assert!(sent.says(part), "{part} in {sent:?}");
    }
}

fn failure(page: Result<Answer, Failure>) -> (CallError, RetryAdvice) {
    let failure = page.unwrap_err();
    (failure.error, failure.advice)
}

#[tokio::test]
async fn errors_are_read_in_every_protocol() {
    for call in calls() {
        let operation = call.operation();
        let reply = |_: &Sent| Reply::Error(400, "AccessDeniedException", "not for you");
        let (page, _) = ask_page(Ask::Evidence(call), None, reply).await;
        let (error, advice) = failure(page);
        assert_eq!(error.code, "AccessDeniedException", "{operation}");
        assert_eq!(error.message, "not for you", "{operation}");
        assert_eq!(error.class, ErrorClass::Denied, "{operation}");
        assert_eq!(advice, RetryAdvice::None, "{operation}");
    }
}

#[tokio::test]
async fn what_is_not_of_the_service_is_classified_by_status() {
    for (status, class, advice) in [
        (404, ErrorClass::Other, RetryAdvice::None),
        (501, ErrorClass::Other, RetryAdvice::None),
        (403, ErrorClass::Denied, RetryAdvice::None),
        (429, ErrorClass::Throttled, RetryAdvice::SlowDown),
        (500, ErrorClass::Unavailable, RetryAdvice::Again),
        (503, ErrorClass::Unavailable, RetryAdvice::Again),
        // Cut off on the way.
        (200, ErrorClass::Unavailable, RetryAdvice::Again),
    ] {
        for call in calls() {
            let operation = call.operation();
            let reply = move |_: &Sent| Reply::Raw(status, "<html>{\"trailLi");
            let (page, _) = ask_page(Ask::Evidence(call), None, reply).await;
            let (error, found) = failure(page);
            assert_eq!(
                (error.class, found),
                (class, advice),
                "{operation} {status}"
            );
        }
    }
}

#[tokio::test]
async fn no_connection_is_unavailable() {
    let ask = Ask::Evidence(Call::DescribeAlarms);
    let (page, _) = ask_page(ask, None, |_| Reply::Disconnected).await;
    let (error, advice) = failure(page);
    assert_eq!(error.code, "ConnectionFailed");
    assert_eq!(error.class, ErrorClass::Unavailable);
    assert_eq!(advice, RetryAdvice::Reconnect);
    assert!(error.message.contains("connection refused"), "{error:?}");
}

#[tokio::test]
async fn services_without_a_crate_of_the_sdk_are_asked_alike() {
    let key = "arn:aws:kms:eu-west-1:111111111111:key/1234abcd";
    let call = || Call::GetKeyPolicy {
        key: key.to_owned(),
    };
    let policy = json!({"Policy": "{}", "NewMember": 1});
    let (body, sent) = answer_to(call(), Reply::Answer(policy.clone())).await;
    assert_eq!(body, policy);
    let asked: Value = serde_json::from_str(&sent.body).unwrap();
    assert_eq!(asked, json!({"KeyId": key, "PolicyName": "default"}));
    for (reply, code, class) in [
        (
            Reply::Error(
                400,
                "com.amazonaws.kms#NotFoundException:http://x/",
                "it is gone",
            ),
            "NotFoundException",
            ErrorClass::NotFound,
        ),
        (
            Reply::Error(400, "AccessDeniedException", "no"),
            "AccessDeniedException",
            ErrorClass::Denied,
        ),
        (
            Reply::Error(400, "ThrottlingException", "slowly"),
            "ThrottlingException",
            ErrorClass::Throttled,
        ),
        (
            Reply::Raw(503, "<html>"),
            "Http503",
            ErrorClass::Unavailable,
        ),
        (
            Reply::Raw(200, "{\"Policy\": "),
            "UnreadableResponse",
            ErrorClass::Unavailable,
        ),
    ] {
        let (page, _) = ask_page(Ask::Evidence(call()), None, move |_| reply.clone()).await;
        let error = page.unwrap_err().error;
        assert_eq!((error.code.as_str(), error.class), (code, class));
    }
}
