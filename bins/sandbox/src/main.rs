//! The sandbox.

fn main() -> std::process::ExitCode {
    wagate_sandbox::run_cli()
}
