//! The program: the command, with the allocator that suits a scan.

/// Calls are answered on whichever thread is free, so that what one thread took another gives
/// back: the C library's allocator locks for that, and a scan then takes a sixth more processor time.
#[global_allocator]
static ALLOCATOR: mimalloc::MiMalloc = mimalloc::MiMalloc;

fn main() -> std::process::ExitCode {
    trailproof::run()
}
