//! Observability Access Manager: links, as the accounts see them that share, and as the owners of
//! sinks see them. Members, limits and errors as in the service model that AWS publishes (botocore,
//! `oam` 2022-06-10). A sink exists where a link leads to it.

use trailproof_core::account::AccountId;
use trailproof_core::arn::Arn;

use super::listing::Listing;
use super::{Answer, Context, unsupported};
use crate::document::{Document, Structure};
use crate::failure::Failure;
use crate::model::{Link, Organization};
use crate::operation::Operation;
use crate::pagination;

/// The most links on a page of an account that shares, and of a sink.
const PAGE: usize = 5;
const SINK_PAGE: usize = 1_000;

pub(super) fn read(
    organization: &Organization,
    operation: Operation,
    context: Context<'_>,
) -> Answer {
    let account = context.caller.account;
    match operation {
        Operation::ListLinks => {
            let links = links(organization, context, account);
            page(
                context,
                &format!("ListLinks {account}"),
                PAGE,
                links,
                |link| {
                    Structure::new()
                        .with("Arn", arn(organization, context, account, link))
                        .with("Id", &link.id)
                        .with("Label", account.to_string())
                        .with("ResourceTypes", types(link))
                        .with("SinkArn", sink(organization, context, link))
                },
            )
        }
        Operation::GetLink => {
            let wanted = context.parameters.text("Identifier").unwrap_or_default();
            let link = links(organization, context, account)
                .iter()
                .find(|link| arn(organization, context, account, link) == wanted)
                .ok_or_else(missing)?;
            let mut answer = Structure::new()
                .with("Arn", wanted)
                .with("Id", &link.id)
                .with("Label", account.to_string())
                .with("LabelTemplate", "$AccountName")
                .with("ResourceTypes", types(link))
                .with("SinkArn", sink(organization, context, link));
            if !link.metric_filter.is_empty() {
                let metrics = Structure::new().with("Filter", &link.metric_filter);
                let configuration = Structure::new().with("MetricConfiguration", metrics);
                answer = answer.with("LinkConfiguration", configuration);
            }
            Ok(answer)
        }
        Operation::ListAttachedLinks => {
            let wanted = context
                .parameters
                .text("SinkIdentifier")
                .unwrap_or_default();
            let owner = wanted.parse::<Arn>().ok().and_then(|arn| arn.account());
            let mut attached = Vec::new();
            for source in organization.accounts() {
                let links = links(organization, context, source.id).iter();
                let leads_here = |link: &&Link| sink(organization, context, link) == wanted;
                attached.extend(links.filter(leads_here).map(|link| (source.id, link)));
            }
            if owner != Some(account) || attached.is_empty() {
                return Err(missing());
            }
            page(context, wanted, SINK_PAGE, &attached, |(source, link)| {
                Structure::new()
                    .with("Label", source.to_string())
                    .with("LinkArn", arn(organization, context, *source, link))
                    .with("ResourceTypes", types(link))
            })
        }
        _ => Err(unsupported()),
    }
}

fn links<'a>(
    organization: &'a Organization,
    context: Context<'_>,
    account: AccountId,
) -> &'a [Link] {
    let site = organization
        .account(account)
        .and_then(|account| account.site(context.region));
    site.map_or(&[], |site| site.links.as_slice())
}

fn types(link: &Link) -> Document {
    link.resource_types.iter().collect()
}

fn arn(
    organization: &Organization,
    context: Context<'_>,
    account: AccountId,
    link: &Link,
) -> String {
    let partition = organization.partition();
    format!(
        "arn:{partition}:oam:{}:{account}:link/{}",
        context.region, link.id
    )
}

fn sink(organization: &Organization, context: Context<'_>, link: &Link) -> String {
    let partition = organization.partition();
    match link.sink.parse::<AccountId>() {
        Ok(owner) => format!(
            "arn:{partition}:oam:{}:{owner}:sink/monitoring",
            context.region
        ),
        Err(_) => link.sink.clone(),
    }
}

fn page<T>(
    context: Context<'_>,
    listing: &str,
    limit: usize,
    items: &[T],
    describe: impl Fn(&T) -> Structure,
) -> Answer {
    let refused = |message: &'static str| Failure::invalid("InvalidParameterException", message);
    let asked = context.parameters.integer("MaxResults");
    let size = pagination::size(asked, limit, limit, || {
        refused("MaxResults is out of range")
    })?;
    let listing = Listing {
        name: listing,
        member: "Items",
        token: "NextToken",
        size,
    };
    listing.page(
        context,
        items,
        || refused("NextToken is not valid"),
        describe,
    )
}

fn missing() -> Failure {
    Failure::not_found(
        "ResourceNotFoundException",
        "The requested resource was not found.",
    )
    .status(404)
}
