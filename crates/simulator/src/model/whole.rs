//! The organization taken as a whole: its verdicts, its subscriptions, its canonical form.

use serde_json::Value;
use trailproof_core::account::AccountId;

use super::{Expected, Organization, Site, Subscription, SubscriptionState, Topic};

impl Organization {
    /// The verdicts that are known by construction, ordered by account.
    pub fn expected(&self) -> Vec<(AccountId, Expected)> {
        self.accounts()
            .iter()
            .flat_map(|account| {
                account
                    .expected
                    .iter()
                    .map(|expected| (account.id, expected.clone()))
            })
            .collect()
    }

    /// The state as JSON with ordered members, in which only what exists counts: a place where
    /// something was made and taken back is like one that was never touched. Written account by
    /// account, because organizations are large.
    pub fn canonical(&self) -> String {
        let empty = serde_json::to_value(Site::default()).unwrap_or_default();
        let mut text = String::new();
        for account in self.accounts() {
            let mut account = serde_json::to_value(account).unwrap_or_default();
            if let Some(sites) = account.get_mut("sites").and_then(Value::as_object_mut) {
                sites.retain(|_, site| *site != empty);
            }
            text.push_str(if text.is_empty() { "" } else { "," });
            text.push_str(&account.to_string());
        }
        let rest = serde_json::to_value(self.without_accounts()).unwrap_or_default();
        format!("{{\"accounts\":[{text}],\"organization\":{rest}}}")
    }

    /// Every subscription: the ARN of its topic, the last part of its own ARN, and itself.
    pub fn subscriptions(&self) -> impl Iterator<Item = (String, String, &Subscription)> {
        let partition = self.partition();
        self.accounts().iter().flat_map(move |account| {
            account.sites.iter().flat_map(move |(region, site)| {
                site.topics.iter().flat_map(move |topic| {
                    let arn = format!("arn:{partition}:sns:{region}:{}:{}", account.id, topic.name);
                    topic.subscriptions.iter().map(move |subscription| {
                        (arn.clone(), subscription.arn_end(), subscription)
                    })
                })
            })
        })
    }

    /// Changes the state of the subscriptions that a predicate over topic ARN and subscription
    /// chooses. Gives how many changed.
    pub fn set_subscriptions(
        &mut self,
        state: SubscriptionState,
        chosen: impl Fn(&str, &Subscription) -> bool,
    ) -> usize {
        let partition = self.partition();
        let mut changed = 0;
        for account in self.accounts_mut() {
            for (region, site) in &mut account.sites {
                for Topic {
                    name,
                    subscriptions,
                    ..
                } in &mut site.topics
                {
                    let arn = format!("arn:{partition}:sns:{region}:{}:{name}", account.id);
                    for subscription in subscriptions {
                        if subscription.state != state && chosen(&arn, subscription) {
                            subscription.state = state;
                            changed += 1;
                        }
                    }
                }
            }
        }
        changed
    }
}
