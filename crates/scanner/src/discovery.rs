//! Finding the accounts: through Organizations, page by page while the scan already runs, or from
//! a list.

mod units;

use std::collections::{BTreeMap, BTreeSet};
use std::sync::Arc;

use serde_json::Value;
use tokio::sync::mpsc::UnboundedSender;
use trailproof_core::account::AccountId;
use trailproof_core::evidence::{
    Call, CallError, ErrorClass, OrganizationAccount, Outcome, Record, Request,
};
use trailproof_core::units::is_id;

use crate::calls::Ask;
use crate::connection::Cause;
use crate::engine::{End, Engine, Stopped, record_of};
use crate::error::ScanError;
use crate::event::{Warning, WarningCode};
use crate::outcome::{Caller, FoundAccount};
use crate::plan::{AccountFilter, KnownListing, Scope};
use crate::shard::Shard;
pub(crate) use units::name_units;
use units::{Units, unit_parents, units_of};

/// The search for accounts.
#[derive(Debug)]
pub(crate) struct Discovery {
    pub(crate) engine: Arc<Engine>,
    pub(crate) caller: Caller,
    pub(crate) scope: Scope,
    pub(crate) filter: AccountFilter,
    pub(crate) shard: Option<Shard>,
    /// A list of the accounts that was made before.
    pub(crate) listing: Option<KnownListing>,
    /// Where accounts in scope go as they are found.
    pub(crate) found: UnboundedSender<FoundAccount>,
    /// Where the roots and units go whose units reports will name.
    pub(crate) parents: UnboundedSender<String>,
    pub(crate) warnings: UnboundedSender<Warning>,
}

/// Why discovery ended before its end.
#[derive(Debug)]
pub(crate) enum DiscoveryEnd {
    Error(ScanError),
    Stopped,
}

impl From<Stopped> for DiscoveryEnd {
    fn from(_: Stopped) -> Self {
        Self::Stopped
    }
}

impl From<ScanError> for DiscoveryEnd {
    fn from(error: ScanError) -> Self {
        Self::Error(error)
    }
}

impl Discovery {
    /// The management account of the caller's organization; nothing where Organizations is not
    /// asked or does not say.
    pub(crate) async fn organization(&self) -> Result<Option<AccountId>, DiscoveryEnd> {
        if self.scope != Scope::Organization {
            return Ok(None);
        }
        let known = || {
            let evidence = self.engine.transport.recorder.evidence();
            evidence.reader().management_account()
        };
        let earlier = known();
        if earlier.is_some() {
            self.check_listing()?;
            return Ok(earlier);
        }
        let request = self.request(Call::DescribeOrganization);
        match self.engine.fetch(&request, &mut |_| ()).await {
            Ok(()) => {}
            // Listing the accounts is what counts; it may be allowed all the same.
            Err(End::Failed(failure)) if failure.error.class == ErrorClass::Denied => {}
            Err(end) => return Err(self.ended(&request.call, end, None)),
        }
        self.check_listing()?;
        Ok(known())
    }

    /// Refuses a list of another organization than the caller's.
    fn check_listing(&self) -> Result<(), ScanError> {
        let Some(listing) = &self.listing else {
            return Ok(());
        };
        let evidence = self.engine.transport.recorder.evidence();
        let told = evidence
            .reader()
            .organization()
            .map(|organization| organization.id.clone());
        match told.flatten() {
            Some(found) if found == listing.organization => Ok(()),
            found => Err(ScanError::OtherOrganization {
                listed: listing.organization.clone(),
                caller: self.caller.account,
                found,
            }),
        }
    }

    /// What AWS says now of the organization, of its accounts and of the names of their units, beside
    /// all evidence. Where units may not be listed, that is said in place of their names.
    pub(crate) async fn listing(&self) -> Result<Vec<Record>, DiscoveryEnd> {
        let mut records = Vec::new();
        for call in [Call::DescribeOrganization, Call::ListAccounts] {
            let request = self.request(call);
            match self.engine.recorded(&request).await {
                Ok(record) => records.push(record),
                Err(end) => {
                    let mut described = records.iter().filter_map(management_account);
                    return Err(self.ended(&request.call, end, described.next()));
                }
            }
        }
        let listed = records.last().map(|record| &record.outcome);
        let accounts = match listed {
            Some(Outcome::Response(response)) => on_page(response),
            _ => Vec::new(),
        };
        for parent in unit_parents(&accounts) {
            let request = self.request(units_of(parent));
            match self.engine.recorded(&request).await {
                Ok(record) => records.push(record),
                Err(End::Failed(failure)) => {
                    let error = Outcome::Error(failure.error);
                    records.push(record_of(&request, failure.request_id, error));
                    break;
                }
                Err(End::Stopped | End::NeverAsked) => return Err(DiscoveryEnd::Stopped),
            }
        }
        Ok(records)
    }

    /// Finds every account and sends those in scope on, each once.
    pub(crate) async fn accounts(
        mut self,
        management: Option<AccountId>,
    ) -> Result<(), DiscoveryEnd> {
        match std::mem::take(&mut self.scope) {
            Scope::Organization => self.organization_accounts(management).await,
            Scope::Accounts(accounts) => {
                self.roles_of_organization(management).await?;
                let listed: BTreeSet<AccountId> = accounts.into_iter().collect();
                for account in &listed {
                    self.engine.territory.add(*account);
                    self.send(*account, None, true);
                }
                self.warn_of_unlisted(&listed);
                Ok(())
            }
            Scope::CurrentAccount => {
                self.roles_of_organization(management).await?;
                self.send(self.caller.account, None, true);
                Ok(())
            }
        }
    }

    /// Asks the organization which roles go with which accounts, where only it knows and is not
    /// asked for its accounts anyway.
    async fn roles_of_organization(
        &mut self,
        management: Option<AccountId>,
    ) -> Result<(), DiscoveryEnd> {
        if !self.engine.sessions.roles.need_organization() {
            return Ok(());
        }
        self.organization_pages(management, false).await
    }

    async fn organization_accounts(
        &mut self,
        management: Option<AccountId>,
    ) -> Result<(), DiscoveryEnd> {
        self.organization_pages(management, true).await
    }

    /// Lists the accounts: to choose their roles, and to send those in scope on.
    async fn organization_pages(
        &mut self,
        management: Option<AccountId>,
        send: bool,
    ) -> Result<(), DiscoveryEnd> {
        // It is as large as the organization, and evidence holds it from here on.
        let known = self.listing.take();
        // Pages go through a channel, so that accounts of the first are scanned while the last is
        // still to come.
        let (pages, mut arriving) = tokio::sync::mpsc::unbounded_channel();
        let listing = async {
            let (earlier, whole): (Vec<OrganizationAccount>, bool) = {
                let evidence = self.engine.transport.recorder.evidence();
                let reader = evidence.reader();
                let listed = reader.listed_accounts().values();
                let listed = listed.map(|account| (**account).clone()).collect();
                (listed, reader.listing_problems().is_empty())
            };
            let confirm = known.as_ref().is_some_and(|known| known.confirm);
            // What an earlier run did not read to its end is listed anew.
            if !earlier.is_empty() && whole && !confirm {
                // The receiver is held by this very function.
                let _ = pages.send(earlier);
                drop(pages);
                return Ok(());
            }
            let mut before = BTreeSet::new();
            if let Some(known) = known {
                let accounts = match &known.record.outcome {
                    Outcome::Response(response) => on_page(response),
                    Outcome::Error(_) => Vec::new(),
                };
                for record in known.units.into_iter().chain([known.record]) {
                    self.engine.transport.recorder.copied(record);
                }
                before.extend(accounts.iter().map(|account| account.id));
                let _ = pages.send(accounts);
                if !confirm {
                    drop(pages);
                    return Ok(());
                }
            }
            let mut now = BTreeSet::new();
            let request = self.request(Call::ListAccounts);
            let asked = self
                .engine
                .fetch(&request, &mut |page: &Value| {
                    let accounts = on_page(page);
                    if confirm {
                        now.extend(accounts.iter().map(|account| account.id));
                    }
                    let _ = pages.send(accounts);
                })
                .await;
            drop(pages);
            match asked {
                Ok(()) if confirm => {
                    self.warn_of_changes(&before, &now);
                    Ok(())
                }
                Ok(()) if self.nobody_listed() => {
                    Err(DiscoveryEnd::Error(ScanError::OrganizationFailed {
                        operation: "organizations:ListAccounts",
                        code: "UnreadableAnswer".to_owned(),
                        message: "none of the listed accounts can be read".to_owned(),
                    }))
                }
                Ok(()) => Ok(()),
                Err(end) => Err(self.ended(&request.call, end, management)),
            }
        };
        let filtering = async {
            let mut listed = BTreeSet::new();
            let mut units = Units::default();
            let mut held = Vec::new();
            if self.wanted_units().iter().any(|unit| !is_id(unit)) {
                // Whether a name is that of one unit is known when every account is.
                while let Some(page) = arriving.recv().await {
                    held.extend(page);
                }
                units.called = self.units_called(&held).await?;
            }
            loop {
                let page = match std::mem::take(&mut held) {
                    page if !page.is_empty() => page,
                    _ => match arriving.recv().await {
                        Some(page) => page,
                        None => break,
                    },
                };
                for account in page {
                    self.engine.territory.add(account.id);
                    self.note_units(&account, &mut units);
                    if !listed.insert(account.id) {
                        continue;
                    }
                    self.choose_roles(&account, &mut units).await?;
                    let in_scope = !send || self.in_scope(&account, &mut units).await?;
                    if in_scope {
                        // The receiver may have given up.
                        let named = account.unit_parents().map(str::to_owned);
                        named.for_each(|parent| drop(self.parents.send(parent)));
                    }
                    if send && in_scope {
                        let active = !account.is_unusable();
                        self.send(account.id, account.name, active);
                    }
                }
            }
            if send {
                self.warn_of_unlisted(&listed);
            }
            self.warn_of_empty_units(&units);
            Ok::<(), DiscoveryEnd>(())
        };
        let (listing, filtering) = futures::join!(listing, filtering);
        listing.and(filtering)
    }

    /// Whether the list of accounts names none that can be read.
    fn nobody_listed(&self) -> bool {
        let evidence = self.engine.transport.recorder.evidence();
        evidence.reader().listed_accounts().is_empty()
    }

    /// Chooses the member role of an account: at most one may be for it.
    async fn choose_roles(
        &self,
        account: &OrganizationAccount,
        units: &mut Units,
    ) -> Result<(), DiscoveryEnd> {
        let roles = &self.engine.sessions.roles;
        let mut places = Vec::new();
        for (place, member) in roles.members() {
            // The cheap conditions first: tags cost a call.
            let named = member.accounts.is_empty() || member.accounts.contains(&account.id);
            if !named
                || (!member.units.is_empty() && !self.is_in(account, &member.units, units).await?)
            {
                continue;
            }
            if !member.tags.is_empty() {
                let tags = self.tags(account.id).await?;
                let mut wanted = member.tags.iter();
                if !wanted.all(|(key, value)| tags.get(key) == Some(value)) {
                    continue;
                }
            }
            places.push(place);
        }
        Ok(roles.assign(account.id, &places)?)
    }

    async fn in_scope(
        &self,
        account: &OrganizationAccount,
        units: &mut Units,
    ) -> Result<bool, DiscoveryEnd> {
        let filter = &self.filter;
        // The cheap conditions first: tags cost a call.
        if !self.may_be_sent(account.id) {
            return Ok(false);
        }
        if !filter.organizational_units.is_empty()
            && !self
                .is_in(account, &filter.organizational_units, units)
                .await?
        {
            return Ok(false);
        }
        if !filter.exclude_organizational_units.is_empty()
            && self
                .is_in(account, &filter.exclude_organizational_units, units)
                .await?
        {
            return Ok(false);
        }
        if filter.tags.is_empty() {
            return Ok(true);
        }
        let tags = self.tags(account.id).await?;
        let mut wanted = filter.tags.iter();
        Ok(wanted.all(|(key, value)| tags.get(key) == Some(value)))
    }

    /// The tags of an account: an earlier run's answer, or a new one.
    async fn tags(
        &self,
        account: AccountId,
    ) -> Result<Arc<BTreeMap<String, String>>, DiscoveryEnd> {
        let known = || {
            let evidence = self.engine.transport.recorder.evidence();
            evidence.reader().account_tags(account).map(Arc::clone)
        };
        if let Some(tags) = known() {
            return Ok(tags);
        }
        let request = self.request(Call::ListTagsForResource { account });
        let operation = request.call.operation().as_str();
        match self.engine.fetch(&request, &mut |_| ()).await {
            Ok(()) => known().ok_or_else(|| {
                // Recorded as an answer that is not what its API documents.
                DiscoveryEnd::Error(ScanError::OrganizationFailed {
                    operation,
                    code: "UnreadableAnswer".to_owned(),
                    message: format!("the tags of account {account} cannot be read"),
                })
            }),
            Err(end) => Err(self.ended(&request.call, end, None)),
        }
    }

    async fn look_up(&self, ask: &Ask) -> Result<Value, DiscoveryEnd> {
        match self.engine.look_up(&self.caller.region, ask).await {
            Ok(answer) => Ok(answer),
            Err(End::Stopped | End::NeverAsked) => Err(DiscoveryEnd::Stopped),
            Err(End::Failed(failure)) => {
                let unknown_unit = failure.error.class == ErrorClass::NotFound
                    || failure.error.class == ErrorClass::Invalid;
                match ask {
                    Ask::AccountsForParent(unit) if unknown_unit => {
                        Err(ScanError::UnknownOrganizationalUnit { unit: unit.clone() }.into())
                    }
                    _ => Err(self.failed(ask.name(), failure.error, None).into()),
                }
            }
        }
    }

    fn request(&self, call: Call) -> Request {
        Request {
            account: self.caller.account,
            region: self.caller.region.clone(),
            call,
        }
    }

    /// What a question about the organization that has no answer means for the run.
    fn ended(&self, call: &Call, end: End, management: Option<AccountId>) -> DiscoveryEnd {
        match end {
            End::Stopped | End::NeverAsked => DiscoveryEnd::Stopped,
            End::Failed(failure) => {
                let operation = call.operation().as_str();
                self.failed(operation, failure.error, management).into()
            }
        }
    }

    /// What a failed question about the organization means for the run.
    fn failed(
        &self,
        operation: &'static str,
        error: CallError,
        management: Option<AccountId>,
    ) -> ScanError {
        match error.class {
            ErrorClass::Denied
                if management.is_some_and(|management| management != self.caller.account) =>
            {
                ScanError::NotOrganizationAdministrator {
                    account: self.caller.account,
                    code: error.code,
                    message: error.message,
                }
            }
            ErrorClass::Denied => ScanError::OrganizationDenied {
                operation,
                arn: self.caller.arn.clone(),
                code: error.code,
                message: error.message,
            },
            _ if error.code == "AWSOrganizationsNotInUseException" => {
                ScanError::NotInOrganization {
                    account: self.caller.account,
                }
            }
            _ if error.code == "ConnectionFailed" || Cause::of_code(&error.code).is_some() => {
                ScanError::Unreachable {
                    cause: Cause::of_code(&error.code).map(Cause::remedy),
                    region: self.engine.transport.region.clone(),
                    operation,
                    reason: error.message,
                }
            }
            _ => ScanError::OrganizationFailed {
                operation,
                code: error.code,
                message: error.message,
            },
        }
    }

    fn may_be_sent(&self, account: AccountId) -> bool {
        !self.filter.exclude.contains(&account)
            && self.shard.is_none_or(|shard| shard.contains(account))
    }

    fn send(&self, id: AccountId, name: Option<String>, active: bool) {
        if self.may_be_sent(id) {
            // The receiver lives as long as the run.
            let _ = self.found.send(FoundAccount { id, name, active });
        }
    }

    /// Says how a list that was made before differs from what is listed now.
    fn warn_of_changes(&self, before: &BTreeSet<AccountId>, now: &BTreeSet<AccountId>) {
        for (accounts, what) in [
            (now.difference(before), "listed now and not in the listing"),
            (
                before.difference(now),
                "in the listing and not listed any more",
            ),
        ] {
            let accounts: Vec<String> = accounts.map(ToString::to_string).collect();
            if !accounts.is_empty() {
                let _ = self.warnings.send(Warning {
                    code: WarningCode::ListingOutdated,
                    message: format!("{what}: {}", accounts.join(", ")),
                });
            }
        }
    }

    fn warn_of_unlisted(&self, listed: &BTreeSet<AccountId>) {
        for account in self.filter.exclude.difference(listed) {
            let _ = self.warnings.send(Warning {
                code: WarningCode::FilterWithoutEffect,
                message: format!("account {account} is excluded, but it was not found anyway"),
            });
        }
    }
}

/// The management account that an answer about the organization names.
fn management_account(record: &Record) -> Option<AccountId> {
    let Outcome::Response(response) = &record.outcome else {
        return None;
    };
    text(response.get("Organization")?, "MasterAccountId")?
        .parse()
        .ok()
}

/// The accounts on a page of a list.
fn on_page(page: &Value) -> Vec<OrganizationAccount> {
    OrganizationAccount::on_page(page)
        .filter_map(|account| {
            account
                .inspect_err(|reason| tracing::warn!(%reason, "a listed account cannot be read"))
                .ok()
        })
        .collect()
}

fn text<'a>(value: &'a Value, member: &str) -> Option<&'a str> {
    value.get(member).and_then(Value::as_str)
}
