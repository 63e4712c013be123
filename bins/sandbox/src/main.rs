//! The sandbox.

/// Gives memory back to the system: the system's own allocator keeps what large bodies took, once per thread.
#[cfg(unix)]
#[global_allocator]
static ALLOCATOR: tikv_jemallocator::Jemalloc = tikv_jemallocator::Jemalloc;

fn main() -> std::process::ExitCode {
    wagate_sandbox::run_cli()
}
