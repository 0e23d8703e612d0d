//! The statistics that condense the samples of a period into one data point, where neither the
//! samples nor their number need to be known exactly.

/// A statistic whose value, or bounds of it, follow from how many samples of which values there
/// are.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum Statistic {
    Sum,
    Average,
    Minimum,
    Maximum,
    SampleCount,
    /// A percentile, trimmed or winsorized mean, or interquartile mean: lies between the least and
    /// the greatest sample, and is their value where all samples are equal.
    Within,
}

impl Statistic {
    /// What the statistic is called.
    pub(super) fn in_words(self) -> &'static str {
        match self {
            Self::Sum => "sum",
            Self::Average => "average",
            Self::Minimum => "minimum",
            Self::Maximum => "maximum",
            Self::SampleCount => "number of samples",
            Self::Within => "percentile or mean",
        }
    }

    /// Reads a statistic as `Statistic`, `ExtendedStatistic` and `Stat` name it (CloudWatch User
    /// Guide, "CloudWatch statistics definitions"); `None` for those not analysed: trimmed sums
    /// and counts, percentile ranks, and what is not a statistic.
    pub(super) fn parse(text: &str) -> Option<Self> {
        match text.to_ascii_lowercase().as_str() {
            "sum" => Some(Self::Sum),
            "average" => Some(Self::Average),
            "minimum" => Some(Self::Minimum),
            "maximum" => Some(Self::Maximum),
            "samplecount" => Some(Self::SampleCount),
            "iqm" => Some(Self::Within),
            other => {
                let digits = ["tm", "wm", "p"]
                    .iter()
                    .find_map(|name| other.strip_prefix(name))?;
                let bounds = digits
                    .strip_prefix('(')
                    .and_then(|rest| rest.strip_suffix(')'));
                let percent = |text: &str| {
                    let number = text.trim().trim_end_matches('%');
                    number.is_empty()
                        || number
                            .parse::<f64>()
                            .is_ok_and(|n| (0.0..=100.0).contains(&n))
                };
                let valid = match bounds {
                    // Bounds without a percent sign are absolute values, which may cut off
                    // everything the filter writes.
                    Some(bounds) => bounds.split(':').all(|part| {
                        let part = part.trim();
                        (part.is_empty() || part.ends_with('%')) && percent(part)
                    }),
                    None => !digits.is_empty() && percent(digits),
                };
                valid.then_some(Self::Within)
            }
        }
    }
}

/// Samples of one period: how many there are and which values they have, as far as it is known.
#[derive(Debug, Clone, Copy)]
pub(super) struct Samples {
    /// The least and the greatest value.
    pub(super) value: (f64, f64),
    /// The least and the greatest number.
    pub(super) count: (f64, f64),
}

/// The data point of a period, as far as it is known.
#[derive(Debug, Clone, Copy, PartialEq)]
pub(super) struct Datapoint {
    /// Whether there may be none.
    pub(super) missing: bool,
    /// The least and the greatest value it may have; `None` where there is none for certain.
    pub(super) value: Option<(f64, f64)>,
}

impl Datapoint {
    pub(super) const MISSING: Self = Self {
        missing: true,
        value: None,
    };

    pub(super) fn between(low: f64, high: f64) -> Self {
        Self {
            missing: false,
            value: Some((low, high)),
        }
    }
}

/// A product in which nothing, however large it may be, stays nothing.
pub(super) fn times(left: f64, right: f64) -> f64 {
    if left == 0.0 || right == 0.0 {
        0.0
    } else {
        left * right
    }
}

impl Statistic {
    /// The data point that samples make.
    pub(super) fn of(self, samples: &[Samples]) -> Datapoint {
        let possible = || samples.iter().filter(|samples| samples.count.1 > 0.0);
        let certain = || samples.iter().filter(|samples| samples.count.0 > 0.0);
        if possible().next().is_none() {
            return Datapoint::MISSING;
        }
        let lows = || possible().map(|samples| samples.value.0);
        let highs = || possible().map(|samples| samples.value.1);
        let least = |values: &mut dyn Iterator<Item = f64>| values.fold(f64::INFINITY, f64::min);
        let most = |values: &mut dyn Iterator<Item = f64>| values.fold(f64::NEG_INFINITY, f64::max);
        let any_certain = certain().next().is_some();
        let value = match self {
            // Where there is a data point, there is at least one sample.
            Self::Sum if !any_certain && lows().all(|low| low >= 0.0) => {
                (least(&mut lows()), f64::INFINITY)
            }
            Self::SampleCount if !any_certain => (1.0, f64::INFINITY),
            Self::Sum => possible().fold((0.0, 0.0), |(low, high), samples| {
                let (few, many) = samples.count;
                let (below, above) = samples.value;
                (
                    low + times(few, below).min(times(many, below)),
                    high + times(few, above).max(times(many, above)),
                )
            }),
            Self::SampleCount => possible().fold((0.0, 0.0), |(low, high), samples| {
                (low + samples.count.0, high + samples.count.1)
            }),
            Self::Average => (
                mean(samples, |samples| samples.value.0, 1.0),
                mean(samples, |samples| samples.value.1, -1.0),
            ),
            Self::Minimum if any_certain => (
                least(&mut lows()),
                least(&mut certain().map(|samples| samples.value.1)),
            ),
            Self::Maximum if any_certain => (
                most(&mut certain().map(|samples| samples.value.0)),
                most(&mut highs()),
            ),
            Self::Minimum | Self::Maximum | Self::Within => {
                (least(&mut lows()), most(&mut highs()))
            }
        };
        Datapoint {
            missing: !any_certain,
            value: Some(value),
        }
    }
}

/// The least mean that samples can have, or with the sign -1 the greatest: those beyond the mean
/// are taken as often as possible, the others as rarely.
fn mean(samples: &[Samples], value: impl Fn(&Samples) -> f64, sign: f64) -> f64 {
    let (mut count, mut sum) = (0.0, 0.0);
    for samples in samples {
        count += samples.count.0;
        sum += times(samples.count.0, value(samples));
    }
    let mut more: Vec<(f64, f64)> = samples
        .iter()
        .map(|samples| (value(samples), samples.count.1 - samples.count.0))
        .filter(|(_, count)| *count > 0.0)
        .collect();
    more.sort_by(|left, right| (sign * left.0).total_cmp(&(sign * right.0)));
    for (value, further) in more {
        if count == 0.0 {
            return value;
        }
        if sign * value >= sign * (sum / count) {
            break;
        }
        // Without a bound on their number, the mean comes as close to them as one likes.
        if further.is_infinite() || value.is_infinite() {
            return value;
        }
        count += further;
        sum += further * value;
    }
    sum / count
}
