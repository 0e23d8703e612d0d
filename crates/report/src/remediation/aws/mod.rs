//! AWS itself: the only place in trailproof with calls that change something.
//!
//! Quotas are kept here, and failures of the moment tried again; every change is one that can be
//! sent twice with the effect of once. What to change is not decided here.

mod pace;
mod send;

use std::time::Duration;

use aws_credential_types::Credentials;
use serde_json::Value;
use trailproof_core::account::{AccountId, Region};
use trailproof_core::evidence::{CallError, ErrorClass, Record, Request};
use trailproof_scanner::{Access, ConnectOptions, Cure, RoleSettings, ScanError, SendFailure};

use super::cloud::{ChangeError, Cloud, Mutation};
use super::plan::TAG;
use pace::Pace;

/// How often a change is sent before it is given up.
const ATTEMPTS: u32 = 8;
/// How long the longest pause between two attempts is.
const LONGEST_PAUSE: Duration = Duration::from_secs(20);

/// A connection that can change accounts.
#[derive(Debug)]
pub struct Aws {
    access: Access,
    logs: aws_sdk_cloudwatchlogs::Client,
    cloudwatch: aws_sdk_cloudwatch::Client,
    sns: aws_sdk_sns::Client,
    pace: Pace,
}

/// Where and as whom.
struct Target<'a> {
    region: &'a Region,
    credentials: Credentials,
}

impl Aws {
    /// Connects and finds out who is calling.
    pub async fn connect(
        options: &ConnectOptions,
        role: RoleSettings,
        concurrency: usize,
    ) -> Result<Self, ScanError> {
        let access = Access::connect(options, role, concurrency).await?;
        let config = access.config();
        Ok(Self {
            logs: aws_sdk_cloudwatchlogs::Client::new(config),
            cloudwatch: aws_sdk_cloudwatch::Client::new(config),
            sns: aws_sdk_sns::Client::new(config),
            access,
            pace: Pace::default(),
        })
    }

    /// The account whose credentials these are.
    pub fn caller(&self) -> AccountId {
        self.access.caller().account
    }

    async fn attempt(
        &self,
        account: AccountId,
        region: &Region,
        mutation: &Mutation,
    ) -> Result<Value, (SendFailure, Option<Credentials>)> {
        let credentials = self
            .access
            .credentials(account)
            .await
            .map_err(|error| (refused(error), None))?;
        let target = Target {
            region,
            credentials,
        };
        self.pace.wait(account, region, mutation.action()).await;
        self.send(&target, mutation)
            .await
            .map_err(|failure| (failure, Some(target.credentials)))
    }

    /// Reads, as often as it takes; `None` when there is no such thing.
    async fn look(
        &self,
        account: AccountId,
        region: &Region,
        look: Look,
        arn: &str,
    ) -> Result<Option<Value>, CallError> {
        let mut number = 1;
        loop {
            let target = Target {
                region,
                credentials: self.access.credentials(account).await?,
            };
            self.pace.wait(account, region, look.action()).await;
            let answer = match look {
                Look::TopicTags => self.topic_tags(&target, arn).await,
                Look::SubscriptionAttributes => {
                    self.get_subscription_attributes(&target, arn).await
                }
            };
            let failure = match answer {
                Ok(seen) => return Ok(Some(seen)),
                Err(failure) => failure,
            };
            if failure.error.class == ErrorClass::NotFound {
                return Ok(None);
            }
            if number == ATTEMPTS || failure.cure == Cure::None {
                return Err(failure.error);
            }
            if failure.cure == Cure::Renew {
                self.access.renew(account, &target.credentials).await;
            }
            tokio::time::sleep(pause(number)).await;
            number += 1;
        }
    }
}

/// What is read here and not as evidence: only repairs want to know it.
#[derive(Debug, Clone, Copy)]
enum Look {
    /// The tags of a topic, by key.
    TopicTags,
    /// The attributes of a subscription.
    SubscriptionAttributes,
}

impl Look {
    fn action(self) -> &'static str {
        match self {
            Self::TopicTags => "sns:ListTagsForResource",
            Self::SubscriptionAttributes => "sns:GetSubscriptionAttributes",
        }
    }
}

/// How long to wait after an attempt.
fn pause(number: u32) -> Duration {
    let pause = Duration::from_millis(250).saturating_mul(1 << number.min(10));
    pause.min(LONGEST_PAUSE)
}

/// Without credentials nothing can be tried.
fn refused(error: CallError) -> SendFailure {
    SendFailure {
        error,
        cure: Cure::None,
    }
}

impl Cloud for Aws {
    async fn read(&self, request: Request) -> Record {
        self.access.read(&request).await
    }

    async fn change(
        &self,
        account: AccountId,
        region: &Region,
        mutation: Mutation,
    ) -> Result<Value, ChangeError> {
        let mut uncertain = false;
        let mut renewed = false;
        for number in 1..=ATTEMPTS {
            let (failure, credentials) = match self.attempt(account, region, &mutation).await {
                Ok(answer) => return Ok(answer),
                Err(failure) => failure,
            };
            // A lost answer says nothing about the change, and neither does what follows it.
            uncertain |= failure.error.class == ErrorClass::Unavailable;
            let again = match failure.cure {
                Cure::None => false,
                Cure::SlowDown | Cure::Again => true,
                Cure::Renew => !std::mem::replace(&mut renewed, true),
            };
            if !again || number == ATTEMPTS {
                return Err(ChangeError {
                    error: failure.error,
                    uncertain,
                });
            }
            if let (Cure::Renew, Some(credentials)) = (failure.cure, credentials) {
                self.access.renew(account, &credentials).await;
            } else {
                tokio::time::sleep(pause(number)).await;
            }
        }
        Err(ChangeError {
            error: CallError {
                code: "GivenUp".to_owned(),
                message: format!("{} was tried {ATTEMPTS} times", mutation.action()),
                class: ErrorClass::Other,
            },
            uncertain,
        })
    }

    async fn matches(
        &self,
        account: AccountId,
        region: &Region,
        pattern: &str,
        messages: Vec<String>,
    ) -> Option<Vec<bool>> {
        let credentials = self.access.credentials(account).await.ok()?;
        let target = Target {
            region,
            credentials,
        };
        self.pace
            .wait(account, region, "logs:TestMetricFilter")
            .await;
        self.test_metric_filter(&target, pattern, messages).await
    }

    async fn plan_of_topic(
        &self,
        account: AccountId,
        region: &Region,
        arn: &str,
    ) -> Result<Option<String>, CallError> {
        let tags = self.look(account, region, Look::TopicTags, arn).await?;
        let plan = tags.as_ref().and_then(|tags| tags.get(TAG));
        Ok(plan.and_then(Value::as_str).map(str::to_owned))
    }

    async fn subscription_attributes(
        &self,
        account: AccountId,
        region: &Region,
        arn: &str,
    ) -> Result<Option<Value>, CallError> {
        self.look(account, region, Look::SubscriptionAttributes, arn)
            .await
    }
}
