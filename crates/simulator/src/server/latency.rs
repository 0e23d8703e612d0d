//! How long answers take.

use std::str::FromStr;
use std::time::Duration;

use trailproof_core::account::Region;

use super::hash::Hash;
use super::world::from_us_east_1;

/// How long an answer takes.
#[derive(Debug, Clone, Copy, Default, PartialEq)]
pub enum Latency {
    /// As long as it takes.
    #[default]
    None,
    /// Always the same time, in milliseconds.
    Fixed(f64),
    /// Any time between two, in milliseconds, all equally likely.
    Uniform(f64, f64),
    /// A base and an exponentially distributed rest of this mean, in milliseconds: most answers
    /// are near the base, a few are very late.
    Tail(f64, f64),
    /// As long as a round trip from us-east-1 to the region takes: 6 to 250 ms.
    World,
}

/// A text that is no latency.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
#[error(
    "`{0}` is not a latency: write milliseconds as `30`, `20..40`, `30+10` for a long tail, or `world`"
)]
pub struct InvalidLatency(String);

impl Latency {
    pub(crate) fn draw(self, hash: Hash, region: &Region) -> Option<Duration> {
        let milliseconds = match self {
            Self::None => return None,
            Self::Fixed(time) => time,
            Self::Uniform(least, most) => least + (most - least) * hash.fraction(),
            Self::Tail(base, mean) => base - mean * (1.0 - hash.fraction()).ln(),
            Self::World => from_us_east_1(region),
        };
        Duration::try_from_secs_f64(milliseconds / 1000.0).ok()
    }

    /// The least time an answer of a region takes.
    pub(crate) fn least(self, region: &Region) -> Duration {
        let milliseconds = match self {
            Self::None => 0.0,
            Self::Fixed(least) | Self::Uniform(least, _) | Self::Tail(least, _) => least,
            Self::World => from_us_east_1(region),
        };
        Duration::try_from_secs_f64(milliseconds / 1000.0).unwrap_or_default()
    }
}

impl FromStr for Latency {
    type Err = InvalidLatency;

    fn from_str(text: &str) -> Result<Self, Self::Err> {
        let number = |text: &str| {
            text.parse::<f64>()
                .ok()
                .filter(|number| number.is_finite() && (0.0..3_600_000.0).contains(number))
        };
        let pair = |separator| {
            text.split_once(separator)
                .and_then(|(first, second)| Some((number(first)?, number(second)?)))
        };
        if text == "world" {
            return Ok(Self::World);
        }
        if let Some((least, most)) = pair("..").filter(|(least, most)| least <= most) {
            return Ok(Self::Uniform(least, most));
        }
        if let Some((base, mean)) = pair("+") {
            return Ok(Self::Tail(base, mean));
        }
        match number(text) {
            Some(0.0) => Ok(Self::None),
            Some(time) => Ok(Self::Fixed(time)),
            None => Err(InvalidLatency(text.to_owned())),
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn reads_what_it_explains() {
        assert_eq!("30".parse(), Ok(Latency::Fixed(30.0)));
        assert_eq!("0".parse(), Ok(Latency::None));
        assert_eq!("20..40".parse(), Ok(Latency::Uniform(20.0, 40.0)));
        assert_eq!("30+10".parse(), Ok(Latency::Tail(30.0, 10.0)));
        assert_eq!("world".parse(), Ok(Latency::World));
        for text in ["", "fast", "40..20", "-1", "NaN"] {
            assert_eq!(
                text.parse::<Latency>(),
                Err(InvalidLatency(text.to_owned()))
            );
        }
    }

    #[test]
    fn draws_stay_in_range_and_repeat() {
        let region = Region::new("eu-west-1");
        for number in 0..1000 {
            let hash = Hash::new(7).number(number);
            let drawn = Latency::Uniform(20.0, 40.0).draw(hash, &region).unwrap();
            assert!((0.020..0.040).contains(&drawn.as_secs_f64()));
            assert_eq!(
                Latency::Uniform(20.0, 40.0).draw(hash, &region),
                Some(drawn)
            );
            assert!(
                Latency::Tail(30.0, 10.0)
                    .draw(hash, &region)
                    .unwrap()
                    .as_secs_f64()
                    >= 0.030
            );
        }
    }
    #[test]
    fn the_world_is_as_wide_as_it_is() {
        for (name, milliseconds) in [("us-east-1", 6), ("eu-west-1", 70), ("nowhere-1", 250)] {
            let region = Region::new(name);
            let time = Duration::from_millis(milliseconds);
            assert_eq!(Latency::World.draw(Hash::new(1), &region), Some(time));
            assert_eq!(Latency::World.least(&region), time);
        }
        let tail = Latency::Tail(30.0, 10.0);
        assert_eq!(
            tail.least(&Region::new("eu-west-1")),
            Duration::from_millis(30)
        );
    }
}
