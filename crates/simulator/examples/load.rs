//! Measures how many requests the simulator answers: `cargo run --release --example load`.
//!
//! Clients on plain sockets ask for the trails, filters, alarms and topics of random members, with
//! one request open on each connection. What counts is the processor time that the server's
//! thread used: it says what one core could do, whatever the clients cost.

#![allow(
    clippy::unwrap_used,
    clippy::indexing_slicing,
    clippy::print_stdout,
    clippy::exit,
    reason = "a measurement that nobody builds upon"
)]

use std::io::{Read, Write};
use std::net::{SocketAddr, TcpStream};
use std::sync::atomic::{AtomicU64, Ordering};
use std::time::{Duration, Instant};

use trailproof_simulator::generator::{Generator, Mix};
use trailproof_simulator::{Options, Server};

const CONNECTIONS: usize = 64;
const ACCOUNTS: usize = 10_000;

static ANSWERED: AtomicU64 = AtomicU64::new(0);

fn main() {
    let organization = Generator {
        accounts: ACCOUNTS,
        regions: 17,
        seed: 7,
        mix: Mix::Realistic,
        denied: None,
    }
    .organization()
    .unwrap();
    println!("{ACCOUNTS} accounts: {} MiB", resident());
    let members: Vec<String> = organization
        .accounts()
        .iter()
        .map(|account| account.id.to_string())
        .collect();
    let options = Options {
        quotas: std::env::args().any(|argument| argument == "--quotas"),
        ..Options::default()
    };
    let running = Server::start(organization, options).unwrap();
    let address = running.address();
    for client in 0..CONNECTIONS {
        let members = members.clone();
        std::thread::spawn(move || ask(address, client, &members));
    }
    std::thread::sleep(Duration::from_secs(1));
    let (asked, used, at) = (
        ANSWERED.load(Ordering::Relaxed),
        processor(),
        Instant::now(),
    );
    std::thread::sleep(Duration::from_secs(5));
    let asked = ANSWERED.load(Ordering::Relaxed) - asked;
    let (used, wall) = (processor() - used, at.elapsed().as_secs_f64());
    #[allow(clippy::cast_precision_loss, reason = "a measurement")]
    let asked = asked as f64;
    println!("{:.0} requests per second of wall time", asked / wall);
    println!(
        "{:.0} requests per second of the server's processor time",
        asked / used
    );
    println!("{:.1} microseconds per request", used / asked * 1e6);
    println!("{} MiB at the end", resident());
    std::process::exit(0);
}

fn ask(address: SocketAddr, client: usize, members: &[String]) {
    let mut stream = TcpStream::connect(address).unwrap();
    stream.set_nodelay(true).unwrap();
    let mut buffer = vec![0; 1 << 16];
    for number in client.. {
        let member = &members[number * 7919 % members.len()];
        let request = request(number % 4, member);
        stream.write_all(request.as_bytes()).unwrap();
        let mut filled = 0;
        loop {
            filled += stream.read(&mut buffer[filled..]).unwrap();
            if complete(&buffer[..filled]) {
                break;
            }
        }
        ANSWERED.fetch_add(1, Ordering::Relaxed);
    }
}

fn request(kind: usize, member: &str) -> String {
    let topic = format!("arn%3Aaws%3Asns%3Aus-east-1%3A{member}%3Asecurity-alarms");
    let (path, target, content, service, body) = match kind {
        0 => (
            "/",
            "com.amazonaws.cloudtrail.v20131101.CloudTrail_20131101.DescribeTrails",
            "application/x-amz-json-1.1",
            "cloudtrail",
            r#"{"includeShadowTrails":true}"#.to_owned(),
        ),
        1 => (
            "/",
            "Logs_20140328.DescribeMetricFilters",
            "application/x-amz-json-1.1",
            "logs",
            r#"{"logGroupName":"cloudtrail"}"#.to_owned(),
        ),
        2 => (
            "/service/GraniteServiceVersion20100801/operation/DescribeAlarms",
            "",
            "application/cbor",
            "monitoring",
            String::new(),
        ),
        _ => (
            "/",
            "",
            "application/x-www-form-urlencoded",
            "sns",
            format!("Action=GetTopicAttributes&Version=2010-03-31&TopicArn={topic}"),
        ),
    };
    let target = match target {
        "" => String::new(),
        target => format!("x-amz-target: {target}\r\n"),
    };
    format!(
        "POST {path} HTTP/1.1\r\nhost: localhost\r\ncontent-type: {content}\r\n{target}\
         authorization: AWS4-HMAC-SHA256 Credential={member}/20261122/us-east-1/{service}/\
         aws4_request, SignedHeaders=host;x-amz-date, Signature=0000\r\n\
         x-amz-date: 20261122T220000Z\r\nuser-agent: load\r\ncontent-length: {}\r\n\r\n{body}",
        body.len()
    )
}

/// Whether a whole answer is there.
fn complete(bytes: &[u8]) -> bool {
    let Some(end) = bytes.windows(4).position(|window| window == b"\r\n\r\n") else {
        return false;
    };
    let head = String::from_utf8_lossy(&bytes[..end]).to_lowercase();
    let length: usize = head
        .split_once("content-length: ")
        .and_then(|(_, rest)| rest.lines().next()?.parse().ok())
        .unwrap();
    bytes.len() >= end + 4 + length
}

/// Seconds of processor time of the server's threads.
fn processor() -> f64 {
    let mut ticks = 0;
    for task in std::fs::read_dir("/proc/self/task").unwrap().flatten() {
        let stat = std::fs::read_to_string(task.path().join("stat")).unwrap_or_default();
        let Some((name, rest)) = stat.rsplit_once(')') else {
            continue;
        };
        if name.contains("(simulator-") {
            let fields: Vec<&str> = rest.split_whitespace().collect();
            ticks += fields[11].parse::<u64>().unwrap() + fields[12].parse::<u64>().unwrap();
        }
    }
    #[allow(clippy::cast_precision_loss, reason = "a measurement")]
    let ticks = ticks as f64;
    // The kernel's clock ticks, a hundred a second on every Linux that matters here.
    ticks / 100.0
}

/// Resident memory, in MiB.
fn resident() -> u64 {
    let status = std::fs::read_to_string("/proc/self/status").unwrap();
    let line = status
        .lines()
        .find(|line| line.starts_with("VmRSS"))
        .unwrap();
    let kilobytes: u64 = line.split_whitespace().nth(1).unwrap().parse().unwrap();
    kilobytes / 1024
}
