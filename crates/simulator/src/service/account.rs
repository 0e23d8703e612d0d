//! AWS Account Management: which regions an account has, and whom it names for security.

use trailproof_core::account::AccountId;

use super::listing::Listing;
use super::{Answer, Context, unsupported};
use crate::document::Structure;
use crate::failure::Failure;
use crate::model::{Account, Organization};
use crate::operation::Operation;
use crate::pagination;

/// The most that a page has (Account API, `ListRegions`).
const PAGE: usize = 50;

pub(super) fn read(
    organization: &Organization,
    operation: Operation,
    context: Context<'_>,
) -> Answer {
    let account = subject(organization, operation, context)?;
    match operation {
        Operation::ListRegions => list_regions(organization, account, context),
        Operation::GetAlternateContact => alternate_contact(account, context),
        _ => Err(unsupported()),
    }
}

fn list_regions(organization: &Organization, account: &Account, context: Context<'_>) -> Answer {
    let wanted = context.parameters.texts("RegionOptStatusContains");
    let mut regions: Vec<(&str, &'static str)> = organization
        .regions
        .iter()
        .map(|region| (region.as_str(), "ENABLED_BY_DEFAULT"))
        .chain(organization.opt_in_regions.iter().map(|region| {
            let enabled = account.opted_in.contains(region);
            (
                region.as_str(),
                if enabled { "ENABLED" } else { "DISABLED" },
            )
        }))
        .filter(|(_, status)| wanted.is_empty() || wanted.iter().any(|word| word == status))
        .collect();
    regions.sort_unstable();
    let size = pagination::size(context.parameters.integer("MaxResults"), PAGE, PAGE, || {
        invalid("MaxResults must be between 1 and 50")
    })?;
    let listing = Listing {
        name: "ListRegions",
        member: "Regions",
        token: "NextToken",
        size,
    };
    let refused = || invalid("NextToken is not valid");
    listing.page(context, &regions, refused, |(name, status)| {
        Structure::new()
            .with("RegionName", *name)
            .with("RegionOptStatus", *status)
    })
}

/// Accounts have a contact for security or none; none has another one.
fn alternate_contact(account: &Account, context: Context<'_>) -> Answer {
    let kind = context.parameters.text("AlternateContactType");
    let kind = kind.ok_or_else(|| invalid("AlternateContactType is missing"))?;
    if !["BILLING", "OPERATIONS", "SECURITY"].contains(&kind) {
        return Err(invalid("AlternateContactType is not valid"));
    }
    let contact = account
        .security_contact
        .as_ref()
        .filter(|_| kind == "SECURITY");
    let contact = contact.ok_or_else(|| {
        Failure::not_found(
            "ResourceNotFoundException",
            "there is no alternate contact of this type",
        )
        .status(404)
    })?;
    Ok(Structure::new().with(
        "AlternateContact",
        Structure::new()
            .with("AlternateContactType", kind)
            .with("Name", &contact.name)
            .with("Title", &contact.title)
            .with("EmailAddress", &contact.email)
            .with("PhoneNumber", &contact.phone),
    ))
}

/// The account that is asked about. Only the management account and delegated administrators
/// for the service may name another.
fn subject<'a>(
    organization: &'a Organization,
    operation: Operation,
    context: Context<'_>,
) -> Result<&'a Account, Failure> {
    let caller = context.caller.account;
    let asked = match context.parameters.text("AccountId") {
        None => caller,
        Some(text) => text
            .parse::<AccountId>()
            .map_err(|_| invalid("AccountId must have twelve digits"))?,
    };
    let entitled = caller == organization.management
        || organization.is_delegated(caller, "account.amazonaws.com");
    if asked == caller && context.parameters.text("AccountId").is_some() && entitled {
        // "The management account can't specify its own AccountId" (Account API, ListRegions).
        return Err(invalid(
            "the management account can't specify its own account id",
        ));
    }
    if asked != caller && !(organization.exists && entitled) {
        return Err(refused(operation, context));
    }
    organization
        .account(asked)
        .ok_or_else(|| refused(operation, context))
}

fn refused(operation: Operation, context: Context<'_>) -> Failure {
    Failure::denied(
        "AccessDeniedException",
        format!(
            "User of account {} is not authorized to perform: {} (Your organization must first \
             enable trusted access with AWS Account Management.)",
            context.caller.account,
            operation.action()
        ),
    )
    .status(403)
}

fn invalid(message: &'static str) -> Failure {
    Failure::invalid("ValidationException", message)
}
