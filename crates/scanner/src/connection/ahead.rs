//! Connections that are opened before there is leave to use them.
//!
//! The connection pool opens one only for a request that waits for it. So a call is begun, up to
//! where it waits for its connection, and gets no further: it never sends anything, and when it is
//! dropped, its connection is everybody's.

use aws_smithy_http_client::pool::{ConnectionPool, OriginKey, PartitionId};
use aws_smithy_runtime_api::client::orchestrator::HttpRequest;
use futures::FutureExt as _;
use futures::future::BoxFuture;

/// The connections to a host that are opened ahead, at most: with them, a hundred accounts that come
/// to a region a quarter of a second away at the same time are answered in less than a second.
const MOST: usize = 32;

tokio::task_local! {
    /// There while a call is begun for its connection alone.
    static CONNECTION_ALONE: ();
}

/// Whether the call at hand is begun for its connection alone.
pub(crate) fn is_wanted_alone() -> bool {
    CONNECTION_ALONE.try_with(|()| ()).is_ok()
}

/// A call that holds the connection that is opened for it, until it is dropped.
#[must_use]
pub(crate) struct Opening<'a> {
    /// Polled once, and never again.
    _begun: BoxFuture<'a, ()>,
}

/// Opens a connection for a call like this one, unless there is a free one or there are many already.
pub(crate) fn open<'a>(call: impl Future<Output = ()> + Send + 'a) -> Option<Opening<'a>> {
    let mut begun = CONNECTION_ALONE.scope((), call).boxed();
    let waits = (&mut begun).now_or_never().is_none();
    waits.then_some(Opening { _begun: begun })
}

/// Whether another connection to a request's host may be opened ahead: no more than half of those
/// that may be open at all, so that whoever may call finds one. Where one is free, the request would
/// be sent over it.
pub(super) fn may_open(
    pool: &ConnectionPool,
    partition: PartitionId,
    per_host: usize,
    request: &HttpRequest,
) -> bool {
    let address = HttpRequest::get(request.uri()).and_then(HttpRequest::try_into_http1x);
    let Some(origin) = address
        .ok()
        .and_then(|address| OriginKey::from_uri(address.uri()).ok())
    else {
        return false;
    };
    let Some(connections) = pool.partition_stats(partition, &origin) else {
        return false;
    };
    let open = connections.physically_live_connections() + connections.establishing_connections();
    connections.h1().idle() == 0 && open < MOST.min(per_host / 2)
}

#[cfg(test)]
mod tests {
    use std::sync::Arc;

    use tokio::io::{AsyncReadExt as _, AsyncWriteExt as _};
    use tokio::net::{TcpListener, TcpStream};
    use trailproof_core::account::Region;
    use trailproof_core::evidence::Call;

    use super::*;
    use crate::calls::{Ask, Clients, Target};
    use crate::connection::{ConnectOptions, Connections};
    use crate::testing::caller_at;

    const ANSWER: &[u8] = b"HTTP/1.1 200 OK\r\ncontent-length: 16\r\n\r\n{\"trailList\":[]}";

    /// Reads something of a request.
    async fn asked(stream: &mut TcpStream) {
        assert_ne!(stream.read(&mut [0; 4096]).await.unwrap(), 0);
    }

    /// Two connections may be open. One is opened ahead; a call finds the other, and one that comes
    /// once the first is let go uses that.
    #[tokio::test]
    async fn a_connection_is_opened_and_kept_for_later_and_nothing_is_sent_over_it() {
        let listener = TcpListener::bind("127.0.0.1:0").await.unwrap();
        let address = format!("http://{}", listener.local_addr().unwrap());
        let options = ConnectOptions {
            connections: Connections::at_most(3),
            ..caller_at(&address)
        };
        let connection = options.load().await.unwrap();
        assert_eq!(connection.per_host, 2);
        let clients = Arc::new(Clients::new(&connection.config));
        let call = || {
            let clients = Arc::clone(&clients);
            async move {
                let target = Target {
                    region: Region::new("us-east-1"),
                    credentials: aws_credential_types::Credentials::for_tests(),
                };
                let ask = Ask::Evidence(Call::DescribeTrails {
                    include_shadow_trails: true,
                });
                clients.page(&target, &ask, None).await
            }
        };
        let begun = || async { drop(call().await) };

        let opening = open(begun()).unwrap();
        let (mut ahead, _) = listener.accept().await.unwrap();
        // The other half is for those who may call.
        assert!(open(begun()).is_none());
        let first = tokio::spawn(call());
        let (mut other, _) = listener.accept().await.unwrap();
        asked(&mut other).await;
        let nothing = ahead.try_read(&mut [0; 1]).unwrap_err();
        assert_eq!(nothing.kind(), std::io::ErrorKind::WouldBlock);

        drop(opening);
        let second = tokio::spawn(call());
        asked(&mut ahead).await;
        for stream in [&mut ahead, &mut other] {
            stream.write_all(ANSWER).await.unwrap();
        }
        assert!(first.await.unwrap().is_ok() && second.await.unwrap().is_ok());
    }
}
