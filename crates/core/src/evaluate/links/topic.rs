//! The topic exists and CloudWatch may publish to it.

use super::topic_key;
use crate::arn::Arn;
use crate::evaluate::policy::{Permission, Publication, may_publish};
use crate::evaluate::reading::{Reading, ask, locked, request};
use crate::evaluate::verdict::{Cause, Reason, Step, Verdict};
use crate::evidence::{Answer, Call, CallSite, ErrorClass, Reader, TopicAttributes};
use crate::finding::{LinkName, Status};
use crate::observation::ObservationKind;

static MISSING: Reason = Reason {
    code: "topic.missing",
    status: Status::Fail,
    meaning: "The topic that the alarm notifies does not exist.",
    remedy: "Create a topic, subscribe somebody, and create an alarm beside the present one that notifies it.",
};
static OTHER_REGION: Reason = Reason {
    code: "topic.other-region",
    status: Status::Fail,
    meaning: "The topic is in another region than the alarm, where CloudWatch does not publish.",
    remedy: "Create a topic in the alarm's region, subscribe somebody, and create an alarm beside the present one that notifies it.",
};
static POLICY: Reason = Reason {
    code: "topic.policy-denies",
    status: Status::Fail,
    meaning: "The topic's policy does not let CloudWatch publish.",
    remedy: "Let cloudwatch.amazonaws.com call sns:Publish in the topic's policy.",
};
static POLICY_NOT_DECIDED: Reason = Reason {
    code: "topic.policy-not-decided",
    status: Status::Unknown,
    meaning: "Whether the topic's policy lets CloudWatch publish could not be decided.",
    remedy: "Let cloudwatch.amazonaws.com call sns:Publish in a statement of its own.",
};
static NOT_OBSERVED: Reason = Reason {
    code: "topic.not-observed",
    status: Status::Unknown,
    meaning: "The topic could not be seen.",
    remedy: "Let the audit role in the topic's account call sns:GetTopicAttributes, then scan again.",
};

pub(in crate::evaluate) const REASONS: &[&Reason] = &[
    &MISSING,
    &OTHER_REGION,
    &POLICY,
    &topic_key::AWS_KEY,
    &topic_key::KEY_MISSING,
    &topic_key::KEY_DISABLED,
    &topic_key::KEY_POLICY,
    &topic_key::KEY_POLICY_NOT_DECIDED,
    &topic_key::KEY_STATE,
    &topic_key::KEY_NOT_OBSERVED,
    &POLICY_NOT_DECIDED,
    &NOT_OBSERVED,
];

static FIFO: ObservationKind = ObservationKind {
    code: "topic.fifo",
    meaning: "The topic is a FIFO topic, which delivers only to queues, not to people.",
};
pub(super) static PUBLISHER_NOT_JUDGED: ObservationKind = ObservationKind {
    code: "topic.publisher-not-judged",
    meaning: "Whether a forwarder may publish to its topic was not judged: that is the forwarder's matter.",
};

pub(in crate::evaluate) const OBSERVATIONS: &[&ObservationKind] = &[&FIFO, &PUBLISHER_NOT_JUDGED];

/// Reads something about a topic: as its owner first, because a denied call from elsewhere is
/// itself an alarm in well-watched organizations; then as the alarm's account.
pub(in crate::evaluate) fn ask_owner<'e, T: 'e>(
    evidence: &Reader<'e>,
    topic: &Arn,
    alarms: &CallSite,
    call: impl Fn() -> Call,
    mut answers: Vec<(&'e CallSite, &'e Answer<T>)>,
) -> Reading<T> {
    let owner = CallSite {
        account: topic.account().unwrap_or(alarms.account),
        region: topic.region().unwrap_or_else(|| alarms.region.clone()),
    };
    let asker = CallSite {
        account: alarms.account,
        region: owner.region.clone(),
    };
    answers.sort_by_key(|(site, _)| (**site != owner, **site != asker));
    // Whoever was answered can tell; only the owner can tell that there is nothing.
    let said_by_owner = answers.iter().find(|(site, _)| **site == owner);
    let gone = said_by_owner.and_then(|(_, answer)| match &answer.outcome {
        Err(error) if error.class == ErrorClass::NotFound => Some(answer.observed_at),
        _ => None,
    });
    if let Some((by, answer)) = answers.iter().find(|(_, answer)| {
        answer.outcome.is_ok() && gone.is_none_or(|gone| answer.observed_at > gone)
    }) && let Ok(value) = &answer.outcome
    {
        return Reading::Read {
            value: std::sync::Arc::clone(value),
            by: (*by).clone(),
            observed_at: answer.observed_at,
        };
    }
    let lookup = |wanted: &CallSite| {
        answers
            .iter()
            .find(|(site, _)| *site == wanted)
            .map(|(_, answer)| *answer)
    };
    let first = ask(evidence, &owner, &call, lookup);
    let Reading::Unread(mut unread) = first else {
        return first;
    };
    let closed = unread.wants.is_empty();
    let missing = is_missing(&unread);
    if closed
        && !missing
        && asker != owner
        && lookup(&asker).is_none()
        && locked(evidence, asker.account).is_none()
    {
        unread.wants.push(request(&asker, call()));
    }
    Reading::Unread(unread)
}

/// Whether the owner was told that the topic does not exist.
pub(in crate::evaluate) fn is_missing(unread: &crate::evaluate::reading::Unread) -> bool {
    unread
        .error
        .as_ref()
        .is_some_and(|error| error.class == ErrorClass::NotFound)
}

/// Judges a topic as the target of an alarm.
pub(in crate::evaluate) fn judge(
    evidence: &Reader<'_>,
    alarms: &CallSite,
    notifier: &str,
    topic: &str,
) -> Step {
    let step = Step::new(LinkName::Topic).cis(Verdict::NotAsked);
    let Ok(arn) = topic.parse::<Arn>() else {
        return step.effective(Verdict::Broken(Cause::new(
            &MISSING,
            format!("`{topic}` is not the ARN of a topic"),
        )));
    };
    let step = step.on(topic, arn.account(), arn.region());
    let partition = alarms.region.partition();
    if arn.partition() != partition.as_str() {
        return step.effective(Verdict::Broken(Cause::new(
            &OTHER_REGION,
            format!("topic {topic} is not in partition {partition}, the alarm's"),
        )));
    }
    if arn.region().is_some_and(|region| region != alarms.region) {
        return step.effective(Verdict::Broken(Cause::new(
            &OTHER_REGION,
            format!(
                "topic {topic} is not in {}, the alarm's region",
                alarms.region
            ),
        )));
    }
    let call = || Call::GetTopicAttributes {
        topic_arn: topic.to_owned(),
    };
    match ask_owner(
        evidence,
        &arn,
        alarms,
        call,
        evidence.topic_attributes(topic),
    ) {
        Reading::Unread(unread) => {
            let step = step
                .seen(unread.observed_at)
                .wanting(unread.wants.iter().cloned());
            let cause = if is_missing(&unread) {
                Cause::new(&MISSING, format!("topic {topic} does not exist"))
            } else {
                Cause::new(
                    &NOT_OBSERVED,
                    format!("topic {topic} could not be seen: {}", unread.why),
                )
            };
            step.effective(Verdict::because(cause))
        }
        Reading::Read {
            value, observed_at, ..
        } => {
            // Only accounts that the organization lists are known to be in it.
            let organization = evidence
                .organization()
                .filter(|_| evidence.listed_accounts().contains_key(&alarms.account))
                .and_then(|organization| organization.id.as_deref());
            attributes(
                evidence,
                step.seen(Some(observed_at)),
                &value,
                alarms,
                notifier,
                topic,
                &arn,
                organization,
            )
        }
    }
}

#[expect(
    clippy::too_many_arguments,
    reason = "an alarm, its topic and what is known of both, each by its name"
)]
fn attributes(
    evidence: &Reader<'_>,
    mut step: Step,
    attributes: &TopicAttributes,
    alarms: &CallSite,
    notifier: &str,
    topic: &str,
    arn: &Arn,
    organization: Option<&str>,
) -> Step {
    // The names of FIFO topics end so, and no others (SNS Developer Guide, "Message delivery for
    // FIFO topics").
    if attributes.fifo_topic.as_deref() == Some("true") || topic.strip_suffix(".fifo").is_some() {
        step = step.observe(
            &FIFO,
            format!("topic {topic} is a FIFO topic and delivers only to queues, not to people"),
        );
    }
    let publication = Publication {
        account: alarms.account,
        alarm: notifier,
        topic: arn,
        organization,
    };
    match may_publish(attributes.policy.as_deref(), &publication) {
        Permission::Allowed => step = step.detail(format!("CloudWatch may publish to {topic}")),
        Permission::Denied(why) => {
            return step.effective(Verdict::Broken(Cause::new(
                &POLICY,
                format!("the policy of topic {topic} does not let CloudWatch publish: {why}"),
            )));
        }
        Permission::Undecided(why) => {
            step = step.effective(Verdict::Unseen(Cause::new(
                &POLICY_NOT_DECIDED,
                format!(
                    "whether the policy of topic {topic} lets CloudWatch publish was not decided: {why}"
                ),
            )));
        }
    }
    match &attributes.kms_master_key_id {
        Some(key) => with_key(evidence, step, alarms, notifier, arn, key),
        None => step,
    }
}

/// The step of a topic that is encrypted.
fn with_key(
    evidence: &Reader<'_>,
    step: Step,
    alarms: &CallSite,
    notifier: &str,
    topic: &Arn,
    key: &str,
) -> Step {
    let judged = topic_key::judge(evidence, alarms, notifier, topic, key);
    let mut step = step.seen(judged.observed_at).wanting(judged.wants);
    if judged.verdict.standing() < step.effective.standing() {
        step.effective = judged.verdict;
    } else if step.effective == Verdict::Proved {
        step = step.detail(format!(
            "CloudWatch may publish to {topic} and use its key {key}"
        ));
    }
    step
}

#[cfg(test)]
pub(in crate::evaluate) mod tests {
    use serde_json::json;

    use crate::evaluate::fixture::{
        Case, MANAGEMENT, MEMBER, OTHER, TOPIC, World, check, denied, id, names, table,
    };
    use crate::finding::Status::{Fail, Pass, Unknown};

    const ATTRIBUTES: &str = "sns:GetTopicAttributes";

    /// The healthy organization, whose alarms notify a topic of another account.
    fn of_another_account() -> World {
        let mut world = World::healthy();
        let topic = TOPIC.replace("111111111111", "333333333333");
        for record in &mut world.records {
            let text = record.to_string().replace(TOPIC, &topic);
            *record = serde_json::from_str(&text).unwrap();
            if record["operation"].as_str().unwrap().starts_with("sns:") {
                record["account"] = json!(id(OTHER));
            }
        }
        world
    }

    /// What the alarm's account is told of that topic, at a time.
    fn told_the_alarms_account(mut world: World, observed_at: &str) -> World {
        let mut record = of_another_account().record_mut(ATTRIBUTES, OTHER).clone();
        record["account"] = json!(id(MANAGEMENT));
        record["observed_at"] = json!(observed_at);
        world.records.push(record);
        world
    }

    /// Who is asked for the topic next.
    fn asked_next(world: &World) -> Vec<String> {
        let mut wanted = names(&world.wanted(MEMBER));
        wanted.retain(|call| call.starts_with(ATTRIBUTES));
        wanted
    }

    /// The owner first: a refused call from elsewhere is itself an alarm in well-watched
    /// organizations. Then the alarm's account, unless the owner knows that there is no topic.
    #[test]
    fn the_owner_of_a_topic_is_asked_first() {
        const SAME_TIME: &str = "2026-11-22T22:00:00Z";
        const LATER: &str = "2026-11-22T22:00:01Z";
        let gone = json!({"code": "NotFound", "message": "", "class": "not-found"});
        let refused = || of_another_account().fail(ATTRIBUTES, OTHER, &denied(ATTRIBUTES));
        let missing = || of_another_account().fail(ATTRIBUTES, OTHER, &gone);

        check(&of_another_account(), Pass, Pass, None);
        let never = of_another_account().without(ATTRIBUTES, OTHER);
        assert_eq!(
            asked_next(&never),
            ["sns:GetTopicAttributes 333333333333 eu-west-1"]
        );
        check(&refused(), Pass, Unknown, Some("topic.not-observed"));
        assert_eq!(
            asked_next(&refused()),
            ["sns:GetTopicAttributes 111111111111 eu-west-1"]
        );
        let told = told_the_alarms_account(refused(), SAME_TIME);
        check(&told, Pass, Pass, None);
        assert_eq!(asked_next(&told), [""; 0]);
        let refused_twice = told.fail_last(&denied(ATTRIBUTES));
        check(&refused_twice, Pass, Unknown, Some("topic.not-observed"));
        assert_eq!(asked_next(&refused_twice), [""; 0]);

        // Nobody else is asked for what the owner knows not to be there; who was answered later
        // knows better.
        check(&missing(), Fail, Fail, Some("topic.missing"));
        assert_eq!(asked_next(&missing()), [""; 0]);
        let told = told_the_alarms_account(missing(), SAME_TIME);
        check(&told, Fail, Fail, Some("topic.missing"));
        let told = told_the_alarms_account(missing(), LATER);
        check(&told, Pass, Pass, None);

        // Where both were told something, the owner's answer counts.
        let both = told_the_alarms_account(of_another_account(), LATER).set(
            ATTRIBUTES,
            OTHER,
            "/Attributes/Policy",
            json!(r#"{"Statement":[]}"#),
        );
        check(&both, Pass, Fail, Some("topic.policy-denies"));

        // The owner of both is asked once.
        let own = World::healthy().fail(ATTRIBUTES, MANAGEMENT, &denied(ATTRIBUTES));
        check(&own, Pass, Unknown, Some("topic.not-observed"));
        assert_eq!(asked_next(&own), [""; 0]);
    }

    /// What may keep the message from a person without changing the verdict is told.
    #[test]
    fn what_is_worth_knowing_of_a_topic() {
        let world = World::healthy().set(
            "sns:GetTopicAttributes",
            MANAGEMENT,
            "/Attributes/FifoTopic",
            json!("true"),
        );
        check(&world, Pass, Pass, None);
        let finding = world.finding(MEMBER);
        let told = |code: &str| finding.observations.iter().any(|seen| seen.code == code);
        assert!(told("topic.fifo"), "{:?}", finding.observations);
        // Also where the evidence shows the name alone.
        let mut world = World::healthy();
        let topic = format!("{TOPIC}.fifo");
        for record in &mut world.records {
            let text = record.to_string().replace(TOPIC, &topic);
            *record = serde_json::from_str(&text).unwrap();
        }
        check(&world, Pass, Pass, None);
        let finding = world.finding(MEMBER);
        assert!(
            finding
                .observations
                .iter()
                .any(|seen| seen.code == "topic.fifo")
        );
    }

    /// Each observation, and where it is made.
    pub(in crate::evaluate) fn observed() -> Vec<(&'static str, World)> {
        vec![(
            "topic.fifo",
            World::healthy().set(
                "sns:GetTopicAttributes",
                MANAGEMENT,
                "/Attributes/FifoTopic",
                json!("true"),
            ),
        )]
    }

    /// What is changed by itself.
    pub(in crate::evaluate) fn cases() -> Vec<Case> {
        vec![
            Case(
                "sns:GetTopicAttributes",
                MANAGEMENT,
                "/Attributes/Policy",
                json!(r#"{"Statement":[]}"#),
                Pass,
                Fail,
                Some("topic.policy-denies"),
            ),
            Case(
                "sns:GetTopicAttributes",
                MANAGEMENT,
                "/Attributes/Policy",
                json!(null),
                Pass,
                Unknown,
                Some("topic.policy-not-decided"),
            ),
        ]
    }

    #[test]
    fn one_thing_is_not_as_it_should_be() {
        table(&cases());
    }
}
