//! The way to AWS through a proxy: whatever host a client wants a tunnel to, the server itself
//! answers behind it, over TLS, as that host.

use std::sync::Arc;
use std::sync::atomic::AtomicBool;

use hyper::Request;
use hyper::body::Incoming;
use hyper_util::rt::TokioIo;
use rustls::{HandshakeKind, ServerConfig};
use tokio_rustls::TlsAcceptor;

use super::connection::serve_requests;
use super::simulation::Simulation;

/// Further answers of the length of a round trip before the first one of a host: the proxy's, which
/// connects to it first, and the host's in the handshake (TLS 1.3).
pub(super) const GREETINGS: u32 = 2;

/// The tunnels of a server that is a proxy.
#[derive(Debug, Clone)]
pub(super) struct Tunnels(pub(super) Arc<ServerConfig>);

impl Tunnels {
    /// Opens a tunnel when the connection has been handed over, and serves what comes through it.
    /// `abort` is that of the connection below.
    pub(super) async fn open(
        &self,
        request: Request<Incoming>,
        simulation: &Arc<Simulation>,
        abort: Arc<AtomicBool>,
    ) {
        let host = request.uri().host().unwrap_or_default();
        let distance = simulation.distance(host);
        // The proxy answers when it has reached the host.
        tokio::time::sleep(distance).await;
        let (config, simulation) = (Arc::clone(&self.0), Arc::clone(simulation));
        tokio::spawn(async move {
            let Ok(upgraded) = hyper::upgrade::on(request).await else {
                return;
            };
            tokio::time::sleep(distance).await;
            let accepted = TlsAcceptor::from(config)
                .accept(TokioIo::new(upgraded))
                .await;
            // A client that does not accept the certificate has said so.
            let Ok(stream) = accepted else {
                return;
            };
            let resumed = stream.get_ref().1.handshake_kind() == Some(HandshakeKind::Resumed);
            simulation.greeted(resumed);
            serve_requests(TokioIo::new(stream), simulation, abort).await;
        });
    }
}
