//! EventBridge: the rules of the default bus.

use super::listing::Listing;
use super::{Answer, Context, unsupported};
use crate::document::Structure;
use crate::failure::Failure;
use crate::model::{EventRule, Organization};
use crate::operation::Operation;
use crate::pagination;

/// The most that a page has (EventBridge API, `Limit`).
const PAGE: usize = 100;

pub(super) fn read(
    organization: &Organization,
    operation: Operation,
    context: Context<'_>,
) -> Answer {
    if operation != Operation::ListRules {
        return Err(unsupported());
    }
    let parameters = context.parameters;
    let bus = parameters.text("EventBusName").unwrap_or("default");
    if bus != "default" && !bus.ends_with(":event-bus/default") {
        return Err(Failure::not_found(
            "ResourceNotFoundException",
            format!("Event bus {bus} does not exist."),
        ));
    }
    let prefix = parameters.text("NamePrefix").unwrap_or_default();
    let mut rules: Vec<&EventRule> = organization
        .account(context.caller.account)
        .and_then(|account| account.site(context.region))
        .map_or(&[][..], |site| site.event_rules.as_slice())
        .iter()
        .filter(|rule| rule.name.starts_with(prefix))
        .collect();
    rules.sort_unstable_by(|left, right| left.name.cmp(&right.name));
    let refused = |message: &'static str| Failure::invalid("ValidationException", message);
    let size = pagination::size(parameters.integer("Limit"), PAGE, PAGE, || {
        refused(
            "Value at 'limit' failed to satisfy constraint: Member must have value less than or equal to 100",
        )
    })?;
    let listing = Listing {
        name: "ListRules",
        member: "Rules",
        token: "NextToken",
        size,
    };
    listing.page(
        context,
        &rules,
        || refused("Invalid token."),
        |rule| {
            let arn = format!(
                "arn:{}:events:{}:{}:rule/{}",
                organization.partition(),
                context.region,
                context.caller.account,
                rule.name
            );
            Structure::new()
                .with("Name", &rule.name)
                .with("Arn", arn)
                .text("EventPattern", &rule.pattern)
                .with("State", &rule.state)
                .with("EventBusName", "default")
        },
    )
}
