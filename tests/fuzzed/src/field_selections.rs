//! `fieldSelectionCriteria` of metric filters.

use trailproof_core::account::{AccountId, Region};
use trailproof_core::field_selection::FieldSelection;
use trailproof_core::pattern::Match;

use crate::text;

/// Criteria are read, or the error points into them; brackets around them, and themselves a second
/// time, mean nothing more.
pub(crate) fn field_selections(data: &[u8]) {
    let text = text(data);
    let read = match FieldSelection::parse(text) {
        Ok(read) => read,
        Err(error) => {
            assert!(!error.message.is_empty());
            let Some(_) = text.get(error.span.start..error.span.end) else {
                panic!("{error:?}");
            };
            return;
        }
    };
    let account: AccountId = "111111111111".parse().expect("an account");
    let region = Region::new("eu-west-1");
    let admits = |read: &FieldSelection| read.admits(account, &region);
    if text.trim().is_empty() {
        assert_eq!(admits(&read), Match::Yes);
        return;
    }
    for more in [
        format!("({text})"),
        format!("{text} OR ({text})"),
        format!("({text}) AND ({text})"),
    ] {
        // Longer and deeper ones may be refused.
        if let Ok(more) = FieldSelection::parse(&more) {
            assert_eq!(admits(&more), admits(&read));
        }
    }
}
