//! Looking up the addresses of hosts: once for each host and minute, however many connections are
//! made to it at the same time.
//!
//! The system's resolver takes a thread for each question, and a scan that begins makes dozens of
//! connections to each of a hundred hosts.

use std::collections::HashMap;
use std::io;
use std::net::IpAddr;
use std::sync::{Arc, Mutex, PoisonError};
use std::time::Duration;

use aws_smithy_runtime_api::client::dns::{DnsFuture, ResolveDns, ResolveDnsError};
use futures::FutureExt as _;
use futures::future::{BoxFuture, Shared};
use tokio::time::Instant;

/// How long addresses are kept. The names of AWS's endpoints are valid for a minute.
const KEPT: Duration = Duration::from_mins(1);

/// What a look-up ends with. An [`io::Error`] cannot be given to several who ask.
type Found = Result<Vec<IpAddr>, Arc<io::Error>>;

type LookUp = Shared<BoxFuture<'static, Found>>;

/// The resolver of the system, asked once for each host.
#[derive(Default)]
pub(super) struct Names {
    asked: Mutex<HashMap<String, (Instant, LookUp)>>,
}

impl std::fmt::Debug for Names {
    fn fmt(&self, formatter: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        formatter.debug_struct("Names").finish_non_exhaustive()
    }
}

impl Names {
    /// The look-up of a host that is under way or not old; else the one that `start` begins.
    fn of(&self, name: &str, now: Instant, start: impl FnOnce(String) -> LookUp) -> LookUp {
        let mut asked = self.asked.lock().unwrap_or_else(PoisonError::into_inner);
        if let Some((since, look_up)) = asked.get(name) {
            let failed = matches!(look_up.peek(), Some(Err(_)));
            if !failed && now.saturating_duration_since(*since) < KEPT {
                return look_up.clone();
            }
        }
        let look_up = start(name.to_owned());
        asked.insert(name.to_owned(), (now, look_up.clone()));
        look_up
    }
}

fn ask_the_system(name: String) -> LookUp {
    async move {
        // The port is not looked up.
        let addresses = tokio::net::lookup_host((name, 0)).await.map_err(Arc::new)?;
        Ok(addresses.map(|address| address.ip()).collect())
    }
    .boxed()
    .shared()
}

impl ResolveDns for Names {
    fn resolve_dns<'a>(&'a self, name: &'a str) -> DnsFuture<'a> {
        let look_up = self.of(name, Instant::now(), ask_the_system);
        DnsFuture::new(async move { look_up.await.map_err(ResolveDnsError::new) })
    }
}

#[cfg(test)]
mod tests {
    use std::net::Ipv4Addr;
    use std::sync::atomic::{AtomicUsize, Ordering};

    use super::*;

    fn answering(found: Found) -> LookUp {
        futures::future::ready(found).boxed().shared()
    }

    #[tokio::test]
    async fn a_host_is_looked_up_once_a_minute() {
        let names = Names::default();
        let count = AtomicUsize::new(0);
        let ask = |now| {
            names.of("host", now, |_| {
                count.fetch_add(1, Ordering::Relaxed);
                answering(Ok(vec![Ipv4Addr::LOCALHOST.into()]))
            })
        };
        let now = Instant::now();
        for _ in 0..3 {
            assert_eq!(ask(now).await.unwrap(), [Ipv4Addr::LOCALHOST]);
        }
        assert_eq!(count.load(Ordering::Relaxed), 1);
        ask(now + KEPT).await.unwrap();
        assert_eq!(count.load(Ordering::Relaxed), 2);
    }

    #[tokio::test]
    async fn a_failure_is_not_kept() {
        let names = Names::default();
        let now = Instant::now();
        let failure = io::Error::other("no such host");
        let failed = names.of("host", now, |_| answering(Err(Arc::new(failure))));
        assert!(failed.await.is_err());
        let again = names.of("host", now, |_| answering(Ok(Vec::new())));
        assert!(again.await.is_ok());
    }

    #[tokio::test]
    async fn the_system_knows_this_computer() {
        let found = Names::default().resolve_dns("localhost").await.unwrap();
        assert!(found.iter().all(IpAddr::is_loopback) && !found.is_empty());
        let error = Names::default().resolve_dns("host.invalid").await;
        let error = error.unwrap_err();
        assert!(std::error::Error::source(&error).is_some());
    }
}
