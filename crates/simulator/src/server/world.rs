//! How far away the regions of the world are from us-east-1.

use trailproof_core::account::Region;

/// The median round trip over a year from us-east-1 to an endpoint of each region, in milliseconds,
/// rounded (cloudping.co, AWS latency monitoring, 50th percentile, as copied in 2025 by
/// commonwarexyz/monorepo, examples/estimator/src/p50.json).
const FROM_US_EAST_1: [(&str, u16); 33] = [
    ("af-south-1", 228),
    ("ap-east-1", 199),
    ("ap-east-2", 181),
    ("ap-northeast-1", 150),
    ("ap-northeast-2", 180),
    ("ap-northeast-3", 156),
    ("ap-south-1", 193),
    ("ap-south-2", 209),
    ("ap-southeast-1", 220),
    ("ap-southeast-2", 200),
    ("ap-southeast-3", 235),
    ("ap-southeast-4", 210),
    ("ap-southeast-5", 225),
    ("ap-southeast-7", 247),
    ("ca-central-1", 17),
    ("ca-west-1", 50),
    ("eu-central-1", 93),
    ("eu-central-2", 92),
    ("eu-north-1", 113),
    ("eu-south-1", 102),
    ("eu-south-2", 108),
    ("eu-west-1", 70),
    ("eu-west-2", 78),
    ("eu-west-3", 84),
    ("il-central-1", 134),
    ("me-central-1", 194),
    ("me-south-1", 162),
    ("mx-central-1", 58),
    ("sa-east-1", 115),
    ("us-east-1", 6),
    ("us-east-2", 15),
    ("us-west-1", 64),
    ("us-west-2", 64),
];

/// What nobody measured is as far away as the farthest that somebody did.
const FARTHEST: u16 = 250;

/// The round trip from us-east-1, in milliseconds.
pub(super) fn from_us_east_1(region: &Region) -> f64 {
    let known = FROM_US_EAST_1.iter();
    let mut found = known.filter(|(name, _)| *name == region.as_str());
    f64::from(found.next().map_or(FARTHEST, |(_, time)| *time))
}
