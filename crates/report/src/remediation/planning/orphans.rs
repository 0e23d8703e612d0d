//! Alarms that watch the very metric a repair would feed, and wait for a filter that is gone: an
//! alarm on nothing costs nobody a change but the filter.

use serde_json::Value;
use trailproof_core::arn::Arn;

use super::candidates::{Candidate, Setting};
use super::planned_state::list;
use crate::remediation::plan::{Reused, Step};
use crate::remediation::resources::alarm;

impl Setting<'_> {
    /// A filter alone, or with somebody who listens, for alarms that are there already. Whether
    /// such an alarm can fire at all is found out by trying.
    pub(super) fn filter_for_orphans(
        &self,
        filter: &Step,
        namespace: &str,
        metric: &str,
    ) -> Vec<Candidate> {
        let site = self.site;
        let alarms = self.state.alarms(site.account, &site.region);
        let mut candidates = Vec::new();
        for alarm in list(alarms.as_ref(), "MetricAlarms") {
            let text = |member: &str| alarm.get(member).and_then(Value::as_str);
            let (Some(name), true) = (
                text("AlarmName"),
                text("Namespace") == Some(namespace) && text("MetricName") == Some(metric),
            ) else {
                continue;
            };
            let actions = alarm.get("AlarmActions").and_then(Value::as_array);
            let topics: Vec<Arn> = actions
                .into_iter()
                .flatten()
                .filter_map(|action| action.as_str()?.parse().ok())
                .filter(|action: &Arn| {
                    action.service() == "sns" && action.region().as_ref() == Some(&site.region)
                })
                .collect();
            for topic in topics.iter().filter(|topic| self.may_notify(topic)) {
                let reused = vec![
                    Reused::Alarm {
                        name: name.to_owned(),
                        digest: alarm::digest(alarm),
                    },
                    self.reused_topic(topic.as_str()),
                ];
                let mut offer = |more: Vec<Step>| {
                    candidates.push(Candidate {
                        steps: std::iter::once(filter.clone()).chain(more).collect(),
                        reused: reused.clone(),
                        ..Candidate::default()
                    });
                };
                offer(Vec::new());
                if let Ok(steps) = self.subscriptions(topic)
                    && !steps.is_empty()
                {
                    offer(steps);
                }
            }
        }
        candidates
    }
}
