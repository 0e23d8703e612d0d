//! A subscription that waits for its owner: the finding stays FAIL until the owner has confirmed.

use std::io::{BufRead as _, BufReader, Read as _, Write as _};
use std::net::TcpListener;

use serde_json::{Value, json};
use trailproof_tests::ground::{Case, Kind};
use trailproof_tests::repair::LOG_GROUP;

use super::{BARE, MINISTACK, MOTO, NAME, Scenario};

pub(super) const SCENARIOS: &[Scenario] = &[
    Scenario {
        name: "an e-mail that stays pending",
        accounts: &[BARE],
        impossible: &[
            (MINISTACK, "it confirms e-mail at once"),
            (MOTO, "it confirms everything at once"),
        ],
        run: |case| {
            waits(case, "email:security@example.com");
        },
    },
    Scenario {
        name: "a web address that confirms at last",
        accounts: &[BARE],
        impossible: &[
            (MOTO, "it confirms everything at once"),
            (Kind::Simulator, "it delivers nothing, its tokens neither"),
        ],
        run: a_web_address_that_confirms_at_last,
    },
];

/// Repairs, and returns what it was before.
fn waits(case: &Case<'_>, subscriber: &str) {
    let before = case.resources();
    pending(case, subscriber);
    let expected = [
        format!("alarm {NAME}"),
        format!("metric-filter {LOG_GROUP}/{NAME}"),
        format!("subscription trailproof-alarms/{subscriber}"),
        "topic trailproof-alarms".to_owned(),
    ];
    assert_eq!(case.added(&before), [expected]);
    let after = case.resources();
    let again = case.apply().exits(1);
    assert!(
        again.stdout.contains("0 changes made, 4 there already"),
        "{again:?}"
    );
    case.is_again(&after, &again);
    case.undo_restores(&before);
}

/// Repairs, and somebody would have to confirm.
fn pending(case: &Case<'_>, subscriber: &str) {
    let plan = case.plan(&["--subscribe", subscriber]);
    assert_eq!(plan["summary"]["turns_green"], 0);
    assert_eq!(plan["summary"]["waits_for_confirmation"], 1);
    let applied = case.apply().exits(1);
    assert!(
        applied.stdout.contains("1 FAIL (subscription.pending)"),
        "{applied:?}"
    );
}

fn a_web_address_that_confirms_at_last(case: &Case<'_>) {
    let owner = TcpListener::bind(("127.0.0.1", 0)).expect("a port is free");
    let address = owner.local_addr().expect("it is bound");
    let subscriber = format!("http:http://{address}/alarms");
    // The message that is taken back is never read.
    waits(case, &subscriber);
    let _ = message(&owner);

    std::fs::remove_file(case.file("journal.ndjson")).expect("there is a journal");
    let before = case.resources();
    pending(case, &subscriber);
    let message = message(&owner);
    assert_eq!(message["Type"], "SubscriptionConfirmation");
    case.somebody(
        "sns",
        "confirm_subscription",
        json!({ "TopicArn": message["TopicArn"], "Token": message["Token"] }),
    );
    let applied = case.apply().exits(0);
    assert!(
        applied.stdout.contains("0 changes made, 4 there already"),
        "{applied:?}"
    );
    assert!(applied.stdout.contains("after: 1 PASS"), "{applied:?}");
    // Confirmed meanwhile, it is taken back all the same.
    case.undo_restores(&before);
}

/// The next message that is posted.
fn message(owner: &TcpListener) -> Value {
    let (mut stream, _) = owner.accept().expect("somebody posts");
    let mut reader = BufReader::new(stream.try_clone().expect("a socket"));
    let mut length = 0;
    loop {
        let mut line = String::new();
        let _ = reader.read_line(&mut line).expect("a head");
        if line == "\r\n" {
            break;
        }
        if let Some((name, value)) = line.split_once(':')
            && name.eq_ignore_ascii_case("content-length")
        {
            length = value.trim().parse().expect("a number");
        }
    }
    let mut body = vec![0; length];
    reader.read_exact(&mut body).expect("a body");
    stream
        .write_all(b"HTTP/1.1 200 OK\r\nContent-Length: 0\r\nConnection: close\r\n\r\n")
        .expect("an answer");
    serde_json::from_slice(&body).expect("a message is JSON")
}
