//! The statistics that condense the samples of a period into one data point.

/// A statistic whose value follows from how many samples of which values there are.
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

/// Samples of one period that have the same value, and how many of them there are.
#[derive(Debug, Clone, Copy)]
pub(super) struct Samples {
    pub(super) value: f64,
    pub(super) count: f64,
}

/// A data point's value or, for statistics that only have bounds, the interval it lies in.
#[derive(Debug, Clone, Copy, PartialEq)]
pub(super) enum Datapoint {
    Missing,
    Between(f64, f64),
}

impl Statistic {
    /// The data point these samples make.
    pub(super) fn of(self, samples: impl IntoIterator<Item = Samples>) -> Datapoint {
        let (mut count, mut sum) = (0.0, 0.0);
        let (mut low, mut high) = (f64::INFINITY, f64::NEG_INFINITY);
        for sample in samples {
            if sample.count > 0.0 {
                count += sample.count;
                sum += sample.count * sample.value;
                low = low.min(sample.value);
                high = high.max(sample.value);
            }
        }
        if count <= 0.0 {
            return Datapoint::Missing;
        }
        let exactly = |value| Datapoint::Between(value, value);
        match self {
            Self::Sum => exactly(sum),
            Self::Average => exactly(sum / count),
            Self::Minimum => exactly(low),
            Self::Maximum => exactly(high),
            Self::SampleCount => exactly(count),
            Self::Within => Datapoint::Between(low, high),
        }
    }
}
