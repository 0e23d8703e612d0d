//! The roles that are assumed: as users write them, which goes with which account, and what limits
//! their sessions.

mod settings;
mod template;

pub use settings::{HubRole, MemberRole, RoleSettings, SessionPolicy};
pub use template::{InvalidRoleTemplate, RoleTemplate};
