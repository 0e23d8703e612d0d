//! AWS Organizations: the accounts and the units they are in.

use std::collections::BTreeSet;

use trailproof_core::account::AccountId;
use trailproof_core::evidence::ErrorClass;

use super::cloudwatch::tags;
use super::{Answer, Context, unsupported};
use crate::document::{Document, Structure};
use crate::failure::Failure;
use crate::model::{Account, Organization};
use crate::operation::Operation;
use crate::pagination;

/// The most that a page of any listing has (Organizations API, `MaxResults`).
const PAGE: usize = 20;

pub(super) fn read(
    organization: &Organization,
    operation: Operation,
    context: Context<'_>,
) -> Answer {
    if !organization.exists {
        return Err(Failure::not_found(
            "AWSOrganizationsNotInUseException",
            "Your account is not a member of an organization.",
        ));
    }
    if operation == Operation::DescribeOrganization {
        return Ok(describe(organization));
    }
    let caller = context.caller.account;
    let delegated = organization
        .delegations
        .iter()
        .any(|delegation| delegation.account == caller);
    if caller != organization.management && !delegated {
        return Err(Failure::denied(
            "AccessDeniedException",
            "You don't have permissions to access this resource.",
        ));
    }
    match operation {
        Operation::DescribeAccount => {
            let account = context
                .parameters
                .text("AccountId")
                .and_then(|id| id.parse().ok())
                .and_then(|id| organization.account(id))
                .ok_or_else(|| {
                    Failure::not_found(
                        "AccountNotFoundException",
                        "You specified an account that doesn't exist.",
                    )
                })?;
            Ok(Structure::new().with("Account", member(organization, account)))
        }
        Operation::ListAccounts => {
            let accounts = organization.accounts();
            list(
                context,
                "ListAccounts",
                "Accounts",
                accounts.len(),
                |index| {
                    accounts
                        .get(index)
                        .map(|account| member(organization, account).into())
                },
            )
        }
        Operation::ListDelegatedAdministrators => {
            let service = context.parameters.text("ServicePrincipal");
            let accounts: BTreeSet<AccountId> = organization
                .delegations
                .iter()
                .filter(|delegation| service.is_none_or(|wanted| delegation.service == wanted))
                .map(|delegation| delegation.account)
                .collect();
            let accounts: Vec<&Account> = accounts
                .into_iter()
                .filter_map(|id| organization.account(id))
                .collect();
            list(
                context,
                "ListDelegatedAdministrators",
                "DelegatedAdministrators",
                accounts.len(),
                |index| {
                    accounts.get(index).map(|account| {
                        administrator(organization, account)
                            .with("DelegationEnabledDate", JOINED)
                            .into()
                    })
                },
            )
        }
        Operation::ListRoots => list(context, "ListRoots", "Roots", 1, |_| {
            Some(
                Structure::new()
                    .with("Id", root_id(organization))
                    .with("Arn", arn(organization, "root", &root_id(organization)))
                    .with("Name", "Root")
                    .with("PolicyTypes", Document::List(Vec::new()))
                    .into(),
            )
        }),
        Operation::ListOrganizationalUnitsForParent => {
            let parent = parent(organization, context)?;
            let units: Vec<(&String, &String)> = organization
                .units
                .iter()
                .filter(|(path, _)| parent_of(path) == parent)
                .collect();
            list(
                context,
                "ListOrganizationalUnitsForParent",
                "OrganizationalUnits",
                units.len(),
                |index| {
                    units.get(index).map(|(path, id)| {
                        let name = path.rsplit('/').next().unwrap_or_default();
                        Structure::new()
                            .with("Id", *id)
                            .with("Arn", arn(organization, "ou", id))
                            .with("Name", name)
                            .into()
                    })
                },
            )
        }
        Operation::ListAccountsForParent => {
            let parent = parent(organization, context)?;
            let accounts: Vec<&Account> = organization
                .accounts()
                .iter()
                .filter(|account| account.unit == parent)
                .collect();
            list(
                context,
                "ListAccountsForParent",
                "Accounts",
                accounts.len(),
                |index| {
                    accounts
                        .get(index)
                        .map(|account| member(organization, account).into())
                },
            )
        }
        Operation::ListParents => {
            let child = context.parameters.text("ChildId").unwrap_or_default();
            let path = organization.units.iter().find(|(_, id)| *id == child);
            let parent = match (path, child.parse::<AccountId>()) {
                (Some((path, _)), _) => parent_of(path),
                (None, Ok(id)) => organization
                    .account(id)
                    .map(|account| account.unit.as_str())
                    .ok_or_else(child_not_found)?,
                (None, Err(_)) => return Err(child_not_found()),
            };
            let (id, kind) = match organization.units.get(parent) {
                Some(id) => (id.clone(), "ORGANIZATIONAL_UNIT"),
                None => (root_id(organization), "ROOT"),
            };
            Ok(Structure::new().with(
                "Parents",
                Document::from_iter([Structure::new().with("Id", id).with("Type", kind)]),
            ))
        }
        Operation::OrganizationsListTagsForResource => {
            let id = context.parameters.text("ResourceId").unwrap_or_default();
            // Units and the root carry no tags here.
            let tags = match id.parse().ok().and_then(|id| organization.account(id)) {
                Some(account) => tags(&account.tags),
                None if id == root_id(organization)
                    || organization.units.values().any(|unit| *unit == id) =>
                {
                    Document::List(Vec::new())
                }
                None => {
                    return Err(Failure::not_found(
                        "TargetNotFoundException",
                        "You specified a target that doesn't exist.",
                    ));
                }
            };
            Ok(Structure::new().with("Tags", tags))
        }
        _ => Err(unsupported()),
    }
}

/// When every account joined; nobody asks.
const JOINED: jiff::Timestamp = jiff::Timestamp::constant(1_700_000_000, 0);

fn describe(organization: &Organization) -> Structure {
    let email = organization
        .account(organization.management)
        .map(|account| account.email.clone());
    Structure::new().with(
        "Organization",
        Structure::new()
            .with("Id", &organization.id)
            .with(
                "Arn",
                format!(
                    "arn:{}:organizations::{}:organization/{}",
                    organization.partition(),
                    organization.management,
                    organization.id
                ),
            )
            .with("FeatureSet", "ALL")
            .with(
                "MasterAccountArn",
                arn(
                    organization,
                    "account",
                    &organization.management.to_string(),
                ),
            )
            .with("MasterAccountId", organization.management.to_string())
            .maybe("MasterAccountEmail", email)
            .with(
                "AvailablePolicyTypes",
                Document::from_iter([Structure::new()
                    .with("Type", "SERVICE_CONTROL_POLICY")
                    .with("Status", "ENABLED")]),
            ),
    )
}

fn administrator(organization: &Organization, account: &Account) -> Structure {
    let invited = account.id == organization.management;
    Structure::new()
        .with("Id", account.id.to_string())
        .with("Arn", arn(organization, "account", &account.id.to_string()))
        .with("Email", &account.email)
        .with("Name", &account.name)
        .with("Status", account.state.status())
        .with("State", account.state.as_str())
        .with("JoinedMethod", if invited { "INVITED" } else { "CREATED" })
        .with("JoinedTimestamp", JOINED)
}

fn member(organization: &Organization, account: &Account) -> Structure {
    administrator(organization, account)
        .with("Paths", Document::from_iter([path(organization, account)]))
}

/// The path of an account: the organization, the root, the units and the account itself.
fn path(organization: &Organization, account: &Account) -> String {
    let mut path = format!("{}/{}/", organization.id, root_id(organization));
    let ends = account
        .unit
        .match_indices('/')
        .map(|(offset, _)| offset)
        .chain(Some(account.unit.len()));
    for end in ends {
        let unit = account
            .unit
            .get(..end)
            .and_then(|unit| organization.units.get(unit));
        if let Some(id) = unit {
            path.push_str(id);
            path.push('/');
        }
    }
    path.push_str(&account.id.to_string());
    path.push('/');
    path
}

fn root_id(organization: &Organization) -> String {
    let end: String = organization.id.chars().skip(2).take(4).collect();
    format!("r-{end}")
}

fn arn(organization: &Organization, kind: &str, id: &str) -> String {
    format!(
        "arn:{}:organizations::{}:{kind}/{}/{id}",
        organization.partition(),
        organization.management,
        organization.id
    )
}

fn parent_of(path: &str) -> &str {
    path.rsplit_once('/').map_or("", |(parent, _)| parent)
}

/// The path of the parent that a caller names by its id.
fn parent<'a>(organization: &'a Organization, context: Context<'_>) -> Result<&'a str, Failure> {
    let id = context.parameters.text("ParentId").unwrap_or_default();
    if id == root_id(organization) {
        return Ok("");
    }
    organization
        .units
        .iter()
        .find(|(_, unit)| *unit == id)
        .map(|(path, _)| path.as_str())
        .ok_or_else(|| {
            Failure::not_found(
                "ParentNotFoundException",
                "You specified parent that doesn't exist.",
            )
        })
}

fn child_not_found() -> Failure {
    Failure::not_found(
        "ChildNotFoundException",
        "You specified an account that doesn't exist.",
    )
}

fn list(
    context: Context<'_>,
    listing: &'static str,
    name: &'static str,
    total: usize,
    item: impl Fn(usize) -> Option<Document>,
) -> Answer {
    let size = pagination::size(context.parameters.integer("MaxResults"), PAGE, PAGE, || {
        Failure::invalid(
            "InvalidInputException",
            "You provided a value that doesn't match the required pattern: MaxResults.",
        )
    })?;
    let token = context.parameters.text("NextToken");
    let page = context
        .paging
        .page(listing, token, total, size)
        .ok_or_else(|| {
            Failure::new(
                ErrorClass::Invalid,
                "InvalidInputException",
                "You provided an invalid value for: NextToken.",
            )
        })?;
    let items: Vec<Document> = (page.start..page.start + page.length)
        .filter_map(item)
        .collect();
    Ok(Structure::new()
        .with(name, Document::List(items))
        .maybe("NextToken", page.next))
}
