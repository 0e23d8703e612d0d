//! Lines of evidence, and their judgement.

use std::collections::BTreeSet;
use std::sync::LazyLock;

use serde_json::Value;
use trailproof_core::control;
use trailproof_core::evaluate::Evaluator;
use trailproof_core::evaluate::replay::Replay;
use trailproof_core::evidence::{Lines, ReadError, Record};
use trailproof_core::finding::Status;
use trailproof_core::policy::Policy;

/// So many accounts of one input are judged.
const ACCOUNTS: usize = 4;

static POLICY: LazyLock<Policy> = LazyLock::new(|| {
    let ids = ["console-auth-failures".to_owned()];
    Policy::new(control::select(control::builtin(), &ids).expect("it is built in"))
});

/// A file is read, or the error names a line of it. Records are written so that they read the same,
/// and every finding is the same when it is judged on nothing but the records that it rests on.
pub(crate) fn evidence(data: &[u8]) {
    let replay = match Replay::read(data, None) {
        Ok(replay) => replay,
        Err(error) => {
            let lines = data.split(|byte| *byte == b'\n').count();
            assert!((1..=lines).contains(&error.line()), "{error}");
            let place = format!("line {}: ", error.line());
            assert!(error.to_string().starts_with(&place), "{error}");
            assert!(!error.reason().is_empty(), "{error}");
            return;
        }
    };
    let mut lines = Lines::new(data);
    while let Some(line) = lines.next_line().expect("it was read before") {
        match line.record() {
            Ok(record) => round_trip(&record),
            Err(ReadError::UnknownOperation { .. }) => {}
            Err(error) => panic!("{error}"),
        }
    }
    let evaluator = Evaluator::new(POLICY.clone());
    let mut accounts = replay.judge(&evaluator).accounts();
    while accounts.len() > ACCOUNTS {
        accounts.pop_last();
    }
    for account in accounts {
        for (finding, places) in replay.findings(&evaluator, account) {
            let link = finding.broken_link.is_some();
            match finding.status {
                Status::Pass => assert!(!link, "{finding:?}"),
                Status::Fail | Status::Unknown => assert!(link, "{finding:?}"),
                _ => {}
            }
            let mut alone = Vec::new();
            for place in &places {
                let begin = usize::try_from(place.offset).expect("it lies in memory");
                let record = data.get(begin..begin + place.length);
                alone.extend_from_slice(record.expect("it lies in the file"));
                alone.push(b'\n');
            }
            let alone = Replay::read(alone.as_slice(), None).expect("it was read before");
            let mut policy = POLICY.clone();
            policy.accounts = Some(BTreeSet::from([account]));
            let evaluator = Evaluator::new(policy);
            let again = alone.findings(&evaluator, account);
            let again = again.into_iter().map(|(again, _)| again);
            assert_eq!(
                again
                    .filter(|again| again.id == finding.id)
                    .collect::<Vec<_>>(),
                [finding]
            );
        }
    }
}

fn round_trip(record: &Record) {
    let printed = serde_json::to_vec(record).expect("a record can be written");
    let again: Record = serde_json::from_slice(&printed).expect("and read");
    let value = |record: &Record| serde_json::to_value(record).expect("a record is JSON");
    // Numbers with a fraction may differ in their last digit.
    if !has_fraction(&value(record)) {
        assert_eq!(again, *record);
    }
}

fn has_fraction(value: &Value) -> bool {
    match value {
        Value::Number(number) => number.is_f64(),
        Value::Array(values) => values.iter().any(has_fraction),
        Value::Object(members) => members.values().any(has_fraction),
        _ => false,
    }
}
