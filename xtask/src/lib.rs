//! What the developer tasks and the end-to-end tests share: the workspace's places, child
//! processes, and the Python environment of the emulators. The tasks themselves are in the binary.

pub mod invocation;
pub mod python;
pub mod workspace;
