//! A plan as people read it: what it comes to, what is changed, and what is left to them. Sites
//! that are changed in the same way stand there once.

mod central;
mod left;
mod sites;

use std::collections::{BTreeMap, BTreeSet};
use std::fmt::Write as _;

use anstyle::{AnsiColor, Style};
use jiff::Timestamp;
use trailproof_core::account::AccountId;
use trailproof_report::remediation::costs;
use trailproof_report::remediation::{Change, Plan, Step};
use trailproof_report::run::Observed;

use super::display;
use crate::commands::changing::{ConnectionArguments, count};
use crate::untrusted::visible;

/// Addresses that are named before the rest is counted.
const NAMED: usize = 10;

/// Sites and findings of a kind that are named.
const EXAMPLES: usize = 3;

/// So many messages to confirm are more than people follow without being asked twice.
const MANY_MESSAGES: usize = 20;

/// How a plan is printed.
#[derive(Debug, Clone, Copy, clap::ValueEnum)]
pub(super) enum Format {
    /// For a terminal.
    Text,
    /// For a change ticket.
    Markdown,
}

/// A plan, and how much of it is shown.
#[derive(Clone, Copy)]
pub(super) struct Shown<'a> {
    pub(super) plan: &'a Plan,
    /// Whether every site of a group is listed.
    pub(super) list_sites: bool,
    /// The time that the age of the evidence is told for.
    pub(super) now: Timestamp,
}

/// What stands out on a terminal.
#[derive(Clone, Copy, Default)]
struct Styles {
    head: Style,
    added: Style,
}

/// The plan in a format.
pub(super) fn in_format(shown: Shown<'_>, format: Format) -> String {
    match format {
        Format::Text => text(shown),
        Format::Markdown => markdown(shown),
    }
}

/// The plan for a terminal.
pub(super) fn text(shown: Shown<'_>) -> String {
    let styles = Styles {
        head: Style::new().bold(),
        added: AnsiColor::Green.on_default(),
    };
    let head = styles.head;
    let mut text = format!("{head}{}{head:#}\n", display::summary(shown.plan));
    for line in shown.facts() {
        let _ = writeln!(text, "  {line}");
    }
    for warning in shown.warnings() {
        let _ = writeln!(text, "  warning: {warning}");
    }
    let topics = shown.topics(styles);
    if !topics.is_empty() {
        let _ = write!(text, "\n{topics}");
    }
    for site in shown.sites(styles) {
        let _ = write!(text, "\n{site}");
    }
    if !shown.plan.for_owners.is_empty() {
        let _ = writeln!(text, "\n{head}for their owners to do{head:#}");
        text.push_str(&shown.for_owners());
    }
    if !shown.plan.unrepairable.is_empty() {
        let _ = writeln!(text, "\n{head}not repaired by this plan{head:#}");
        text.push_str(&shown.unrepaired());
    }
    text.truncate(text.trim_end().len());
    text
}

/// The plan for a change ticket.
fn markdown(shown: Shown<'_>) -> String {
    let plan = shown.plan;
    let mut text = format!(
        "# Changes of plan `{}`\n\n- {}\n",
        plan.id,
        escaped(&display::summary(plan))
    );
    for line in shown.facts() {
        let _ = writeln!(text, "- {}", escaped(&line));
    }
    for warning in shown.warnings() {
        let _ = writeln!(text, "- **Warning:** {}", escaped(&warning));
    }
    let sites = shown.sites(Styles::default());
    if !sites.is_empty() {
        text.push_str("\n## What is changed\n");
    }
    let topics = shown.topics(Styles::default());
    if !topics.is_empty() {
        push_block(&topics, &mut text);
    }
    for site in sites {
        push_block(&site, &mut text);
    }
    if !plan.for_owners.is_empty() {
        text.push_str("\n## For their owners to do\n");
        push_block(&shown.for_owners(), &mut text);
    }
    if !plan.unrepairable.is_empty() {
        text.push_str("\n## Not repaired by this plan\n");
        push_block(&shown.unrepaired(), &mut text);
    }
    text.truncate(text.trim_end().len());
    text
}

/// Text that others chose, where Markdown would read marks in it.
fn escaped(text: &str) -> String {
    let mut escaped = String::with_capacity(text.len());
    for character in text.chars() {
        if "\\`*_{}[]<>()#+!|~&".contains(character) {
            escaped.push('\\');
        }
        escaped.push(character);
    }
    escaped
}

/// A block that is shown as it is: its fence is longer than every row of backticks in it.
fn push_block(content: &str, text: &mut String) {
    let longest = content
        .split(|character| character != '`')
        .map(str::len)
        .max()
        .unwrap_or_default();
    let fence = "`".repeat(longest.max(2) + 1);
    let _ = writeln!(text, "\n{fence}text\n{}\n{fence}", content.trim_end());
}

impl Shown<'_> {
    /// An account by its number, with its name and its units where the run knew them.
    fn account(&self, account: AccountId) -> String {
        let id = account.to_string();
        let known = self.known(&id);
        known.map_or(id.clone(), |known| format!("{id} {known}"))
    }

    /// The name and the units of an account, as the other outputs write them.
    fn known(&self, account: &str) -> Option<String> {
        let name = self.plan.account_names.get(account);
        let units = self.plan.account_units.get(account);
        let units = units.map(|units| format!("({})", visible(units)));
        let known: Vec<String> = name
            .map(|name| visible(name))
            .into_iter()
            .chain(units)
            .collect();
        (!known.is_empty()).then(|| known.join(" "))
    }

    /// How many changes of each kind there are, and who has to confirm.
    fn facts(&self) -> Vec<String> {
        let mut kinds: BTreeMap<(usize, &str), usize> = BTreeMap::new();
        let mut mails: BTreeMap<String, usize> = BTreeMap::new();
        for step in self.plan.steps() {
            let kind = match &step.change {
                Change::PutMetricFilter(_) => (0, "metric filter"),
                Change::CreateTopic(_) => (1, "topic"),
                Change::Subscribe(_) => (2, "subscription"),
                Change::PutMetricAlarm(_) => (3, "alarm"),
                Change::AddTopicStatement(_) => (4, "statement in a topic's policy"),
            };
            *kinds.entry(kind).or_default() += 1;
            if let Change::Subscribe(made) = &step.change
                && made.needs_confirmation
            {
                *mails.entry(visible(&made.endpoint)).or_default() += 1;
            }
        }
        let mut facts = Vec::new();
        let central = self.central_topics(&mails);
        if !kinds.is_empty() {
            let kinds = kinds.iter().map(|((_, noun), number)| count(*number, noun));
            facts.push(format!("adds {}", kinds.collect::<Vec<_>>().join(", ")));
        }
        if !mails.is_empty() {
            let messages = mails.values().sum();
            let more = mails.len().saturating_sub(NAMED);
            let mut who: Vec<String> = mails
                .into_iter()
                .take(NAMED)
                .map(|(address, number)| format!("{address} ({number})"))
                .collect();
            if more > 0 {
                who.push(format!("{more} more"));
            }
            facts.push(format!(
                "{} to confirm: {}",
                count(messages, "message"),
                who.join(", ")
            ));
        }
        facts.extend(central);
        if let Some(costs) = costs::monthly(self.plan) {
            facts.push(format!(
                "costs {:.2} {currency} a month for alarms, and up to {:.2} {currency} for metrics in hours with events (list prices: {})",
                costs.alarms,
                costs.metrics,
                costs.source,
                currency = costs.currency
            ));
        }
        if self.plan.summary.changes > 0 {
            let time = costs::duration(self.plan, ConnectionArguments::CONCURRENCY);
            facts.push(format!(
                "applying takes about {}",
                count(
                    usize::try_from(time.as_secs().div_ceil(60)).unwrap_or(usize::MAX),
                    "minute"
                )
            ));
        }
        facts
    }

    /// What topics of one account would save, where people are asked to confirm many times: one
    /// message for each of them and each region.
    fn central_topics(&self, mails: &BTreeMap<String, usize>) -> Option<String> {
        let is_topic = |step: &&Step| matches!(step.change, Change::CreateTopic(_));
        let topics = self.plan.steps().filter(is_topic);
        let regions: BTreeSet<_> = topics.map(|step| &step.region).collect();
        let messages: usize = mails.values().sum();
        let central = regions.len() * mails.len();
        (messages >= MANY_MESSAGES && (1..=messages / 2).contains(&central)).then(|| {
            format!(
                "with topics of one account (--central ACCOUNT) {} would be enough",
                count(central, "message")
            )
        })
    }

    fn warnings(&self) -> Vec<String> {
        let mut warnings: Vec<String> = self
            .plan
            .warnings
            .iter()
            .map(|text| visible(text))
            .collect();
        if let Some(observed_at) = self.plan.run.observed_at {
            let age = self.now.duration_since(observed_at);
            if age > Observed::OLD {
                warnings.push(format!(
                    "the evidence is {} old, of {observed_at}: scan and plan again",
                    count(
                        usize::try_from(age.as_hours() / 24).unwrap_or_default(),
                        "day"
                    )
                ));
            }
        }
        warnings
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use serde_json::{Value, json};

    fn plan(sites: &[Value], unrepairable: &[Value]) -> Plan {
        serde_json::from_value(json!({
            "schema_version": 1, "id": "0123456789ab", "digest": "", "tool_version": "0.2.0",
            "created_at": "2026-11-22T22:00:00Z",
            "run": {"directory": "run", "observed_at": "2026-11-22T22:00:00Z", "caller": null},
            "policy": {
                "controls": ["console-auth-failures"], "benchmark": "7.0.0", "assurance": "both",
                "max_delivery_age_seconds": 86_400, "trust_organization_trail": false,
                "evaluated_at": "2026-11-22T22:00:00Z",
            },
            "summary": {"changes": 0, "sites": 0, "turns_green": 0, "waits_for_confirmation": 0,
                "unrepairable": 0},
            "sites": sites, "unrepairable": unrepairable,
            "account_names": {"000000000001": "pay`ments\u{1b}[31m"},
            "account_units": {"000000000001": "Workloads / Prod"},
            "warnings": ["the run was interrupted"],
        }))
        .unwrap()
    }

    #[test]
    fn topics_of_one_account_are_named_where_they_save_messages() {
        let own = |number: u32| {
            let mut site = site(number);
            let step = json!({
                "id": "t", "account": site["account"], "region": site["region"],
                "operation": "create-topic", "name_seen_free": true,
                "creates": {"name": "t", "arn": "a", "tags": {}, "use_existing": false},
            });
            site["steps"].as_array_mut().unwrap().insert(0, step);
            site
        };
        let told = |sites: u32| {
            let sites: Vec<Value> = (1..=sites).map(own).collect();
            let plan = plan(&sites, &[]);
            let shown = Shown {
                plan: &plan,
                list_sites: false,
                now: plan.created_at,
            };
            text(shown)
        };
        let many = told(30);
        assert!(
            many.contains("(--central ACCOUNT) 1 message would be enough"),
            "{many}"
        );
        assert!(!told(5).contains("would be enough"));
    }

    fn site(number: u32) -> Value {
        let account = format!("{number:012}");
        let id = format!("{account}/us-east-1/trail");
        let topic = "arn:aws:sns:us-east-1:999999999999:central";
        json!({
            "id": id, "account": account, "region": "us-east-1", "log_group": "trail", "trails": [],
            "repairs": [{"control": "console-auth-failures", "reasons": ["metric-filter.none"],
                "steps": [format!("{id}#1")], "turns_green": [account],
                "waits_for_confirmation": []}],
            "steps": [{"id": format!("{id}#1"), "account": "999999999999", "region": "us-east-1",
                "operation": "subscribe", "creates": {"topic_arn": topic, "protocol": "email",
                    "endpoint": "security@example.com", "needs_confirmation": true},
                "name_seen_free": true}],
            "relies_on": {"metric_filters": 0, "metric_filter_digests": {},
                "reused": [{"kind": "topic", "arn": topic}]},
        })
    }

    fn shown(plan: &Plan, list_sites: bool) -> Shown<'_> {
        Shown {
            plan,
            list_sites,
            now: "2026-12-02T22:00:00Z".parse().unwrap(),
        }
    }

    #[test]
    fn equal_sites_stand_there_once() {
        let sites: Vec<Value> = (1..=20).map(site).collect();
        let plan = plan(&sites, &[]);
        let short = anstream::adapter::strip_str(&text(shown(&plan, false))).to_string();
        assert!(
            short.contains("20 sites: + subscription, topic 999999999999:central\n"),
            "{short}"
        );
        assert_eq!(short.matches("+ subscription ").count(), 1, "{short}");
        assert!(short.contains("20 accounts will be PASS"), "{short}");
        assert!(
            short.contains("20 messages to confirm: security@example.com (20)"),
            "{short}"
        );
        assert!(
            short.contains("and 17 more (`--list-sites` lists them)"),
            "{short}"
        );
        assert!(
            short.contains("warning: the run was interrupted"),
            "{short}"
        );
        assert!(
            short.contains("warning: the evidence is 10 days old"),
            "{short}"
        );
        assert!(
            short.contains(r"account 000000000001 pay`ments\u{1b}[31m (Workloads / Prod)"),
            "{short}"
        );
        let long = text(shown(&plan, true));
        assert_eq!(long.matches("region us-east-1").count(), 20, "{long}");
        let ticket = in_format(shown(&plan, false), Format::Markdown);
        assert!(
            ticket.starts_with("# Changes of plan `0123456789ab`\n\n- plan"),
            "{ticket}"
        );
        assert_eq!(ticket.matches("\n```").count(), 2, "{ticket}");
        assert!(!ticket.contains('\u{1b}'), "{ticket}");
    }

    #[test]
    fn what_the_same_commands_repair_is_told_once() {
        let left = |account: &str, reason: &str, commands: &[&str]| {
            json!({
                "finding": format!("{account}/console-auth-failures"), "account": account,
                "control": "console-auth-failures", "broken_link": null, "reason": reason,
                "why": "for a person", "commands": commands, "run_in": account,
            })
        };
        let mut findings = vec![
            left(
                "000000000001",
                "log-group.none",
                &["aws one 000000000001", "aws two"],
            ),
            left("000000000002", "logging.stopped", &["aws \u{1b}[31mthree"]),
        ];
        findings.extend((3..15).map(|number| {
            let account = format!("{number:012}");
            left(
                &account,
                "log-group.none",
                &[&format!("aws one {account}"), "aws two"],
            )
        }));
        let plan = plan(&[], &findings);
        let text = shown(&plan, false).unrepaired();
        assert!(
            text.starts_with(
                "  log-group.none: for a person (13 findings)\n      in each of the accounts\n      \
                 $ aws one {account}\n      $ aws two\n      000000000001/console-auth-failures  pay"
            ),
            "{text}"
        );
        assert!(
            text.contains(
                "  logging.stopped: for a person (1 finding)\n      in account 000000000002\n"
            ),
            "{text}"
        );
        assert!(
            text.contains("000000000004/console-auth-failures\n      and 10 more\n"),
            "{text}"
        );
        assert!(!text.contains('\u{1b}'), "{text}");
    }
}
