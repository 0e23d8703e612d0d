//! The organization over HTTP on a loopback port: the protocols of AWS on every path but
//! `/_trailproof/`, where the simulator itself is controlled.

mod body;
mod connection;
mod control;
mod fault;
mod hash;
mod latency;
mod lie;
mod proxy;
mod quota;
mod simulation;
mod statistics;
mod tls;
mod world;

use std::io::{self, Write as _};
use std::net::{Ipv4Addr, SocketAddr};
use std::num::NonZeroUsize;
use std::path::PathBuf;
use std::sync::Arc;
use std::thread::JoinHandle;

use jiff::SignedDuration;
use tokio::net::{TcpListener, TcpSocket};
use tokio::sync::watch;

pub use fault::{Faults, Outage, OutageKind};
pub use latency::{InvalidLatency, Latency};
pub use lie::{Lie, LieKind};
pub use statistics::{Connections, Counts, Statistics};

use crate::model::{Expected, Organization};
use crate::operation::Operation;
use proxy::Tunnels;
use simulation::Simulation;
use tls::Authority;
use trailproof_core::account::AccountId;

/// How an organization is served.
#[derive(Debug, Clone, PartialEq)]
pub struct Options {
    /// The port on the loopback interface; 0 takes a free one.
    pub port: u16,
    /// How many threads serve.
    pub threads: NonZeroUsize,
    /// Whether the request quotas of AWS apply.
    pub quotas: bool,
    /// How long every answer takes.
    pub latency: Latency,
    /// What goes wrong.
    pub faults: Faults,
    /// What all chance depends on.
    pub seed: u64,
    /// The longest a session lasts, whatever is asked for.
    pub session_limit: Option<SignedDuration>,
    /// Whether listings start with an empty page that has a token.
    pub empty_pages: bool,
    /// Whether every distinct call is remembered, for tests that count repetitions.
    pub track_calls: bool,
    /// Where the certificate of the server's own authority is written. With it, the server is the
    /// HTTPS proxy of its clients, and behind it every host of AWS, over TLS.
    pub certificate: Option<PathBuf>,
}

impl Default for Options {
    fn default() -> Self {
        Self {
            port: 0,
            threads: NonZeroUsize::MIN,
            quotas: false,
            latency: Latency::None,
            faults: Faults::default(),
            seed: 0,
            session_limit: None,
            empty_pages: false,
            track_calls: false,
            certificate: None,
        }
    }
}

/// Every operation that is served, as policies name them: `sns:CreateTopic`.
pub fn operations() -> Vec<String> {
    Operation::ALL
        .iter()
        .map(|operation| operation.action())
        .collect()
}

/// Starts servers.
#[derive(Debug)]
pub struct Server;

/// A server at work. It stops when it is dropped.
#[derive(Debug)]
pub struct Running {
    address: SocketAddr,
    simulation: Arc<Simulation>,
    stop: watch::Sender<bool>,
    threads: Vec<JoinHandle<()>>,
}

/// Connections that may wait to be accepted.
const BACKLOG: u32 = 4096;

impl Server {
    /// Serves an organization on threads of its own. The server listens when this returns.
    pub fn start(organization: Organization, options: Options) -> io::Result<Running> {
        let (port, thread_count) = (options.port, options.threads.get());
        let tunnels = match &options.certificate {
            Some(path) => {
                let (authority, pem) = Authority::new()?;
                trailproof_files::create_anew(path)?.write_all(pem.as_bytes())?;
                Some(Tunnels(authority.config()?))
            }
            None => None,
        };
        let simulation = Arc::new(Simulation::new(organization, options));
        let (stop, stopped) = watch::channel(false);
        let listener = {
            let runtime = runtime()?;
            let _entered = runtime.enter();
            let socket = TcpSocket::new_v4()?;
            socket.set_reuseaddr(true)?;
            socket.bind((Ipv4Addr::LOCALHOST, port).into())?;
            socket.listen(BACKLOG)?.into_std()?
        };
        let address = listener.local_addr()?;
        let mut threads = Vec::new();
        for number in 0..thread_count {
            let listener = listener.try_clone()?;
            let (simulation, stopped) = (Arc::clone(&simulation), stopped.clone());
            let tunnels = tunnels.clone();
            let runtime = runtime()?;
            let serve = move || {
                runtime.block_on(async move {
                    if let Ok(listener) = TcpListener::from_std(listener) {
                        connection::serve(listener, simulation, tunnels, stopped).await;
                    }
                });
                // Connections that wait for a slow answer are not waited for.
                runtime.shutdown_background();
            };
            let thread = std::thread::Builder::new()
                .name(format!("simulator-{number}"))
                .spawn(serve)?;
            threads.push(thread);
        }
        Ok(Running {
            address,
            simulation,
            stop,
            threads,
        })
    }
}

fn runtime() -> io::Result<tokio::runtime::Runtime> {
    tokio::runtime::Builder::new_current_thread()
        .enable_all()
        .build()
}

impl Running {
    /// Where it listens.
    pub fn address(&self) -> SocketAddr {
        self.address
    }

    /// `AWS_ENDPOINT_URL`, or `HTTPS_PROXY`.
    pub fn url(&self) -> String {
        format!("http://{}", self.address)
    }

    /// The environment that makes an AWS client talk to it as the default caller: as its endpoint,
    /// or as the proxy that its requests to AWS take.
    pub fn environment(&self) -> Vec<(&'static str, String)> {
        let region = self
            .simulation
            .read(|organization| organization.partition().home_region());
        let mut environment = match &self.simulation.options.certificate {
            None => vec![("AWS_ENDPOINT_URL", self.url())],
            Some(certificate) => vec![
                ("HTTPS_PROXY", self.url()),
                ("AWS_CA_BUNDLE", certificate.display().to_string()),
            ],
        };
        environment.extend([
            ("AWS_ACCESS_KEY_ID", "AKIASIMULATOR0000000".to_owned()),
            ("AWS_SECRET_ACCESS_KEY", "simulator".to_owned()),
            ("AWS_REGION", region.to_string()),
            // boto3 and the first AWS CLI know only this name.
            ("AWS_DEFAULT_REGION", region.to_string()),
        ]);
        environment
    }

    /// Looks at the organization as it is now.
    pub fn read<T>(&self, look: impl FnOnce(&Organization) -> T) -> T {
        self.simulation.read(look)
    }

    /// Changes the organization behind everybody's back.
    pub fn change<T>(&self, change: impl FnOnce(&mut Organization) -> T) -> T {
        self.simulation.write(change)
    }

    /// What was asked so far.
    pub fn statistics(&self) -> Statistics {
        self.simulation.statistics()
    }

    /// Sets what goes wrong from now on.
    pub fn set_faults(&self, faults: Faults) {
        self.simulation.set_faults(faults);
    }

    /// The verdicts that are known by construction.
    pub fn expected(&self) -> Vec<(AccountId, Expected)> {
        self.simulation.read(Organization::expected)
    }

    /// Stops serving and waits until it has.
    pub fn stop(mut self) {
        self.finish();
    }

    /// Waits until it is stopped from elsewhere, which is for ever in a binary.
    pub fn wait(mut self) {
        for thread in self.threads.drain(..) {
            let _ = thread.join();
        }
    }

    fn finish(&mut self) {
        let _ = self.stop.send(true);
        for thread in self.threads.drain(..) {
            let _ = thread.join();
        }
    }
}

impl Drop for Running {
    fn drop(&mut self) {
        self.finish();
    }
}
