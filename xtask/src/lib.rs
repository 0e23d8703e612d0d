//! What the developer tasks and the end-to-end tests share: the workspace's places, child
//! processes, the binary that only reads, and the Python environment of the emulators. The tasks themselves are in the binary.

pub mod invocation;
pub mod operations;
pub mod python;
pub mod read_only;
pub mod workspace;
