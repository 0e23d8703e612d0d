//! Questions about things that do not exist: whether somebody may ask shows all the same, because
//! AWS checks permissions first and says then that nothing is there.

use super::Operation;
use crate::account::{AccountId, Region};

/// What a question is to be made up for.
#[derive(Debug, Clone, Copy)]
pub(super) struct MadeUp<'a> {
    pub(super) operation: Operation,
    pub(super) account: AccountId,
    pub(super) region: &'a Region,
    /// The parameter.
    pub(super) name: &'static str,
}

/// The name of what does not exist.
const NAME: &str = "trailproof-doctor";
/// The id of what does not exist and has an id.
const ID: &str = "00000000-0000-0000-0000-000000000000";

/// A value that can be made up.
pub(super) trait Probe {
    fn made_up(of: MadeUp<'_>) -> Self;
}

impl Probe for String {
    fn made_up(of: MadeUp<'_>) -> Self {
        let MadeUp {
            operation,
            account,
            region,
            name,
        } = of;
        if !name.ends_with("arn") && !name.ends_with("identifier") {
            return if name.ends_with("id") { ID } else { NAME }.to_owned();
        }
        let service = operation.as_str().split(':').next().unwrap_or_default();
        let resource = match service {
            "cloudtrail" => format!("trail/{NAME}"),
            "kms" => format!("key/{ID}"),
            "oam" if name.starts_with("link") => format!("link/{ID}"),
            "oam" => format!("sink/{ID}"),
            "sns" if name.starts_with("subscription") => format!("{NAME}:{ID}"),
            _ => NAME.to_owned(),
        };
        let partition = region.partition();
        format!("arn:{partition}:{service}:{region}:{account}:{resource}")
    }
}

impl Probe for bool {
    fn made_up(_: MadeUp<'_>) -> Self {
        true
    }
}

impl Probe for AccountId {
    fn made_up(of: MadeUp<'_>) -> Self {
        of.account
    }
}

/// What may be left out is left out.
impl<T> Probe for Option<T> {
    fn made_up(_: MadeUp<'_>) -> Self {
        None
    }
}

#[cfg(test)]
mod tests {
    use crate::account::Region;
    use crate::arn::Arn;
    use crate::evidence::{Call, Operation};

    #[test]
    fn every_operation_has_a_question() {
        let account = "222222222222".parse().unwrap();
        let region = Region::new("cn-north-1");
        for operation in Operation::ALL {
            let call = Call::probe(*operation, account, &region);
            assert_eq!(call.operation(), *operation);
            for (name, value) in call.parameters() {
                let Some(text) = value.as_str().filter(|_| name.ends_with("Arn")) else {
                    continue;
                };
                let arn: Arn = text.parse().unwrap();
                assert_eq!(arn.account(), Some(account), "{operation} {text}");
                assert_eq!(arn.partition(), "aws-cn", "{operation} {text}");
            }
        }
    }
}
