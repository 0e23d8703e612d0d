//! How long it takes to decide: the benchmark patterns against one another, and random patterns of
//! up to 1,024 characters against mutations of themselves. `cargo xtask bench pattern`.
#![allow(
    clippy::print_stdout,
    clippy::unwrap_used,
    clippy::indexing_slicing,
    reason = "a benchmark talks to a developer and stops at the first surprise"
)]

use std::time::{Duration, Instant};

use trailproof_core::control;
use trailproof_core::pattern::{Comparison, Pattern, Relation, compare};

/// A small generator of random numbers, so that every run measures the same patterns.
struct Random(u64);

impl Random {
    fn below(&mut self, limit: usize) -> usize {
        self.0 ^= self.0 << 13;
        self.0 ^= self.0 >> 7;
        self.0 ^= self.0 << 17;
        usize::try_from(self.0 >> 33).unwrap() % limit
    }

    fn pick<'a>(&mut self, from: &[&'a str]) -> &'a str {
        from[self.below(from.len())]
    }
}

const FIELDS: [&str; 8] = [
    "$.eventName",
    "$.eventSource",
    "$.userIdentity.type",
    "$.errorCode",
    "$.errorMessage",
    "$.requestParameters.a",
    "$.requestParameters.list[*]",
    "$.n",
];
const VALUES: [&str; 14] = [
    "ConsoleLogin",
    "\"Failed authentication\"",
    "Delete*",
    "*Policy",
    "*s3*",
    "Root",
    "\"*UnauthorizedOperation\"",
    "AccessDenied*",
    "12",
    "\"12\"",
    "1*",
    "*",
    "%^Create[A-Z]%",
    "true",
];

fn condition(random: &mut Random) -> String {
    let field = random.pick(&FIELDS);
    match random.below(12) {
        0 => format!("{field} NOT EXISTS"),
        1 => format!("{field} IS {}", random.pick(&["NULL", "TRUE", "FALSE"])),
        2 => format!(
            "{field} {} {}",
            random.pick(&["<", "<=", ">", ">="]),
            random.pick(&["1", "12", "1.5", "1e3"])
        ),
        3..=5 => format!("{field} != {}", random.pick(&VALUES)),
        _ => format!("{field} = {}", random.pick(&VALUES)),
    }
}

/// A pattern of about `length` characters that CloudWatch Logs would accept.
fn pattern(random: &mut Random, length: usize) -> String {
    loop {
        let mut text = condition(random);
        while text.len() < length {
            let operator = random.pick(&[" && ", " || "]);
            let next = match random.below(3) {
                0 => format!(
                    "({}{}{})",
                    condition(random),
                    random.pick(&[" && ", " || "]),
                    condition(random)
                ),
                _ => condition(random),
            };
            text = if random.below(6) == 0 {
                format!("({text}){operator}{next}")
            } else {
                format!("{text}{operator}{next}")
            };
        }
        let text = format!("{{ {text} }}");
        if Pattern::parse(&text).is_ok() {
            return text;
        }
    }
}

/// One decision and its time. A long one is taken again, and the shortest counts: a single figure
/// out of thousands, the worst, would otherwise tell of the machine's other work.
fn timed(required: &Pattern, actual: &Pattern) -> (Comparison, Duration) {
    let once = || {
        let start = Instant::now();
        let comparison = compare(required, std::slice::from_ref(actual), None, None);
        (comparison, start.elapsed())
    };
    let (comparison, mut time) = once();
    if time > Duration::from_millis(2) {
        time = time.min(once().1).min(once().1);
    }
    (comparison, time)
}

fn report(name: &str, mut times: Vec<Duration>, inconclusive: usize) {
    times.sort();
    let at = |share: f64| {
        #[allow(
            clippy::cast_possible_truncation,
            clippy::cast_sign_loss,
            clippy::cast_precision_loss,
            reason = "a position in a list of a few thousand"
        )]
        let position = ((times.len() - 1) as f64 * share) as usize;
        times[position]
    };
    println!(
        "{name}: {} comparisons, median {:?}, 99 % {:?}, worst {:?}, {inconclusive} inconclusive",
        times.len(),
        at(0.5),
        at(0.99),
        at(1.0)
    );
}

fn main() {
    let mut corpus: Vec<Pattern> = Vec::new();
    for control in control::builtin() {
        let mut texts = vec![control.pattern.as_str()];
        texts.extend(
            control
                .benchmarks
                .iter()
                .filter_map(|entry| entry.pattern.as_deref()),
        );
        for text in texts {
            let pattern = Pattern::parse(text).unwrap();
            if !corpus.contains(&pattern) {
                corpus.push(pattern);
            }
        }
    }
    let mut times = Vec::new();
    let mut inconclusive = 0;
    for required in &corpus {
        for actual in &corpus {
            let (comparison, time) = timed(required, actual);
            times.push(time);
            inconclusive += usize::from(comparison.relation == Relation::Inconclusive);
        }
    }
    report("benchmark patterns", times, inconclusive);

    let count: usize = std::env::args()
        .nth(1)
        .and_then(|text| text.parse().ok())
        .unwrap_or(2_000);
    for length in [60, 250, 960] {
        let mut random = Random(0x9E37_79B9_7F4A_7C15);
        let mut times = Vec::new();
        let mut inconclusive = 0;
        let mut worst: (Duration, String) = (Duration::ZERO, String::new());
        for round in 0..count {
            let required = pattern(&mut random, length);
            let actual = if round % 2 == 0 {
                pattern(&mut random, length)
            } else {
                required.replacen("&&", "||", 1)
            };
            let (Ok(first), Ok(second)) = (Pattern::parse(&required), Pattern::parse(&actual))
            else {
                continue;
            };
            let (comparison, time) = timed(&first, &second);
            times.push(time);
            if time > worst.0 {
                worst = (
                    time,
                    format!(
                        "{:?} {:?}\n  {required}\n  {actual}",
                        comparison.relation, comparison.reason
                    ),
                );
            }
            inconclusive += usize::from(comparison.relation == Relation::Inconclusive);
        }
        report(
            &format!("random patterns of {length} characters"),
            times,
            inconclusive,
        );
        if std::env::args().any(|argument| argument == "--worst") {
            println!("{}", worst.1);
        }
    }
}
