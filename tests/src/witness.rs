//! Somebody else with credentials: looks at accounts with boto3, and acts in them as a neighbour
//! would. Shares no code with what it watches.

use std::collections::BTreeMap;
use std::io::{BufRead, BufReader, Write};
use std::process::{Child, ChildStdin, ChildStdout, Stdio};
use std::sync::{Mutex, PoisonError};

use serde_json::{Value, json};
use tempfile::TempDir;

use crate::server;

/// The regions that are looked at: that of the chains, and one where nothing may ever appear.
const REGIONS: [&str; 2] = ["us-east-1", "eu-west-1"];

/// Every resource by `ACCOUNT REGION KIND NAME`.
pub type Resources = BTreeMap<String, Value>;

/// The witness.
#[derive(Debug)]
pub struct Witness {
    child: Child,
    pipes: Mutex<(ChildStdin, BufReader<ChildStdout>)>,
    // Its home and working folder.
    _home: TempDir,
}

impl Witness {
    /// A witness of `ministack`, `moto` or `simulator`.
    ///
    /// # Panics
    ///
    /// When Python cannot be started.
    pub fn of(emulator: &str, endpoint: &str, management: &str) -> Self {
        let home = tempfile::tempdir().expect("a temporary folder can be made");
        let mut child = server::script("witness.py", home.path())
            .args(["--emulator", emulator, "--endpoint", endpoint])
            .args(["--management", management])
            .stdin(Stdio::piped())
            .stdout(Stdio::piped())
            .spawn()
            .expect("python starts");
        let input = child.stdin.take().expect("stdin is a pipe");
        let output = child.stdout.take().expect("stdout is a pipe");
        Self {
            child,
            pipes: Mutex::new((input, BufReader::new(output))),
            _home: home,
        }
    }

    #[track_caller]
    fn ask(&self, question: &Value) -> Value {
        let mut line = String::new();
        {
            let mut pipes = self.pipes.lock().unwrap_or_else(PoisonError::into_inner);
            writeln!(pipes.0, "{question}").expect("the witness reads");
            pipes.1.read_line(&mut line).expect("the witness answers");
        }
        let mut answer: Value = serde_json::from_str(&line)
            .unwrap_or_else(|error| panic!("{question}: {error}: `{line}`"));
        assert!(answer.get("error").is_none(), "{question}: {answer}");
        answer["answer"].take()
    }

    /// Everything in these accounts.
    ///
    /// # Panics
    ///
    /// When something cannot be read.
    #[track_caller]
    pub fn resources(&self, accounts: &[String]) -> Resources {
        let answer = self.ask(&json!({ "dump": accounts, "regions": REGIONS }));
        serde_json::from_value(answer).expect("resources have names")
    }

    /// A call of boto3 in the region of the chains.
    ///
    /// # Panics
    ///
    /// When it fails.
    #[track_caller]
    #[allow(
        clippy::needless_pass_by_value,
        reason = "parameters are written where the call is"
    )]
    pub fn call(&self, account: &str, service: &str, operation: &str, parameters: Value) -> Value {
        self.ask(&json!({
            "account": account,
            "region": REGIONS[0],
            "service": service,
            "operation": operation,
            "parameters": parameters,
        }))
    }
}

impl Drop for Witness {
    fn drop(&mut self) {
        // It may have ended by itself; there is nothing to do about any failure here.
        let _ = self.child.kill();
        let _ = self.child.wait();
    }
}

/// What is there now and was not before.
///
/// # Panics
///
/// When something was changed or is gone.
#[track_caller]
pub fn added(before: &Resources, after: &Resources) -> Vec<String> {
    for (name, was) in before {
        match after.get(name) {
            None => panic!("{name} is gone; it was {was}"),
            Some(is) => assert!(is == was, "{name} was changed\nbefore {was}\nafter  {is}"),
        }
    }
    after
        .keys()
        .filter(|name| !before.contains_key(*name))
        .cloned()
        .collect()
}
