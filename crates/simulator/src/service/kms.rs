//! KMS: keys, as those see them whom their policies let, which are their owners here.

use serde_json::json;
use trailproof_core::account::AccountId;
use trailproof_core::arn::Arn;

use super::{Answer, Context, unsupported};
use crate::document::Structure;
use crate::failure::Failure;
use crate::model::{Key, Organization};
use crate::operation::Operation;
use crate::permission;

pub(super) fn read(
    organization: &Organization,
    operation: Operation,
    context: Context<'_>,
) -> Answer {
    let (owner, key) = find(organization, operation, context)?;
    match operation {
        Operation::DescribeKey => {
            let metadata = Structure::new()
                .with("AWSAccountId", owner.to_string())
                .text("KeyId", &key.id)
                .with("Arn", arn(organization, context, owner, &key.id))
                .with("Enabled", key.state == "Enabled")
                .with("Description", "")
                .with("KeyUsage", "ENCRYPT_DECRYPT")
                .text("KeyState", &key.state)
                .with("Origin", "AWS_KMS")
                .text("KeyManager", &key.manager)
                .with("KeySpec", "SYMMETRIC_DEFAULT")
                .with("MultiRegion", false);
            Ok(Structure::new().with("KeyMetadata", metadata))
        }
        Operation::GetKeyPolicy => {
            let policy = if key.policy.is_empty() {
                default_policy(organization, owner)
            } else {
                key.policy.clone()
            };
            Ok(Structure::new()
                .with("Policy", policy)
                .with("PolicyName", "default"))
        }
        _ => Err(unsupported()),
    }
}

/// The policy of a key that was made without one (KMS Developer Guide, "Default key policy").
fn default_policy(organization: &Organization, owner: AccountId) -> String {
    json!({
        "Version": "2012-10-17",
        "Id": "key-default-1",
        "Statement": [{
            "Sid": "Enable IAM User Permissions",
            "Effect": "Allow",
            "Principal": { "AWS": format!("arn:{}:iam::{owner}:root", organization.partition()) },
            "Action": "kms:*",
            "Resource": "*"
        }]
    })
    .to_string()
}

fn arn(organization: &Organization, context: Context<'_>, owner: AccountId, id: &str) -> String {
    let partition = organization.partition();
    format!("arn:{partition}:kms:{}:{owner}:key/{id}", context.region)
}

/// The key that a call names, of whoever calls: the policies here let nobody else.
fn find<'a>(
    organization: &'a Organization,
    operation: Operation,
    context: Context<'_>,
) -> Result<(AccountId, &'a Key), Failure> {
    let name = context.parameters.text("KeyId").unwrap_or_default();
    let caller = context.caller.account;
    let (owner, region, resource) = match name.parse::<Arn>() {
        Ok(arn) if arn.service() == "kms" => {
            (arn.account(), arn.region(), arn.resource().to_owned())
        }
        _ if name.starts_with("alias/") => (Some(caller), None, name.to_owned()),
        _ => (Some(caller), None, format!("key/{name}")),
    };
    let owner = owner.ok_or_else(|| Failure::invalid("InvalidArnException", "Invalid arn"))?;
    if region.is_some_and(|region| region != *context.region) {
        return Err(Failure::not_found(
            "NotFoundException",
            format!("Invalid arn {}", context.region),
        ));
    }
    if owner != caller {
        return Err(permission::denied(
            organization,
            context.caller,
            operation,
            "on this resource because the resource does not exist in this Region, no resource-based policies allow access, or a resource-based policy explicitly denies access",
        ));
    }
    // Only DescribeKey takes aliases (KMS API, `GetKeyPolicy`).
    let by_alias = resource.starts_with("alias/");
    let keys = organization
        .account(owner)
        .and_then(|account| account.site(context.region))
        .map_or(&[][..], |site| site.keys.as_slice());
    let found = keys.iter().find(|key| {
        if by_alias {
            operation == Operation::DescribeKey && key.aliases.contains(&resource)
        } else {
            resource.strip_prefix("key/") == Some(&key.id)
        }
    });
    found.map(|key| (owner, key)).ok_or_else(|| {
        let what = if by_alias { "Alias" } else { "Key" };
        Failure::not_found(
            "NotFoundException",
            format!(
                "{what} 'arn:{}:kms:{}:{owner}:{resource}' does not exist",
                organization.partition(),
                context.region
            ),
        )
    })
}
