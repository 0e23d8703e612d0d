//! Which accounts may be entered. Whatever an ARN names may be a stranger's account, whose role lets
//! anybody in and tells what it likes: roles are assumed only in accounts of the listing, in those
//! that the user names, and in those that Organizations itself says are ours.

use std::collections::HashMap;
use std::sync::{Mutex, PoisonError};

use tokio::sync::watch;
use trailproof_core::account::AccountId;
use trailproof_core::evidence::{Call, Request};

use super::perform::Engine;
use super::stop::Stopped;
use super::transport::End;
use crate::calls::{Ask, Failure};

/// The accounts of which it is known whether they are ours.
#[derive(Debug)]
pub(crate) struct Territory {
    known: Mutex<HashMap<AccountId, bool>>,
    /// Whether every account was listed; changes with each that becomes known.
    listed: watch::Sender<bool>,
    /// Held while Organizations is asked, so that each account is asked about once.
    asking: tokio::sync::Mutex<()>,
}

impl Default for Territory {
    fn default() -> Self {
        Self {
            known: Mutex::default(),
            listed: watch::channel(false).0,
            asking: tokio::sync::Mutex::default(),
        }
    }
}

impl Territory {
    /// An account that was listed, or that the user named.
    pub(crate) fn add(&self, account: AccountId) {
        self.settle(account, true);
        self.listed.send_modify(|_| ());
    }

    /// No further account will be listed.
    pub(crate) fn is_whole(&self) {
        self.listed.send_replace(true);
    }

    fn settle(&self, account: AccountId, ours: bool) {
        let mut known = self.known.lock().unwrap_or_else(PoisonError::into_inner);
        known.insert(account, ours);
    }

    fn get(&self, account: AccountId) -> Option<bool> {
        let known = self.known.lock().unwrap_or_else(PoisonError::into_inner);
        known.get(&account).copied()
    }

    /// What the listing says of an account, which is waited for as long as it may come.
    async fn wait_for(&self, account: AccountId) -> Option<bool> {
        let mut listed = watch::Sender::subscribe(&self.listed);
        loop {
            let whole = *listed.borrow_and_update();
            let known = self.get(account);
            // The sender is part of `self`.
            if known.is_some() || whole || listed.changed().await.is_err() {
                return known;
            }
        }
    }
}

impl Engine {
    /// Whether an account that a chain leads to may be entered. Where it may not, evidence says so
    /// as if its role could not be assumed: nobody tried.
    pub(crate) async fn may_enter(&self, account: AccountId) -> Result<bool, Stopped> {
        let caller = self.sessions.caller();
        if account == caller.account {
            return Ok(true);
        }
        let stop = &self.transport.stop;
        if let Some(ours) = stop.or(self.territory.wait_for(account)).await? {
            return Ok(ours);
        }
        let _asking = stop.or(self.territory.asking.lock()).await?;
        if let Some(ours) = self.territory.get(account) {
            return Ok(ours);
        }
        let ours = self.is_of_organization(account).await?;
        self.territory.settle(account, ours);
        if !ours {
            self.refuse(account);
        }
        Ok(ours)
    }

    /// Whether Organizations says that an account is of the caller's organization.
    async fn is_of_organization(&self, account: AccountId) -> Result<bool, Stopped> {
        let region = &self.transport.region;
        let describe = Request {
            account: self.sessions.caller().account,
            region: region.clone(),
            call: Call::DescribeOrganization,
        };
        let management = || {
            let evidence = self.transport.recorder.evidence();
            evidence.reader().management_account()
        };
        if management().is_none() {
            self.ask(describe).await?;
        }
        if management() == Some(account) {
            return Ok(true);
        }
        match self.look_up(region, &Ask::DescribeAccount(account)).await {
            Ok(answer) => {
                let id = answer.pointer("/Account/Id").and_then(|id| id.as_str());
                Ok(id == Some(account.to_string().as_str()))
            }
            Err(End::Stopped) => Err(Stopped),
            Err(End::Failed(_) | End::NeverAsked) => Ok(false),
        }
    }

    /// Writes down why an account was not entered.
    fn refuse(&self, account: AccountId) {
        let Some(role) = self.sessions.roles.of(account).into_iter().next() else {
            return;
        };
        let request = Request {
            account: self.sessions.caller().account,
            region: self.transport.region.clone(),
            call: Call::AssumeRole { role_arn: role.arn },
        };
        let failure = Failure::outside(account);
        self.transport.recorder.failed(&request, failure);
    }
}
