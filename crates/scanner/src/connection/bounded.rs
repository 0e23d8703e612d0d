//! Answers of a bounded length: whoever sends more is not AWS, or not sound, and must not use up
//! the memory that the answers of everybody else need.

use std::error::Error;

use aws_smithy_types::body::SdkBody;
use http_body_util::{LengthLimitError, Limited};

use super::trouble::find;

/// The largest page that AWS is known to answer stays below 1 MiB: 100 alarms with everything they
/// may have, or the policy of a topic of 30 KiB.
const LARGEST_BODY: usize = 16 << 20;

/// A body that ends with an error where it becomes too long.
pub(super) fn bounded(body: SdkBody) -> SdkBody {
    SdkBody::from_body_1_x(Limited::new(body, LARGEST_BODY))
}

/// Whether an answer was too long to be read.
pub(crate) fn is_too_large(error: &(dyn Error + 'static)) -> bool {
    find::<LengthLimitError>(error).is_some()
}

#[cfg(test)]
mod tests {
    use http_body_util::BodyExt as _;

    use super::*;

    #[tokio::test]
    async fn longer_bodies_are_errors_that_say_so() {
        for (length, read) in [(0, true), (LARGEST_BODY, true), (LARGEST_BODY + 1, false)] {
            let body = bounded(SdkBody::from(vec![b' '; length]));
            match body.collect().await {
                Ok(body) => assert!(read && body.to_bytes().len() == length),
                Err(error) => assert!(!read && is_too_large(error.as_ref()), "{error}"),
            }
        }
    }
}
