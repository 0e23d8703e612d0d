//! How many connections may be open, and what they are shared out to.
//!
//! AWS has a host for every service and region, and each keeps the connections that it once had
//! busy. A sweep over all regions would so gather thousands, more than the files that a process may
//! have open on many computers.

use std::time::Duration;

/// The hosts that a scan speaks to: CloudTrail, CloudWatch Logs, CloudWatch and SNS in every region
/// of the largest partition, and the three services that are asked in one place.
pub(crate) const HOSTS_OF_AWS: usize = 4 * 34 + 3;

/// What fits below the limit that most computers set, 1,024 open files, with room for others.
const DEFAULT: usize = 960;

/// The connections to one host that a scan makes use of: two hundred accounts a second, which is
/// faster than AWS lists them, in a region that takes a third of a second to answer. Each costs a
/// handshake on both sides and some 50 KiB.
const ENOUGH: usize = 64;

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

    /// How many calls may be made at once, of those that are wanted. Connections that are idle, to
    /// other hosts, count as well.
    pub(crate) fn calls_at_once(self, wanted: usize) -> usize {
        wanted.min(self.0 / 3).max(1)
    }

    /// How many connections may be open to each of so many hosts. Looking up a host takes one more
    /// open file.
    pub(crate) fn per_host(self, hosts: usize) -> usize {
        let each = (self.0 / hosts.max(1)).saturating_sub(1).max(1);
        // A single one stands for all the hosts of AWS.
        if hosts > 1 { each.min(ENOUGH) } else { each }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn no_scan_has_more_connections_than_it_may() {
        for limit in 2 * HOSTS_OF_AWS..12_000 {
            let connections = Connections::at_most(limit);
            for hosts in [1, HOSTS_OF_AWS] {
                let open = hosts * (connections.per_host(hosts) + 1);
                assert!(open <= limit, "{open} of {limit}");
            }
        }
    }

    #[test]
    fn the_usual_limit_slows_nothing_down() {
        let usual = Connections::default();
        assert_eq!(usual.calls_at_once(256), 256);
        assert!(usual.per_host(1) >= 256);
        assert!(usual.per_host(HOSTS_OF_AWS) > 1);
        assert_eq!(Connections::at_most(10_240).per_host(HOSTS_OF_AWS), ENOUGH);
        assert_eq!(Connections::at_most(0).calls_at_once(256), 1);
        assert_eq!(Connections::at_most(0).per_host(1), 1);
    }
}
