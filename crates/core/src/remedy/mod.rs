//! What a finding advises: commands of the AWS CLI, and the four resources that the benchmark has
//! people create.
//!
//! The names that are used where nobody chose others stand here, and so do the members of an alarm.
//! Who makes, recognises or exports such a resource begins with these. How a shell, a terminal or a
//! page writes a command is not known here.

mod benchmark;
mod command;
mod name;

pub use benchmark::{Alarm, MetricFilter, Setting, Subscription, Topic};
pub use command::{Command, Word};
pub use name::{InvalidName, NameKind};

/// The default name of metric filters and alarms, with a placeholder for the control's id.
pub const NAME: &str = "trailproof-{control}";

/// The default name of metrics.
pub const METRIC: &str = "{control}";

/// The default namespace of metrics: the one in the benchmark's own commands.
pub const NAMESPACE: &str = "CISBenchmark";

/// The default name of topics: one for each account and region.
pub const TOPIC: &str = "trailproof-alarms";

/// What a matching event counts.
pub const METRIC_VALUE: &str = "1";

/// The default period of alarms, in seconds: the benchmark's.
pub const PERIOD: u32 = 300;

/// How many events within a period make an alarm by default: the benchmark's.
pub const THRESHOLD: f64 = 1.0;

/// A default name for a control.
pub fn name_for(template: &str, control: &str) -> String {
    template.replace("{control}", control)
}
