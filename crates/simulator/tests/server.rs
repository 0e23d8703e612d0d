//! The server as clients see it, over real connections.

#![allow(
    clippy::unwrap_used,
    clippy::indexing_slicing,
    reason = "all of it is test code"
)]

use std::io::{self, Read, Write};
use std::net::{SocketAddr, TcpStream};

use jiff::SignedDuration;
use serde_json::{Value, json};
use trailproof_simulator::server::{Faults, Outage, OutageKind};
use trailproof_simulator::{Options, Running, Scenario, Server};

const MANAGEMENT: &str = "111111111111";
const MEMBER: &str = "222222222222";

fn start(options: Options) -> Running {
    let scenario = Scenario::parse(
        r#"
        [[accounts]]
        id = "111111111111"
        chain.trail.organization = true
        [[accounts]]
        id = "222222222222"
        chain = { trail = false, subscription.state = "pending" }
        expect = { status = "FAIL", reason = "subscription.pending" }
        "#,
    )
    .unwrap();
    Server::start(scenario.organization, options).unwrap()
}

/// An answer: its status, headers and body.
#[derive(Debug)]
struct Answer {
    status: u16,
    head: String,
    body: String,
}

impl Answer {
    fn json(&self) -> Value {
        serde_json::from_str(&self.body).unwrap()
    }

    /// The text of the first XML element of a name.
    fn element(&self, name: &str) -> &str {
        let (_, rest) = self.body.split_once(&format!("<{name}>")).unwrap();
        rest.split_once(&format!("</{name}>")).unwrap().0
    }
}

fn exchange(address: SocketAddr, request: &str) -> io::Result<Answer> {
    let mut stream = TcpStream::connect(address)?;
    stream.write_all(request.as_bytes())?;
    let mut bytes = Vec::new();
    let read = stream.read_to_end(&mut bytes);
    let text = String::from_utf8_lossy(&bytes).into_owned();
    let Some((head, body)) = text.split_once("\r\n\r\n") else {
        read?;
        return Err(io::ErrorKind::UnexpectedEof.into());
    };
    Ok(Answer {
        status: head.split(' ').nth(1).unwrap().parse().unwrap(),
        head: head.to_lowercase(),
        body: body.to_owned(),
    })
}

fn send(running: &Running, path: &str, headers: &str, body: &str) -> io::Result<Answer> {
    let request = format!(
        "POST {path} HTTP/1.1\r\nhost: localhost\r\nconnection: close\r\n{headers}\
         content-length: {}\r\n\r\n{body}",
        body.len()
    );
    exchange(running.address(), &request)
}

fn signed(key: &str, service: &str) -> String {
    format!(
        "authorization: AWS4-HMAC-SHA256 Credential={key}/20261122/us-east-1/{service}/\
         aws4_request, SignedHeaders=host, Signature=0\r\n"
    )
}

fn json_call(running: &Running, key: &str, target: &str, body: &Value) -> io::Result<Answer> {
    let headers = format!(
        "{}x-amz-target: {target}\r\ncontent-type: application/x-amz-json-1.1\r\n",
        signed(key, "any")
    );
    send(running, "/", &headers, &body.to_string())
}

fn trails(running: &Running) -> io::Result<Answer> {
    let target = "com.amazonaws.cloudtrail.v20131101.CloudTrail_20131101.DescribeTrails";
    json_call(running, MEMBER, target, &json!({}))
}

fn logs(running: &Running, operation: &str, body: &Value) -> Answer {
    json_call(running, MEMBER, &format!("Logs_20140328.{operation}"), body).unwrap()
}

fn query(running: &Running, key: &str, service: &str, form: &str) -> Answer {
    let headers = format!(
        "{}content-type: application/x-www-form-urlencoded\r\n",
        signed(key, service)
    );
    send(running, "/", &headers, form).unwrap()
}

fn control(running: &Running, method: &str, path: &str, body: &str) -> Value {
    let request = format!(
        "{method} /_trailproof/{path} HTTP/1.1\r\nhost: localhost\r\nconnection: close\r\n\
         content-length: {}\r\n\r\n{body}",
        body.len()
    );
    exchange(running.address(), &request).unwrap().json()
}

fn enter(running: &Running) -> Answer {
    query(
        running,
        "AKIAANYTHING",
        "sts",
        "Action=AssumeRole&RoleSessionName=test\
         &RoleArn=arn:aws:iam::222222222222:role/OrganizationAccountAccessRole",
    )
}

fn identity(running: &Running, session: &Answer) -> Answer {
    let headers = format!(
        "{}x-amz-security-token: {}\r\n",
        signed(session.element("AccessKeyId"), "sts"),
        session.element("SessionToken")
    );
    send(running, "/", &headers, "Action=GetCallerIdentity").unwrap()
}

#[test]
fn a_session_is_the_member_until_it_expires() {
    let running = start(Options::default());
    let session = enter(&running);
    let who = identity(&running, &session);
    assert_eq!(who.element("Account"), MEMBER);
    assert!(
        who.element("Arn")
            .ends_with("assumed-role/OrganizationAccountAccessRole/test")
    );

    let brief = start(Options {
        session_limit: Some(SignedDuration::ZERO),
        ..Options::default()
    });
    let expired = identity(&brief, &enter(&brief));
    assert_eq!(
        (expired.status, expired.element("Code")),
        (403, "ExpiredToken")
    );
}

#[test]
fn nobody_is_refused() {
    let running = start(Options::default());
    let answer = send(&running, "/", "", "Action=GetCallerIdentity").unwrap();
    assert_eq!(answer.element("Code"), "MissingAuthenticationToken");
    let answer = query(&running, "999999999999", "sts", "Action=GetCallerIdentity");
    assert_eq!(answer.element("Code"), "InvalidClientTokenId");
    let answer = query(&running, MEMBER, "sts", "Action=Nonsense");
    assert_eq!(
        (answer.status, answer.element("Code")),
        (400, "InvalidAction")
    );
}

#[test]
fn members_see_the_organization_trail() {
    let running = start(Options::default());
    let answer = trails(&running).unwrap();
    assert!(answer.head.contains("x-amzn-requestid: "));
    assert!(
        answer
            .head
            .contains("content-type: application/x-amz-json-1.1")
    );
    let trail = &answer.json()["trailList"][0];
    assert_eq!(
        trail["TrailARN"],
        format!("arn:aws:cloudtrail:us-east-1:{MANAGEMENT}:trail/management-events")
    );
}

#[test]
fn quotas_throttle_and_are_counted() {
    let running = start(Options {
        quotas: true,
        ..Options::default()
    });
    let answers: Vec<Answer> = (0..60).map(|_| trails(&running).unwrap()).collect();
    let throttled: Vec<&Answer> = answers
        .iter()
        .filter(|answer| answer.status == 400)
        .collect();
    // Ten at once and ten a second; how long sixty requests take is the machine's matter.
    assert!(!throttled.is_empty() && throttled.len() <= 50);
    assert!(throttled[0].body.contains("ThrottlingException"));
    let counted = running.statistics().by_operation["cloudtrail:DescribeTrails"];
    assert_eq!(counted.requests, 60);
    assert_eq!(usize::try_from(counted.throttled), Ok(throttled.len()));
    control(&running, "POST", "statistics/reset", "");
    assert_eq!(running.statistics().total.requests, 0);
}

#[test]
fn connections_are_counted_while_they_are_open() {
    let running = start(Options::default());
    let counted = || control(&running, "GET", "statistics", "")["connections"].clone();
    let idle: Vec<TcpStream> = (0..3)
        .map(|_| TcpStream::connect(running.address()).unwrap())
        .collect();
    // Connections are accepted in the order they were made: this one after the others.
    let expected = json!({
        "made": 4, "open": 4, "most_open": 4, "handshakes": 0, "resumed": 0,
    });
    assert_eq!(counted(), expected);
    drop(idle);
    // The server hears of the end of each in its own time.
    let mut last = Value::Null;
    for _ in 0..100_000 {
        last = counted();
        if last["open"] == 1 {
            break;
        }
    }
    assert_eq!(last["open"], 1, "{last}");
    control(&running, "POST", "statistics/reset", "");
    assert_eq!(counted()["made"], 1);
}

#[test]
fn faults_happen_as_asked() {
    let running = start(Options {
        faults: Faults {
            errors: 1.0,
            limit: 1,
            ..Faults::default()
        },
        ..Options::default()
    });
    assert!(trails(&running).unwrap().status >= 500);
    assert_eq!(trails(&running).unwrap().status, 200);

    let whole = trails(&running).unwrap().body;
    running.set_faults(Faults {
        truncations: 1.0,
        ..Faults::default()
    });
    let cut = trails(&running).unwrap();
    assert!(
        cut.head
            .contains(&format!("content-length: {}", whole.len()))
    );
    assert!(
        cut.body.len() < whole.len(),
        "{} of {}",
        cut.body.len(),
        whole.len()
    );

    running.set_faults(Faults {
        drips: 1.0,
        drip_milliseconds: 1,
        ..Faults::default()
    });
    assert_eq!(trails(&running).unwrap().body, whole);

    for faults in [
        Faults {
            resets: 1.0,
            ..Faults::default()
        },
        Faults {
            stalls: 1.0,
            stall_seconds: 0.01,
            ..Faults::default()
        },
        Faults {
            outages: vec![Outage {
                after_seconds: 0.0,
                lasting_seconds: 1e6,
                every_seconds: None,
                kind: OutageKind::Reset,
            }],
            ..Faults::default()
        },
    ] {
        running.set_faults(faults);
        assert!(trails(&running).is_err());
    }

    let set = control(
        &running,
        "POST",
        "faults",
        r#"{"denials":[{"operations":["cloudtrail:*"]}]}"#,
    );
    assert_eq!(set, json!({}));
    assert!(
        trails(&running)
            .unwrap()
            .body
            .contains("AccessDeniedException")
    );
    let refused = control(&running, "POST", "faults", r#"{"eror":1}"#);
    assert!(
        refused["message"]
            .as_str()
            .unwrap()
            .contains("unknown field")
    );
    let spoilt = running.statistics().total.spoilt;
    assert_eq!(spoilt, 5);
}

#[test]
fn what_is_made_and_taken_back_leaves_nothing() {
    let running = start(Options::default());
    let before = control(&running, "GET", "state", "");
    let filter = json!({
        "logGroupName": "cloudtrail", "filterName": "x", "filterPattern": "{ $.a = 1 }",
        "metricTransformations": [
            {"metricName": "m", "metricNamespace": "n", "metricValue": "1"},
        ],
    });
    assert_eq!(logs(&running, "PutMetricFilter", &filter).status, 200);
    let topic = query(&running, MEMBER, "sns", "Action=CreateTopic&Name=new");
    let arn = topic.element("TopicArn").to_owned();
    let subscribe = format!("Action=Subscribe&Protocol=email&Endpoint=a@b.example&TopicArn={arn}");
    let subscribed = query(&running, MEMBER, "sns", &subscribe);
    assert_eq!(
        subscribed.element("SubscriptionArn"),
        "pending confirmation"
    );
    let again = query(
        &running,
        MEMBER,
        "sns",
        &format!("{subscribe}&ReturnSubscriptionArn=true"),
    );
    let unsubscribe = format!(
        "Action=Unsubscribe&SubscriptionArn={}",
        again.element("SubscriptionArn")
    );
    let refused = query(&running, MEMBER, "sns", &unsubscribe);
    assert!(refused.element("Message").contains("pending confirmation"));
    assert_ne!(control(&running, "GET", "state", ""), before);

    let name = json!({"logGroupName": "cloudtrail", "filterName": "x"});
    assert_eq!(logs(&running, "DeleteMetricFilter", &name).status, 200);
    assert_eq!(logs(&running, "DeleteMetricFilter", &name).status, 400);
    let delete = format!("Action=DeleteTopic&TopicArn={arn}");
    assert_eq!(query(&running, MEMBER, "sns", &delete).status, 200);
    assert_eq!(control(&running, "GET", "state", ""), before);

    logs(&running, "PutMetricFilter", &filter);
    control(&running, "POST", "reset", "");
    assert_eq!(control(&running, "GET", "state", ""), before);
}

#[test]
fn a_log_group_has_a_hundred_filters_at_most() {
    let running = start(Options::default());
    let put = |name: String| {
        let filter = json!({
            "logGroupName": "cloudtrail", "filterName": name, "filterPattern": "",
            "metricTransformations": [
                {"metricName": "m", "metricNamespace": "n", "metricValue": "1"},
            ],
        });
        logs(&running, "PutMetricFilter", &filter)
    };
    for number in 1..100 {
        assert_eq!(put(format!("filter-{number}")).status, 200);
    }
    let refused = put("one-more".to_owned());
    assert!(
        refused.body.contains("LimitExceededException"),
        "{}",
        refused.body
    );
    assert_eq!(
        put("filter-1".to_owned()).status,
        200,
        "overwriting is no new filter"
    );

    let mut seen = 0;
    let mut token = Value::Null;
    for page in 0.. {
        let question = json!({"logGroupName": "cloudtrail", "nextToken": token});
        let answer = logs(&running, "DescribeMetricFilters", &question).json();
        seen += answer["metricFilters"].as_array().unwrap().len();
        token = answer["nextToken"].clone();
        if token.is_null() {
            assert_eq!(page, 1, "fifty on each page");
            break;
        }
    }
    assert_eq!(seen, 100);
}

#[test]
fn listings_may_start_with_an_empty_page() {
    let running = start(Options {
        empty_pages: true,
        ..Options::default()
    });
    let target = "AWSOrganizationsV20161128.ListAccounts";
    let list = |token: &Value| {
        let question = json!({"NextToken": token});
        json_call(&running, MANAGEMENT, target, &question)
            .unwrap()
            .json()
    };
    let first = list(&Value::Null);
    assert_eq!(first["Accounts"], json!([]));
    let second = list(&first["NextToken"]);
    assert_eq!(second["Accounts"].as_array().map(Vec::len), Some(2));
    assert!(second.get("NextToken").is_none());
}

#[test]
fn subscriptions_are_confirmed_behind_the_curtain() {
    let running = start(Options::default());
    let attributes = || {
        let form = "Action=GetTopicAttributes\
                    &TopicArn=arn:aws:sns:us-east-1:222222222222:security-alarms";
        query(&running, MEMBER, "sns", form).body
    };
    let confirmed = "<key>SubscriptionsConfirmed</key><value>1</value>";
    assert!(!attributes().contains(confirmed));
    let choice = r#"{"topic":"arn:aws:sns:us-east-1:222222222222:security-alarms"}"#;
    let changed = control(&running, "POST", "subscriptions/confirm", choice);
    assert_eq!(changed, json!({"changed": 1}));
    assert!(attributes().contains(confirmed));
}

#[test]
fn verdicts_are_told() {
    let running = start(Options::default());
    assert_eq!(
        control(&running, "GET", "expected", ""),
        json!([{
            "account": MEMBER, "control": "console-auth-failures", "status": "FAIL",
            "broken_link": "subscription", "reason": "subscription.pending",
        }])
    );
}

#[test]
fn it_stops_when_it_is_dropped() {
    let running = start(Options::default());
    let address = running.address();
    drop(running);
    assert!(TcpStream::connect(address).is_err());
}

#[test]
fn cloudwatch_speaks_three_protocols() {
    let running = start(Options {
        threads: 2.try_into().unwrap(),
        ..Options::default()
    });
    let name = "console-auth-failures";
    let form = query(&running, MEMBER, "monitoring", "Action=DescribeAlarms");
    assert_eq!(form.element("AlarmName"), name);
    assert_eq!(form.element("Threshold"), "1");

    let target = "GraniteServiceVersion20100801.DescribeAlarms";
    let json = json_call(&running, MEMBER, target, &json!({})).unwrap();
    assert_eq!(json.json()["MetricAlarms"][0]["AlarmName"], name);
    assert!(
        json.head
            .contains("content-type: application/x-amz-json-1.0")
    );

    let path = "/service/GraniteServiceVersion20100801/operation/DescribeAlarms";
    let cbor = send(&running, path, &signed(MEMBER, "monitoring"), "").unwrap();
    assert!(cbor.body.contains(name));
    assert!(cbor.head.contains("smithy-protocol: rpc-v2-cbor"));

    // One error in three shapes; two of them name the code of the oldest protocol, too.
    let form = query(&running, MEMBER, "monitoring", "Action=DeleteAlarms");
    assert_eq!(
        (form.status, form.element("Code")),
        (404, "ResourceNotFound")
    );
    let target = "GraniteServiceVersion20100801.DeleteAlarms";
    let json = json_call(&running, MEMBER, target, &json!({})).unwrap();
    assert_eq!(json.json()["__type"], "ResourceNotFound");
    let path = "/service/GraniteServiceVersion20100801/operation/DeleteAlarms";
    let cbor = send(&running, path, &signed(MEMBER, "monitoring"), "").unwrap();
    assert!(
        cbor.body
            .contains("com.amazonaws.cloudwatch#ResourceNotFound")
    );
    for answer in [json, cbor] {
        assert!(
            answer
                .head
                .contains("x-amzn-query-error: resourcenotfound;sender")
        );
    }
}
