//! `pattern match` beside `jq` and `grep`, on the same generated log files.

use std::fs::{self, File};
use std::io::{BufWriter, Write};
use std::path::{Path, PathBuf};
use std::process::Command;
use std::time::{Duration, Instant};

use xtask::workspace;

/// How many files are generated.
const FILES: usize = 4;
/// How large each of them is, in events of about a kilobyte.
const EVENTS: usize = 60_000;
const ROUNDS: usize = 3;
const PATTERN: &str =
    r#"{ $.eventName = "ConsoleLogin" && $.errorMessage = "Failed authentication" }"#;
const JQ: &str =
    r#"select(.eventName == "ConsoleLogin" and .errorMessage == "Failed authentication")"#;

/// Generates the files and measures. Programs that are not installed are left out.
pub(super) fn run(trailproof: &Path) -> Result<(), String> {
    let folder = workspace::target().join("bench");
    let paths: Vec<PathBuf> = (0..FILES)
        .map(|number| folder.join(format!("pattern-match-{number}.ndjson")))
        .collect();
    let written = fs::create_dir_all(&folder).and_then(|()| {
        paths
            .iter()
            .map(|path| generate(path))
            .sum::<std::io::Result<u64>>()
    });
    let bytes = written.map_err(|error| format!("the log files cannot be written: {error}"))?;
    println!(
        "{FILES} files of {EVENTS} events each, one a line, {} MB",
        bytes / 1_000_000
    );
    let mut ours = Command::new(trailproof);
    ours.args(["pattern", "match", "--count", "--pattern", PATTERN]);
    let mut jq = Command::new("jq");
    jq.args(["-c", JQ]);
    let mut grep = Command::new("grep");
    grep.args(["-c", "\"errorMessage\":\"Failed authentication\""]);
    for (name, mut command) in [("trailproof", ours), ("jq -c", jq), ("grep -c", grep)] {
        command.args(&paths);
        match best(&mut command) {
            Ok(best) => println!(
                "{name}: {:.0} MB/s, {}",
                rate(bytes, best.wall),
                best.cpu.map_or_else(String::new, |cpu| format!(
                    "{:.0} MB per second of CPU time",
                    rate(bytes, cpu)
                ))
            ),
            Err(error) => println!("{name}: not measured, {error}"),
        }
    }
    Ok(())
}

#[allow(
    clippy::cast_precision_loss,
    reason = "files of some hundred megabytes, and a figure without decimals"
)]
fn rate(bytes: u64, time: Duration) -> f64 {
    bytes as f64 / 1e6 / time.as_secs_f64().max(1e-9)
}

struct Times {
    wall: Duration,
    cpu: Option<Duration>,
}

/// The shortest of several rounds: everything else a machine does only adds to it.
fn best(command: &mut Command) -> Result<Times, String> {
    let mut best: Option<Times> = None;
    for _ in 0..ROUNDS {
        let (start, before) = (Instant::now(), children());
        // Read, not thrown away: `grep` stops at the first match when its output goes nowhere.
        let output = command.output().map_err(|error| error.to_string())?;
        let wall = start.elapsed();
        let cpu = children().and_then(|after| Some(after.saturating_sub(before?)));
        if !output.status.success() {
            return Err(format!("it ended with {}", output.status));
        }
        best = Some(match best {
            Some(best) => Times {
                wall: best.wall.min(wall),
                cpu: best.cpu.min(cpu),
            },
            None => Times { wall, cpu },
        });
    }
    best.ok_or_else(|| "no round was made".to_owned())
}

/// The CPU time of the processes that ended, where the system tells: user and system time in
/// hundredths of a second are the fields 16 and 17 of Linux's `/proc/self/stat`.
fn children() -> Option<Duration> {
    let text = fs::read_to_string("/proc/self/stat").ok()?;
    let (_, fields) = text.rsplit_once(") ")?;
    let mut fields = fields.split(' ').skip(13);
    let user: u64 = fields.next()?.parse().ok()?;
    let system: u64 = fields.next()?.parse().ok()?;
    Some(Duration::from_millis((user + system) * 10))
}

/// Writes events as CloudTrail sends them to a log group, one in fifty a failed sign-in.
fn generate(path: &Path) -> std::io::Result<u64> {
    let mut out = BufWriter::new(File::create(path)?);
    for number in 0..EVENTS {
        let (source, name, outcome) = match number % 50 {
            0 => (
                "signin",
                "ConsoleLogin",
                r#""errorMessage":"Failed authentication","responseElements":{"ConsoleLogin":"Failure"}"#,
            ),
            1 => (
                "signin",
                "ConsoleLogin",
                r#""responseElements":{"ConsoleLogin":"Success"}"#,
            ),
            part if part % 2 == 0 => (
                "ec2",
                "DescribeInstances",
                r#""requestParameters":{"instancesSet":{},"filterSet":{"items":[{"name":"instance-state-name","valueSet":{"items":[{"value":"running"},{"value":"pending"}]}}]}},"responseElements":null"#,
            ),
            _ => (
                "sts",
                "AssumeRole",
                r#""requestParameters":{"roleArn":"arn:aws:iam::111122223333:role/service-role/Reader","roleSessionName":"reader","durationSeconds":3600},"responseElements":{"credentials":{"accessKeyId":"ASIAEXAMPLE","expiration":"Jan 1, 2026, 1:00:00 AM"}}"#,
            ),
        };
        let (hour, minute, second) = (number / 3600 % 24, number / 60 % 60, number % 60);
        writeln!(
            out,
            r#"{{"eventVersion":"1.11","userIdentity":{{"type":"AssumedRole","principalId":"AROAEXAMPLE:session-{number}","arn":"arn:aws:sts::111122223333:assumed-role/Application/session-{number}","accountId":"111122223333","accessKeyId":"ASIAEXAMPLE","sessionContext":{{"sessionIssuer":{{"type":"Role","principalId":"AROAEXAMPLE","arn":"arn:aws:iam::111122223333:role/Application","accountId":"111122223333","userName":"Application"}},"attributes":{{"creationDate":"2026-01-01T00:00:00Z","mfaAuthenticated":"false"}}}}}},"eventTime":"2026-01-01T{hour:02}:{minute:02}:{second:02}Z","eventSource":"{source}.amazonaws.com","eventName":"{name}","awsRegion":"us-east-1","sourceIPAddress":"198.51.100.{}","userAgent":"aws-sdk-rust/1.3 os/linux lang/rust",{outcome},"requestID":"{number:08x}-0000-4000-8000-000000000000","eventID":"{number:08x}-0000-4000-8000-000000000001","readOnly":true,"eventType":"AwsApiCall","managementEvent":true,"recipientAccountId":"111122223333","eventCategory":"Management"}}"#,
            number % 250
        )?;
    }
    out.flush()?;
    Ok(fs::metadata(path)?.len())
}
