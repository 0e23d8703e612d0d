//! Observability Access Manager: links, as the accounts see them that share, and as the owners of
//! sinks see them. Members, limits and errors as in the service model that AWS publishes (botocore,
//! `oam` 2022-06-10). A sink exists where a link leads to it.

use trailproof_core::account::AccountId;
use trailproof_core::arn::Arn;

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
            let items = links
                .iter()
                .map(|link| {
                    Structure::new()
                        .with("Arn", arn(organization, context, account, link))
                        .with("Id", &link.id)
                        .with("Label", account.to_string())
                        .with("ResourceTypes", types(link))
                        .with("SinkArn", sink(organization, context, link))
                })
                .collect();
            page(context, &format!("ListLinks {account}"), items, PAGE)
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
            let mut items = Vec::new();
            for source in organization.accounts() {
                for link in links(organization, context, source.id) {
                    if sink(organization, context, link) == wanted {
                        items.push(
                            Structure::new()
                                .with("Label", source.id.to_string())
                                .with("LinkArn", arn(organization, context, source.id, link))
                                .with("ResourceTypes", types(link)),
                        );
                    }
                }
            }
            if owner != Some(account) || items.is_empty() {
                return Err(missing());
            }
            page(context, wanted, items, SINK_PAGE)
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

fn page(context: Context<'_>, listing: &str, items: Vec<Structure>, limit: usize) -> Answer {
    let parameters = context.parameters;
    let refused = || Failure::invalid("InvalidParameterException", "MaxResults is out of range");
    let size = pagination::size(parameters.integer("MaxResults"), limit, limit, refused)?;
    let token = parameters.text("NextToken");
    let page = context
        .paging
        .page(listing, token, items.len(), size)
        .ok_or_else(|| Failure::invalid("InvalidParameterException", "NextToken is not valid"))?;
    let shown = items.into_iter().skip(page.start).take(page.length);
    let answer = Structure::new().with("Items", shown.collect::<Document>());
    Ok(match page.next {
        Some(next) => answer.with("NextToken", next),
        None => answer,
    })
}

fn missing() -> Failure {
    Failure::not_found(
        "ResourceNotFoundException",
        "The requested resource was not found.",
    )
    .status(404)
}
