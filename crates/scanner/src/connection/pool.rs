//! How many connections may be open, and what they are shared out to.
//!
//! AWS has a host for every service and region, and each keeps as many idle connections as it once
//! had busy ones, unless it is told otherwise. A sweep over all regions would so gather thousands,
//! more than the files that a process may have open on many computers.

use std::time::Duration;

/// The hosts that a scan speaks to: CloudTrail, CloudWatch Logs, CloudWatch and SNS in every region
/// of the largest partition, and the three services that are asked in one place.
pub(crate) const HOSTS_OF_AWS: usize = 4 * 34 + 3;

/// What fits below the limit that most computers set, 1,024 open files, with room for others.
const DEFAULT: usize = 960;

/// A busy connection may need a second descriptor while its host is looked up.
const PER_CALL: usize = 2;

/// How long a connection is kept that nobody uses. A scan goes through the regions of an account
/// one after the other, and comes back to each host within seconds.
pub(crate) const IDLE_TIMEOUT: Duration = Duration::from_secs(20);

/// How many connections may be open at once.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Connections(usize);

impl Default for Connections {
    fn default() -> Self {
        Self(DEFAULT)
    }
}

impl Connections {
    /// This many at most.
    pub fn at_most(count: usize) -> Self {
        Self(count)
    }

    /// Half as many, where both ends of each connection are in one process.
    #[must_use]
    pub fn shared_by_two(self) -> Self {
        Self(self.0 / 2)
    }

    /// How many calls may be made at once, of those that are wanted: a third goes to busy
    /// connections, a third to looking up their hosts, the rest to idle ones.
    pub(crate) fn calls_at_once(self, wanted: usize) -> usize {
        wanted.min(self.0 / (PER_CALL + 1)).max(1)
    }

    /// How many idle connections are kept to each of so many hosts when so many calls are made at
    /// once. With none, every call makes its own: slower, but it works.
    pub(crate) fn idle_per_host(self, calls_at_once: usize, hosts: usize) -> usize {
        self.0.saturating_sub(PER_CALL * calls_at_once) / hosts.max(1)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn no_scan_has_more_connections_than_it_may() {
        for limit in 3..12_000 {
            let connections = Connections::at_most(limit);
            for wanted in [1, 16, 256, 1000] {
                let calls = connections.calls_at_once(wanted);
                assert!((1..=wanted).contains(&calls));
                for hosts in [1, HOSTS_OF_AWS] {
                    let open = PER_CALL * calls + hosts * connections.idle_per_host(calls, hosts);
                    assert!(open <= limit, "{open} of {limit}");
                }
            }
        }
    }

    #[test]
    fn the_usual_limit_slows_nothing_down() {
        let usual = Connections::default();
        assert_eq!(usual.calls_at_once(256), 256);
        assert!(usual.idle_per_host(256, HOSTS_OF_AWS) > 0);
        assert!(usual.idle_per_host(256, 1) >= 256);
        assert_eq!(Connections::at_most(0).calls_at_once(256), 1);
        assert_eq!(Connections::at_most(0).idle_per_host(1, 1), 0);
    }
}
