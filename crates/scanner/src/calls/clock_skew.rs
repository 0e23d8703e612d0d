//! How far this computer's clock is from AWS's: signatures hold for five minutes, and a clock that
//! is further off is refused with words about credentials.

use std::sync::{Arc, OnceLock};

use aws_smithy_runtime_api::box_error::BoxError;
use aws_smithy_runtime_api::client::interceptors::Intercept;
use aws_smithy_runtime_api::client::interceptors::context::BeforeDeserializationInterceptorContextRef;
use aws_smithy_runtime_api::client::runtime_components::RuntimeComponents;
use aws_smithy_types::config_bag::ConfigBag;
use jiff::{SignedDuration, Timestamp, Zoned, fmt::rfc2822};

use crate::clock;

/// The difference that the first answer with a date showed.
#[derive(Debug, Clone, Default)]
pub(super) struct ClockSkew(Arc<OnceLock<SignedDuration>>);

impl ClockSkew {
    pub(super) fn get(&self) -> Option<SignedDuration> {
        self.0.get().copied()
    }

    fn note(&self, date: &str, now: Timestamp) {
        // The form of HTTP (RFC 9110, 5.6.7) is one of RFC 2822.
        let sent: Result<Zoned, _> = rfc2822::parse(date);
        if let Ok(sent) = sent {
            // Only the first counts.
            let _ = self.0.set(now.duration_since(sent.timestamp()));
        }
    }
}

#[aws_smithy_runtime_api::client::interceptors::dyn_dispatch_hint]
impl Intercept for ClockSkew {
    fn name(&self) -> &'static str {
        "ClockSkew"
    }

    fn read_before_deserialization(
        &self,
        context: &BeforeDeserializationInterceptorContextRef<'_>,
        _runtime_components: &RuntimeComponents,
        _cfg: &mut ConfigBag,
    ) -> Result<(), BoxError> {
        if self.0.get().is_none()
            && let Some(date) = context.response().headers().get("date")
        {
            self.note(date, clock::now());
        }
        Ok(())
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn dates_of_answers_are_read() {
        let skew = ClockSkew::default();
        let now: Timestamp = "2026-11-28T20:00:10Z".parse().unwrap();
        skew.note("not a date", now);
        assert_eq!(skew.get(), None);
        skew.note("Sat, 28 Nov 2026 20:00:00 GMT", now);
        assert_eq!(skew.get(), Some(SignedDuration::from_secs(10)));
    }
}
