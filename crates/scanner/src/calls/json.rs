//! Services of which a few operations are asked: one way to ask all of them, over the connections,
//! credentials and signatures of the SDK. Their protocols differ only in where the operation's
//! name stands; a crate of the SDK for each would take longer to build than this whole program.
//!
//! Questions are sent, and answers kept, with the member names of evidence.

use aws_config::SdkConfig;
use aws_credential_types::provider::SharedCredentialsProvider;
use aws_runtime::auth::SigV4OperationSigningConfig;
use aws_runtime::auth::sigv4::{SCHEME_ID, SigV4AuthScheme};
use aws_runtime::user_agent::{ApiMetadata, UserAgentInterceptor};
use aws_smithy_runtime::client::identity::IdentityCache;
use aws_smithy_runtime::client::orchestrator::operation::Operation;
use aws_smithy_runtime_api::box_error::BoxError;
use aws_smithy_runtime_api::client::auth::AuthSchemeOptionResolverParams;
use aws_smithy_runtime_api::client::auth::static_resolver::StaticAuthSchemeOptionResolver;
use aws_smithy_runtime_api::client::orchestrator::{HttpRequest, HttpResponse, OrchestratorError};
use aws_smithy_runtime_api::client::runtime_components::RuntimeComponentsBuilder;
use aws_smithy_runtime_api::client::runtime_plugin::StaticRuntimePlugin;
use aws_smithy_runtime_api::client::stalled_stream_protection::StalledStreamProtectionConfig;
use aws_smithy_types::body::SdkBody;
use aws_smithy_types::config_bag::Layer;
use aws_smithy_types::error::metadata::ErrorMetadata;
use aws_types::SigningName;
use aws_types::region::SigningRegion;
use aws_types::request_id::RequestId;
use aws_types::service_config::ServiceConfigKey;
use serde_json::Value;
use trailproof_core::account::{Partition, Region};
use trailproof_core::evidence::Call;

use super::body::{Encoding, decode};
use super::classify::Failure;
use super::send::{CallCredentials, typed};
use super::{Answer, Clients, Target};

/// A service with a JSON protocol.
#[derive(Debug)]
pub(super) struct Service {
    /// Its name in actions, endpoints and signatures.
    name: &'static str,
    /// Its name in settings.
    id: &'static str,
    /// What stands before the operation in the header that names it (`awsJson1_1`); without it,
    /// the operation is the path (`restJson1`).
    target: Option<&'static str>,
}

/// Every such service (their service models, as botocore has them).
pub(super) static SERVICES: [Service; 5] = [
    Service {
        name: "kms",
        id: "KMS",
        target: Some("TrentService"),
    },
    Service {
        name: "oam",
        id: "OAM",
        target: None,
    },
    Service {
        name: "observabilityadmin",
        id: "ObservabilityAdmin",
        target: None,
    },
    Service {
        name: "events",
        id: "EventBridge",
        target: Some("AWSEvents"),
    },
    // Never asked as evidence: whoever sends something names the path.
    Service {
        name: "securityhub",
        id: "SecurityHub",
        target: None,
    },
];

/// A question: the operation's name and its parameters.
#[derive(Debug)]
pub(super) struct Question {
    operation: &'static str,
    /// Where a `restJson1` service has it, if not by its name.
    path: Option<&'static str>,
    body: String,
}

/// A service's answer, or why its body cannot be read.
type Answered = Result<Answer, String>;

/// How a service in a region is asked.
pub(super) type Asking = Operation<Question, Answered, ErrorMetadata>;

impl Clients {
    /// Asks for a page of a call to one of these services.
    pub(super) async fn json_page(
        &self,
        target: &Target,
        call: &Call,
        token: Option<String>,
    ) -> Result<Answer, Failure> {
        let definition = call.operation().definition();
        let mut parameters = call.parameters();
        if let (Some(pages), Some(token)) = (definition.pages, token) {
            parameters.insert(pages.token.to_owned(), token.into());
        }
        let body = Value::Object(parameters).to_string();
        self.json_request(target, definition.name, None, body).await
    }

    /// Sends one request to one of these services. `action` is the operation as policies name it,
    /// `path` where it is found if not by its name.
    pub(crate) async fn json_request(
        &self,
        target: &Target,
        action: &'static str,
        path: Option<&'static str>,
        body: String,
    ) -> Result<Answer, Failure> {
        let known = action.split_once(':').and_then(|(prefix, operation)| {
            let at = SERVICES.iter().position(|service| service.name == prefix)?;
            Some((at, operation))
        });
        let Some((service, operation)) = known else {
            return Err(Failure::unsupported(action));
        };
        let clients = self.at(&target.region);
        let Some(asking) = clients.json(service, &target.region) else {
            return Err(Failure::unsupported(action));
        };
        let question = Question {
            operation,
            path,
            body,
        };
        let answered = typed(target, asking.invoke(question)).await?;
        answered.map_err(Failure::unreadable)
    }
}

impl Service {
    /// Everything that asking the service in a region takes.
    pub(super) fn asking(&'static self, config: &SdkConfig, region: &Region) -> Asking {
        let name = aws_config::Region::new(region.as_str().to_owned());
        let mut layer = Layer::new(self.name);
        layer
            .store_put(AuthSchemeOptionResolverParams::new(()))
            .store_put(SigV4OperationSigningConfig::default())
            .store_put(SigningName::from_static(self.name))
            .store_put(SigningRegion::from(name))
            .store_put(ApiMetadata::new(self.name, env!("CARGO_PKG_VERSION")));
        layer.store_or_unset(config.app_name().cloned());
        let components = RuntimeComponentsBuilder::new(self.name)
            .with_auth_scheme(SigV4AuthScheme::new())
            .with_auth_scheme_option_resolver(Some(StaticAuthSchemeOptionResolver::new(vec![
                SCHEME_ID,
            ])))
            .with_identity_cache(Some(IdentityCache::no_cache()))
            .with_identity_resolver(SCHEME_ID, SharedCredentialsProvider::new(CallCredentials))
            .with_http_client(config.http_client())
            .with_sleep_impl(config.sleep_impl())
            .with_time_source(config.time_source());
        let plugin = StaticRuntimePlugin::new()
            .with_config(layer.freeze())
            .with_runtime_components(components);
        let mut builder = Operation::builder()
            .service_name(self.name)
            .operation_name("page")
            .endpoint_url(&self.endpoint(config, region))
            .no_retry()
            .interceptor(UserAgentInterceptor::new())
            .stalled_stream_protection(StalledStreamProtectionConfig::disabled())
            .with_connection_poisoning()
            .runtime_plugin(plugin);
        if let Some(timeouts) = config.timeout_config() {
            builder = builder.timeout_config(timeouts.clone());
        }
        builder
            .serializer(|question| self.request(question))
            .deserializer(answer)
            .build()
    }

    /// Where the service is: as somebody set it, or where AWS has it.
    fn endpoint(&self, config: &SdkConfig, region: &Region) -> String {
        let set_for_all = || config.endpoint_url().map(str::to_owned);
        if config.get_origin("endpoint_url").is_client_config()
            && let Some(url) = set_for_all()
        {
            return url;
        }
        let key = ServiceConfigKey::builder()
            .service_id(self.id)
            .env("AWS_ENDPOINT_URL")
            .profile("endpoint_url")
            .build();
        let set_for_one = key
            .ok()
            .zip(config.service_config())
            .and_then(|(key, settings)| settings.load_config(key));
        set_for_one.or_else(set_for_all).unwrap_or_else(|| {
            let partition = region.partition();
            // EventBridge has no other endpoints in GovCloud: its own are FIPS endpoints.
            let own = self.name == "events" && partition == Partition::GovCloud;
            let fips = if config.use_fips() == Some(true) && !own {
                "-fips"
            } else {
                ""
            };
            let domain = if config.use_dual_stack() == Some(true) {
                dual_stack_suffix(partition)
            } else {
                partition.dns_suffix()
            };
            format!("https://{}{fips}.{region}.{domain}", self.name)
        })
    }

    fn request(&self, question: Question) -> Result<HttpRequest, BoxError> {
        let length = question.body.len().to_string();
        let mut request = HttpRequest::new(SdkBody::from(question.body));
        request.set_method("POST")?;
        let content_type = if let Some(target) = self.target {
            request.set_uri("/")?;
            let name = format!("{target}.{}", question.operation);
            request.headers_mut().insert("x-amz-target", name);
            "application/x-amz-json-1.1"
        } else {
            match question.path {
                Some(path) => request.set_uri(path)?,
                None => request.set_uri(format!("/{}", question.operation))?,
            }
            "application/json"
        };
        request.headers_mut().insert("content-type", content_type);
        request.headers_mut().insert("content-length", length);
        Ok(request)
    }
}

/// The domain of endpoints for both kinds of addresses (botocore, `partitions.json`).
fn dual_stack_suffix(partition: Partition) -> &'static str {
    match partition {
        Partition::Aws | Partition::GovCloud => "api.aws",
        Partition::China => "api.amazonwebservices.com.cn",
        Partition::EuropeanSovereignCloud => "api.amazonwebservices.eu",
    }
}

fn answer(response: &HttpResponse) -> Result<Answered, OrchestratorError<ErrorMetadata>> {
    let body = response.body().bytes().unwrap_or_default();
    if response.status().is_success() {
        let request_id = response.headers().request_id().map(str::to_owned);
        let read = decode(Encoding::Json, body);
        return Ok(read.map(|body| Answer { body, request_id }));
    }
    Err(OrchestratorError::operation(error(response, body)))
}

/// An error as the JSON protocols write it: the code in a header or in the body, where a namespace
/// may stand before it and an address behind it (Smithy, "AWS restJson1 protocol").
fn error(response: &HttpResponse, body: &[u8]) -> ErrorMetadata {
    let body: Value = serde_json::from_slice(body).unwrap_or_default();
    let text = |names: &[&str]| {
        let mut found = names.iter().filter_map(|name| body.get(name)?.as_str());
        found.next()
    };
    let code = response.headers().get("x-amzn-errortype");
    let code = code.or_else(|| text(&["code", "__type"])).map(|code| {
        let code = code.split(':').next().unwrap_or_default();
        code.rsplit('#').next().unwrap_or_default()
    });
    let mut error = ErrorMetadata::builder();
    if let Some(code) = code {
        error = error.code(code);
    }
    if let Some(message) = text(&["message", "Message", "errorMessage"]) {
        error = error.message(message);
    }
    error.build()
}
