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
use crate::event::{Warning, WarningCode};

/// Signatures hold for five minutes (AWS Signature Version 4); half of that is worth mending.
const WORTH_MENDING: SignedDuration = SignedDuration::from_secs(150);

/// Whether a clock that is so far off needs to be set.
pub fn is_worth_mending(skew: SignedDuration) -> bool {
    skew.abs() > WORTH_MENDING
}

/// The warning of a clock that is far off.
pub(crate) fn warning(skew: SignedDuration) -> Option<Warning> {
    is_worth_mending(skew).then(|| Warning {
        code: WarningCode::ClockSkew,
        message: format!(
            "this computer's clock is {} minutes {} the time that AWS gives: the times of the \
             evidence and every age are wrong by as much, and from five minutes on AWS refuses \
             signatures; set the clock, by NTP for instance",
            (skew.abs().as_secs() + 30) / 60,
            if skew.is_negative() {
                "behind"
            } else {
                "ahead of"
            }
        ),
    })
}

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
    fn minutes_are_warned_of_and_seconds_are_not() {
        let after = |seconds| warning(SignedDuration::from_secs(seconds));
        assert_eq!(after(0), None);
        assert_eq!(after(-150), None);
        let ahead = after(200).unwrap().message;
        assert!(ahead.contains("3 minutes ahead of"), "{ahead}");
        let behind = after(-3_600).unwrap().message;
        assert!(behind.contains("60 minutes behind the time"), "{behind}");
    }

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
