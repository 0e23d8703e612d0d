//! Topics, and what was added to those of others: taken back only where nobody else has come to
//! rely on them.

use std::collections::BTreeSet;

use futures::StreamExt as _;
use trailproof_core::account::AccountId;

use super::{Verdict, Work};
use crate::remediation::cloud::{Cloud, Mutation};
use crate::remediation::journal::{StepRecord, StepState};
use crate::remediation::plan::{Plan, Step};
use crate::remediation::present::Unreadable;
use crate::remediation::resources::topic_policy::Found;
use crate::remediation::resources::{
    Subscription, TAG, Topic, TopicStatement, alarm, subscription, topic,
};

impl<C: Cloud> Work<'_, C> {
    /// Who still needs the subscribers of a topic: an alarm of ours that is left, or, where the
    /// topic is ours as well, an alarm of somebody else.
    async fn needs_subscribers(
        &self,
        step: &Step,
        topic: &str,
    ) -> Result<Option<String>, Unreadable> {
        if let Some(name) = self.left_alarm_of(topic) {
            return Ok(Some(format!(
                "alarm `{name}`, which is left, notifies its topic"
            )));
        }
        if !self.ours.topics.contains(topic) {
            return Ok(None);
        }
        let user = self.user_of_topic(step, topic).await?;
        Ok(user.map(|user| format!("{user}, which somebody else made, notifies its topic")))
    }

    /// An alarm of somebody else that notifies a topic: in the topic's account, and in those whose
    /// alarms the plan lets notify it.
    async fn user_of_topic(&self, step: &Step, topic: &str) -> Result<Option<String>, Unreadable> {
        let mut accounts = self.members_of(topic);
        accounts.insert(step.account);
        let user = self.user_among(accounts, step, topic).await?;
        Ok(user.map(|(account, name)| {
            if account == step.account {
                format!("alarm `{name}`")
            } else {
                format!("alarm `{name}` of account {account}")
            }
        }))
    }

    /// The accounts whose alarms the plan lets notify a topic.
    fn members_of(&self, topic: &str) -> BTreeSet<AccountId> {
        let accounts = self.ours.accounts_of.get(topic);
        accounts.cloned().unwrap_or_default()
    }

    async fn user_among(
        &self,
        accounts: BTreeSet<AccountId>,
        step: &Step,
        topic: &str,
    ) -> Result<Option<(AccountId, String)>, Unreadable> {
        let looked = futures::stream::iter(accounts)
            .map(|account| async move {
                let alarms = alarm::present(self.cloud, account, &step.region).await;
                alarms.map(|alarms| (account, alarms))
            })
            .buffered(self.options.concurrency.max(1));
        let mut looked = std::pin::pin!(looked);
        while let Some(found) = looked.next().await {
            let (account, alarms) = found?;
            let user = alarms.into_iter().find(|(name, alarm)| {
                let ours = (account, step.region.clone(), name.clone());
                alarm.notified().any(|action| action == topic) && !self.ours.alarms.contains(&ours)
            });
            if let Some((name, _)) = user {
                return Ok(Some((account, name)));
            }
        }
        Ok(None)
    }

    /// A statement in the policy of a topic of others is taken out if it is exactly the one that
    /// the plan put in; everything else in the policy stays.
    pub(super) async fn look_at_statement(
        &self,
        step: &Step,
        statement: &TopicStatement,
    ) -> Result<Verdict, Unreadable> {
        let arn = &statement.topic_arn;
        let Some(topic) = topic::present(self.cloud, arn).await? else {
            return Ok(Verdict::Gone);
        };
        let policy = topic.attributes.policy.as_deref().unwrap_or_default();
        let rest = match statement.find(policy) {
            Found::Absent => return Ok(Verdict::Gone),
            Found::Different => {
                return Ok(Verdict::Left(
                    "it was changed after trailproof created it".to_owned(),
                ));
            }
            Found::There(rest) => rest,
        };
        if statement.sid != Plan::statement_id(&self.ours.plan) {
            return Ok(Verdict::Left(
                "its id does not name this plan, so it may not be trailproof's".to_owned(),
            ));
        }
        if !self.options.shared_topics {
            return Ok(Verdict::Left(
                "its topic is not of this plan: --shared-topics takes it back".to_owned(),
            ));
        }
        if let Some(name) = self.left_alarm_of(arn) {
            return Ok(Verdict::Left(format!(
                "alarm `{name}`, which is left, notifies the topic"
            )));
        }
        // An alarm of the topic's own account needs no statement of ours, and may be older.
        let mut others = self.members_of(arn);
        others.remove(&step.account);
        Ok(match self.user_among(others, step, arn).await? {
            Some((account, name)) => Verdict::Left(format!(
                "alarm `{name}` of account {account}, which somebody else made, notifies the topic"
            )),
            None => Verdict::Remove(Mutation::SetTopicPolicy {
                arn: arn.clone(),
                policy: rest,
            }),
        })
    }

    pub(super) async fn look_at_subscription(
        &self,
        record: &StepRecord,
        subscription: &Subscription,
    ) -> Result<Verdict, Unreadable> {
        let Some(topic) = topic::present(self.cloud, &subscription.topic_arn).await? else {
            return Ok(Verdict::Gone);
        };
        let mut subscriptions = topic.subscriptions.iter();
        let Some(there) = subscriptions.find(|there| subscription.is(there)) else {
            return Ok(Verdict::Gone);
        };
        if !self.options.shared_topics && !self.ours.topics.contains(&subscription.topic_arn) {
            return Ok(Verdict::Left(
                "its topic is not of this plan: --shared-topics takes it back".to_owned(),
            ));
        }
        let needed = self.needs_subscribers(&record.step, &subscription.topic_arn);
        if let Some(reason) = needed.await? {
            return Ok(Verdict::Left(reason));
        }
        let arn = there.arn();
        Ok(if arn.starts_with("arn:") {
            if let StepState::Created(result) = &record.state
                && let Some(created) = &result.arn
                && created.starts_with("arn:")
                && created != arn
            {
                return Ok(Verdict::Left(
                    "it is another one: somebody subscribed the same endpoint again".to_owned(),
                ));
            }
            match self.altered(&record.step, arn).await {
                Ok(None) => Verdict::Remove(Mutation::Unsubscribe {
                    arn: arn.to_owned(),
                }),
                Ok(Some(reason)) | Err(reason) => Verdict::Left(reason),
            }
        } else if let Some(stranger) = self.stranger(&subscription.topic_arn, &topic) {
            Verdict::Left(format!(
                "nobody has confirmed it, so it goes only with its topic, to which somebody else subscribed {stranger}"
            ))
        } else if self.ours.topics.contains(&subscription.topic_arn) {
            Verdict::WithTopic
        } else {
            Verdict::Left(
                "nobody has confirmed it, and AWS lets nobody delete it before that; AWS deletes it by itself after two days without a confirmation".to_owned(),
            )
        })
    }

    /// Somebody whom this plan did not subscribe to a topic of ours.
    fn stranger(&self, arn: &str, topic: &topic::Present) -> Option<String> {
        if !self.ours.topics.contains(arn) {
            return None;
        }
        topic.subscribers().find_map(|(protocol, endpoint)| {
            let key = (arn.to_owned(), protocol.to_owned(), endpoint.to_owned());
            (!self.ours.subscriptions.contains(&key)).then(|| format!("{protocol}:{endpoint}"))
        })
    }

    /// What somebody has made of a confirmed subscription since; an error when nobody can see it.
    async fn altered(&self, step: &Step, arn: &str) -> Result<Option<String>, String> {
        let attributes = self
            .cloud
            .subscription_attributes(step.account, &step.region, arn)
            .await
            .map_err(|error| {
                format!(
                    "its attributes could not be read: {}: {}",
                    error.code, error.message
                )
            })?;
        let given = attributes.as_ref().and_then(subscription::given);
        Ok(given
            .map(|attribute| format!("somebody gave it a {attribute} after trailproof created it")))
    }

    pub(super) async fn look_at_topic(
        &self,
        step: &Step,
        topic: &Topic,
        recorded: &StepState,
    ) -> Result<Verdict, Unreadable> {
        let Some(there) = topic::present(self.cloud, &topic.arn).await? else {
            return Ok(Verdict::Gone);
        };
        let digest = match recorded {
            StepState::Created(result) => result.digest.as_ref(),
            _ => None,
        };
        if digest.is_some_and(|digest| *digest != there.digest) {
            return Ok(Verdict::Left(
                "its attributes were changed after trailproof created it".to_owned(),
            ));
        }
        let plan = topic.tags.get(TAG).map_or("", String::as_str);
        let (account, region) = (step.account, &step.region);
        let maker = topic::maker(self.cloud, account, region, &topic.arn).await?;
        if maker.as_deref() != Some(plan) {
            return Ok(Verdict::Left(
                "it does not carry this plan's tag, so it may not be trailproof's".to_owned(),
            ));
        }
        if let Some(stranger) = self.stranger(&topic.arn, &there) {
            return Ok(Verdict::Left(format!(
                "somebody else subscribed {stranger} to it"
            )));
        }
        if let Some(name) = self.left_alarm_of(&topic.arn) {
            return Ok(Verdict::Left(format!(
                "alarm `{name}`, which is left, notifies it"
            )));
        }
        // Deleted with its topic, it would be gone although it was left for a reason.
        if self.shared(|shared| shared.topics_of_left.contains(&topic.arn)) {
            return Ok(Verdict::Left("its subscription is left".to_owned()));
        }
        Ok(match self.user_of_topic(step, &topic.arn).await? {
            Some(user) => Verdict::Left(format!("{user}, which somebody else made, notifies it")),
            None => Verdict::Remove(Mutation::DeleteTopic {
                arn: topic.arn.clone(),
            }),
        })
    }
}
