//! Accepting connections and serving the requests on each.

use std::io;
use std::pin::Pin;
use std::sync::Arc;
use std::sync::atomic::{AtomicBool, Ordering};
use std::task::{Context, Poll};

use hyper::body::{Body, Bytes, Incoming};
use hyper::rt::{Read, Write};
use hyper::server::conn::http1;
use hyper::service::service_fn;
use hyper::{Method, Request, Response};
use hyper_util::rt::TokioIo;
use tokio::io::{AsyncRead, AsyncWrite, ReadBuf};
use tokio::net::{TcpListener, TcpStream};
use tokio::sync::watch;

use super::body::Answer;
use super::proxy::Tunnels;
use super::simulation::{Connected, Simulation};

/// No request of an AWS client is larger.
const LARGEST_BODY: usize = 4 << 20;

/// Serves until it is told to stop.
pub(super) async fn serve(
    listener: TcpListener,
    simulation: Arc<Simulation>,
    tunnels: Option<Tunnels>,
    mut stopped: watch::Receiver<bool>,
) {
    loop {
        let accepted = tokio::select! {
            accepted = listener.accept() => accepted,
            _ = stopped.changed() => return,
        };
        // A connection that broke before it was accepted is its client's matter. Running out of
        // descriptors is not, but it passes: others are closed all the time.
        let Ok((stream, _)) = accepted else {
            tokio::task::yield_now().await;
            continue;
        };
        let _ = stream.set_nodelay(true);
        let abort = Arc::new(AtomicBool::new(false));
        let stream = TokioIo::new(Stream {
            socket: stream,
            abort: Arc::clone(&abort),
            _count: simulation.connected(),
        });
        let simulation = Arc::clone(&simulation);
        match tunnels.clone() {
            None => {
                tokio::spawn(serve_requests(stream, simulation, abort));
            }
            Some(tunnels) => {
                tokio::spawn(serve_proxy(stream, simulation, tunnels, abort));
            }
        }
    }
}

/// Serves requests one after the other until the connection ends.
pub(super) async fn serve_requests(
    stream: impl Read + Write + Unpin,
    simulation: Arc<Simulation>,
    abort: Arc<AtomicBool>,
) {
    let service = service_fn(|request: Request<Incoming>| {
        let (simulation, abort) = (Arc::clone(&simulation), Arc::clone(&abort));
        async move { answer(request, &simulation, &abort).await }
    });
    // How a connection ends, cleanly or not, is no news here.
    let _ = http1::Builder::new()
        .pipeline_flush(true)
        .serve_connection(stream, service)
        .await;
}

/// Serves a client that may want a tunnel.
async fn serve_proxy(
    stream: impl Read + Write + Unpin + Send + 'static,
    simulation: Arc<Simulation>,
    tunnels: Tunnels,
    abort: Arc<AtomicBool>,
) {
    let service = service_fn(|request: Request<Incoming>| {
        let (simulation, abort) = (Arc::clone(&simulation), Arc::clone(&abort));
        let tunnels = tunnels.clone();
        async move {
            if request.method() == Method::CONNECT {
                tunnels.open(request, &simulation, abort).await;
                Ok(Response::new(Answer::whole(Bytes::new())))
            } else {
                answer(request, &simulation, &abort).await
            }
        }
    });
    let _ = http1::Builder::new()
        .serve_connection(stream, service)
        .with_upgrades()
        .await;
}

async fn answer(
    request: Request<Incoming>,
    simulation: &Simulation,
    abort: &AtomicBool,
) -> io::Result<Response<Answer>> {
    let (head, body) = request.into_parts();
    let body = collect(body).await?;
    let answer = simulation.serve(&head, &body).await;
    if answer.is_err() {
        abort.store(true, Ordering::Relaxed);
    }
    answer
}

async fn collect(mut body: Incoming) -> io::Result<Bytes> {
    let mut collected = Vec::new();
    loop {
        let frame = std::future::poll_fn(|context| Pin::new(&mut body).poll_frame(context)).await;
        let Some(frame) = frame else {
            return Ok(collected.into());
        };
        let Ok(data) = frame.map_err(io::Error::other)?.into_data() else {
            continue;
        };
        if collected.is_empty() && body.is_end_stream() {
            return Ok(data);
        }
        collected.extend_from_slice(&data);
        if collected.len() > LARGEST_BODY {
            return Err(io::ErrorKind::InvalidData.into());
        }
    }
}

/// A connection that can end in a reset instead of a proper close.
#[derive(Debug)]
struct Stream {
    socket: TcpStream,
    abort: Arc<AtomicBool>,
    _count: Connected,
}

impl Drop for Stream {
    fn drop(&mut self) {
        if self.abort.load(Ordering::Relaxed) {
            let _ = self.socket.set_zero_linger();
        }
    }
}

impl AsyncRead for Stream {
    fn poll_read(
        self: Pin<&mut Self>,
        context: &mut Context<'_>,
        buffer: &mut ReadBuf<'_>,
    ) -> Poll<io::Result<()>> {
        Pin::new(&mut self.get_mut().socket).poll_read(context, buffer)
    }
}

impl AsyncWrite for Stream {
    fn poll_write(
        self: Pin<&mut Self>,
        context: &mut Context<'_>,
        bytes: &[u8],
    ) -> Poll<io::Result<usize>> {
        Pin::new(&mut self.get_mut().socket).poll_write(context, bytes)
    }

    fn poll_write_vectored(
        self: Pin<&mut Self>,
        context: &mut Context<'_>,
        parts: &[io::IoSlice<'_>],
    ) -> Poll<io::Result<usize>> {
        Pin::new(&mut self.get_mut().socket).poll_write_vectored(context, parts)
    }

    fn is_write_vectored(&self) -> bool {
        self.socket.is_write_vectored()
    }

    fn poll_flush(self: Pin<&mut Self>, context: &mut Context<'_>) -> Poll<io::Result<()>> {
        Pin::new(&mut self.get_mut().socket).poll_flush(context)
    }

    fn poll_shutdown(self: Pin<&mut Self>, context: &mut Context<'_>) -> Poll<io::Result<()>> {
        if self.abort.load(Ordering::Relaxed) {
            // A shutdown would send what a reset must not.
            return Poll::Ready(Ok(()));
        }
        Pin::new(&mut self.get_mut().socket).poll_shutdown(context)
    }
}
