//! AWS CloudTrail: trails, what they record and whether they deliver.

use trailproof_core::account::{AccountId, Region};
use trailproof_core::arn::Arn;

use super::{Answer, Context, unsupported};
use crate::document::{Document, Structure};
use crate::failure::Failure;
use crate::model::{
    Account, AdvancedSelector, BasicSelector, Delegation, Organization, Selectors, Trail,
};
use crate::operation::Operation;

/// A trail as one account sees it from one region.
#[derive(Clone, Copy)]
struct Seen<'a> {
    trail: &'a Trail,
    /// Who made it: its log group and bucket are there.
    maker: &'a Account,
    home: &'a Region,
}

impl Seen<'_> {
    /// The account in the ARN. That of an organization trail is the management account's, even
    /// when a delegated administrator made it.
    fn owner(&self, organization: &Organization) -> AccountId {
        if self.trail.organization && organization.exists {
            organization.management
        } else {
            self.maker.id
        }
    }

    fn arn(&self, organization: &Organization) -> String {
        format!(
            "arn:{}:cloudtrail:{}:{}:trail/{}",
            organization.partition(),
            self.home,
            self.owner(organization),
            self.trail.name
        )
    }

    fn records_in(&self, region: &Region) -> bool {
        self.trail.multi_region || self.home == region
    }
}

/// Every trail an account can know of, in all regions.
fn known(organization: &Organization, account: AccountId) -> impl Iterator<Item = Seen<'_>> {
    let own = organization
        .account(account)
        .into_iter()
        .flat_map(move |maker| {
            maker.sites.iter().flat_map(move |(home, site)| {
                site.trails
                    .iter()
                    .filter(|trail| !(trail.organization && organization.exists))
                    .map(move |trail| Seen { trail, maker, home })
            })
        });
    let shared = organization
        .organization_trails()
        .map(|(maker, home, trail)| Seen { trail, maker, home });
    own.chain(shared)
}

pub(super) fn read(
    organization: &Organization,
    operation: Operation,
    context: Context<'_>,
) -> Answer {
    match operation {
        Operation::DescribeTrails => Ok(describe_trails(organization, context)),
        Operation::ListTrails => {
            let trails: Document = known(organization, context.caller.account)
                .map(|seen| {
                    Structure::new()
                        .with("TrailARN", seen.arn(organization))
                        .with("Name", &seen.trail.name)
                        .with("HomeRegion", seen.home.as_str())
                })
                .collect();
            Ok(Structure::new().with("Trails", trails))
        }
        Operation::GetTrail => {
            let name = context.parameters.text("Name").unwrap_or_default();
            let seen = find(organization, context, name)?;
            Ok(Structure::new().with("Trail", describe(organization, context, seen)))
        }
        Operation::GetTrailStatus => {
            let name = context.parameters.text("Name").unwrap_or_default();
            let seen = find(organization, context, name)?;
            Ok(status(organization, context, seen))
        }
        Operation::GetEventSelectors => {
            let name = context.parameters.text("TrailName").unwrap_or_default();
            let seen = find_as_owner(organization, context, name)?;
            Ok(selectors(organization, seen))
        }
        _ => Err(unsupported()),
    }
}

pub(super) fn write(
    organization: &mut Organization,
    operation: Operation,
    context: Context<'_>,
) -> Answer {
    let logging = match operation {
        Operation::StartLogging => true,
        Operation::StopLogging => false,
        _ => return Err(unsupported()),
    };
    let name = context.parameters.text("Name").unwrap_or_default();
    let seen = find(organization, context, name)?;
    if seen.owner(organization) == context.caller.account && seen.home != context.region {
        return Err(Failure::invalid(
            "InvalidHomeRegionException",
            format!("Trail {name} can be changed only in its home region."),
        ));
    }
    let seen = find_as_owner(organization, context, name)?;
    let (maker, home, name) = (seen.maker.id, seen.home.clone(), seen.trail.name.clone());
    let trail = organization
        .account_mut(maker)
        .and_then(|account| account.sites.get_mut(&home))
        .and_then(|site| site.trails.iter_mut().find(|trail| trail.name == name));
    if let Some(trail) = trail {
        trail.logging = logging;
    }
    Ok(Structure::new())
}

fn describe_trails(organization: &Organization, context: Context<'_>) -> Structure {
    let shadows = context
        .parameters
        .boolean("includeShadowTrails")
        .unwrap_or(true);
    let names = context.parameters.texts("trailNameList");
    let account = context.caller.account;
    let trails: Document = known(organization, account)
        .filter(|seen| seen.records_in(context.region))
        .filter(|seen| {
            let original = seen.home == context.region && seen.owner(organization) == account;
            shadows || original
        })
        .filter(|seen| {
            // Another region's trail is found by its ARN only.
            let arn = seen.arn(organization);
            names.is_empty()
                || names.iter().any(|name| {
                    *name == arn || (seen.home == context.region && *name == seen.trail.name)
                })
        })
        .map(|seen| describe(organization, context, seen))
        .collect();
    Structure::new().with("trailList", trails)
}

/// Whether the caller may see where an organization trail delivers its logs.
fn sees_delivery(organization: &Organization, context: Context<'_>, seen: Seen<'_>) -> bool {
    let account = context.caller.account;
    organization.members_see_log_delivery
        || account == seen.maker.id
        || account == seen.owner(organization)
}

fn describe(organization: &Organization, context: Context<'_>, seen: Seen<'_>) -> Structure {
    let trail = seen.trail;
    let mut answer = Structure::new()
        .with("Name", &trail.name)
        .with(
            "S3BucketName",
            if trail.bucket.is_empty() {
                format!("cloudtrail-{}", seen.maker.id)
            } else {
                trail.bucket.clone()
            },
        )
        .with("IncludeGlobalServiceEvents", trail.global_events)
        .with("IsMultiRegionTrail", trail.multi_region)
        .with("HomeRegion", seen.home.as_str())
        .with("TrailARN", seen.arn(organization))
        .with("LogFileValidationEnabled", true);
    if !trail.log_group.is_empty() && sees_delivery(organization, context, seen) {
        let partition = organization.partition();
        let (home, maker) = (seen.home, seen.maker.id);
        let arn = if trail.log_group.starts_with("arn:") {
            trail.log_group.clone()
        } else {
            format!(
                "arn:{partition}:logs:{home}:{maker}:log-group:{}:*",
                trail.log_group
            )
        };
        answer = answer.with("CloudWatchLogsLogGroupArn", arn).with(
            "CloudWatchLogsRoleArn",
            format!("arn:{partition}:iam::{maker}:role/CloudTrail_CloudWatchLogs_Role"),
        );
    }
    let custom = matches!(
        trail.selectors,
        Selectors::Basic(_) | Selectors::Advanced(_)
    );
    answer
        .text("KmsKeyId", &trail.kms_key)
        .with("HasCustomEventSelectors", custom)
        .with("HasInsightSelectors", false)
        .with(
            "IsOrganizationTrail",
            trail.organization && organization.exists,
        )
        .with("RecursiveLogging", trail.recursive_logging)
}

fn status(organization: &Organization, context: Context<'_>, seen: Seen<'_>) -> Structure {
    let trail = seen.trail;
    let delivered = context.now - trail.delivery_age;
    let started = context.now - jiff::SignedDuration::from_hours(24 * 90);
    let mut answer = Structure::new()
        .with("IsLogging", trail.logging)
        .text("LatestDeliveryError", &trail.bucket_error)
        .with("LatestDeliveryTime", delivered)
        .with("StartLoggingTime", started);
    if !trail.logging {
        answer = answer.with("StopLoggingTime", delivered);
    }
    if !trail.log_group.is_empty() && sees_delivery(organization, context, seen) {
        answer = answer.text("LatestCloudWatchLogsDeliveryError", &trail.delivery_error);
        if !trail.never_delivered {
            answer = answer.with("LatestCloudWatchLogsDeliveryTime", delivered);
        }
    }
    answer
        .with("LatestDeliveryAttemptTime", "")
        .with("LatestNotificationAttemptTime", "")
        .with("LatestNotificationAttemptSucceeded", "")
        .with("LatestDeliveryAttemptSucceeded", "")
        // A text without fractions, unlike the time of the same name.
        .with(
            "TimeLoggingStarted",
            started.strftime("%Y-%m-%dT%H:%M:%SZ").to_string(),
        )
        .with("TimeLoggingStopped", "")
}

fn selectors(organization: &Organization, seen: Seen<'_>) -> Structure {
    let answer = Structure::new().with("TrailARN", seen.arn(organization));
    let management = AdvancedSelector {
        name: "Management events selector".to_owned(),
        fields: vec![crate::model::FieldSelector {
            field: "eventCategory".to_owned(),
            equals: vec!["Management".to_owned()],
            ..Default::default()
        }],
    };
    match &seen.trail.selectors {
        Selectors::Default => answer.with("EventSelectors", basic(&[BasicSelector::default()])),
        Selectors::AdvancedDefault => {
            answer.with("AdvancedEventSelectors", advanced(&[management]))
        }
        Selectors::None => answer
            .with("EventSelectors", basic(&[]))
            .with("AdvancedEventSelectors", advanced(&[])),
        Selectors::Basic(selectors) => answer.with("EventSelectors", basic(selectors)),
        Selectors::Advanced(selectors) => {
            answer.with("AdvancedEventSelectors", advanced(selectors))
        }
    }
}

fn basic(selectors: &[BasicSelector]) -> Document {
    selectors
        .iter()
        .map(|selector| {
            let excluded: Document = selector.exclude_management_event_sources.iter().collect();
            Structure::new()
                .with("ReadWriteType", &selector.read_write_type)
                .with(
                    "IncludeManagementEvents",
                    selector.include_management_events,
                )
                .with("DataResources", Document::List(Vec::new()))
                .with("ExcludeManagementEventSources", excluded)
        })
        .collect()
}

fn advanced(selectors: &[AdvancedSelector]) -> Document {
    selectors
        .iter()
        .map(|selector| {
            let fields: Document = selector
                .fields
                .iter()
                .map(|field| {
                    [
                        ("Equals", &field.equals),
                        ("StartsWith", &field.starts_with),
                        ("EndsWith", &field.ends_with),
                        ("NotEquals", &field.not_equals),
                        ("NotStartsWith", &field.not_starts_with),
                        ("NotEndsWith", &field.not_ends_with),
                    ]
                    .into_iter()
                    .filter(|(_, values)| !values.is_empty())
                    .fold(
                        Structure::new().with("Field", &field.field),
                        |structure, (name, values)| {
                            structure.with(name, values.iter().collect::<Document>())
                        },
                    )
                })
                .collect();
            Structure::new()
                .text("Name", &selector.name)
                .with("FieldSelectors", fields)
        })
        .collect()
}

/// The trail that a caller names: by name where it is at home, by ARN wherever it records.
fn find<'a>(
    organization: &'a Organization,
    context: Context<'_>,
    name: &str,
) -> Result<Seen<'a>, Failure> {
    let account = context.caller.account;
    let by_arn = name.starts_with("arn:");
    if by_arn {
        let arn: Arn = name.parse().map_err(|_| invalid_arn(name))?;
        if arn.service() != "cloudtrail" {
            return Err(invalid_arn(name));
        }
        let owner = arn.account();
        let foreign = owner != Some(account)
            && !(organization.exists && owner == Some(organization.management));
        if foreign {
            return Err(foreign_arn(account));
        }
    } else if !is_trail_name(name) {
        return Err(Failure::invalid(
            "InvalidTrailNameException",
            "Trail name must have 3 to 128 characters: letters, digits, periods, underscores and \
             dashes, with a letter or digit first and last.",
        ));
    }
    known(organization, account)
        .find(|seen| {
            if by_arn {
                seen.arn(organization) == name && seen.records_in(context.region)
            } else {
                seen.trail.name == name
                    && seen.home == context.region
                    && seen.owner(organization) == account
            }
        })
        .ok_or_else(|| {
            Failure::not_found(
                "TrailNotFoundException",
                format!("Unknown trail: {name} for the user: {account}"),
            )
        })
}

/// The requirements of CloudTrail's `InvalidTrailNameException`, as far as single characters go.
fn is_trail_name(name: &str) -> bool {
    let ends = |byte: Option<&u8>| byte.is_some_and(u8::is_ascii_alphanumeric);
    let bytes = name.as_bytes();
    (3..=128).contains(&bytes.len())
        && ends(bytes.first())
        && ends(bytes.last())
        && bytes
            .iter()
            .all(|byte| byte.is_ascii_alphanumeric() || b"._-".contains(byte))
}

/// The trail that a caller names, as only its owner may have it and only at its home.
fn find_as_owner<'a>(
    organization: &'a Organization,
    context: Context<'_>,
    name: &str,
) -> Result<Seen<'a>, Failure> {
    let account = context.caller.account;
    let owner = name.parse::<Arn>().ok().and_then(|arn| arn.account());
    let delegated = organization.is_delegated(account, Delegation::CLOUDTRAIL);
    if owner.is_some_and(|owner| owner != account) && !delegated {
        return Err(foreign_arn(account));
    }
    let seen = find(organization, context, name)?;
    if seen.home == context.region {
        Ok(seen)
    } else {
        Err(Failure::not_found(
            "TrailNotFoundException",
            format!("Unknown trail: {name} for the user: {account}"),
        ))
    }
}

fn invalid_arn(name: &str) -> Failure {
    Failure::invalid(
        "CloudTrailARNInvalidException",
        format!("The ARN is not valid: {name}"),
    )
}

fn foreign_arn(account: AccountId) -> Failure {
    Failure::invalid(
        "CloudTrailARNInvalidException",
        format!(
            "AccountID in ARN is wrong, you can only access resources with AccountID {account}"
        ),
    )
}
