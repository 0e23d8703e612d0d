//! The simulator speaks AWS well enough that boto3 and the AWS CLI read what was put there.
#![allow(
    clippy::expect_used,
    clippy::indexing_slicing,
    clippy::panic,
    reason = "a test that cannot go on has failed, and says why"
)]

/// Everything here needs boto3 and the AWS CLI, which need Python.
mod with_python {
    use std::fmt::Write as _;
    use std::io::Write as _;
    use std::process::{Command, Stdio};

    use serde_json::{Value, json};
    use trailproof_simulator::{Options, Scenario, Server, server};
    use trailproof_tests::binary::{Outcome, scrubbed};
    use trailproof_tests::server::{Server as Process, script};
    use xtask::python;

    /// A management account with an organization trail, a member with everything, a suspended
    /// account, and enough of the rest for a second page of every listing: what cannot be made
    /// with calls is made here.
    fn scenario() -> Scenario {
        let mut text = r#"
            [[accounts]]
            id = "111111111111"
            chain.trail = { name = "everything", organization = true, selectors = { advanced = [
              { name = "all", fields = [{ field = "eventCategory", equals = ["Management"] }] },
            ] } }
            centralization_rules = [{ name = "central", region = "eu-west-1", source_regions = ["us-east-1"], destination_account = "222222222222" }]
            telemetry_rules = [{ name = "trails", organization = true, scope = "AccountId = '222222222222'" }]
            [[accounts]]
            id = "333333333333"
            state = "SUSPENDED"
            [[accounts]]
            id = "222222222222"
            unit = "Workloads/Production"
            security_hub = ["us-east-1"]
            tags = { environment = "production", team = "payments" }
            security_contact = { name = "Ann", title = "CISO", email = "ann@example.com", phone = "+1 555 0100" }
            opted_in = ["me-south-1"]
            chain.trail.selectors = { basic = [{ read_write_type = "WriteOnly" }] }
            telemetry_rules = [{ name = "own", resource_type = "AWS::EC2::VPC" }]
            event_rules = [{ name = "alarms", pattern = '{"source": ["aws.cloudwatch"]}' }, { name = "nightly" }]
            keys = [{ id = "1234abcd-12ab-34cd-56ef-1234567890ab", aliases = ["alias/alerts"] }]
            links = [{ id = "metrics", sink = "111111111111", metric_filter = "Namespace NOT LIKE 'AWS/%'" }]
            [[accounts.mute_rules]]
            name = "night"
            alarms = ["console-auth-failures"]
        "#
        .to_owned();
        for number in 0..101 {
            let _ = write!(
                text,
                "\n[[accounts.mute_rules]]\nregion = \"eu-west-1\"\nname = \"rule-{number:03}\""
            );
        }
        for number in 0..45 {
            let _ = write!(text, "\n[[accounts]]\nid = \"4444444444{number:02}\"");
            if number < 21 {
                let _ = write!(text, "\nunit = \"Zone {number:02}\"");
            }
        }
        text.push_str("\n[organization]\ndelegations = [{ account = \"333333333333\" },");
        for number in 0..21 {
            let _ = write!(
                text,
                "{{ account = \"4444444444{number:02}\", service = \"config.amazonaws.com\" }},"
            );
        }
        text.push(']');
        Scenario::parse(&text).expect("the scenario is valid")
    }

    #[test]
    fn boto3_and_the_command_line_find_what_was_put_there() {
        let running = Server::start(scenario().organization, Options::default())
            .expect("a port of the loopback interface is free");
        let home = tempfile::tempdir().expect("a temporary folder can be made");
        let mut child = script("simulator_fidelity.py", home.path())
            .stdin(Stdio::piped())
            .stdout(Stdio::piped())
            .stderr(Stdio::piped())
            .spawn()
            .expect("the script can be started");
        let question = json!({ "endpoint": running.url(), "operations": server::operations() });
        child
            .stdin
            .take()
            .expect("stdin is a pipe")
            .write_all(question.to_string().as_bytes())
            .expect("the script reads its question");
        let output = child.wait_with_output().expect("the script ends");
        let errors = String::from_utf8_lossy(&output.stderr);
        assert!(output.status.success(), "{errors}");
        let wrong: Vec<String> = serde_json::from_slice(&output.stdout)
            .unwrap_or_else(|error| panic!("{error}: {errors}"));
        assert!(wrong.is_empty(), "{}", wrong.join("\n"));
    }

    /// The AWS CLI in an environment that has nothing but these variables.
    fn aws(home: &std::path::Path, variables: &[(&str, &str)], arguments: &[&str]) -> Value {
        let python = python::environment().unwrap_or_else(|message| panic!("{message}"));
        let mut command: Command = scrubbed(python, home);
        command
            .envs(variables.iter().copied())
            .args(["-m", "awscli"])
            .args(arguments)
            .args(["--output", "json"]);
        let outcome = Outcome::from(command.output().expect("python starts")).exits(0);
        serde_json::from_str(&outcome.stdout).expect("the AWS CLI prints JSON")
    }

    /// What the documentation promises: with the variables that `trailproof-simulator` prints, the
    /// AWS CLI is in the management account; from there it assumes the role of a member and lists
    /// the trails of the member.
    #[test]
    fn the_command_line_assumes_a_members_role_and_lists_its_trails() {
        let server = Process::simulator(&["--accounts", "4", "--mix", "healthy"]);
        let endpoint = server.endpoint();
        let place = [
            ("AWS_ENDPOINT_URL", endpoint.as_str()),
            ("AWS_REGION", "us-east-1"),
            ("AWS_DEFAULT_REGION", "us-east-1"),
        ];
        let management = [
            ("AWS_ACCESS_KEY_ID", "AKIASIMULATOR0000000"),
            ("AWS_SECRET_ACCESS_KEY", "simulator"),
        ];
        let home = server.home();
        let outside = [&place[..], &management].concat();
        let identity = aws(home, &outside, &["sts", "get-caller-identity"]);
        let listed = aws(home, &outside, &["organizations", "list-accounts"]);
        let member = listed["Accounts"]
            .as_array()
            .expect("accounts are a list")
            .iter()
            .filter_map(|account| account["Id"].as_str())
            .find(|id| Some(*id) != identity["Account"].as_str())
            .expect("there are members");

        let role = format!("arn:aws:iam::{member}:role/OrganizationAccountAccessRole");
        let session = aws(
            home,
            &outside,
            &[
                "sts",
                "assume-role",
                "--role-arn",
                &role,
                "--role-session-name",
                "audit",
            ],
        );
        let issued = |name: &str| {
            session["Credentials"][name]
                .as_str()
                .unwrap_or_else(|| panic!("{session}"))
        };
        let inside = [
            &place[..],
            &[
                ("AWS_ACCESS_KEY_ID", issued("AccessKeyId")),
                ("AWS_SECRET_ACCESS_KEY", issued("SecretAccessKey")),
                ("AWS_SESSION_TOKEN", issued("SessionToken")),
            ],
        ]
        .concat();
        let identity = aws(home, &inside, &["sts", "get-caller-identity"]);
        assert_eq!(identity["Account"], *member);

        let answer = server.get("/_trailproof/state");
        let (_, state) = answer.split_once("\r\n\r\n").expect("an answer has a body");
        let state: Value = serde_json::from_str(state).expect("the state is JSON");
        let account = state["accounts"]
            .as_array()
            .expect("accounts are a list")
            .iter()
            .find(|account| account["id"] == *member)
            .expect("the member is there");
        let made: Vec<String> = account["sites"]
            .as_object()
            .expect("sites are by region")
            .iter()
            .flat_map(|(region, site)| {
                let trails = site["trails"].as_array().into_iter().flatten();
                trails.filter_map(move |trail| {
                    let name = trail["name"].as_str()?;
                    Some(format!("arn:aws:cloudtrail:{region}:{member}:trail/{name}"))
                })
            })
            .collect();
        assert!(!made.is_empty(), "{account}");
        let trails = aws(home, &inside, &["cloudtrail", "describe-trails"]);
        let seen: Vec<&str> = trails["trailList"]
            .as_array()
            .expect("trails are a list")
            .iter()
            .filter_map(|trail| trail["TrailARN"].as_str())
            .collect();
        assert_eq!(seen, made);
    }
}
