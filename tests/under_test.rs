//! `wagate-sandbox`, for tests that need a process of their own.

fn main() -> std::process::ExitCode {
    wagate_sandbox::run_cli()
}
