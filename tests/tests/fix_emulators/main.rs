//! What a repair must never do, on emulators of AWS that others made: anything twice, anything to
//! what is not its own. boto3 looks at every resource before and after, and the simulator is
//! looked at with the same eyes.
#![allow(
    clippy::expect_used,
    clippy::indexing_slicing,
    clippy::panic,
    clippy::print_stdout,
    reason = "a test that cannot go on has failed, and says why"
)]

mod with_python;
