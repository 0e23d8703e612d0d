//! CloudWatch Observability Admin: rules of an organization that copy log groups, and rules that
//! have telemetry delivered.

use trailproof_core::account::Region;

use super::listing::Listing;
use super::{Answer, Context, unsupported};
use crate::document::{Document, Structure};
use crate::failure::Failure;
use crate::model::{CentralizationRule, Organization, Site, TelemetryRule};
use crate::operation::Operation;
use crate::pagination;
use crate::permission;

/// The most that a page has (Observability Admin API, `MaxResults`).
const PAGE: usize = 100;
/// Whom an organization may let act for it.
const PRINCIPAL: &str = "observabilityadmin.amazonaws.com";

pub(super) fn read(
    organization: &Organization,
    operation: Operation,
    context: Context<'_>,
) -> Answer {
    let caller = context.caller.account;
    if operation != Operation::ListTelemetryRules {
        let may = organization.exists
            && (caller == organization.management || organization.is_delegated(caller, PRINCIPAL));
        if !may {
            return Err(permission::denied(
                organization,
                context.caller,
                operation,
                "because the account is neither the management account nor a delegated administrator",
            ));
        }
    }
    match operation {
        Operation::ListCentralizationRulesForOrganization => {
            list_centralization_rules(organization, context)
        }
        Operation::GetCentralizationRuleForOrganization => {
            get_centralization_rule(organization, context)
        }
        Operation::ListTelemetryRulesForOrganization => {
            list_telemetry_rules(organization, operation, context, true)
        }
        Operation::GetTelemetryRuleForOrganization => get_telemetry_rule(organization, context),
        Operation::ListTelemetryRules => {
            list_telemetry_rules(organization, operation, context, false)
        }
        _ => Err(unsupported()),
    }
}

/// The rules of the organization are the management account's here.
fn of_management(organization: &Organization) -> impl Iterator<Item = (&Region, &Site)> {
    let management = organization.account(organization.management).into_iter();
    management.flat_map(|account| {
        let sites = account.sites.iter();
        sites.map(|(region, site)| (region, site.as_ref()))
    })
}

fn list_centralization_rules(organization: &Organization, context: Context<'_>) -> Answer {
    let parameters = context.parameters;
    let everywhere = parameters.boolean("AllRegions") == Some(true);
    let prefix = parameters.text("RuleNamePrefix").unwrap_or_default();
    let rules: Vec<(&Region, &CentralizationRule)> = of_management(organization)
        .filter(|(region, _)| everywhere || *region == context.region)
        .flat_map(|(region, site)| {
            site.centralization_rules
                .iter()
                .map(move |rule| (region, rule))
        })
        .filter(|(_, rule)| rule.name.starts_with(prefix))
        .collect();
    list(
        context,
        Operation::ListCentralizationRulesForOrganization,
        "CentralizationRuleSummaries",
        &rules,
        |(region, rule)| centralization_summary(organization, region, rule),
    )
}

fn centralization_summary(
    organization: &Organization,
    region: &Region,
    rule: &CentralizationRule,
) -> Structure {
    let destination = rule.destination_account.unwrap_or(organization.management);
    let to = rule.destination_region.as_ref().unwrap_or(region);
    Structure::new()
        .with("RuleName", &rule.name)
        .with(
            "RuleArn",
            arn(
                organization,
                region.as_str(),
                "organization-centralization-rule",
                &rule.name,
            ),
        )
        .with("CreatorAccountId", organization.management.to_string())
        .with("CreatedTimeStamp", CREATED)
        .with("CreatedRegion", region.as_str())
        .with("LastUpdateTimeStamp", CREATED)
        .text("RuleHealth", &rule.health)
        .with("DestinationAccountId", destination.to_string())
        .with("DestinationRegion", to.as_str())
}

/// When every rule was made, in milliseconds; nobody asks.
const CREATED: i64 = 1_700_000_000_000;

fn arn(organization: &Organization, region: &str, kind: &str, name: &str) -> String {
    format!(
        "arn:{}:observabilityadmin:{region}:{}:{kind}/{name}",
        organization.partition(),
        organization.management
    )
}

/// The name that a question identifies a rule by, by itself or at the end of an ARN.
fn identified(context: Context<'_>) -> Option<&str> {
    let identifier = context.parameters.text("RuleIdentifier")?;
    Some(identifier.rsplit('/').next().unwrap_or(identifier))
}

fn not_found() -> Failure {
    Failure::not_found("ResourceNotFoundException", "The rule does not exist.").status(404)
}

fn get_centralization_rule(organization: &Organization, context: Context<'_>) -> Answer {
    let name = identified(context);
    let (region, rule) = of_management(organization)
        .filter(|(region, _)| *region == context.region)
        .flat_map(|(region, site)| {
            site.centralization_rules
                .iter()
                .map(move |rule| (region, rule))
        })
        .find(|(_, rule)| Some(rule.name.as_str()) == name)
        .ok_or_else(not_found)?;
    let regions: Document = rule.source_regions.iter().map(Region::as_str).collect();
    let logs = Structure::new()
        .text("LogGroupSelectionCriteria", &rule.log_groups)
        .with("EncryptedLogGroupStrategy", "ALLOW");
    let source = Structure::new()
        .with("Regions", regions)
        .text("Scope", &rule.scope)
        .with("SourceLogsConfiguration", logs);
    let to = rule.destination_region.as_ref().unwrap_or(region);
    let destination = Structure::new().with("Region", to.as_str()).maybe(
        "Account",
        rule.destination_account.map(|account| account.to_string()),
    );
    Ok(Structure::new()
        .with("RuleName", &rule.name)
        .with(
            "RuleArn",
            arn(
                organization,
                region.as_str(),
                "organization-centralization-rule",
                &rule.name,
            ),
        )
        .with("CreatedRegion", region.as_str())
        .text("RuleHealth", &rule.health)
        .with(
            "CentralizationRule",
            Structure::new()
                .with("Source", source)
                .with("Destination", destination),
        ))
}

fn list_telemetry_rules(
    organization: &Organization,
    operation: Operation,
    context: Context<'_>,
    of_organization: bool,
) -> Answer {
    let prefix = context
        .parameters
        .text("RuleNamePrefix")
        .unwrap_or_default();
    let rules: Vec<&TelemetryRule> = organization
        .account(if of_organization {
            organization.management
        } else {
            context.caller.account
        })
        .and_then(|account| account.site(context.region))
        .map_or(&[][..], |site| site.telemetry_rules.as_slice())
        .iter()
        .filter(|rule| rule.organization == of_organization && rule.name.starts_with(prefix))
        .collect();
    list(
        context,
        operation,
        "TelemetryRuleSummaries",
        &rules,
        |rule| {
            let kind = if of_organization {
                "organization-telemetry-rule"
            } else {
                "telemetry-rule"
            };
            Structure::new()
                .with("RuleName", &rule.name)
                .with(
                    "RuleArn",
                    arn(organization, context.region.as_str(), kind, &rule.name),
                )
                .with("CreatedTimeStamp", CREATED)
                .with("LastUpdateTimeStamp", CREATED)
                .text("ResourceType", &rule.resource_type)
                .text("TelemetryType", &rule.telemetry_type)
        },
    )
}

fn get_telemetry_rule(organization: &Organization, context: Context<'_>) -> Answer {
    let name = identified(context);
    let rule = of_management(organization)
        .filter(|(region, _)| *region == context.region)
        .flat_map(|(_, site)| &site.telemetry_rules)
        .find(|rule| rule.organization && Some(rule.name.as_str()) == name)
        .ok_or_else(not_found)?;
    let details = Structure::new()
        .text("ResourceType", &rule.resource_type)
        .text("TelemetryType", &rule.telemetry_type)
        .text("Scope", &rule.scope);
    Ok(Structure::new()
        .with("RuleName", &rule.name)
        .with("TelemetryRule", details))
}

fn list<T>(
    context: Context<'_>,
    operation: Operation,
    name: &'static str,
    items: &[T],
    describe: impl Fn(&T) -> Structure,
) -> Answer {
    let refused = |message: &'static str| Failure::invalid("ValidationException", message);
    let asked = context.parameters.integer("MaxResults");
    let size = pagination::size(asked, PAGE, PAGE, || refused("MaxResults is out of range."))?;
    let listing = Listing {
        name: operation.name(),
        member: name,
        token: "NextToken",
        size,
    };
    listing.page(
        context,
        items,
        || refused("The token is invalid."),
        describe,
    )
}
