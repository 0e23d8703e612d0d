//! A way between a program and a server at which the program can be killed, exactly before or
//! exactly after one of its changes has reached the server.

use std::io::{BufRead, BufReader, Read, Write};
use std::net::{SocketAddr, TcpListener, TcpStream};
use std::process::{Child, ExitStatus};
use std::sync::atomic::{AtomicUsize, Ordering};
use std::sync::{Arc, Mutex, PoisonError};

/// When the program is killed.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Moment {
    /// The change with this number, counted from 0, never reaches the server.
    Before(usize),
    /// It does, and the program never hears of it.
    After(usize),
}

/// The way.
#[derive(Debug)]
pub struct Cutting {
    address: SocketAddr,
    cut: Arc<Cut>,
}

#[derive(Debug)]
struct Cut {
    server: SocketAddr,
    moment: Moment,
    changes: AtomicUsize,
    program: Mutex<Option<Child>>,
}

impl Cutting {
    /// A way to a server.
    ///
    /// # Panics
    ///
    /// When no port is free.
    pub fn to(server: SocketAddr, moment: Moment) -> Self {
        let listener = TcpListener::bind(("127.0.0.1", 0)).expect("a port is free");
        let address = listener.local_addr().expect("it is bound");
        let cut = Arc::new(Cut {
            server,
            moment,
            changes: AtomicUsize::new(0),
            program: Mutex::new(None),
        });
        let shared = Arc::clone(&cut);
        // It ends with the test.
        std::thread::spawn(move || {
            for stream in listener.incoming().flatten() {
                let cut = Arc::clone(&shared);
                std::thread::spawn(move || cut.carry(stream));
            }
        });
        Self { address, cut }
    }

    /// Where it begins.
    pub fn url(&self) -> String {
        format!("http://{}", self.address)
    }

    /// Hands over the program that is to be killed, and waits until it has ended, in whatever way.
    ///
    /// # Panics
    ///
    /// When its output is not piped, or it cannot be waited for.
    pub fn end(&self, mut program: Child) -> ExitStatus {
        let mut errors = program.stderr.take().expect("stderr is a pipe");
        let mut output = program.stdout.take().expect("stdout is a pipe");
        *self.program() = Some(program);
        // Both end with the program, and until then it can be killed. What it writes to stdout
        // meanwhile fits into the pipe.
        for pipe in [&mut errors as &mut dyn Read, &mut output] {
            let _ = std::io::copy(pipe, &mut std::io::sink());
        }
        let mut program = self.program();
        let program = program.as_mut().expect("it was handed over");
        program.wait().expect("it can be waited for")
    }

    fn program(&self) -> std::sync::MutexGuard<'_, Option<Child>> {
        self.cut
            .program
            .lock()
            .unwrap_or_else(PoisonError::into_inner)
    }

    /// How many changes were on their way.
    pub fn changes(&self) -> usize {
        self.cut.changes.load(Ordering::SeqCst)
    }
}

impl Cut {
    /// Carries requests and answers of one connection, one after the other.
    fn carry(&self, mut client: TcpStream) {
        let Ok(mut server) = TcpStream::connect(self.server) else {
            return;
        };
        let (Ok(from_client), Ok(from_server)) = (client.try_clone(), server.try_clone()) else {
            return;
        };
        let (mut requests, mut answers) =
            (BufReader::new(from_client), BufReader::new(from_server));
        while let Some(request) = message(&mut requests) {
            let number = is_change(&request).then(|| self.changes.fetch_add(1, Ordering::SeqCst));
            if number.is_some_and(|number| self.moment == Moment::Before(number)) {
                self.kill();
                return;
            }
            if server.write_all(&request).is_err() {
                return;
            }
            let Some(answer) = message(&mut answers) else {
                return;
            };
            if number.is_some_and(|number| self.moment == Moment::After(number)) {
                self.kill();
                return;
            }
            if client.write_all(&answer).is_err() {
                return;
            }
        }
    }

    fn kill(&self) {
        // The program is handed over right after it was started; it may not be yet.
        loop {
            let mut program = self.program.lock().unwrap_or_else(PoisonError::into_inner);
            if let Some(program) = program.as_mut() {
                // It is not waited for here; `end` does that.
                let _ = program.kill();
                return;
            }
            drop(program);
            std::thread::yield_now();
        }
    }
}

/// A request or an answer, head and body; `None` at the end of the connection.
fn message(from: &mut BufReader<TcpStream>) -> Option<Vec<u8>> {
    let mut head = Vec::new();
    let mut length = 0;
    loop {
        let start = head.len();
        if from.read_until(b'\n', &mut head).ok()? == 0 {
            return None;
        }
        let line = String::from_utf8_lossy(&head[start..]).to_ascii_lowercase();
        if let Some(value) = line.strip_prefix("content-length:") {
            length = value.trim().parse().ok()?;
        }
        if line == "\r\n" {
            break;
        }
    }
    let mut body = vec![0; length];
    from.read_exact(&mut body).ok()?;
    head.extend(body);
    Some(head)
}

/// Whether a request changes something, by the names its protocol gives the operation.
fn is_change(request: &[u8]) -> bool {
    let text = String::from_utf8_lossy(request);
    [
        "PutMetricFilter",
        "DeleteMetricFilter",
        "PutMetricAlarm",
        "DeleteAlarms",
        "Action=CreateTopic",
        "Action=DeleteTopic",
        "Action=SetTopicAttributes",
        "Action=Subscribe",
        "Action=Unsubscribe",
    ]
    .iter()
    .any(|name| {
        text.match_indices(name).any(|(at, _)| {
            // `Action=Subscribe` begins no other operation.
            let next = text[at + name.len()..].chars().next();
            !next.is_some_and(|next| next.is_ascii_alphanumeric())
        })
    })
}
