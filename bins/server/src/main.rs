//! The production server.

fn main() -> std::process::ExitCode {
    wagate::run_cli()
}
