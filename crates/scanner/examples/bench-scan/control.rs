//! The simulator: starting it, and asking it what it saw.

use std::io::{BufRead, BufReader, Read, Write};
use std::net::TcpStream;
use std::path::PathBuf;
use std::process::{Child, Command, Stdio};
use std::sync::atomic::{AtomicUsize, Ordering};
use std::time::Duration;

use serde_json::Value;

use crate::{Outcome, process};

/// A simulator in a process of its own, ended with this value.
#[derive(Debug)]
pub(crate) struct Simulator {
    child: Child,
    /// The certificate that it wrote.
    certificate: Option<PathBuf>,
    variables: Vec<(String, String)>,
    /// Host and port.
    pub(crate) address: String,
}

impl Simulator {
    /// Starts it, with TLS or without, and waits until it serves.
    pub(crate) fn start(command: &mut Command, tls: bool) -> Outcome<Self> {
        static STARTED: AtomicUsize = AtomicUsize::new(0);
        let certificate = tls.then(|| {
            let number = STARTED.fetch_add(1, Ordering::Relaxed);
            let name = format!("trailproof-bench-{}-{number}.pem", std::process::id());
            std::env::temp_dir().join(name)
        });
        if let Some(file) = &certificate {
            command.arg("--https-proxy").arg(file);
        }
        let mut child = command.stdout(Stdio::piped()).spawn()?;
        let mut line = String::new();
        let stdout = child.stdout.take().ok_or("no output of the simulator")?;
        BufReader::new(stdout).read_line(&mut line)?;
        // One line of assignments, then a comment.
        let variables: Vec<(String, String)> = line
            .split('#')
            .next()
            .unwrap_or_default()
            .split_whitespace()
            .filter_map(|word| word.split_once('='))
            .map(|(name, value)| (name.to_owned(), value.to_owned()))
            .collect();
        let address = variables
            .iter()
            .find(|(name, _)| matches!(name.as_str(), "AWS_ENDPOINT_URL" | "HTTPS_PROXY"))
            .and_then(|(_, url)| url.strip_prefix("http://"))
            .ok_or(format!("the simulator said: {line}"))?
            .to_owned();
        Ok(Self {
            child,
            certificate,
            variables,
            address,
        })
    }

    /// The processor time it has taken so far.
    pub(crate) fn cpu(&self) -> Outcome<Duration> {
        process::cpu_of(self.child.id())
    }

    /// Points a program at the simulator, whatever the environment says.
    pub(crate) fn environment(&self, command: &mut Command) {
        for (name, _) in std::env::vars().filter(|(name, _)| name.starts_with("AWS_")) {
            command.env_remove(name);
        }
        command.env("AWS_EC2_METADATA_DISABLED", "true");
        command.envs(self.variables.iter().map(|(name, value)| (name, value)));
    }
}

impl Drop for Simulator {
    fn drop(&mut self) {
        let _ = self.child.kill();
        let _ = self.child.wait();
        if let Some(file) = &self.certificate {
            let _ = std::fs::remove_file(file);
        }
    }
}

/// What the simulator answers under its own paths.
pub(crate) fn get(address: &str, path: &str) -> Outcome<Value> {
    Ok(serde_json::from_str(&exchange(address, path)?)?)
}

fn exchange(address: &str, path: &str) -> Outcome<String> {
    let mut stream = TcpStream::connect(address)?;
    write!(
        stream,
        "GET /_trailproof/{path} HTTP/1.1\r\nHost: {address}\r\n\
         Connection: close\r\n\r\n"
    )?;
    let mut response = String::new();
    stream.read_to_string(&mut response)?;
    let (head, body) = response.split_once("\r\n\r\n").ok_or("no answer")?;
    if head.split_whitespace().nth(1) == Some("200") {
        Ok(body.to_owned())
    } else {
        Err(format!("{path}: {body}").into())
    }
}
