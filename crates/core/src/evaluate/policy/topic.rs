//! Does a topic's policy let CloudWatch publish an alarm's message? (SNS Developer Guide, "Allow
//! CloudWatch alarms in a different account to publish".)

use super::condition::Key;
use super::{CLOUDWATCH, Permission, Request, evaluate, statements};
use crate::account::AccountId;
use crate::arn::Arn;

/// An alarm's message to a topic.
#[derive(Debug, Clone, Copy)]
pub struct Publication<'a> {
    /// The account of the alarm.
    pub account: AccountId,
    /// The alarm's ARN.
    pub alarm: &'a str,
    /// The topic's ARN.
    pub topic: &'a Arn,
    /// The organization of the alarm's account, where it is known.
    pub organization: Option<&'a str>,
}

/// A publication with the account as conditions are held against it.
struct Publishing<'a> {
    publication: &'a Publication<'a>,
    account: String,
}

/// Evaluates a topic's policy. Every topic has one, so `None` is one that was not shown.
pub fn may_publish(policy: Option<&str>, publication: &Publication<'_>) -> Permission {
    let Some(text) = policy else {
        return Permission::Undecided(format!(
            "the topic's policy was not shown, so what account {} may do is not known",
            publication.account
        ));
    };
    let request = Publishing {
        publication,
        account: publication.account.to_string(),
    };
    match statements(text, Publishing::RESOURCE) {
        Ok(statements) => evaluate(&statements, &request),
        Err(why) => Permission::Undecided(why),
    }
}

impl Request for Publishing<'_> {
    const RESOURCE: &'static str = "topic";

    fn verb(&self) -> &'static str {
        "publish"
    }

    fn action(&self) -> &'static str {
        "sns:publish"
    }

    fn resource(&self) -> &str {
        self.publication.topic.as_str()
    }

    fn account(&self) -> AccountId {
        self.publication.account
    }

    /// The policy that SNS gives every new topic lets alarms through by naming everybody, if
    /// `AWS:SourceOwner` is the owner. Nothing says that naming the account does: a service is no
    /// principal of the account it works for.
    fn account_means_service(&self) -> Option<bool> {
        let same = self.publication.topic.account() == Some(self.publication.account);
        (!same).then_some(false)
    }

    fn key(&self, name: &str) -> Key<'_> {
        match name {
            "aws:sourceowner" | "aws:sourceaccount" => Key::Is(&self.account),
            "aws:sourcearn" => Key::Is(self.publication.alarm),
            "aws:securetransport" | "aws:principalisawsservice" => Key::Is("true"),
            "aws:principalservicename" => Key::Is(CLOUDWATCH),
            "aws:sourceorgid" => self.publication.organization.map_or(Key::Unknown, Key::Is),
            // A service principal is in no organization, account or network of its own, and these
            // keys belong to subscriptions.
            "aws:principalorgid"
            | "aws:principalorgpaths"
            | "aws:principalaccount"
            | "aws:sourcevpc"
            | "aws:sourcevpce"
            | "sns:endpoint"
            | "sns:protocol" => Key::Absent,
            _ => Key::Unknown,
        }
    }
}

#[cfg(test)]
mod tests;
