//! The way between a program and AWS, as large organizations have it: a proxy, a server whose
//! certificate is signed by a company's own authority, and what gives credentials. Everything is on
//! the loopback interface and keeps what it saw.

use std::fmt::Write as _;
use std::io::{self, BufRead, BufReader, Read, Write};
use std::net::{Shutdown, SocketAddr, TcpListener, TcpStream};
use std::sync::{Arc, Mutex, PoisonError};
use std::thread;
use std::time::Duration;

use rcgen::{BasicConstraints, CertificateParams, DnType, IsCa, Issuer, KeyPair};
use rustls::pki_types::{PrivateKeyDer, PrivatePkcs8KeyDer};
use rustls::{ServerConfig, ServerConnection, StreamOwned};

/// What was seen, in order.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Seen {
    /// The proxy was asked for this, with this user and password.
    Proxied {
        /// `CONNECT host:port`, or the method and the whole URL.
        request: String,
        /// The content of `Proxy-Authorization`, as it was sent.
        authorization: Option<String>,
    },
    /// A client broke off because it did not accept the certificate.
    Refused,
    /// A request came to its end.
    Request {
        /// The service it was signed for; empty when it was not signed.
        service: String,
        /// The access key that signed it.
        access_key: String,
        /// The `Host` header.
        host: String,
    },
}

/// How the proxy answers.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum ProxyAnswer {
    /// As a proxy should.
    Works,
    /// With this status and reason.
    Status(u16),
    /// Not in HTTP.
    Garbage,
}

/// An authority that signs certificates.
#[derive(Debug)]
pub struct Authority {
    key: KeyPair,
    params: CertificateParams,
    /// Its own certificate, as PEM.
    pub pem: String,
}

impl Default for Authority {
    fn default() -> Self {
        let key = KeyPair::generate().expect("a key can be made");
        let mut params = CertificateParams::new(Vec::new()).expect("no names are valid names");
        // Two certificates of one name would count as one that signed itself.
        params
            .distinguished_name
            .push(DnType::CommonName, "An authority of the tests");
        params.is_ca = IsCa::Ca(BasicConstraints::Unconstrained);
        let pem = params.self_signed(&key).expect("it can be signed").pem();
        Self { key, params, pem }
    }
}

/// The names that the server has a certificate for.
const NAMES: [&str; 7] = [
    "localhost",
    "127.0.0.1",
    "*.us-east-1.amazonaws.com",
    "*.sso.us-east-1.amazonaws.com",
    "*.signin.aws.amazon.com",
    "*.amazonaws.com",
    "*.us-east-1.api.aws",
];

impl Authority {
    fn server(&self) -> Arc<ServerConfig> {
        let key = KeyPair::generate().expect("a key can be made");
        let names: Vec<String> = NAMES.map(str::to_owned).to_vec();
        let mut params = CertificateParams::new(names).expect("the names are valid");
        params
            .distinguished_name
            .push(DnType::CommonName, "A server of the tests");
        let issuer = Issuer::from_params(&self.params, &self.key);
        let certificate = params.signed_by(&key, &issuer).expect("it can be signed");
        let key = PrivateKeyDer::Pkcs8(PrivatePkcs8KeyDer::from(key.serialize_der()));
        let provider = Arc::new(rustls::crypto::aws_lc_rs::default_provider());
        let config = ServerConfig::builder_with_provider(provider)
            .with_safe_default_protocol_versions()
            .expect("the versions are supported")
            .with_no_client_auth()
            .with_single_cert(vec![certificate.der().clone()], key)
            .expect("key and certificate fit");
        Arc::new(config)
    }
}

/// The sessions of a network in which one of them expires.
#[derive(Debug, Default)]
struct Sessions {
    requests: usize,
    expired: Option<String>,
    refused: usize,
}

/// How many requests with a session token are answered before the session at hand expires.
const BEFORE_EXPIRY: usize = 3;

impl Sessions {
    /// Whether a request is refused, because its session has expired.
    fn refuses(&mut self, token: Option<&str>) -> bool {
        let Some(token) = token else {
            return false;
        };
        self.requests += 1;
        if self.requests > BEFORE_EXPIRY {
            self.expired.get_or_insert_with(|| token.to_owned());
        }
        let expired = self.expired.as_deref() == Some(token);
        self.refused += usize::from(expired);
        expired
    }
}

/// A network with its origin behind it.
#[derive(Debug)]
pub struct Network {
    /// Where the proxy listens.
    pub proxy: SocketAddr,
    /// Where the origin listens with TLS.
    pub tls: SocketAddr,
    /// Where it listens without.
    pub plain: SocketAddr,
    seen: Log,
    sessions: Option<Arc<Mutex<Sessions>>>,
}

type Log = Arc<Mutex<Vec<Seen>>>;

fn note(log: &Log, seen: Seen) {
    log.lock()
        .unwrap_or_else(PoisonError::into_inner)
        .push(seen);
}

impl Network {
    /// A network in front of a server that speaks plain HTTP.
    ///
    /// # Panics
    ///
    /// When no port is free.
    pub fn new(origin: SocketAddr, authority: &Authority, answer: ProxyAnswer) -> Self {
        Self::with(origin, authority, answer, None)
    }

    /// A network in which the session that is used after a few requests expires: AWS refuses it from
    /// then on.
    ///
    /// # Panics
    ///
    /// When no port is free.
    pub fn expiring(origin: SocketAddr, authority: &Authority) -> Self {
        let sessions = Some(Arc::default());
        Self::with(origin, authority, ProxyAnswer::Works, sessions)
    }

    fn with(
        origin: SocketAddr,
        authority: &Authority,
        answer: ProxyAnswer,
        sessions: Option<Arc<Mutex<Sessions>>>,
    ) -> Self {
        let seen = Log::default();
        let listener = || TcpListener::bind("127.0.0.1:0").expect("a port is free");
        let (proxy, tls, plain) = (listener(), listener(), listener());
        let address = |listener: &TcpListener| listener.local_addr().expect("it is bound");
        let network = Self {
            proxy: address(&proxy),
            tls: address(&tls),
            plain: address(&plain),
            seen: Arc::clone(&seen),
            sessions: sessions.clone(),
        };
        let log = Arc::clone(&seen);
        let config = authority.server();
        let of_tls = sessions.clone();
        serve(tls, move |stream| {
            let Ok(connection) = ServerConnection::new(Arc::clone(&config)) else {
                return;
            };
            let mut stream = StreamOwned::new(connection, stream);
            while stream.conn.is_handshaking() {
                if stream.conn.complete_io(&mut stream.sock).is_err() {
                    note(&log, Seen::Refused);
                    return;
                }
            }
            match forward(&mut stream, origin, &log, of_tls.as_deref()) {
                // With TLS 1.3 a client refuses after the handshake.
                Err(error) if error.kind() == io::ErrorKind::InvalidData => {
                    note(&log, Seen::Refused);
                }
                _ => {
                    stream.conn.send_close_notify();
                    let _ = stream.flush();
                }
            }
        });
        let log = Arc::clone(&seen);
        serve(plain, move |mut stream| {
            let _ = forward(&mut stream, origin, &log, sessions.as_deref());
        });
        let (tls, plain) = (network.tls, network.plain);
        serve(proxy, move |stream| {
            let _ = proxied(stream, answer, tls, plain, &seen);
        });
        network
    }

    /// How many requests were refused because their session had expired.
    pub fn refused(&self) -> usize {
        self.sessions.as_ref().map_or(0, |sessions| {
            sessions
                .lock()
                .unwrap_or_else(PoisonError::into_inner)
                .refused
        })
    }

    /// What was seen so far.
    pub fn seen(&self) -> Vec<Seen> {
        self.seen
            .lock()
            .unwrap_or_else(PoisonError::into_inner)
            .clone()
    }
}

/// Serves each connection on a thread of its own, until the test ends.
fn serve(listener: TcpListener, answer: impl Fn(TcpStream) + Send + Sync + 'static) {
    let answer = Arc::new(answer);
    thread::spawn(move || {
        for stream in listener.incoming().flatten() {
            let answer = Arc::clone(&answer);
            let _ = stream.set_read_timeout(Some(Duration::from_mins(1)));
            thread::spawn(move || answer(stream));
        }
    });
}

/// The head of a request, up to the empty line.
fn head(reader: &mut impl BufRead) -> io::Result<Vec<String>> {
    let mut lines = Vec::new();
    loop {
        let mut line = String::new();
        if reader.read_line(&mut line)? == 0 {
            return Err(io::ErrorKind::UnexpectedEof.into());
        }
        match line.trim_end() {
            "" if lines.is_empty() => {}
            "" => return Ok(lines),
            line => lines.push(line.to_owned()),
        }
    }
}

fn header<'a>(lines: &'a [String], name: &str) -> Option<&'a str> {
    lines.iter().skip(1).find_map(|line| {
        let (found, value) = line.split_once(':')?;
        found.eq_ignore_ascii_case(name).then(|| value.trim())
    })
}

/// Between two quotes of the text around them.
fn between<'a>(text: &'a str, before: &str, after: char) -> Option<&'a str> {
    let (_, rest) = text.split_once(before)?;
    rest.split(after).next()
}

/// Answers one request with what the origin says, or with credentials.
fn forward(
    stream: &mut (impl Read + Write),
    origin: SocketAddr,
    log: &Log,
    sessions: Option<&Mutex<Sessions>>,
) -> io::Result<()> {
    let (lines, body) = {
        let mut reader = BufReader::new(&mut *stream);
        let lines = head(&mut reader)?;
        let length = header(&lines, "content-length").and_then(|length| length.parse().ok());
        let mut body = vec![0; length.unwrap_or(0)];
        reader.read_exact(&mut body)?;
        (lines, body)
    };
    let authorization = header(&lines, "authorization").unwrap_or_default();
    let scope: Vec<&str> = between(authorization, "Credential=", ',')
        .unwrap_or_default()
        .split('/')
        .collect();
    let part = |index: usize| scope.get(index).copied().unwrap_or_default().to_owned();
    note(
        log,
        Seen::Request {
            service: part(3),
            access_key: part(0),
            host: header(&lines, "host").unwrap_or_default().to_owned(),
        },
    );
    let given_out = log.lock().unwrap_or_else(PoisonError::into_inner).len();
    if let Some(given) = credentials(&lines, &String::from_utf8_lossy(&body), given_out) {
        return write!(
            stream,
            "HTTP/1.1 200 OK\r\nConnection: close\r\nContent-Length: {}\r\n\
             x-aws-ec2-metadata-token-ttl-seconds: 600\r\n\r\n{given}",
            given.len()
        );
    }
    let token = header(&lines, "x-amz-security-token");
    if let Some(sessions) = sessions
        && sessions
            .lock()
            .unwrap_or_else(PoisonError::into_inner)
            .refuses(token)
    {
        let error = expired(&part(3));
        return write!(
            stream,
            "HTTP/1.1 400 Bad Request\r\nConnection: close\r\nContent-Length: {}\r\n\r\n{error}",
            error.len()
        );
    }
    let mut request = format!("{}\r\nConnection: close\r\n", lines[0]);
    for line in lines.iter().skip(1) {
        if !line.to_ascii_lowercase().starts_with("connection:") {
            let _ = write!(request, "{line}\r\n");
        }
    }
    let mut upstream = TcpStream::connect(origin)?;
    upstream.write_all(request.as_bytes())?;
    upstream.write_all(b"\r\n")?;
    upstream.write_all(&body)?;
    let mut answer = Vec::new();
    upstream.read_to_end(&mut answer)?;
    stream.write_all(&answer)?;
    stream.flush()
}

/// How a service says that a session has expired.
fn expired(service: &str) -> String {
    const MESSAGE: &str = "The security token included in the request is expired";
    match service {
        "sts" | "sns" => format!(
            "<ErrorResponse><Error><Type>Sender</Type><Code>ExpiredToken</Code>\
             <Message>{MESSAGE}</Message></Error><RequestId>1</RequestId></ErrorResponse>"
        ),
        _ => format!(r#"{{"__type":"ExpiredTokenException","message":"{MESSAGE}"}}"#),
    }
}

/// When the credentials that are given out expire: after the time of the tests.
const EXPIRATION: &str = "2096-01-01T00:00:00Z";

/// Credentials, whose access key is the number of an account, for whoever asks where AWS has them;
/// the number makes their session one of its own.
fn credentials(lines: &[String], body: &str, number: usize) -> Option<String> {
    let target = lines[0].split(' ').nth(1).unwrap_or_default();
    let path = target.split('?').next().unwrap_or_default();
    let document = |key: &str| {
        format!(
            r#"{{"Code":"Success","Type":"AWS-HMAC","AccessKeyId":"{key}","SecretAccessKey":"s","Token":"t{number}","Expiration":"{EXPIRATION}","LastUpdated":"2026-01-01T00:00:00Z"}}"#
        )
    };
    Some(match path {
        // IAM Identity Center.
        "/federation/credentials" => {
            format!(
                r#"{{"roleCredentials":{{"accessKeyId":"222222222222","secretAccessKey":"s","sessionToken":"t{number}","expiration":3976214400000}}}}"#
            )
        }
        "/container" => document("333333333333"),
        "/latest/api/token" => "token".to_owned(),
        "/latest/meta-data/iam/security-credentials/" => "role".to_owned(),
        "/latest/meta-data/iam/security-credentials/role" => document("444444444444"),
        // AWS Sign-In, in exchange for a refresh token.
        "/v1/token" if !body.contains(r#""over""#) => format!(
            r#"{{"accessToken":{{"accessKeyId":"777777777777","secretAccessKey":"s","sessionToken":"t{number}"}},"tokenType":"aws_sigv4","expiresIn":900,"refreshToken":"r{number}"}}"#
        ),
        // The roles of a profile; those of members are the simulator's.
        _ if body.contains("Action=AssumeRole&") && body.contains("role%2Fprofile-") => format!(
            r#"<AssumeRoleResponse xmlns="https://sts.amazonaws.com/doc/2011-06-15/"><AssumeRoleResult><Credentials><AccessKeyId>555555555555</AccessKeyId><SecretAccessKey>s</SecretAccessKey><SessionToken>t{number}</SessionToken><Expiration>{EXPIRATION}</Expiration></Credentials><AssumedRoleUser><Arn>arn:aws:sts::555555555555:assumed-role/r/s</Arn><AssumedRoleId>A:s</AssumedRoleId></AssumedRoleUser></AssumeRoleResult><ResponseMetadata><RequestId>1</RequestId></ResponseMetadata></AssumeRoleResponse>"#
        ),
        _ if body.contains("Action=AssumeRoleWithWebIdentity") => format!(
            r#"<AssumeRoleWithWebIdentityResponse xmlns="https://sts.amazonaws.com/doc/2011-06-15/"><AssumeRoleWithWebIdentityResult><Credentials><AccessKeyId>555555555555</AccessKeyId><SecretAccessKey>s</SecretAccessKey><SessionToken>t{number}</SessionToken><Expiration>{EXPIRATION}</Expiration></Credentials><AssumedRoleUser><Arn>arn:aws:sts::555555555555:assumed-role/r/s</Arn><AssumedRoleId>A:s</AssumedRoleId></AssumedRoleUser></AssumeRoleWithWebIdentityResult><ResponseMetadata><RequestId>1</RequestId></ResponseMetadata></AssumeRoleWithWebIdentityResponse>"#
        ),
        _ => return None,
    })
}

/// Answers one connection as a proxy: whatever host is asked for, it is the origin.
fn proxied(
    mut client: TcpStream,
    answer: ProxyAnswer,
    tls: SocketAddr,
    plain: SocketAddr,
    log: &Log,
) -> io::Result<()> {
    let mut reader = BufReader::new(client.try_clone()?);
    let lines = head(&mut reader)?;
    let mut words = lines[0].split(' ');
    let method = words.next().unwrap_or_default().to_owned();
    let target = words.next().unwrap_or_default().to_owned();
    note(
        log,
        Seen::Proxied {
            request: format!("{method} {target}"),
            authorization: header(&lines, "proxy-authorization").map(str::to_owned),
        },
    );
    match answer {
        ProxyAnswer::Works => {}
        ProxyAnswer::Status(status) => {
            return write!(
                client,
                "HTTP/1.1 {status} Sorry\r\nContent-Type: text/html\r\nConnection: close\r\n\
                 Content-Length: 15\r\n\r\n<html>No</html>"
            );
        }
        ProxyAnswer::Garbage => return client.write_all(b"220 mail.example.com ESMTP\r\n"),
    }
    let upstream = if method == "CONNECT" {
        client.write_all(b"HTTP/1.1 200 Connection established\r\n\r\n")?;
        TcpStream::connect(tls)?
    } else {
        let mut upstream = TcpStream::connect(plain)?;
        let rest = target.splitn(4, '/').nth(3).unwrap_or_default();
        let mut request = format!("{method} /{rest} HTTP/1.1\r\n");
        for line in lines.iter().skip(1) {
            let _ = write!(request, "{line}\r\n");
        }
        request.push_str("\r\n");
        upstream.write_all(request.as_bytes())?;
        upstream
    };
    upstream.set_read_timeout(Some(Duration::from_mins(1)))?;
    let (mut back, mut to_client) = (upstream.try_clone()?, client.try_clone()?);
    let answering = thread::spawn(move || {
        let _ = io::copy(&mut back, &mut to_client);
        let _ = to_client.shutdown(Shutdown::Both);
    });
    let mut upstream = upstream;
    let _ = io::copy(&mut reader, &mut upstream);
    let _ = upstream.shutdown(Shutdown::Write);
    let _ = answering.join();
    Ok(())
}
