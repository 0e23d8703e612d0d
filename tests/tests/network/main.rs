//! Proxies, certificates, endpoints and credentials: whatever the AWS CLI makes of a setting,
//! trailproof makes of it, too. Both reach the same place by the same way, with the same access key,
//! or neither reaches anything.
#![cfg(unix)]
#![allow(
    clippy::expect_used,
    clippy::indexing_slicing,
    clippy::panic,
    reason = "a test that cannot go on has failed, and says why"
)]

mod renewals;
mod rows;

use std::fs;
use std::os::unix::fs::PermissionsExt as _;
use std::path::Path;
use std::process::Command;
use std::sync::Mutex;
use std::sync::atomic::{AtomicUsize, Ordering};
use std::thread;

use rows::{Row, STS, TUNNELLED};
use trailproof_simulator::{Options, Running, Scenario, Server};
use trailproof_tests::binary::{self, Outcome};
use trailproof_tests::network::{Authority, Network, ProxyAnswer, Seen};
use xtask::python;

const ORGANIZATION: &str = r#"
[organization]
management = "111111111111"

[[accounts]]
id = "111111111111"
name = "management"
chain = true
"#;

fn origin() -> Running {
    let scenario = Scenario::parse(ORGANIZATION).unwrap_or_else(|error| panic!("{error}"));
    Server::start(scenario.organization, Options::default()).expect("a port is free")
}

/// The token of an SSO session as the AWS CLI caches it, named for the SHA-1 sum of `corp`.
const SSO_TOKEN: &str = r#"{"accessToken":"t","expiresAt":"2096-01-01T00:00:00Z","region":"us-east-1","startUrl":"https://corp.awsapps.com/start"}"#;
const SSO_FILE: &str = ".aws/sso/cache/ee0bfd2552fbd840c02cc48b6e823320543c450f.json";

fn write(path: &Path, text: &str) {
    fs::create_dir_all(path.parent().expect("it has a folder")).expect("it can be made");
    fs::write(path, text).expect("it can be written");
}

/// Homes and a network of their own for one program.
struct Ground {
    home: tempfile::TempDir,
    network: Network,
}

impl Ground {
    fn new(running: &Running, answer: ProxyAnswer) -> Self {
        let home = tempfile::tempdir().expect("a folder can be made");
        let authority = Authority::default();
        write(&home.path().join("ca.pem"), &authority.pem);
        write(&home.path().join("other.pem"), &Authority::default().pem);
        write(&home.path().join("token"), "header.payload.signature");
        let process = home.path().join("process");
        write(
            &process,
            "#!/bin/sh\necho '{\"Version\":1,\"AccessKeyId\":\"666666666666\",\
             \"SecretAccessKey\":\"s\"}'\n",
        );
        fs::set_permissions(&process, fs::Permissions::from_mode(0o700)).expect("it is ours");
        Self {
            home,
            network: Network::new(running.address(), &authority, answer),
        }
    }

    fn filled(&self, text: &str) -> String {
        let home = self.home.path().display().to_string();
        text.replace("{proxy}", &self.network.proxy.to_string())
            .replace("{tls-port}", &self.network.tls.port().to_string())
            .replace("{plain-port}", &self.network.plain.port().to_string())
            .replace("{ca}", &format!("{home}/ca.pem"))
            .replace("{other}", &format!("{home}/other.pem"))
            .replace("{home}", &home)
    }

    fn prepared(&self, mut command: Command, row: &Row) -> Command {
        write(
            &self.home.path().join(".aws/config"),
            &self.filled(row.config),
        );
        let defaults = [
            ("AWS_DEFAULT_REGION", "us-east-1"),
            ("AWS_STS_REGIONAL_ENDPOINTS", "regional"),
            ("AWS_MAX_ATTEMPTS", "1"),
        ];
        command.envs(defaults);
        for (name, value) in row.variables {
            command.env(name, self.filled(value));
        }
        command
    }

    fn trailproof(&self, row: &Row) -> Command {
        let mut command = binary::scrubbed(binary::path("trailproof"), self.home.path());
        command.args(["scan", "--current-account", "--regions", "us-east-1"]);
        command.args(["--sweep", "adaptive", "--out", "run", "--quiet"]);
        if let Some(profile) = row.profile {
            command.args(["--profile", profile]);
        }
        self.prepared(command, row)
    }

    fn aws(&self, row: &Row) -> Command {
        let python = python::environment().unwrap_or_else(|message| panic!("{message}"));
        let mut command = binary::scrubbed(python, self.home.path());
        command.args(["-m", "awscli"]);
        match row.service {
            "sts" => command.args(["sts", "get-caller-identity"]),
            service => command.args([service, "describe-trails"]),
        };
        if let Some(profile) = row.profile {
            command.args(["--profile", profile]);
        }
        self.prepared(command, row)
    }

    /// The way that a program went.
    fn way(&self, mut command: Command, service: &str) -> (String, Outcome) {
        let outcome: Outcome = command.output().expect("it starts").into();
        let seen = self.network.seen();
        let proxied = seen.iter().find_map(|seen| match seen {
            Seen::Proxied {
                request,
                authorization,
            } => Some(match authorization {
                None => request.clone(),
                Some(authorization) => format!("{request} ({authorization})"),
            }),
            _ => None,
        });
        let asked = seen.iter().find_map(|seen| match seen {
            Seen::Request {
                service: found,
                access_key,
                host,
            } if found == service => {
                let host = host.split(':').next().unwrap_or_default();
                Some(format!("{host} as {access_key}"))
            }
            _ => None,
        });
        let end = match asked {
            Some(asked) => asked,
            None if seen.contains(&Seen::Refused) => "refused".to_owned(),
            None => "nothing".to_owned(),
        };
        let way = proxied.unwrap_or_else(|| "direct".to_owned());
        (format!("{way} -> {end}"), outcome)
    }
}

/// Tries every row with both programs, four at a time.
fn alike(rows: &[Row], access_key: Option<&str>, prepare: impl Fn(&Ground) + Sync) {
    let running = origin();
    let next = AtomicUsize::new(0);
    let wrong = Mutex::new(Vec::new());
    let try_row = |row: &Row| {
        for program in ["aws", "trailproof"] {
            let ground = Ground::new(&running, ProxyAnswer::Works);
            prepare(&ground);
            let mut command = match program {
                "aws" => ground.aws(row),
                _ => ground.trailproof(row),
            };
            if let Some(key) = access_key {
                command.env("AWS_ACCESS_KEY_ID", key);
                command.env("AWS_SECRET_ACCESS_KEY", "s");
            }
            let (way, outcome) = ground.way(command, row.service);
            if way != row.expected || outcome.stderr.contains("panicked") {
                wrong.lock().expect("nobody panics").push(format!(
                    "{}: {program}\nexpected {}\nfound    {way}\n{}\n{:?}",
                    row.name,
                    row.expected,
                    outcome.stderr,
                    ground.network.seen()
                ));
            }
        }
    };
    thread::scope(|scope| {
        for _ in 0..4 {
            scope.spawn(|| {
                while let Some(row) = rows.get(next.fetch_add(1, Ordering::Relaxed)) {
                    try_row(row);
                }
            });
        }
    });
    let wrong = wrong.into_inner().expect("nobody panics");
    assert!(wrong.is_empty(), "{}", wrong.join("\n\n"));
}

mod with_python {
    use super::{SSO_FILE, SSO_TOKEN, alike, write};
    use crate::rows::{settings, sources};

    #[test]
    fn the_network_is_as_the_aws_cli_has_it() {
        alike(&settings(), Some("111111111111"), |_| ());
    }

    #[test]
    fn credentials_are_as_the_aws_cli_has_them() {
        alike(&sources(), None, |ground| {
            write(&ground.home.path().join(SSO_FILE), SSO_TOKEN);
        });
    }
}

/// What only trailproof makes of a setting: additions, and errors.
fn alone(row: &Row, answer: ProxyAnswer) -> (String, Outcome) {
    let running = origin();
    let ground = Ground::new(&running, answer);
    let mut command = ground.trailproof(row);
    command.env("AWS_ACCESS_KEY_ID", "111111111111");
    command.env("AWS_SECRET_ACCESS_KEY", "s");
    ground.way(command, row.service)
}

#[test]
fn additions() {
    for variables in [
        &[("ALL_PROXY", "http://{proxy}"), ("AWS_CA_BUNDLE", "{ca}")][..],
        &[("all_proxy", "{proxy}"), ("AWS_CA_BUNDLE", "{ca}")],
        &[("HTTPS_PROXY", "http://{proxy}"), ("SSL_CERT_FILE", "{ca}")],
    ] {
        let (way, outcome) = alone(&Row { variables, ..STS }, ProxyAnswer::Works);
        assert_eq!(way, TUNNELLED, "{variables:?}\n{}", outcome.stderr);
    }
}

#[test]
fn what_fails_on_the_way_is_named_with_what_to_do() {
    let tunnel = &[
        ("HTTPS_PROXY", "http://me:secret@{proxy}"),
        ("AWS_CA_BUNDLE", "{ca}"),
    ][..];
    let plain = &[
        ("HTTP_PROXY", "http://me:secret@{proxy}"),
        ("AWS_ENDPOINT_URL", "http://aws.example"),
    ][..];
    for (variables, answer, words) in [
        (
            tunnel,
            ProxyAnswer::Status(407),
            &[
                "(HTTPS_PROXY)",
                "asks for a user name",
                "USER:PASSWORD@HOST",
            ][..],
        ),
        (
            tunnel,
            ProxyAnswer::Status(502),
            &[
                "(HTTPS_PROXY)",
                "did not connect to sts.us-east-1.amazonaws.com",
                "NO_PROXY",
            ],
        ),
        (
            tunnel,
            ProxyAnswer::Garbage,
            &[
                "(HTTPS_PROXY)",
                "did not answer as an HTTP proxy",
                "NO_PROXY",
            ],
        ),
        (
            plain,
            ProxyAnswer::Status(407),
            &["(HTTP_PROXY)", "asks for a user name", "USER:PASSWORD@HOST"],
        ),
        (
            plain,
            ProxyAnswer::Status(502),
            &[
                "(HTTP_PROXY)",
                "the response is not one of this service",
                "proxy",
            ],
        ),
        (
            plain,
            ProxyAnswer::Garbage,
            &["(HTTP_PROXY)", "aws.example", "proxy"],
        ),
        (
            &[("HTTPS_PROXY", "http://127.0.0.1:9")],
            ProxyAnswer::Works,
            &[
                "cannot connect to the proxy http://127.0.0.1:9 (HTTPS_PROXY)",
                "NO_PROXY",
            ],
        ),
        (
            &[("HTTPS_PROXY", "http://{proxy}")],
            ProxyAnswer::Works,
            &[
                "certificate of sts.us-east-1.amazonaws.com",
                "signed by nobody",
                "AWS_CA_BUNDLE",
            ],
        ),
        (
            &[("HTTPS_PROXY", "socks5://{proxy}")],
            ProxyAnswer::Works,
            &["HTTPS_PROXY cannot be used", "SOCKS", "http://HOST:PORT"],
        ),
        (
            &[("AWS_CA_BUNDLE", "{home}/process")],
            ProxyAnswer::Works,
            &[
                "/process` (AWS_CA_BUNDLE)",
                "holds no PEM certificate",
                "BEGIN CERTIFICATE",
            ],
        ),
        (
            &[("REQUESTS_CA_BUNDLE", "{home}/absent.pem")],
            ProxyAnswer::Works,
            &[
                "/absent.pem` (REQUESTS_CA_BUNDLE)",
                "No such file",
                "unset it",
            ],
        ),
        (
            &[("AWS_ENDPOINT_URL_STS", "localhost:1")],
            ProxyAnswer::Works,
            &[
                "AWS_ENDPOINT_URL_STS cannot be used",
                "not the URL of an endpoint",
                "https://HOST",
            ],
        ),
        (
            &[("AWS_USE_FIPS_ENDPOINT", "yes")],
            ProxyAnswer::Works,
            &[
                "AWS_USE_FIPS_ENDPOINT cannot be used",
                "`yes` is not true or false",
            ],
        ),
        (
            &[("AWS_MAX_ATTEMPTS", "0")],
            ProxyAnswer::Works,
            &["AWS_MAX_ATTEMPTS cannot be used", "a number from 1"],
        ),
        (
            &[("AWS_PROFILE", "absent")],
            ProxyAnswer::Works,
            &[
                "profile `absent` cannot be used",
                "AWS_PROFILE names it",
                "list-profiles",
            ],
        ),
    ] {
        let (_, outcome) = alone(&Row { variables, ..STS }, answer);
        assert!(
            matches!(outcome.code, Some(2 | 4)),
            "{variables:?} {outcome:?}"
        );
        for word in words {
            assert!(
                outcome.stderr.contains(word),
                "{variables:?} {answer:?}\n`{word}` in:\n{}",
                outcome.stderr
            );
        }
        for word in ["panicked", "secret", "feature"] {
            assert!(!outcome.stderr.contains(word), "{}", outcome.stderr);
        }
    }
}

/// A profile without access keys in the environment, and what trailproof says of it.
fn without_keys(config: &'static str, prepare: impl Fn(&Path)) -> (String, Outcome) {
    let running = origin();
    let ground = Ground::new(&running, ProxyAnswer::Works);
    prepare(ground.home.path());
    let row = Row {
        variables: &[("AWS_ENDPOINT_URL", "http://localhost:{plain-port}")],
        config,
        ..STS
    };
    let command = ground.trailproof(&row);
    ground.way(command, "sts")
}

const LOGIN: &str = "[default]\nlogin_session = arn:aws:iam::777777777777:user/me\n";
/// Named for the SHA-256 sum of the session, as the AWS CLI documents it.
const LOGIN_FILE: &str =
    ".aws/login/cache/3758c429945508e2da915f5f554041045ce6af7c39d1febd29011fbf69c771d7.json";

/// Made for these tests: what a refresh of the session has to be signed with.
const LOGIN_KEY: &str = "-----BEGIN EC PRIVATE KEY-----\\nMHcCAQEEIAsw6eyqcENRYFfZKWSiabDSUXLFQcXqSeWelunmX1LEoAoGCCqGSM49\\nAwEHoUQDQgAEQXMbn4IiSa3UJcNIxMzXv8AnWPxaYCjwQqEHyzMlWaJ52PvIt/Qe\\n2+OWW+VCovANleZQL1jdwUsFkjyiCE5uaQ==\\n-----END EC PRIVATE KEY-----\\n";

/// A session that can be refreshed, unless it is over.
fn login_token(expires_at: &str, refresh: &str) -> String {
    format!(
        r#"{{"accessToken":{{"accessKeyId":"777777777777","secretAccessKey":"s","sessionToken":"t","accountId":"777777777777","expiresAt":"{expires_at}"}},"tokenType":"aws_sigv4","refreshToken":"{refresh}","idToken":"i","clientId":"arn:aws:signin:::devtools/same-device","dpopKey":"{LOGIN_KEY}"}}"#
    )
}

#[test]
fn a_login_session_is_used() {
    let (way, outcome) = without_keys(LOGIN, |home| {
        write(
            &home.join(LOGIN_FILE),
            &login_token("2096-01-01T00:00:00Z", "over"),
        );
    });
    assert_eq!(
        way, "direct -> localhost as 777777777777",
        "{}",
        outcome.stderr
    );
}

/// As AWS Sign-In does it every quarter of an hour of a long scan: by the refresh token, through the
/// proxy, and the new token is left for the AWS CLI.
#[test]
fn a_login_session_is_refreshed() {
    let running = origin();
    let ground = Ground::new(&running, ProxyAnswer::Works);
    let file = ground.home.path().join(LOGIN_FILE);
    write(&file, &login_token("2016-01-01T00:00:00Z", "r"));
    let row = Row {
        variables: &[("HTTPS_PROXY", "http://{proxy}"), ("AWS_CA_BUNDLE", "{ca}")],
        config: LOGIN,
        ..STS
    };
    let (way, outcome) = ground.way(ground.trailproof(&row), "sts");
    assert_eq!(
        way,
        "CONNECT us-east-1.signin.aws.amazon.com:443 -> sts.us-east-1.amazonaws.com as \
         777777777777",
        "{}",
        outcome.stderr
    );
    let kept = fs::read_to_string(&file).expect("it is there");
    assert!(!kept.contains(r#""refreshToken":"r""#), "{kept}");
    assert!(!kept.contains("2016"), "{kept}");
}

#[test]
fn sources_that_have_nothing_name_the_command() {
    const SSO: &str = "[default]\nsso_session = corp\nsso_account_id = 222222222222\n\
                       sso_role_name = Audit\n[sso-session corp]\nsso_region = us-east-1\n\
                       sso_start_url = https://corp.awsapps.com/start\n";
    let expired = SSO_TOKEN.replace("2096", "2016");
    for (config, file, words) in [
        (
            LOGIN,
            None,
            &[
                "login session of profile `default`",
                "run `aws login --profile default`",
            ][..],
        ),
        (
            LOGIN,
            Some((LOGIN_FILE, login_token("2016-01-01T00:00:00Z", "over"))),
            &[
                "login session of profile `default`",
                "run `aws login --profile default`",
            ],
        ),
        (
            SSO,
            None,
            &[
                "SSO session `corp` of profile `default`",
                "run `aws sso login --sso-session corp`",
            ],
        ),
        (
            SSO,
            Some((SSO_FILE, expired.clone())),
            &[
                "SSO session `corp` of profile `default`",
                "run `aws sso login --sso-session corp`",
            ],
        ),
        (
            "[default]\nsso_account_id = 222222222222\nsso_role_name = Audit\n\
             sso_region = us-east-1\nsso_start_url = https://corp.awsapps.com/start\n",
            None,
            &[
                "SSO session of profile `default`",
                "run `aws sso login --profile default`",
            ],
        ),
        (
            "[default]\ncredential_process = {home}/no-such-program --secret hidden\n",
            None,
            &[
                "credential_process",
                "no-such-program",
                "run the command by hand",
            ],
        ),
        (
            "[default]\nrole_arn = arn:aws:iam::111111111111:role/r\nsource_profile = base\n\
             mfa_serial = arn:aws:iam::111111111111:mfa/me\n[profile base]\n\
             aws_access_key_id = 111111111111\naws_secret_access_key = s\n",
            None,
            &[
                "MFA device arn:aws:iam::111111111111:mfa/me",
                "nobody can be asked",
                "on a terminal",
            ],
        ),
        (
            "[default]\nrole_arn = arn:aws:iam::111111111111:role/r\nsource_profile = b\n\
             [profile b]\nrole_arn = arn:aws:iam::111111111111:role/s\nsource_profile = default\n",
            None,
            &["profile `default`", "default -> b -> default"],
        ),
        ("", None, &["no AWS credentials", "--profile", "aws login"]),
    ] {
        let (_, outcome) = without_keys(config, |home| {
            if let Some((name, text)) = &file {
                write(&home.join(name), text);
            }
        });
        assert_eq!(outcome.code, Some(4), "{config}\n{}", outcome.stderr);
        for word in words {
            assert!(
                outcome.stderr.contains(word),
                "`{word}` in:\n{}",
                outcome.stderr
            );
        }
        for word in ["panicked", "hidden", "feature"] {
            assert!(!outcome.stderr.contains(word), "{}", outcome.stderr);
        }
    }
}
