//! Central topics, as people read them: what is done to each, equal ones of several regions
//! together.

use std::collections::BTreeMap;
use std::fmt::Write as _;

use trailproof_core::arn::Arn;
use trailproof_report::remediation::CentralTopic;

use super::{Shown, Styles};
use crate::commands::fix::display;
use crate::untrusted::visible;

impl Shown<'_> {
    /// The central topics, equal ones together.
    pub(super) fn topics(&self, styles: Styles) -> String {
        let Styles { head, added } = styles;
        let mut text = String::new();
        let mut groups: BTreeMap<Vec<String>, Vec<Arn>> = BTreeMap::new();
        for topic in &self.plan.topics {
            if let Ok(arn) = topic.arn.parse::<Arn>() {
                groups.entry(lines(topic, &arn)).or_default().push(arn);
            }
        }
        for (lines, topics) in groups {
            let account = topics.first().and_then(Arn::account);
            let account = account.map(|account| self.account(account));
            let name = topics.first().map_or("", |arn| arn.resource());
            let regions: Vec<String> = topics
                .iter()
                .filter_map(|arn| Some(arn.region()?.to_string()))
                .collect();
            let _ = writeln!(
                text,
                "{head}topic {} of account {} in {}{head:#}",
                visible(name),
                account.unwrap_or_default(),
                regions.join(", ")
            );
            if lines.is_empty() {
                text.push_str("  used as it is\n");
            }
            for line in lines {
                let mark = if line.starts_with(' ') { " " } else { "+" };
                let _ = writeln!(text, "  {added}{mark} {}{added:#}", visible(&line));
            }
        }
        text
    }
}

/// What is done to a topic, without its region.
fn lines(topic: &CentralTopic, arn: &Arn) -> Vec<String> {
    let Some((account, region)) = arn.account().zip(arn.region()) else {
        return Vec::new();
    };
    let steps = topic.steps.iter();
    steps
        .flat_map(|step| display::lines(account, step))
        .map(|line| line.replace(region.as_str(), "{region}"))
        .collect()
}
