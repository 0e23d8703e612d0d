//! CloudWatch may use the key that encrypts the topic.
//!
//! The key is read as its owner: nobody else is shown its policy (KMS API, `GetKeyPolicy`).

use std::sync::Arc;

use jiff::Timestamp;

use crate::arn::Arn;
use crate::evaluate::policy::{KeyUse, Permission, may_use};
use crate::evaluate::reading::{Reading, Unread, ask};
use crate::evaluate::verdict::{Cause, Reason, Verdict};
use crate::evidence::{Answer, Call, CallSite, KeyMetadata, KeyName, Reader, Request};
use crate::finding::Status;

pub(super) static AWS_KEY: Reason = Reason {
    code: "topic.aws-managed-key",
    status: Status::Fail,
    meaning: "The topic is encrypted with a key that AWS manages, such as alias/aws/sns, which CloudWatch alarms cannot use.",
    remedy: "Encrypt the topic with a customer managed key whose policy lets cloudwatch.amazonaws.com call kms:Decrypt and kms:GenerateDataKey, or not at all.",
};
pub(super) static KEY_MISSING: Reason = Reason {
    code: "topic.key-missing",
    status: Status::Fail,
    meaning: "The key that encrypts the topic does not exist.",
    remedy: "Encrypt the topic with a customer managed key whose policy lets cloudwatch.amazonaws.com call kms:Decrypt and kms:GenerateDataKey, or not at all.",
};
pub(super) static KEY_DISABLED: Reason = Reason {
    code: "topic.key-disabled",
    status: Status::Fail,
    meaning: "The key that encrypts the topic is disabled, or about to be deleted.",
    remedy: "Enable the key (cancel its deletion first), or encrypt the topic with another one that CloudWatch may use.",
};
pub(super) static KEY_POLICY: Reason = Reason {
    code: "topic.key-policy-denies",
    status: Status::Fail,
    meaning: "The policy of the key that encrypts the topic does not let CloudWatch use it. A statement for the account itself does not: it lets IAM policies decide, and CloudWatch has none.",
    remedy: "Let cloudwatch.amazonaws.com call kms:Decrypt and kms:GenerateDataKey* in the key's policy.",
};
pub(super) static KEY_POLICY_NOT_DECIDED: Reason = Reason {
    code: "topic.key-policy-not-decided",
    status: Status::Unknown,
    meaning: "Whether the policy of the key that encrypts the topic lets CloudWatch use it could not be decided.",
    remedy: "Let cloudwatch.amazonaws.com call kms:Decrypt and kms:GenerateDataKey* in a statement of its own, with no conditions but aws:SourceAccount and aws:SourceArn.",
};
pub(super) static KEY_STATE: Reason = Reason {
    code: "topic.key-state-not-known",
    status: Status::Unknown,
    meaning: "The state of the key that encrypts the topic is not told, or one in which whether it can be used is not known.",
    remedy: "Look at the key in the KMS console, and scan again when it is enabled.",
};
pub(super) static KEY_NOT_OBSERVED: Reason = Reason {
    code: "topic.key-not-observed",
    status: Status::Unknown,
    meaning: "The key that encrypts the topic could not be seen.",
    remedy: "Let the audit role in the key's account call kms:DescribeKey and kms:GetKeyPolicy, in IAM and in the key's policy, then scan again.",
};

/// What is known of a topic's key.
pub(super) struct Judged {
    pub(super) verdict: Verdict,
    pub(super) wants: Vec<Request>,
    pub(super) observed_at: Option<Timestamp>,
}

impl Judged {
    fn new(verdict: Verdict, observed_at: Option<Timestamp>) -> Self {
        Self {
            verdict,
            wants: Vec::new(),
            observed_at,
        }
    }

    fn because(reason: &'static Reason, message: String, at: Option<Timestamp>) -> Self {
        Self::new(Verdict::because(Cause::new(reason, message)), at)
    }
}

/// A topic, and the key it is encrypted with as the topic names it.
struct Encrypted<'a> {
    topic: &'a Arn,
    key: &'a str,
}

impl Encrypted<'_> {
    fn of_aws(&self, at: Option<Timestamp>) -> Judged {
        let Self { topic, key } = self;
        let why = format!(
            "topic {topic} is encrypted with {key}, a key that AWS manages and that CloudWatch alarms cannot use"
        );
        Judged::because(&AWS_KEY, why, at)
    }

    fn missing(&self, unread: &Unread) -> Judged {
        let Self { topic, key } = self;
        let why = format!("the key {key} of topic {topic} does not exist");
        Judged::because(&KEY_MISSING, why, unread.observed_at)
    }

    fn unseen(&self, unread: &Unread) -> Judged {
        let Self { topic, key } = self;
        let why = format!(
            "whether CloudWatch may use the key {key} of topic {topic} is not known: {}",
            unread.why
        );
        Judged {
            wants: unread.wants.clone(),
            ..Judged::because(&KEY_NOT_OBSERVED, why, unread.observed_at)
        }
    }

    /// Whether the key is one that CloudWatch can be let use, and works.
    fn state(&self, metadata: &KeyMetadata, at: Timestamp) -> Judged {
        let Self { topic, key } = self;
        let at = Some(at);
        if metadata.key_manager.as_deref() == Some("AWS") {
            return self.of_aws(at);
        }
        let is = format!("the key {key} of topic {topic} is in the state");
        match metadata.key_state.as_deref() {
            Some("Enabled") => Judged::new(Verdict::Proved, at),
            Some(state @ ("Disabled" | "PendingDeletion")) => {
                Judged::because(&KEY_DISABLED, format!("{is} {state}"), at)
            }
            Some(state) => Judged::because(&KEY_STATE, format!("{is} `{state}`"), at),
            None => {
                let why = format!("kms:DescribeKey did not tell the state of the key {key}");
                Judged::because(&KEY_STATE, why, at)
            }
        }
    }
}

/// Judges whether CloudWatch may use a topic's key for the messages of an alarm.
pub(super) fn judge(
    evidence: &Reader<'_>,
    alarms: &CallSite,
    notifier: &str,
    topic: &Arn,
    key: &str,
) -> Judged {
    let encrypted = Encrypted { topic, key };
    let name = match named(alarms, topic, key) {
        Ok(name) => name,
        Err(judged) => return judged,
    };
    if name.is_of_aws() {
        return encrypted.of_aws(None);
    }
    let call = || Call::DescribeKey {
        key: name.to_string(),
    };
    let described = read(evidence, &name, call, evidence.key(&name));
    let (state, known) = match &described {
        Reading::Read {
            value, observed_at, ..
        } => {
            let id = value.key_id.as_deref();
            (
                encrypted.state(value, *observed_at),
                id.map(|id| name.with_id(id)),
            )
        }
        Reading::Unread(unread) if super::topic::is_missing(unread) => {
            return encrypted.missing(unread);
        }
        Reading::Unread(unread) => (encrypted.unseen(unread), None),
    };
    if matches!(state.verdict, Verdict::Broken(_)) || !state.wants.is_empty() {
        return state;
    }
    // An alias says nothing of the key's policy.
    let Some(id) = known.or_else(|| (!name.is_alias()).then(|| name.clone())) else {
        return state;
    };
    worse(state, policy(evidence, &encrypted, &id, alarms, notifier))
}

/// Whether a topic's key works, whoever uses it.
pub(super) fn state(evidence: &Reader<'_>, alarms: &CallSite, topic: &Arn, key: &str) -> Judged {
    let encrypted = Encrypted { topic, key };
    let name = match named(alarms, topic, key) {
        Ok(name) => name,
        Err(judged) => return judged,
    };
    if name.is_of_aws() {
        return Judged::new(Verdict::Proved, None);
    }
    let call = || Call::DescribeKey {
        key: name.to_string(),
    };
    match read(evidence, &name, call, evidence.key(&name)) {
        Reading::Read {
            value, observed_at, ..
        } if value.key_manager.as_deref() == Some("AWS") => {
            Judged::new(Verdict::Proved, Some(observed_at))
        }
        Reading::Read {
            value, observed_at, ..
        } => encrypted.state(&value, observed_at),
        Reading::Unread(unread) if super::topic::is_missing(&unread) => encrypted.missing(&unread),
        Reading::Unread(unread) => encrypted.unseen(&unread),
    }
}

/// The key that a topic names: one without an account is its owner's.
fn named(alarms: &CallSite, topic: &Arn, key: &str) -> Result<KeyName, Judged> {
    let owner = CallSite {
        account: topic.account().unwrap_or(alarms.account),
        region: topic.region().unwrap_or_else(|| alarms.region.clone()),
    };
    KeyName::read(key, &owner).ok_or_else(|| {
        let why = format!("topic {topic} is encrypted with `{key}`, which is no name of a key");
        Judged::because(&KEY_NOT_OBSERVED, why, None)
    })
}

/// Whether the key's policy lets CloudWatch use it.
fn policy(
    evidence: &Reader<'_>,
    encrypted: &Encrypted<'_>,
    id: &KeyName,
    alarms: &CallSite,
    notifier: &str,
) -> Judged {
    let Encrypted { topic, key } = encrypted;
    let call = || Call::GetKeyPolicy {
        key: id.to_string(),
    };
    let (policy, at) = match read(evidence, id, call, evidence.key_policy(id)) {
        Reading::Unread(unread) if super::topic::is_missing(&unread) => {
            return encrypted.missing(&unread);
        }
        Reading::Unread(unread) => return encrypted.unseen(&unread),
        Reading::Read {
            value, observed_at, ..
        } => (value.policy.clone(), Some(observed_at)),
    };
    let Some(policy) = policy else {
        let why = format!("kms:GetKeyPolicy did not show the policy of the key {key}");
        return Judged::because(&KEY_NOT_OBSERVED, why, at);
    };
    let key_use = KeyUse {
        account: alarms.account,
        alarm: notifier,
        key: &id.to_string(),
    };
    match may_use(&policy, &key_use) {
        Permission::Allowed => Judged::new(Verdict::Proved, at),
        Permission::Denied(why) => {
            let why = format!(
                "topic {topic} is encrypted with the key {key}, whose policy does not let CloudWatch use it: {why}"
            );
            Judged::because(&KEY_POLICY, why, at)
        }
        Permission::Undecided(why) => {
            let why = format!(
                "whether CloudWatch may use the key {key} of topic {topic} was not decided: {why}"
            );
            Judged::because(&KEY_POLICY_NOT_DECIDED, why, at)
        }
    }
}

/// What the key's owner was told or, where somebody else was answered, what they were.
fn read<'e, T: 'e>(
    evidence: &Reader<'e>,
    name: &KeyName,
    call: impl Fn() -> Call,
    answers: Vec<(&'e CallSite, &'e Answer<T>)>,
) -> Reading<T> {
    let of_owner = |site: &CallSite| *site == name.site;
    let told = |(site, answer): &(&'e CallSite, &'e Answer<T>)| {
        let value = answer.outcome.as_ref().ok()?;
        Some(Reading::Read {
            value: Arc::clone(value),
            by: (*site).clone(),
            observed_at: answer.observed_at,
        })
    };
    let (own, others): (Vec<_>, Vec<_>) = answers.into_iter().partition(|(site, _)| of_owner(site));
    let mut told = own.iter().chain(&others).filter_map(told);
    told.next().unwrap_or_else(|| {
        ask(evidence, &name.site, call, |_| {
            own.first().map(|(_, answer)| *answer)
        })
    })
}

/// The worse of what the state and the policy of a key come to, the state where they are equal.
fn worse(one: Judged, other: Judged) -> Judged {
    let observed_at = one.observed_at.max(other.observed_at);
    // What is wanted is what the policy lacks: a state that nobody knows ends the asking before.
    Judged {
        verdict: one.verdict.or_worse(other.verdict),
        wants: other.wants,
        observed_at,
    }
}

#[cfg(test)]
mod tests {
    use serde_json::{Value, json};

    use crate::evaluate::fixture::{
        MANAGEMENT, MEMBER, OTHER, TOPIC, World, check, denied, id, names,
    };
    use crate::finding::Status::{Fail, Pass, Unknown};

    const ID: &str = "1234abcd-12ab-34cd-56ef-1234567890ab";

    fn arn(account: u64) -> String {
        format!("arn:aws:kms:eu-west-1:{}:key/{ID}", id(account))
    }

    /// The healthy organization, whose topic has a key.
    fn encrypted(key: &str) -> World {
        let pointer = "/Attributes/KmsMasterKeyId";
        World::healthy().set("sns:GetTopicAttributes", MANAGEMENT, pointer, json!(key))
    }

    fn described(world: World, account: u64, asked: &str, state: &str) -> World {
        let metadata = json!({"KeyId": ID, "Arn": arn(account), "KeyState": state,
            "KeyManager": "CUSTOMER", "Enabled": state == "Enabled"});
        world.with(
            "kms:DescribeKey",
            account,
            "eu-west-1",
            &json!({"KeyId": asked}),
            &json!({ "KeyMetadata": metadata }),
        )
    }

    fn with_policy(world: World, account: u64, asked: &str, statements: &Value) -> World {
        let policy = json!({"Version": "2012-10-17", "Statement": statements}).to_string();
        world.with(
            "kms:GetKeyPolicy",
            account,
            "eu-west-1",
            &json!({"KeyId": asked, "PolicyName": "default"}),
            &json!({"Policy": policy, "PolicyName": "default"}),
        )
    }

    fn lets_cloudwatch() -> Value {
        json!([{"Effect": "Allow", "Principal": {"Service": "cloudwatch.amazonaws.com"},
            "Action": ["kms:Decrypt", "kms:GenerateDataKey*"], "Resource": "*"}])
    }

    fn lets_the_account() -> Value {
        json!([{"Effect": "Allow", "Principal": {"AWS": "arn:aws:iam::111111111111:root"},
            "Action": "kms:*", "Resource": "*"}])
    }

    #[test]
    fn a_key_is_asked_for_as_its_owner_one_call_after_the_other() {
        let world = encrypted(&arn(OTHER));
        check(&world, Pass, Unknown, Some("topic.key-not-observed"));
        assert_eq!(
            names(&world.wanted(MEMBER)),
            ["kms:DescribeKey 333333333333 eu-west-1"]
        );
        let world = described(world, OTHER, &arn(OTHER), "Enabled");
        check(&world, Pass, Unknown, Some("topic.key-not-observed"));
        assert_eq!(
            names(&world.wanted(MEMBER)),
            ["kms:GetKeyPolicy 333333333333 eu-west-1"]
        );
        let good = with_policy(world.clone(), OTHER, &arn(OTHER), &lets_cloudwatch());
        check(&good, Pass, Pass, None);
        assert_eq!(good.wanted(MEMBER), []);
        let bad = with_policy(world, OTHER, ID, &lets_the_account());
        check(&bad, Pass, Fail, Some("topic.key-policy-denies"));
    }

    /// Whatever a key is called, it is the same key.
    #[test]
    fn names_of_a_key() {
        for key in [
            ID,
            "alias/alerts",
            "arn:aws:kms:eu-west-1:111111111111:alias/alerts",
        ] {
            for asked in [ID, &arn(MANAGEMENT)] {
                let world = described(encrypted(key), MANAGEMENT, key, "Enabled");
                let world = with_policy(world, MANAGEMENT, asked, &lets_cloudwatch());
                check(&world, Pass, Pass, None);
            }
        }
        // An alias that nobody resolved says nothing of a policy.
        let world = with_policy(
            encrypted("alias/alerts"),
            MANAGEMENT,
            &arn(MANAGEMENT),
            &lets_the_account(),
        );
        check(&world, Pass, Unknown, Some("topic.key-not-observed"));
        check(
            &encrypted("no key"),
            Pass,
            Unknown,
            Some("topic.key-not-observed"),
        );
    }

    #[test]
    fn keys_that_aws_manages() {
        let alias = "arn:aws:kms:eu-west-1:111111111111:alias/aws/sns";
        for key in ["alias/aws/sns", alias] {
            check(&encrypted(key), Pass, Fail, Some("topic.aws-managed-key"));
        }
        for key in [ID, &arn(MANAGEMENT)] {
            let mut world = described(encrypted(key), MANAGEMENT, key, "Enabled");
            let record = world.record_mut("kms:DescribeKey", MANAGEMENT);
            record["response"]["KeyMetadata"]["KeyManager"] = json!("AWS");
            check(&world, Pass, Fail, Some("topic.aws-managed-key"));
            // Only whether a monitoring account watches the metric is left to be asked.
            assert_eq!(
                names(&world.wanted(MEMBER)),
                ["oam:ListLinks 111111111111 eu-west-1"]
            );
        }
    }

    /// A key may be gone by the time its policy is asked for.
    #[test]
    fn a_key_without_a_policy_is_gone() {
        let key = arn(MANAGEMENT);
        let world = described(encrypted(&key), MANAGEMENT, &key, "Enabled");
        let world = with_policy(world, MANAGEMENT, &key, &json!([]));
        let gone = json!({"code": "NotFoundException", "message": "", "class": "not-found"});
        let missing = world.clone().fail_last(&gone);
        check(&missing, Pass, Fail, Some("topic.key-missing"));
        let refused = world.fail_last(&denied("kms:GetKeyPolicy"));
        check(&refused, Pass, Unknown, Some("topic.key-not-observed"));
    }

    #[test]
    fn states_of_a_key() {
        for (state, effective, reason) in [
            ("Enabled", Pass, None),
            ("Disabled", Fail, Some("topic.key-disabled")),
            ("PendingDeletion", Fail, Some("topic.key-disabled")),
            ("PendingImport", Unknown, Some("topic.key-state-not-known")),
            ("Unavailable", Unknown, Some("topic.key-state-not-known")),
            ("", Unknown, Some("topic.key-state-not-known")),
        ] {
            let key = arn(MANAGEMENT);
            let world = described(encrypted(&key), MANAGEMENT, &key, state);
            let world = with_policy(world, MANAGEMENT, &key, &lets_cloudwatch());
            check(&world, Pass, effective, reason);
        }
    }

    #[test]
    fn a_break_is_a_break_whatever_was_not_seen() {
        let key = arn(MANAGEMENT);
        let state_hidden = described(encrypted(&key), MANAGEMENT, &key, "Enabled")
            .fail_last(&denied("kms:DescribeKey"));
        assert_eq!(
            names(&state_hidden.wanted(MEMBER)),
            ["kms:GetKeyPolicy 111111111111 eu-west-1"]
        );
        let denies = with_policy(state_hidden.clone(), MANAGEMENT, &key, &lets_the_account());
        check(&denies, Pass, Fail, Some("topic.key-policy-denies"));
        let allows = with_policy(state_hidden, MANAGEMENT, &key, &lets_cloudwatch());
        check(&allows, Pass, Unknown, Some("topic.key-not-observed"));
        assert_eq!(allows.wanted(MEMBER), []);
        let gone = json!({"code": "NotFoundException", "message": "", "class": "not-found"});
        let missing = described(encrypted(&key), MANAGEMENT, &key, "Enabled").fail_last(&gone);
        check(&missing, Pass, Fail, Some("topic.key-missing"));
        // A topic that CloudWatch may not publish to needs no key.
        let pointer = "/Attributes/Policy";
        let closed = encrypted(TOPIC).set(
            "sns:GetTopicAttributes",
            MANAGEMENT,
            pointer,
            json!(r#"{"Statement":[]}"#),
        );
        check(&closed, Pass, Fail, Some("topic.policy-denies"));
        // Only whether a monitoring account watches the metric is left to be asked.
        assert_eq!(
            names(&closed.wanted(MEMBER)),
            ["oam:ListLinks 111111111111 eu-west-1"]
        );
    }
}
