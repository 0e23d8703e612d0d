//! Topics of one account that alarms of all others notify: one for each region, which lets
//! CloudWatch publish for the organization. What is there is used; what has to be changed in an
//! account that is not trailproof's to change is left to its owner.

use std::collections::{BTreeMap, BTreeSet};

use trailproof_core::account::AccountId;
use trailproof_core::arn::Arn;
use trailproof_core::evidence::ErrorClass;
use trailproof_core::finding::{Finding, LinkName, Status};

use super::candidates::{Assumption, Candidate, Setting};
use super::effect::Effect;
use super::planned_state::list;
use super::planner::Planner;
use super::refusal::Refusal;
use super::targets::Target;
use super::{Planning, excluded};
use crate::remediation::export;
use crate::remediation::naming::{NameContext, NameKind};
use crate::remediation::plan::{CentralTopic, OwnerTask, Plan, Reused, Site, Step};
use crate::remediation::resources::{Change, Publishers, TopicStatement, topic};
use crate::shell;

/// How many names are looked at for a topic of ours.
const NAMES: u32 = 3;

/// The account whose topics all alarms notify.
pub(super) struct Central {
    pub(super) account: AccountId,
    publishers: Publishers,
    /// Why nothing may be changed there.
    closed: Option<String>,
}

/// What is done to a central topic, so far.
#[derive(Default)]
pub(super) struct CentralDraft {
    digest: Option<String>,
    steps: Vec<Step>,
}

/// What the owner of a central topic would have to do.
#[derive(Default)]
pub(super) struct TaskDraft {
    why: BTreeSet<String>,
    reasons: BTreeSet<String>,
    steps: Vec<Step>,
    turns_green: BTreeSet<String>,
    waits: BTreeSet<String>,
}

/// Which topic it is, and whether it is there.
enum Choice {
    /// The plan creates it, or there is none: by this ARN.
    Missing(Arn),
    There(Arn),
}

impl Choice {
    fn arn(&self) -> &Arn {
        match self {
            Self::Missing(arn) | Self::There(arn) => arn,
        }
    }
}

impl Central {
    /// What the user wants, as the run knows the account.
    pub(super) fn of(planning: &Planning<'_>) -> Option<Self> {
        let account = planning.options.central?;
        let organization = planning.run.scope.organization.as_ref();
        let organization = organization.and_then(|organization| organization.id.clone());
        let accounts = if organization.is_some() {
            BTreeSet::new()
        } else {
            let findings = planning.findings.iter();
            findings.map(|finding| finding.account.id).collect()
        };
        Some(Self {
            account,
            publishers: Publishers {
                organization,
                accounts,
            },
            closed: closed(planning, account),
        })
    }

    fn owns(&self, arn: &str) -> bool {
        arn.parse::<Arn>()
            .is_ok_and(|arn| arn.service() == "sns" && arn.account() == Some(self.account))
    }
}

/// Why nothing may be changed in an account, in a sentence.
fn closed(planning: &Planning<'_>, account: AccountId) -> Option<String> {
    let mut findings = planning.findings.iter();
    let own = findings.find(|finding| finding.account.id == account);
    let why = if !planning.ours.contains(&account) {
        "the run does not know it"
    } else if excluded(&planning.options.selection, &planning.findings).contains(&account) {
        "it is excluded from changes"
    } else if own.is_some_and(|own| own.status == Status::NotApplicable) {
        "it is suspended, or being closed"
    } else if own.is_some_and(|own| own.broken_link == Some(LinkName::Account)) {
        "the run could not enter it"
    } else {
        return None;
    };
    Some(why.to_owned())
}

impl<'a> Setting<'a> {
    /// What names and addresses stand for: whatever is central is of the central account.
    pub(super) fn audience(&self) -> NameContext<'a> {
        let own = self.context();
        NameContext {
            account: self.central.map_or(own.account, |central| central.account),
            ..own
        }
    }

    /// The central topic that the alarms of the site's region notify.
    pub(super) fn central_topic(&self, central: &Central) -> Result<Arn, Refusal> {
        Ok(self.choice(central)?.arn().clone())
    }

    fn choice(&self, central: &Central) -> Result<Choice, Refusal> {
        let named = self.options.named_topic(self.audience());
        let by_user = named.is_some() || self.options.topic_name.is_some();
        if named.is_none() && self.options.names_topics() && !by_user {
            return Err(Refusal::NoTopic(self.site.region.clone()));
        }
        let name = match &named {
            Some(arn) => arn.resource().to_owned(),
            None => self.options.topic_name(self.audience()),
        };
        NameKind::Topic.check(&name)?;
        let (region, account) = (&self.site.region, central.account);
        // Who chose the name means the topic that has it.
        for number in 1..=if by_user { 1 } else { NAMES } {
            let name = NameKind::Topic.numbered(&name, number);
            let arn = format!("arn:{}:sns:{region}:{account}:{name}", region.partition());
            let arn: Arn = arn.parse().map_err(|_| Refusal::NotOurs)?;
            if self.state.topic(arn.as_str()).is_none() || self.is_planned(arn.as_str()) {
                return Ok(Choice::Missing(arn));
            }
            if by_user || self.is_of_trailproof(central, &arn) {
                return Ok(Choice::There(arn));
            }
        }
        Err(Refusal::TakenTopics { account, name })
    }

    /// Whether a topic that has one of our names is one that an earlier plan left: it lets the same
    /// alarms through by the same statement, or tells nobody but those who are to be told.
    fn is_of_trailproof(&self, central: &Central, arn: &Arn) -> bool {
        let attributes = self.state.topic(arn.as_str());
        let policy = attributes
            .as_ref()
            .and_then(|of| of.get("Policy")?.as_str());
        central.publishers.are_in(policy, arn.as_str())
            || {
                let listed = self.state.subscriptions(arn.as_str());
                let listed = list(listed.as_ref(), "Subscriptions").len();
                let missing = self.subscriptions(arn).map(|steps| steps.len());
                let wanted = self.endpoints().map(|endpoints| endpoints.len());
                listed > 0
                    && matches!((missing, wanted), (Ok(missing), Ok(wanted)) if listed + missing == wanted)
            }
    }

    /// The central topic, with what it needs: what that is, is found out by trying.
    pub(super) fn central_targets(&self, central: &Central) -> Result<Vec<Target>, Refusal> {
        let choice = self.choice(central)?;
        let topic = choice.arn();
        let people = self.subscriptions(topic)?;
        let target = |steps: Vec<Step>| Target {
            arn: topic.to_string(),
            steps,
            reused: Some(self.reused_topic(topic.as_str())),
            ..Target::default()
        };
        if self.is_planned(topic.as_str()) {
            return Ok(vec![target(people)]);
        }
        let create = match choice {
            Choice::There(_) => {
                let statement = Change::AddTopicStatement(TopicStatement {
                    topic_arn: topic.to_string(),
                    sid: String::new(),
                    publishers: central.publishers.clone(),
                    before: None,
                });
                let statement = self.step(central.account, statement, true);
                let statements = [Vec::new(), vec![statement]];
                let people = [Vec::new(), people];
                let people = if people[0] == people[1] {
                    &people[..1]
                } else {
                    &people
                };
                let pairs = statements
                    .iter()
                    .flat_map(|first| people.iter().map(move |then| [first.clone(), then.clone()]));
                let unseen = !self.state.saw_filter_policies(topic.as_str());
                let assumed = unseen.then(|| Assumption::Unfiltered(topic.to_string()));
                return Ok(pairs
                    .map(|steps| Target {
                        assumed: assumed.clone().into_iter().collect(),
                        ..target(steps.concat())
                    })
                    .collect());
            }
            Choice::Missing(_) if self.options.subscribers.is_empty() => {
                return Err(Refusal::NoSubscribers);
            }
            Choice::Missing(_) => self.creation(central.account, topic)?,
        };
        let mut made = target(Vec::new());
        made.notes = create.1;
        made.steps = std::iter::once(create.0).chain(people).collect();
        Ok(vec![made])
    }

    fn creation(&self, account: AccountId, arn: &Arn) -> Result<(Step, Vec<String>), Refusal> {
        let publishers = self.central.map(|central| central.publishers.clone());
        let by_user = self.options.names_topics() || self.options.topic_name.is_some();
        self.new_topic_step(account, arn, by_user, publishers)
    }
}

impl Planner<'_> {
    /// Why the steps of a candidate on central topics are for their owner.
    pub(super) fn left_to_owner(&self, candidate: &Candidate) -> Option<String> {
        let central = self.central.as_ref()?;
        let mut topics = candidate
            .steps
            .iter()
            .filter_map(|step| step.change.changed_topic())
            .filter(|arn| central.owns(arn));
        let first = topics.next()?;
        central.closed.clone().or_else(|| {
            let reader = self.seen.evidence().reader();
            let answers = reader.topic_attributes(first);
            let mut errors = answers
                .iter()
                .filter(|(place, _)| place.account == central.account)
                .filter_map(|(_, answer)| answer.outcome.as_ref().err());
            let refused = errors.find(|error| error.class != ErrorClass::NotFound)?;
            Some(format!(
                "its topic could not be looked at: {}",
                refused.code
            ))
        })
    }

    /// Notes that a repair takes something that only the owner of a central topic may do.
    pub(super) fn hand_over(
        &mut self,
        finding: &Finding,
        (effect, candidate, why): (Effect, Candidate, String),
    ) {
        let Some(central) = &self.central else {
            return;
        };
        let refusal = Refusal::ForOwner {
            account: central.account,
            why: why.clone(),
        };
        let steps = candidate.steps.into_iter();
        let central_steps = steps.filter(|step| {
            let topic = step.change.changed_topic();
            topic.is_some_and(|arn| central.owns(arn))
        });
        for mut step in central_steps {
            let Some(arn) = step.change.changed_topic().map(str::to_owned) else {
                continue;
            };
            if let Change::AddTopicStatement(statement) = &mut step.change {
                let topic = self.state().seen_topic(&arn);
                statement.sid = Plan::statement_id("");
                statement.before =
                    topic.and_then(|of| of.get("Policy")?.as_str().map(str::to_owned));
            }
            let task = self.tasks.entry(arn).or_default();
            task.why.insert(why.clone());
            task.reasons
                .extend(finding.reason.as_deref().map(str::to_owned));
            if !task.steps.contains(&step) {
                task.steps.push(step);
            }
            match effect {
                Effect::Green => task.turns_green.insert(finding.id.clone()),
                Effect::Waits | Effect::Nothing => task.waits.insert(finding.id.clone()),
            };
        }
        self.refusals.insert(finding.id.clone(), refusal);
    }

    /// Takes the steps on central topics out of a candidate: they belong to no site.
    pub(super) fn take_central(&mut self, candidate: &mut Candidate) {
        let Some(central) = &self.central else {
            return;
        };
        let (topics, others): (Vec<Step>, Vec<Step>) = std::mem::take(&mut candidate.steps)
            .into_iter()
            .partition(|step| {
                let topic = step.change.changed_topic();
                topic.is_some_and(|arn| central.owns(arn))
            });
        candidate.steps = others;
        let used: Vec<String> = candidate
            .reused
            .iter()
            .filter_map(|reused| match reused {
                Reused::Topic { arn, .. } if central.owns(arn) => Some(arn.clone()),
                _ => None,
            })
            .collect();
        for arn in used {
            let digest = self.state().seen_topic(&arn);
            let draft = self.central_topics.entry(arn).or_default();
            draft.digest = digest.as_ref().map(topic::digest);
        }
        for step in topics {
            if let Some(arn) = step.change.changed_topic() {
                let draft = self.central_topics.entry(arn.to_owned()).or_default();
                draft.steps.push(step);
            }
        }
    }
}

/// The central topics that sites use, with the accounts of exactly these sites where no
/// organization stands for them.
pub(super) fn topics(drafts: BTreeMap<String, CentralDraft>, sites: &[Site]) -> Vec<CentralTopic> {
    let used = drafts.into_iter().filter_map(|(arn, draft)| {
        let users: BTreeSet<AccountId> = sites
            .iter()
            .filter(|site| site.relies_on.names_topic(&arn))
            .map(|site| site.account)
            .collect();
        let steps = draft.steps.into_iter().enumerate().map(|(index, step)| {
            let mut step = Step {
                id: format!("{arn}#{}", index + 1),
                ..step
            };
            let publishers = match &mut step.change {
                Change::CreateTopic(topic) => topic.publishers.as_mut(),
                Change::AddTopicStatement(statement) => Some(&mut statement.publishers),
                _ => None,
            };
            if let Some(publishers) = publishers.filter(|of| of.organization.is_none()) {
                publishers.accounts.clone_from(&users);
            }
            step
        });
        (!users.is_empty()).then(|| CentralTopic {
            digest: draft.digest,
            steps: steps.collect(),
            arn: arn.clone(),
        })
    });
    used.collect()
}

/// What the owner of central topics would run.
pub(super) fn tasks(drafts: BTreeMap<String, TaskDraft>) -> Vec<OwnerTask> {
    let task = |(arn, draft): (String, TaskDraft)| {
        let first = draft.steps.first()?;
        let account = first.account;
        let commands = draft.steps.iter().map(|step| {
            let (_, command) = step.change.resource().script();
            shell::command(&command.in_region(Some(step.region.as_str())))
        });
        let findings = draft.turns_green.union(&draft.waits);
        Some(OwnerTask {
            account,
            resource: arn,
            reasons: draft.reasons.into_iter().collect(),
            summary: draft
                .why
                .iter()
                .map(|why| format!("The topic for the alarms is in account {account}, and {why}."))
                .collect(),
            commands: commands.collect(),
            terraform: export::blocks(&draft.steps),
            findings: findings.cloned().collect(),
            turns_green: draft.turns_green.into_iter().collect(),
            waits_for_confirmation: draft.waits.into_iter().collect(),
            not_tried: false,
        })
    };
    drafts.into_iter().filter_map(task).collect()
}
