//! The settings that are tried, and what they lead to.

/// Settings, and what they lead to. In the texts, `{proxy}`, `{tls}` and `{plain}` are addresses,
/// `{ca}` is the file of the authority's certificate, `{other}` that of another, `{home}` the home.
pub(crate) struct Row {
    pub(crate) name: &'static str,
    pub(crate) variables: &'static [(&'static str, &'static str)],
    /// `~/.aws/config`.
    pub(crate) config: &'static str,
    pub(crate) profile: Option<&'static str>,
    /// The service whose first request counts.
    pub(crate) service: &'static str,
    /// The way, the host asked for, and what came of it.
    pub(crate) expected: &'static str,
}

pub(crate) const STS: Row = Row {
    name: "",
    variables: &[],
    config: "",
    profile: None,
    service: "sts",
    expected: "",
};

/// The way to the regional endpoint of STS.
pub(crate) const TUNNELLED: &str =
    "CONNECT sts.us-east-1.amazonaws.com:443 -> sts.us-east-1.amazonaws.com as 111111111111";
pub(crate) const REFUSED: &str = "CONNECT sts.us-east-1.amazonaws.com:443 -> refused";
pub(crate) const DIRECT: &str = "direct -> localhost as 111111111111";

/// Proxy and certificate as most rows want them.
macro_rules! behind {
    ($($more:expr),* $(,)?) => {
        &[("HTTPS_PROXY", "http://{proxy}"), ("AWS_CA_BUNDLE", "{ca}"), $($more),*]
    };
}

pub(crate) fn settings() -> Vec<Row> {
    let row = |name, variables, config, expected| Row {
        name,
        variables,
        config,
        expected,
        ..STS
    };
    vec![
        row("a proxy", behind!(), "", TUNNELLED),
        row(
            "a proxy without a scheme",
            &[("HTTPS_PROXY", "{proxy}"), ("AWS_CA_BUNDLE", "{ca}")],
            "",
            TUNNELLED,
        ),
        row(
            "lower case wins",
            &[
                ("HTTPS_PROXY", "http://127.0.0.1:9"),
                ("https_proxy", "http://{proxy}"),
                ("AWS_CA_BUNDLE", "{ca}"),
            ],
            "",
            TUNNELLED,
        ),
        row(
            "lower case wins, empty",
            behind!(
                ("https_proxy", ""),
                ("AWS_ENDPOINT_URL", "https://localhost:{tls-port}")
            ),
            "",
            DIRECT,
        ),
        row(
            "user and password",
            &[
                ("HTTPS_PROXY", "http://me:p%40ss@{proxy}"),
                ("AWS_CA_BUNDLE", "{ca}"),
            ],
            "",
            "CONNECT sts.us-east-1.amazonaws.com:443 (Basic bWU6cEBzcw==) -> \
             sts.us-east-1.amazonaws.com as 111111111111",
        ),
        row(
            "an http proxy is none for https",
            &[
                ("HTTP_PROXY", "http://{proxy}"),
                ("AWS_CA_BUNDLE", "{ca}"),
                ("AWS_ENDPOINT_URL", "https://localhost:{tls-port}"),
            ],
            "",
            DIRECT,
        ),
        row(
            "an http proxy",
            &[
                ("HTTP_PROXY", "http://me:secret@{proxy}"),
                ("AWS_ENDPOINT_URL", "http://aws.example"),
            ],
            "",
            "POST http://aws.example/ (Basic bWU6c2VjcmV0) -> aws.example as 111111111111",
        ),
        row(
            "an http proxy in a CGI program",
            &[
                ("HTTP_PROXY", "http://127.0.0.1:9"),
                ("REQUEST_METHOD", "GET"),
                ("AWS_ENDPOINT_URL", "http://localhost:{plain-port}"),
            ],
            "",
            DIRECT,
        ),
        row(
            "an exception",
            behind!(
                ("NO_PROXY", "example.com, localhost"),
                ("AWS_ENDPOINT_URL", "https://localhost:{tls-port}"),
            ),
            "",
            DIRECT,
        ),
        row(
            "an exception with its port",
            behind!(
                ("no_proxy", "localhost:{tls-port}"),
                ("AWS_ENDPOINT_URL", "https://localhost:{tls-port}"),
            ),
            "",
            DIRECT,
        ),
        row(
            "everything is an exception",
            behind!(
                ("NO_PROXY", "*"),
                ("AWS_ENDPOINT_URL", "https://localhost:{tls-port}"),
            ),
            "",
            DIRECT,
        ),
        row(
            "an exception for others",
            behind!(("NO_PROXY", "169.254.169.254,.example.com,notamazonaws.com")),
            "",
            TUNNELLED,
        ),
        row(
            "an authority nobody knows",
            &[("HTTPS_PROXY", "http://{proxy}")],
            "",
            REFUSED,
        ),
        row(
            "another authority",
            &[
                ("HTTPS_PROXY", "http://{proxy}"),
                ("AWS_CA_BUNDLE", "{other}"),
            ],
            "",
            REFUSED,
        ),
        row(
            "the bundle of a profile",
            &[("HTTPS_PROXY", "http://{proxy}")],
            "[default]\nca_bundle = {ca}\n",
            TUNNELLED,
        ),
        row(
            "the variable before the profile",
            behind!(),
            "[default]\nca_bundle = {other}\n",
            TUNNELLED,
        ),
        row(
            "the bundle of requests",
            &[
                ("HTTPS_PROXY", "http://{proxy}"),
                ("REQUESTS_CA_BUNDLE", "{ca}"),
            ],
            "",
            TUNNELLED,
        ),
        row(
            "the profile before the bundle of requests",
            &[
                ("HTTPS_PROXY", "http://{proxy}"),
                ("REQUESTS_CA_BUNDLE", "{other}"),
            ],
            "[default]\nca_bundle = {ca}\n",
            TUNNELLED,
        ),
        row(
            "FIPS",
            behind!(("AWS_USE_FIPS_ENDPOINT", "true")),
            "",
            "CONNECT sts-fips.us-east-1.amazonaws.com:443 -> sts-fips.us-east-1.amazonaws.com as \
             111111111111",
        ),
        row(
            "FIPS of a profile",
            behind!(),
            "[default]\nuse_fips_endpoint = true\n",
            "CONNECT sts-fips.us-east-1.amazonaws.com:443 -> sts-fips.us-east-1.amazonaws.com as \
             111111111111",
        ),
        row(
            "dual-stack",
            behind!(("AWS_USE_DUALSTACK_ENDPOINT", "true")),
            "",
            "CONNECT sts.us-east-1.api.aws:443 -> sts.us-east-1.api.aws as 111111111111",
        ),
        row(
            "dual-stack of a profile, and FIPS",
            behind!(("AWS_USE_FIPS_ENDPOINT", "true")),
            "[default]\nuse_dualstack_endpoint = true\n",
            "CONNECT sts-fips.us-east-1.api.aws:443 -> sts-fips.us-east-1.api.aws as \
             111111111111",
        ),
        row(
            "the endpoint of a service",
            &[
                ("AWS_ENDPOINT_URL", "http://127.0.0.1:9"),
                ("AWS_ENDPOINT_URL_STS", "http://localhost:{plain-port}"),
            ],
            "",
            DIRECT,
        ),
        Row {
            name: "the endpoint of another service",
            variables: &[
                ("AWS_ENDPOINT_URL", "http://127.0.0.1:{plain-port}"),
                (
                    "AWS_ENDPOINT_URL_CLOUDTRAIL",
                    "http://localhost:{plain-port}",
                ),
            ],
            service: "cloudtrail",
            expected: DIRECT,
            ..STS
        },
        row(
            "the endpoint of a profile",
            &[],
            "[default]\nendpoint_url = http://localhost:{plain-port}\n",
            DIRECT,
        ),
        Row {
            name: "the services of a profile",
            config: "[default]\nservices = here\nendpoint_url = http://127.0.0.1:{plain-port}\n\
                     [services here]\ncloudtrail =\n  endpoint_url = http://localhost:{plain-port}\n",
            service: "cloudtrail",
            expected: DIRECT,
            ..STS
        },
        row(
            "no endpoint of one's own",
            behind!(
                ("AWS_ENDPOINT_URL", "http://127.0.0.1:9"),
                ("AWS_IGNORE_CONFIGURED_ENDPOINT_URLS", "true"),
            ),
            "",
            TUNNELLED,
        ),
        row(
            "an empty endpoint",
            behind!(("AWS_ENDPOINT_URL", "")),
            "",
            TUNNELLED,
        ),
    ]
}

const AS_SSO: &str = "CONNECT portal.sso.us-east-1.amazonaws.com:443 -> \
                      sts.us-east-1.amazonaws.com as 222222222222";

/// Credentials: none in the environment, unless the row has some.
pub(crate) fn sources() -> Vec<Row> {
    let keyless = |name, variables, config, expected| Row {
        name,
        variables,
        config,
        expected,
        ..STS
    };
    vec![
        keyless(
            "a profile by its variable",
            &[
                ("AWS_PROFILE", "audit"),
                ("AWS_ENDPOINT_URL", "http://localhost:{plain-port}"),
            ],
            "[profile audit]\naws_access_key_id = 111111111111\naws_secret_access_key = s\n",
            DIRECT,
        ),
        keyless(
            "a profile by its older variable",
            &[
                ("AWS_DEFAULT_PROFILE", "audit"),
                ("AWS_ENDPOINT_URL", "http://localhost:{plain-port}"),
            ],
            "[profile audit]\naws_access_key_id = 111111111111\naws_secret_access_key = s\n",
            DIRECT,
        ),
        Row {
            profile: Some("audit"),
            ..keyless(
                "a profile that is named comes before the environment",
                &[
                    ("AWS_ACCESS_KEY_ID", "999999999999"),
                    ("AWS_SECRET_ACCESS_KEY", "s"),
                    ("AWS_ENDPOINT_URL", "http://localhost:{plain-port}"),
                ],
                "[profile audit]\naws_access_key_id = 111111111111\naws_secret_access_key = s\n",
                DIRECT,
            )
        },
        keyless(
            "a profile that is not there",
            &[
                ("AWS_PROFILE", "absent"),
                ("AWS_ACCESS_KEY_ID", "111111111111"),
                ("AWS_SECRET_ACCESS_KEY", "s"),
                ("AWS_ENDPOINT_URL", "http://localhost:{plain-port}"),
            ],
            "",
            "direct -> nothing",
        ),
        keyless(
            "IAM Identity Center",
            behind!(("AWS_PROFILE", "sso")),
            "[profile sso]\nsso_session = corp\nsso_account_id = 222222222222\n\
             sso_role_name = Audit\n[sso-session corp]\nsso_region = us-east-1\n\
             sso_start_url = https://corp.awsapps.com/start\n\
             sso_registration_scopes = sso:account:access\n",
            AS_SSO,
        ),
        keyless(
            "a process",
            &[("AWS_ENDPOINT_URL", "http://localhost:{plain-port}")],
            "[default]\ncredential_process = {home}/process\n",
            "direct -> localhost as 666666666666",
        ),
        keyless(
            "a container",
            &[
                (
                    "AWS_CONTAINER_CREDENTIALS_FULL_URI",
                    "http://localhost:{plain-port}/container",
                ),
                ("AWS_ENDPOINT_URL", "http://localhost:{plain-port}"),
                // Not for containers.
                ("HTTP_PROXY", "http://127.0.0.1:9"),
                ("NO_PROXY", "localhost:1"),
                ("AWS_ENDPOINT_URL_STS", "https://localhost:{tls-port}"),
                ("AWS_CA_BUNDLE", "{ca}"),
            ],
            "",
            "direct -> localhost as 333333333333",
        ),
        keyless(
            "an instance, through the proxy as well",
            &[
                ("AWS_EC2_METADATA_DISABLED", "false"),
                (
                    "AWS_EC2_METADATA_SERVICE_ENDPOINT",
                    "http://metadata.example",
                ),
                ("AWS_ENDPOINT_URL", "http://localhost:{plain-port}"),
                ("HTTP_PROXY", "http://{proxy}"),
                ("NO_PROXY", "localhost"),
            ],
            "",
            "PUT http://metadata.example/latest/api/token -> localhost as 444444444444",
        ),
        keyless(
            "web identity",
            behind!(
                ("AWS_WEB_IDENTITY_TOKEN_FILE", "{home}/token"),
                ("AWS_ROLE_ARN", "arn:aws:iam::555555555555:role/r"),
            ),
            "",
            "CONNECT sts.us-east-1.amazonaws.com:443 -> sts.us-east-1.amazonaws.com as \
             555555555555",
        ),
        keyless(
            "web identity of a profile",
            &[
                ("AWS_PROFILE", "web"),
                ("AWS_ENDPOINT_URL", "http://localhost:{plain-port}"),
            ],
            "[profile web]\nrole_arn = arn:aws:iam::555555555555:role/r\n\
             web_identity_token_file = {home}/token\n",
            "direct -> localhost as 555555555555",
        ),
        keyless(
            "role after role",
            &[
                ("AWS_PROFILE", "second"),
                ("AWS_ENDPOINT_URL", "http://localhost:{plain-port}"),
            ],
            "[profile second]\nrole_arn = arn:aws:iam::555555555555:role/profile-second\n\
             source_profile = first\n[profile first]\n\
             role_arn = arn:aws:iam::555555555555:role/profile-first\nsource_profile = base\n\
             [profile base]\naws_access_key_id = 111111111111\naws_secret_access_key = s\n",
            DIRECT,
        ),
        keyless(
            "a profile that sources itself",
            &[("AWS_ENDPOINT_URL", "http://localhost:{plain-port}")],
            "[default]\nrole_arn = arn:aws:iam::111111111111:role/r\nsource_profile = b\n\
             [profile b]\nrole_arn = arn:aws:iam::111111111111:role/s\nsource_profile = default\n",
            "direct -> nothing",
        ),
    ]
}
