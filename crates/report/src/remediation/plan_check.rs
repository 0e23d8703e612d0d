//! Whether a plan's file has only what `fix plan` makes.
//!
//! The file's digest protects against damage and nothing else: whoever edits the file can compute
//! it again. What a step may be follows from its site, from what the site relies on, and from the
//! options that `fix plan` accepts; anything else is refused before any call.

use std::collections::{BTreeMap, BTreeSet};

use trailproof_core::account::AccountId;
use trailproof_core::arn::Arn;
use trailproof_core::control::Control;
use trailproof_core::policy::Assurance;
use trailproof_core::remedy;
use trailproof_scanner::RoleTemplate;

use super::endpoint::{self, Endpoint};
use super::naming::{self, NameKind};
use super::options;
use super::plan::{CentralTopic, Plan, PlanError, PlanRun, Reused, Site, Step};
use super::resources::{Alarm, Change, MetricFilter, Publishers, Subscription, TAG, Topic};
use super::verification;
use crate::untrusted::visible;

/// Why something is not of a plan: a sentence.
type Problem = String;

/// Checks everything that is known without asking anybody.
pub(super) fn check(plan: &Plan) -> Result<(), PlanError> {
    let refuse = |place: &str| {
        let place = place.to_owned();
        move |problem: Problem| PlanError::NotPlanned { place, problem }
    };
    identity(plan).map_err(refuse("the plan"))?;
    roles(&plan.run).map_err(refuse("the plan"))?;
    let controls = verification::controls(plan)
        .map_err(|error| format!("its controls cannot be used: {error}"))
        .map_err(refuse("the plan"))?;
    let created: BTreeSet<&str> = plan
        .steps()
        .filter_map(|step| Some(step.change.created_topic()?.arn.as_str()))
        .collect();
    let mut topics = BTreeSet::new();
    for topic in &plan.topics {
        let named = || format!("topic `{}`", topic.arn);
        if !topics.insert(&topic.arn) {
            return Err(refuse(&named())("it is there twice".to_owned()));
        }
        central_topic(plan, topic).map_err(refuse(&named()))?;
    }
    let mut sites = BTreeSet::new();
    for site in &plan.sites {
        let named = || format!("site `{}`", site.id);
        if !sites.insert(&site.id) {
            return Err(refuse(&named())("it is there twice".to_owned()));
        }
        let checking = Checking {
            plan,
            site,
            controls: &controls,
            created: &created,
        };
        checking.site().map_err(refuse(&named()))?;
        for step in &site.steps {
            let named = format!("step `{}`", step.id);
            checking.step(step).map_err(refuse(&named))?;
        }
    }
    if plan.id == plan.computed_id() || plan.id == plan.computed_id_of_0_1() {
        return Ok(());
    }
    // Last, so that what is wrong with a step is said of the step.
    let problem = "its steps and roles are not those that its id was made from".to_owned();
    Err(refuse("the plan")(problem))
}

/// The id becomes part of file names, tags and descriptions.
fn identity(plan: &Plan) -> Result<(), Problem> {
    let right = |byte: u8| byte.is_ascii_digit() || matches!(byte, b'a'..=b'f');
    ensure(plan.id.len() == 12 && plan.id.bytes().all(right), || {
        "its id is not 12 hexadecimal digits".to_owned()
    })
}

/// The roles are those of a run, which fit every account.
fn roles(run: &PlanRun) -> Result<(), Problem> {
    for role in run.role.iter().chain(&run.roles) {
        let parsed: Result<RoleTemplate, _> = role.parse();
        parsed.map_err(|error| error.to_string())?;
    }
    ensure(
        run.roles.is_empty() || run.roles.first() == run.role.as_ref(),
        || "its role is not the first of its roles".to_owned(),
    )
}

fn ensure(right: bool, problem: impl FnOnce() -> Problem) -> Result<(), Problem> {
    if right { Ok(()) } else { Err(problem()) }
}

fn printable(what: &str, text: &str) -> Result<(), Problem> {
    ensure(visible(text) == text, || {
        format!("{what} has characters that cannot be seen")
    })
}

/// A central topic: it is of the one account that all central topics are of, and its steps are on
/// itself alone.
fn central_topic(plan: &Plan, topic: &CentralTopic) -> Result<(), Problem> {
    printable("the ARN", &topic.arn)?;
    let arn: Option<Arn> = topic.arn.parse().ok();
    let place = arn
        .filter(|arn| arn.service() == "sns")
        .and_then(|arn| Some((arn.account()?, arn.region()?)));
    let (account, region) = place.ok_or_else(|| "it is not the ARN of a topic".to_owned())?;
    let first = plan
        .topics
        .first()
        .and_then(|first| first.arn.parse::<Arn>().ok());
    ensure(first.and_then(|arn| arn.account()) == Some(account), || {
        "it is of another account than the plan's first topic".to_owned()
    })?;
    let users: BTreeSet<AccountId> = plan
        .sites
        .iter()
        .filter(|site| site.relies_on.names_topic(&topic.arn))
        .map(|site| site.account)
        .collect();
    ensure(!users.is_empty(), || "no site relies on it".to_owned())?;
    for (index, step) in topic.steps.iter().enumerate() {
        let id = format!("{}#{}", topic.arn, index + 1);
        ensure(step.id == id, || {
            format!("the step `{}` should be `{id}`", step.id)
        })?;
        ensure(step.account == account && step.region == region, || {
            format!("the step `{id}` is not in the topic's account and region")
        })?;
        ensure(
            step.change.changed_topic() == Some(topic.arn.as_str()),
            || format!("the step `{id}` is not about the topic"),
        )?;
        let publishers = match &step.change {
            Change::CreateTopic(made) => {
                created_topic(plan, step, made)?;
                made.publishers.as_ref()
            }
            Change::AddTopicStatement(added) => {
                ensure(added.sid == Plan::statement_id(&plan.id), || {
                    "the id of its statement does not name the plan".to_owned()
                })?;
                ensure(added.before.is_none(), || {
                    "its statement has a policy of its own".to_owned()
                })?;
                Some(&added.publishers)
            }
            Change::Subscribe(made) => {
                subscriber(step, made)?;
                continue;
            }
            Change::PutMetricFilter(_) | Change::PutMetricAlarm(_) => None,
        };
        let publishers = publishers.ok_or_else(|| "nobody's alarms may notify it".to_owned())?;
        of_plan(plan, publishers, &users)?;
    }
    Ok(())
}

/// A policy lets through the alarms of the run's organization, or those of the plan's own accounts.
fn of_plan(
    plan: &Plan,
    publishers: &Publishers,
    users: &BTreeSet<AccountId>,
) -> Result<(), Problem> {
    match &publishers.organization {
        Some(organization) => ensure(
            plan.run.organization.as_ref() == Some(organization) && publishers.accounts.is_empty(),
            || format!("its policy names `{organization}`, which is not the run's organization"),
        ),
        None => ensure(publishers.accounts == *users, || {
            "its policy names other accounts than those that use it".to_owned()
        }),
    }
}

/// A topic to be created, but for where.
fn created_topic(plan: &Plan, step: &Step, topic: &Topic) -> Result<(), Problem> {
    name(NameKind::Topic, &topic.name)?;
    let (region, account) = (&step.region, step.account);
    let arn = format!(
        "arn:{}:sns:{region}:{account}:{}",
        region.partition(),
        topic.name
    );
    ensure(topic.arn == arn, || {
        format!("its ARN is `{}`, which should be `{arn}`", topic.arn)
    })?;
    if let Some(key) = &topic.kms_key {
        options::validate_key(key).map_err(|error| error.to_string())?;
        // A topic and its key share a region.
        let arn: Option<Arn> = key.parse().ok();
        ensure(
            arn.is_none_or(|arn| arn.region().as_ref() == Some(region)),
            || format!("the key `{key}` is not in its region"),
        )?;
    }
    ensure(topic.tags.contains_key(TAG), || {
        "it has no tag that names the plan".to_owned()
    })?;
    tags(plan, &topic.tags)
}

/// The plan's own tag, and those that the user gave. Alarms of earlier plans have no tag.
fn tags(plan: &Plan, tags: &BTreeMap<String, String>) -> Result<(), Problem> {
    let mut tags = tags.clone();
    let marked = tags.remove(TAG);
    ensure(marked.is_none_or(|id| id == plan.id), || {
        "its tag does not name the plan".to_owned()
    })?;
    options::validate_tags(&tags).map_err(|error| error.to_string())
}

/// Whom a topic tells.
fn subscriber(step: &Step, subscription: &Subscription) -> Result<(), Problem> {
    let endpoint = Endpoint {
        protocol: subscription.protocol,
        address: subscription.endpoint.clone(),
    };
    endpoint::check(endpoint.protocol, &endpoint.address).map_err(|error| error.to_string())?;
    let waits = endpoint.needs_confirmation(step.account);
    ensure(subscription.needs_confirmation == waits, || {
        "whether somebody has to confirm it is wrong".to_owned()
    })
}

/// A site, and what its steps are held against.
struct Checking<'a> {
    plan: &'a Plan,
    site: &'a Site,
    controls: &'a [Control],
    /// The ARNs of the topics that the plan creates.
    created: &'a BTreeSet<&'a str>,
}

impl Checking<'_> {
    fn site(&self) -> Result<(), Problem> {
        let site = self.site;
        printable("the log group", &site.log_group)?;
        printable("the region", site.region.as_str())?;
        ensure(site.id == site.address().to_string(), || {
            "its id does not name its account, region and log group".to_owned()
        })?;
        for (index, step) in site.steps.iter().enumerate() {
            let id = format!("{}#{}", site.id, index + 1);
            ensure(step.id == id, || {
                format!("the step `{}` should be `{id}`", step.id)
            })?;
        }
        let steps: BTreeSet<&str> = site.steps.iter().map(|step| step.id.as_str()).collect();
        let mut needed = BTreeSet::new();
        for repair in &site.repairs {
            ensure(self.control(&repair.control).is_some(), || {
                format!("the plan's run did not judge `{}`", repair.control)
            })?;
            needed.extend(repair.steps.iter().map(String::as_str));
        }
        if let Some(step) = needed.difference(&steps).next() {
            return Err(format!(
                "a repair needs the step `{step}`, which it has not"
            ));
        }
        match steps.difference(&needed).next() {
            Some(step) => Err(format!("no repair needs the step `{step}`")),
            None => Ok(()),
        }
    }

    fn step(&self, step: &Step) -> Result<(), Problem> {
        ensure(step.region == self.site.region, || {
            format!("its region is {}, not that of its site", step.region)
        })?;
        match &step.change {
            Change::PutMetricFilter(filter) => self.filter(step, filter),
            Change::CreateTopic(topic) => self.topic(step, topic),
            Change::Subscribe(subscription) => self.subscription(step, subscription),
            Change::PutMetricAlarm(alarm) => self.alarm(step, alarm),
            Change::AddTopicStatement(_) => Err("it is not a step of a central topic".to_owned()),
        }
    }

    /// Everything but a subscription is made by the account of the log group.
    fn of_site(&self, step: &Step) -> Result<(), Problem> {
        ensure(step.account == self.site.account, || {
            format!("its account is {}, not that of its site", step.account)
        })
    }

    fn filter(&self, step: &Step, filter: &MetricFilter) -> Result<(), Problem> {
        self.of_site(step)?;
        ensure(filter.log_group == self.site.log_group, || {
            format!(
                "its log group is `{}`, not that of its site",
                filter.log_group
            )
        })?;
        name(NameKind::MetricFilter, &filter.name)?;
        name(NameKind::Namespace, &filter.namespace)?;
        name(NameKind::Metric, &filter.metric)?;
        ensure(filter.value == remedy::METRIC_VALUE, || {
            format!("an event counts `{}`, not 1", filter.value)
        })?;
        options::validate_pattern(&filter.pattern).map_err(str::to_owned)
    }

    fn topic(&self, step: &Step, topic: &Topic) -> Result<(), Problem> {
        self.of_site(step)?;
        ensure(topic.publishers.is_none(), || {
            "alarms of other accounts may notify it, and it is no central topic".to_owned()
        })?;
        created_topic(self.plan, step, topic)
    }

    fn subscription(&self, step: &Step, subscription: &Subscription) -> Result<(), Problem> {
        let owner = self.needed_topic(&subscription.topic_arn)?.account();
        let mut central = self.plan.topics.iter();
        ensure(
            !central.any(|topic| topic.arn == subscription.topic_arn),
            || "subscriptions to a central topic are steps of that topic".to_owned(),
        )?;
        ensure(owner == Some(step.account), || {
            format!("its account is {}, not that of its topic", step.account)
        })?;
        subscriber(step, subscription)
    }

    fn alarm(&self, step: &Step, alarm: &Alarm) -> Result<(), Problem> {
        self.of_site(step)?;
        self.needed_topic(&alarm.topic_arn)?;
        name(NameKind::Alarm, &alarm.name)?;
        printable("its description", &alarm.description)?;
        let marker = format!(" {}", Plan::marker(&self.plan.id));
        ensure(alarm.description.ends_with(&marker), || {
            "its description does not name the plan".to_owned()
        })?;
        options::validate_period(alarm.period).map_err(|error| error.to_string())?;
        options::validate_threshold(alarm.threshold).map_err(|error| error.to_string())?;
        tags(self.plan, &alarm.tags)?;
        let feeds = |step: &Step| {
            matches!(&step.change, Change::PutMetricFilter(filter)
                if filter.namespace == alarm.namespace && filter.metric == alarm.metric)
        };
        // Plans of trailproof 0.1 do not say what a filter that was there feeds.
        let is = |named: &Option<String>, metric: &str| {
            named.as_deref().is_none_or(|named| named == metric)
        };
        let reuses = |reused: &Reused| {
            matches!(reused, Reused::MetricFilter { namespace, metric, .. }
                if is(namespace, &alarm.namespace) && is(metric, &alarm.metric))
        };
        let own = self.site.steps.iter().any(feeds);
        ensure(own || self.site.relies_on.reused.iter().any(reuses), || {
            format!(
                "no filter of its site feeds the metric {}/{}",
                alarm.namespace, alarm.metric
            )
        })?;
        if own && self.plan.policy.assurance != Assurance::Cis {
            let most = self.most_events(&step.id);
            ensure(alarm.threshold <= most, || {
                format!(
                    "its threshold is {}, and the control allows {most} (`max-events`)",
                    alarm.threshold
                )
            })?;
        }
        Ok(())
    }

    /// The most events that an alarm may need: with more, no finding would be PASS.
    fn most_events(&self, step: &str) -> f64 {
        let repairs = self.site.repairs.iter();
        repairs
            .filter(|repair| repair.steps.iter().any(|id| id == step))
            .filter_map(|repair| self.control(&repair.control))
            .map(|control| f64::from(control.max_events.get()))
            .fold(1.0, f64::max)
    }

    fn control(&self, id: &str) -> Option<&Control> {
        self.controls.iter().find(|control| control.id == id)
    }

    /// A topic that the plan creates or that the site relies on, in the site's region.
    fn needed_topic(&self, arn: &str) -> Result<Arn, Problem> {
        let parsed: Option<Arn> = arn.parse().ok();
        let site = self.site;
        let parsed = parsed
            .filter(|arn| arn.service() == "sns" && arn.region().as_ref() == Some(&site.region));
        let topic =
            parsed.ok_or_else(|| format!("`{arn}` is not the ARN of a topic in its region"))?;
        let relied_on = site.relies_on.names_topic(arn);
        // A topic of a plan is used in the account that it is created in.
        let created = self.created.contains(arn) && topic.account() == Some(site.account);
        ensure(created || relied_on, || {
            format!("its site relies on no topic `{arn}`, and the plan creates none")
        })?;
        Ok(topic)
    }
}

fn name(kind: NameKind, name: &str) -> Result<(), Problem> {
    naming::check(kind, name).map_err(|error| error.to_string())
}
