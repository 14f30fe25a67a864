//! The one executable; see [`tradingagents::cli`] for its commands.

use std::process::ExitCode;

fn main() -> ExitCode {
    tradingagents::cli::main()
}
