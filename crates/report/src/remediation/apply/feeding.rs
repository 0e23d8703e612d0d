//! Whether a trail still delivers to a site's log group: where no events arrive, a repair is none.

use trailproof_core::arn::{Arn, LogGroupAddress};

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
            Some(trail) => match trail.log_group_arn() {
                None => "does not deliver to CloudWatch Logs",
                Some(arn) if LogGroupAddress::of(arn) == Some(site.address()) => return Ok(()),
                Some(_) => "delivers to another log group",
            },
        };
        changed.get_or_insert(format!(
            "trail `{text}`, which delivered to the log group, {now} since the plan was made: \
             scan and plan again"
        ));
    }
    changed.map_or(Ok(()), Err)
}
