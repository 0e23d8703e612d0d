//! Whether a trail still delivers to a site's log group: where no events arrive, a repair is none.

use serde_json::Value;
use trailproof_core::arn::Arn;

use super::Work;
use super::decide::Reason;
use crate::remediation::cloud::Cloud;
use crate::remediation::plan::Site;
use crate::remediation::present;

/// Asks the owner of each trail that the plan knows of. One that still delivers is enough, and so
/// is one whose owner does not answer, unless that is the account of the site.
pub(super) async fn check<C: Cloud>(work: &Work<'_, C>, site: &Site) -> Result<(), Reason> {
    let mut changed = None;
    for text in &site.trails {
        let arn: Option<Arn> = text.parse().ok();
        let Some((owner, home)) = arn.and_then(|arn| Some((arn.account()?, arn.region()?))) else {
            return Ok(());
        };
        let trails = match present::trails(work.cloud, owner, &home).await {
            Ok(trails) => trails,
            Err(unreadable) if owner == site.account => return Err(unreadable.to_string()),
            Err(_) => return Ok(()),
        };
        let now = match trails.get(text) {
            None => "is gone",
            Some(trail) => match delivers(trail, site) {
                Delivers::Here => return Ok(()),
                Delivers::Elsewhere => "delivers to another log group",
                Delivers::Nowhere => "does not deliver to CloudWatch Logs",
            },
        };
        changed.get_or_insert(format!(
            "trail `{text}`, which delivered to the log group, {now} since the plan was made: \
             scan and plan again"
        ));
    }
    changed.map_or(Ok(()), Err)
}

enum Delivers {
    Here,
    Elsewhere,
    Nowhere,
}

fn delivers(trail: &Value, site: &Site) -> Delivers {
    let text = trail
        .get("CloudWatchLogsLogGroupArn")
        .and_then(Value::as_str);
    let Some(text) = text.filter(|text| !text.is_empty()) else {
        return Delivers::Nowhere;
    };
    let here = text.parse().is_ok_and(|arn: Arn| {
        arn.account() == Some(site.account)
            && arn.region().as_ref() == Some(&site.region)
            && arn.log_group_name() == Some(&site.log_group)
    });
    if here {
        Delivers::Here
    } else {
        Delivers::Elsewhere
    }
}
