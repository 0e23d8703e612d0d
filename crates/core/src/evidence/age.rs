//! How old evidence is, and what is too old to count.

use jiff::Timestamp;

use super::{CallError, ErrorClass, Outcome, Permission, Record};

/// When the oldest and the newest answer arrived.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Span {
    /// The oldest.
    pub first: Timestamp,
    /// The newest.
    pub last: Timestamp,
}

impl Span {
    pub(super) fn with(span: Option<Self>, observed_at: Timestamp) -> Self {
        match span {
            None => Self {
                first: observed_at,
                last: observed_at,
            },
            Some(Self { first, last }) => Self {
                first: first.min(observed_at),
                last: last.max(observed_at),
            },
        }
    }
}

/// The code of answers that came before the time that answers count from.
pub const TOO_OLD: &str = "EvidenceTooOld";

/// Whether a record is an answer about an account's resources that came before a time. Which
/// accounts there are and whether they could be entered stands, however old it is: without it there
/// would be nobody to say UNKNOWN about.
pub(super) fn is_too_old<R>(record: &Record<R>, oldest: Timestamp) -> bool {
    record.operation.definition().permission == Permission::Read
        && matches!(record.outcome, Outcome::Response(_))
        && record.observed_at < oldest
}

/// What stands in the place of an answer that is too old: nobody knows what AWS would say now.
pub(super) fn too_old<R>(observed_at: Timestamp, oldest: Timestamp) -> Outcome<R> {
    let time = |time: Timestamp| time.strftime("%Y-%m-%d %H:%M UTC");
    Outcome::Error(CallError {
        code: TOO_OLD.to_owned(),
        message: format!(
            "the answer is of {}, and only answers since {} count (`max-evidence-age`)",
            time(observed_at),
            time(oldest)
        ),
        class: ErrorClass::Unavailable,
    })
}

#[cfg(test)]
mod tests {
    use crate::account::AccountId;
    use crate::evaluate::evaluate;
    use crate::evidence::Evidence;
    use crate::finding::Status;
    use crate::policy::Policy;

    const RECORDS: [&str; 3] = [
        r#"{"operation":"organizations:ListAccounts","account":"111111111111","region":"us-east-1","observed_at":"2026-11-01T00:00:00Z","response":{"Accounts":[{"Id":"111111111111","State":"ACTIVE"}]}}"#,
        r#"{"operation":"account:ListRegions","account":"111111111111","region":"us-east-1","observed_at":"2026-11-22T00:00:00Z","response":{"Regions":[{"RegionName":"us-east-1","RegionOptStatus":"ENABLED_BY_DEFAULT"}]}}"#,
        r#"{"operation":"cloudtrail:DescribeTrails","account":"111111111111","region":"us-east-1","parameters":{"includeShadowTrails":true},"observed_at":"2026-11-20T00:00:00Z","response":{"trailList":[]}}"#,
    ];

    /// Accounts stay known, however old the answer is that named them; what is there does not.
    #[test]
    fn old_answers_count_as_never_given() {
        let controls = crate::control::builtin();
        let policy = Policy::new(controls.iter().take(1).cloned().collect());
        for (oldest, status, too_old) in [
            (None, Status::Fail, 0),
            (Some("2026-11-20T00:00:00Z"), Status::Fail, 0),
            (Some("2026-11-21T00:00:00Z"), Status::Unknown, 1),
            (Some("2026-11-23T00:00:00Z"), Status::Unknown, 2),
        ] {
            let mut evidence = Evidence::not_before(oldest.map(|time| time.parse().unwrap()));
            evidence
                .add(RECORDS.join("\n").as_bytes(), |_, _| ())
                .unwrap();
            let [finding] = evaluate(&evidence, &policy).try_into().unwrap();
            assert_eq!(
                finding.account.id,
                "111111111111".parse::<AccountId>().unwrap()
            );
            assert_eq!(finding.status, status, "{oldest:?}: {}", finding.message);
            assert_eq!(evidence.too_old(), too_old);
            if too_old > 0 {
                assert!(
                    finding.message.contains(super::TOO_OLD),
                    "{}",
                    finding.message
                );
            }
        }
    }

    #[test]
    fn doubled_members_are_named() {
        let doubled = RECORDS[2].replace(
            "\"trailList\":[]",
            "\"trailList\":[{\"Name\":\"a\",\"Name\":\"b\"}]",
        );
        let error = Evidence::read(doubled.as_bytes()).unwrap_err();
        assert!(error.to_string().contains("`Name` stands twice"), "{error}");
    }
}
