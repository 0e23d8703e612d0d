//! Emulators and simulators of AWS as child processes: each on a port of its own, ready before it
//! is used, ended by its process id when it goes out of scope.

use std::fs::{self, File};
use std::io::{BufRead, BufReader, Read, Write};
use std::net::TcpStream;
use std::path::Path;
use std::process::{Child, Command, Stdio};
use std::time::Duration;

use tempfile::TempDir;
use xtask::{python, workspace};

use crate::binary;

/// How long a server may take to answer for the first time, on a busy machine.
const PATIENCE: Duration = Duration::from_mins(2);

/// A running server.
#[derive(Debug)]
pub struct Server {
    child: Child,
    port: u16,
    home: TempDir,
}

impl Server {
    /// ministack. With `authorization` it enforces IAM policies.
    ///
    /// # Panics
    ///
    /// When it does not start.
    pub fn ministack(authorization: bool) -> Self {
        let home = tempfile::tempdir().expect("a temporary folder can be made");
        let mut command = script("ministack_server.py", home.path());
        command.env("AUTH", if authorization { "true" } else { "false" });
        Self::start(command, home, "/_ministack/health")
    }

    /// moto, with the front that speaks CloudWatch's CBOR protocol.
    ///
    /// # Panics
    ///
    /// When it does not start.
    pub fn moto() -> Self {
        let home = tempfile::tempdir().expect("a temporary folder can be made");
        let command = script("moto_server.py", home.path());
        Self::start(command, home, "/moto-api/")
    }

    /// A server that writes `listening PORT` to stdout once its socket is bound.
    fn start(mut command: Command, home: TempDir, probe: &str) -> Self {
        let log = File::create(home.path().join("log")).expect("a log file can be made");
        let mut child = command
            .stdout(Stdio::piped())
            .stderr(log)
            .spawn()
            .unwrap_or_else(|error| panic!("{command:?}: {error}"));
        let mut output = BufReader::new(child.stdout.take().expect("stdout is a pipe"));
        let mut line = String::new();
        let port = loop {
            line.clear();
            let length = output.read_line(&mut line).unwrap_or_default();
            if let Some(port) = listening(&line) {
                break port;
            }
            assert_ne!(
                length,
                0,
                "the server ended before it listened:\n{}",
                fs::read_to_string(home.path().join("log")).unwrap_or_default()
            );
        };
        // The pipe is kept open and read, or a talkative server would stop writing.
        std::thread::spawn(move || std::io::copy(&mut output, &mut std::io::sink()));
        let server = Self { child, port, home };
        // The socket listens already: this request waits in its queue until the server is ready.
        let answer = server.get(probe);
        assert!(answer.starts_with("HTTP/1."), "{answer}\n{}", server.log());
        server
    }

    /// The simulated organization of `trailproof-simulator`, with its arguments.
    ///
    /// # Panics
    ///
    /// When it does not start.
    pub fn simulator(arguments: &[&str]) -> Self {
        let home = tempfile::tempdir().expect("a temporary folder can be made");
        let mut command = binary::scrubbed(binary::path("trailproof-simulator"), home.path());
        command.args(["--port", "0"]).args(arguments);
        Self::start(command, home, "/")
    }

    /// Where it listens, as `AWS_ENDPOINT_URL` wants it.
    pub fn endpoint(&self) -> String {
        format!("http://127.0.0.1:{}", self.port)
    }

    /// A folder that lasts as long as the server.
    pub fn home(&self) -> &Path {
        self.home.path()
    }

    /// What it wrote to stderr.
    pub fn log(&self) -> String {
        fs::read_to_string(self.home.path().join("log")).unwrap_or_default()
    }

    /// Its process id, for tests that stop and continue it.
    pub fn process_id(&self) -> u32 {
        self.child.id()
    }

    /// The whole answer to a GET request.
    pub fn get(&self, path: &str) -> String {
        self.request("GET", path, "")
    }

    /// The whole answer to a request with a JSON body.
    ///
    /// # Panics
    ///
    /// When the connection fails.
    pub fn request(&self, method: &str, path: &str, body: &str) -> String {
        let mut stream = TcpStream::connect(("127.0.0.1", self.port)).expect("the server listens");
        stream
            .set_read_timeout(Some(PATIENCE))
            .expect("a timeout can be set");
        write!(
            stream,
            "{method} {path} HTTP/1.1\r\nHost: localhost\r\nConnection: close\r\n\
             Content-Type: application/json\r\nContent-Length: {}\r\n\r\n{body}",
            body.len()
        )
        .expect("the server reads");
        let mut answer = Vec::new();
        // A server that resets after its answer has still answered.
        let _ = stream.read_to_end(&mut answer);
        String::from_utf8_lossy(&answer).into_owned()
    }
}

impl Drop for Server {
    fn drop(&mut self) {
        // It may have ended by itself; there is nothing to do about any failure here.
        let _ = self.child.kill();
        let _ = self.child.wait();
    }
}

/// The port of a line that announces it: `listening 4566`, or an endpoint on the loopback
/// interface anywhere in it.
fn listening(line: &str) -> Option<u16> {
    let rest = match line.split_once("http://127.0.0.1:") {
        Some((_, rest)) => rest,
        None => line.strip_prefix("listening ")?,
    };
    let end = rest
        .find(|character: char| !character.is_ascii_digit())
        .unwrap_or(rest.len());
    rest.get(..end)?.parse().ok()
}

/// One of the Python scripts of the tests, in the pinned environment.
///
/// # Panics
///
/// When the environment cannot be made.
pub fn script(name: &str, home: &Path) -> Command {
    let python = python::environment().unwrap_or_else(|message| panic!("{message}"));
    let mut command = binary::scrubbed(python, home);
    command
        .env("PYTHONDONTWRITEBYTECODE", "1")
        .arg(workspace::root().join("tests/python").join(name));
    command
}

#[cfg(test)]
mod tests {
    use super::listening;

    #[test]
    fn ports_are_read_from_announcements() {
        assert_eq!(listening("listening 4566\n"), Some(4566));
        let simulator = "AWS_ENDPOINT_URL=http://127.0.0.1:80 AWS_REGION=us-east-1 # 3 accounts\n";
        assert_eq!(listening(simulator), Some(80));
        assert_eq!(listening("starting\n"), None);
    }
}
