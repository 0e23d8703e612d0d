//! One request: who asks, what goes wrong, what the organization answers.

use std::io;
use std::sync::atomic::{AtomicU64, Ordering};
use std::sync::{Arc, Mutex, MutexGuard, OnceLock, PoisonError, RwLock};
use std::time::{Duration, Instant};

use hyper::body::Bytes;
use hyper::http::request::Parts;
use hyper::{Response, StatusCode};
use jiff::Timestamp;
use trailproof_core::account::Region;
use trailproof_core::evidence::ErrorClass;

use super::body::Answer;
use super::fault::{Fault, FaultState, Faults};
use super::hash::Hash;
use super::lie::Lie;
use super::quota::{Quota, Quotas};
use super::statistics::{Counters, Fate, Statistics};
use super::{Latency, Options, control};
use crate::credentials::{self, Identity};
use crate::failure::Failure;
use crate::model::Organization;
use crate::operation::Service;
use crate::pagination::Paging;
use crate::parameters::Parameters;
use crate::permission::{self, Caller};
use crate::protocol::{self, Incoming, Misunderstood, Outgoing, Signature};
use crate::service::{self, Context};

/// An organization that is served.
#[derive(Debug)]
pub(crate) struct Simulation {
    pub(super) options: Options,
    organization: RwLock<Organization>,
    /// What the organization was before the first change.
    initial: OnceLock<Organization>,
    quotas: Mutex<Quotas>,
    faults: Mutex<FaultState>,
    counters: Mutex<Counters>,
    requests: AtomicU64,
    started: Instant,
}

/// Whose request it is, and where.
struct Origin {
    caller: Caller,
    /// The place of the account in the organization; of nobody when it is not in it.
    account: usize,
    region: Region,
    /// The place of the region among all regions.
    place: u8,
}

impl Simulation {
    pub(super) fn new(organization: Organization, options: Options) -> Self {
        Self {
            faults: Mutex::new(FaultState::new(options.faults.clone(), 0)),
            options,
            organization: RwLock::new(organization),
            initial: OnceLock::new(),
            quotas: Mutex::default(),
            counters: Mutex::default(),
            requests: AtomicU64::new(0),
            started: Instant::now(),
        }
    }

    pub(super) fn read<T>(&self, look: impl FnOnce(&Organization) -> T) -> T {
        look(
            &self
                .organization
                .read()
                .unwrap_or_else(PoisonError::into_inner),
        )
    }

    pub(super) fn write<T>(&self, change: impl FnOnce(&mut Organization) -> T) -> T {
        let mut organization = self
            .organization
            .write()
            .unwrap_or_else(PoisonError::into_inner);
        self.initial.get_or_init(|| organization.clone());
        change(&mut organization)
    }

    /// How long answers take.
    pub(super) fn latency(&self) -> Latency {
        self.options.latency
    }

    /// How long a host takes to answer at least: as long as the region in its name. Hosts that name
    /// none are in the home region.
    pub(super) fn distance(&self, host: &str) -> Duration {
        self.read(|organization| {
            let mut regions = organization
                .regions
                .iter()
                .chain(&organization.opt_in_regions);
            let named = regions.find(|region| host.split('.').any(|word| word == region.as_str()));
            let home = organization.partition().home_region();
            self.options.latency.least(named.unwrap_or(&home))
        })
    }

    /// Counts a handshake that came to its end.
    pub(super) fn greeted(&self, resumed: bool) {
        lock(&self.counters).greeted(resumed);
    }

    pub(super) fn statistics(&self) -> Statistics {
        let counters = lock(&self.counters);
        self.read(|organization| {
            let accounts = organization.accounts();
            counters.statistics(
                |index| accounts.get(index).map(|account| account.id),
                |place| {
                    region_at(organization, place)
                        .map_or_else(|| "elsewhere".to_owned(), Region::to_string)
                },
            )
        })
    }

    /// Counts a connection for as long as it is held.
    pub(super) fn connected(self: &Arc<Self>) -> Connected {
        lock(&self.counters).connected();
        Connected(Arc::clone(self))
    }

    pub(super) fn set_faults(&self, faults: Faults) {
        *lock(&self.faults) = FaultState::new(faults, self.milliseconds());
    }

    pub(super) fn faults(&self) -> Faults {
        lock(&self.faults).faults.clone()
    }

    pub(super) fn reset_statistics(&self) {
        lock(&self.counters).reset();
    }

    /// Everything as it was at the start, quotas and faults included.
    pub(super) fn reset(&self) {
        if let Some(initial) = self.initial.get() {
            let mut organization = self
                .organization
                .write()
                .unwrap_or_else(PoisonError::into_inner);
            organization.clone_from(initial);
        }
        *lock(&self.quotas) = Quotas::default();
        self.set_faults(self.options.faults.clone());
        self.reset_statistics();
    }

    /// Milliseconds since the start.
    fn milliseconds(&self) -> u32 {
        u32::try_from(self.started.elapsed().as_millis()).unwrap_or(u32::MAX)
    }

    /// Answers a request, late and wrongly if so configured. An error resets the connection.
    pub(super) async fn serve(&self, head: &Parts, body: &Bytes) -> io::Result<Response<Answer>> {
        let path = head.uri.path();
        if let Some(action) = path.strip_prefix(control::PREFIX) {
            return Ok(respond(
                control::answer(self, head, action, body),
                Answer::whole,
            ));
        }
        lock(&self.counters).enter();
        let open = Open(self);
        let (outgoing, fault, pause) = self.decide(head, body);
        if let Some(pause) = pause {
            tokio::time::sleep(pause).await;
        }
        let faults = self.timing();
        drop(open);
        match fault {
            Some(Fault::Reset) => Err(io::ErrorKind::ConnectionReset.into()),
            Some(Fault::Stall) => {
                tokio::time::sleep(faults.0).await;
                Err(io::ErrorKind::ConnectionReset.into())
            }
            Some(Fault::Truncate) => Ok(respond(outgoing, |body| Answer::truncated(&body))),
            Some(Fault::Drip) => Ok(respond(outgoing, |body| Answer::dripping(body, faults.1))),
            Some(Fault::Endless) => Ok(respond(outgoing, Answer::endless)),
            Some(Fault::Error | Fault::Throttle) | None => Ok(respond(outgoing, Answer::whole)),
        }
    }

    fn timing(&self) -> (Duration, Duration) {
        let faults = &lock(&self.faults).faults;
        (
            Duration::try_from_secs_f64(faults.stall_seconds).unwrap_or(Duration::MAX),
            Duration::from_millis(faults.drip_milliseconds),
        )
    }

    /// What is answered, what goes wrong on the way, and how long it takes.
    fn decide(&self, head: &Parts, body: &Bytes) -> (Outgoing, Option<Fault>, Option<Duration>) {
        let request_id = self.request_id();
        let signature = Signature::read(&head.headers);
        let incoming = match protocol::read(head.uri.path(), &head.headers, signature, body) {
            Ok(incoming) => incoming,
            Err(Misunderstood {
                protocol,
                service,
                failure,
            }) => {
                let outgoing = protocol::write_failure(service, protocol, &failure, &request_id);
                return (outgoing, None, None);
            }
        };
        let (operation, service) = (incoming.operation, incoming.operation.service());
        let refuse = |failure: &Failure| {
            protocol::write_failure(service, incoming.protocol, failure, &request_id)
        };
        let token = head
            .headers
            .get("x-amz-security-token")
            .and_then(|token| token.to_str().ok());
        let origin = match self.origin(service, signature, token) {
            Ok(origin) => origin,
            Err(failure) => return (refuse(&failure), None, None),
        };
        let now = self.milliseconds();
        let account =
            Hash::new(self.options.seed).bytes(origin.caller.account.to_string().as_bytes());
        let call = account
            .number(operation as u64)
            .number(u64::from(origin.place))
            .bytes(body);
        let pause = self.options.latency.draw(call, &origin.region);
        let count = |fate| {
            lock(&self.counters).count(operation, origin.account, origin.place, fate);
        };
        let within_quota = !self.options.quotas
            || lock(&self.quotas).take(Quota::of(operation), origin.account, origin.place, now);
        if !within_quota {
            count(Fate::Throttled);
            return (refuse(&throttled(service)), None, pause);
        }
        let (fault, denied, lie) = {
            let mut faults = lock(&self.faults);
            // The action is a text of its own; most runs have nothing to ask it for.
            let idle = faults.faults == Faults::default();
            if idle {
                (None, false, None)
            } else {
                let action = operation.action();
                let denied = faults
                    .faults
                    .denials
                    .iter()
                    .any(|denial| denial.refuses(&action, &origin.region));
                let (caller, parameters) = (origin.caller.account, &incoming.parameters);
                let mut lies = faults.faults.lies.iter();
                let lie = lies.find(|lie| lie.is_told(caller, &action, parameters));
                let lie = lie.cloned();
                let drawn = || faults.draw(&action, account, call, now);
                let fault = lie.as_ref().and_then(Lie::fault).or_else(drawn);
                (fault, denied, lie)
            }
        };
        match fault {
            Some(Fault::Throttle) => {
                count(Fate::Throttled);
                return (refuse(&throttled(service)), fault, pause);
            }
            Some(Fault::Error) => {
                count(Fate::Spoilt);
                return (refuse(&broken(call)), fault, pause);
            }
            Some(Fault::Reset | Fault::Stall | Fault::Truncate) => count(Fate::Spoilt),
            Some(Fault::Drip | Fault::Endless) | None => {}
        }
        // A request whose answer is lost may well have been carried out.
        let mut answer = self.perform(&incoming, &origin, denied);
        if let Some(lie) = &lie {
            answer = lie.instead(answer, &incoming.parameters);
        }
        if !matches!(fault, Some(Fault::Reset | Fault::Stall | Fault::Truncate)) {
            count(if answer.is_ok() {
                Fate::Answered
            } else {
                Fate::Refused
            });
            if self.options.track_calls && answer.is_ok() {
                lock(&self.counters).call(format!(
                    "{} {} {} {}",
                    operation.action(),
                    origin.caller.account,
                    origin.region,
                    incoming.parameters
                ));
            }
        }
        let outgoing = match answer {
            Ok(answer) => protocol::write(operation, incoming.protocol, &answer, &request_id),
            Err(failure) => refuse(&failure),
        };
        let outgoing = match &lie {
            Some(lie) => lie.spoil(outgoing),
            None => outgoing,
        };
        (outgoing, fault, pause)
    }

    fn perform(&self, incoming: &Incoming, origin: &Origin, denied: bool) -> service::Answer {
        let operation = incoming.operation;
        let context = Context {
            caller: &origin.caller,
            region: &origin.region,
            now: now(),
            paging: Paging::Pages {
                empty_first: self.options.empty_pages,
            },
            parameters: Parameters(&incoming.parameters),
            session_limit: self.options.session_limit,
        };
        let allowed = self.read(|organization| {
            if denied {
                let why = "with an explicit deny in a service control policy";
                return Err(permission::denied(
                    organization,
                    &origin.caller,
                    operation,
                    why,
                ));
            }
            permission::check(organization, &origin.caller, &origin.region, operation)?;
            if operation.writes() {
                return Ok(None);
            }
            service::read(organization, operation, context).map(Some)
        })?;
        match allowed {
            Some(answer) => Ok(answer),
            None => self.write(|organization| service::write(organization, operation, context)),
        }
    }

    /// Who asks, and where.
    fn origin(
        &self,
        service: Service,
        signature: Option<Signature<'_>>,
        token: Option<&str>,
    ) -> Result<Origin, Failure> {
        let json = !matches!(service, Service::Sts | Service::Sns | Service::CloudWatch);
        let Some(signature) = signature else {
            return Err(Failure::denied(
                if json {
                    "MissingAuthenticationTokenException"
                } else {
                    "MissingAuthenticationToken"
                },
                "Missing Authentication Token",
            )
            .status(403));
        };
        self.read(|organization| {
            let user = |account| Caller {
                account,
                session: None,
                limit: None,
            };
            let caller = match credentials::identify(signature.access_key, token) {
                Identity::Default => user(organization.caller),
                Identity::Account(account) if organization.account(account).is_some() => {
                    user(account)
                }
                Identity::Session(caller, expires) if now() < expires => caller,
                Identity::Session(..) => {
                    return Err(Failure::denied(
                        if json {
                            "ExpiredTokenException"
                        } else {
                            "ExpiredToken"
                        },
                        "The security token included in the request is expired",
                    )
                    .status(if json { 400 } else { 403 }));
                }
                Identity::Account(_) | Identity::Unknown => {
                    return Err(Failure::denied(
                        if json {
                            "UnrecognizedClientException"
                        } else {
                            "InvalidClientTokenId"
                        },
                        "The security token included in the request is invalid.",
                    )
                    .status(if json { 400 } else { 403 }));
                }
            };
            let position = organization
                .regions
                .iter()
                .chain(&organization.opt_in_regions)
                .position(|region| region.as_str() == signature.region);
            let place = position
                .and_then(|position| u8::try_from(position).ok())
                .unwrap_or(u8::MAX);
            let region = region_at(organization, place)
                .cloned()
                .unwrap_or_else(|| Region::new(signature.region));
            Ok(Origin {
                account: organization
                    .account_index(caller.account)
                    .unwrap_or(0xffff_ffff),
                caller,
                region,
                place,
            })
        })
    }

    /// Different for every request, in the shape that AWS gives them.
    fn request_id(&self) -> String {
        let number = self.requests.fetch_add(1, Ordering::Relaxed);
        let mixed = Hash::new(self.options.seed).number(number).finish();
        format!(
            "{:08x}-{:04x}-4{:03x}-8{:03x}-{number:012x}",
            mixed >> 32,
            (mixed >> 16) & 0xffff,
            (mixed >> 4) & 0xfff,
            mixed & 0xfff,
        )
    }
}

/// A request that is being answered; it may be given up at any time.
struct Open<'a>(&'a Simulation);

impl Drop for Open<'_> {
    fn drop(&mut self) {
        lock(&self.0.counters).leave();
    }
}

/// A connection that is open.
#[derive(Debug)]
pub(super) struct Connected(Arc<Simulation>);

impl Drop for Connected {
    fn drop(&mut self) {
        lock(&self.0.counters).disconnected();
    }
}

fn lock<T>(mutex: &Mutex<T>) -> MutexGuard<'_, T> {
    mutex.lock().unwrap_or_else(PoisonError::into_inner)
}

fn region_at(organization: &Organization, place: u8) -> Option<&Region> {
    organization
        .regions
        .iter()
        .chain(&organization.opt_in_regions)
        .nth(usize::from(place))
}

/// The clock that sessions expire by and ages count from.
#[allow(
    clippy::disallowed_methods,
    reason = "this is the one clock of the simulator"
)]
fn now() -> Timestamp {
    Timestamp::now()
}

/// How each service says that there were too many requests.
fn throttled(service: Service) -> Failure {
    let (code, message, status) = match service {
        Service::Organizations => (
            "TooManyRequestsException",
            "You have sent too many requests in too short a period of time.",
            400,
        ),
        Service::Account => ("TooManyRequestsException", "Too Many Requests", 429),
        Service::Oam => ("ThrottlingException", "Rate exceeded", 429),
        Service::ObservabilityAdmin | Service::SecurityHub => {
            ("TooManyRequestsException", "Rate exceeded", 429)
        }
        Service::CloudTrail | Service::Logs | Service::Kms | Service::Events => {
            ("ThrottlingException", "Rate exceeded", 400)
        }
        Service::Sts | Service::CloudWatch | Service::Sns => ("Throttling", "Rate exceeded", 400),
    };
    Failure::new(ErrorClass::Throttled, code, message).status(status)
}

/// An error of the service itself, of one kind or the other.
fn broken(call: Hash) -> Failure {
    if call.finish().is_multiple_of(2) {
        Failure::new(
            ErrorClass::Unavailable,
            "InternalFailure",
            "We encountered an internal error.",
        )
        .status(500)
    } else {
        Failure::new(
            ErrorClass::Unavailable,
            "ServiceUnavailable",
            "Service is unavailable. Please try again later.",
        )
        .status(503)
    }
}

fn respond(outgoing: Outgoing, body: impl FnOnce(Bytes) -> Answer) -> Response<Answer> {
    let mut response = Response::new(body(outgoing.body));
    *response.status_mut() =
        StatusCode::from_u16(outgoing.status).unwrap_or(StatusCode::INTERNAL_SERVER_ERROR);
    for (name, value) in outgoing.headers {
        response.headers_mut().insert(name, value);
    }
    response
}
