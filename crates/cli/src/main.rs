//! The program: the command, with the allocator that suits a scan.

/// Each call takes and gives back memory more than a thousand times: with the allocator of the C
/// library, a scan takes a tenth more processor time.
#[global_allocator]
static ALLOCATOR: mimalloc::MiMalloc = mimalloc::MiMalloc;

fn main() -> std::process::ExitCode {
    trailproof::run()
}
