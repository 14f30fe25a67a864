//! The one executable; see [`tradingagents::cli`] for its commands.

use std::process::ExitCode;

use mimalloc::MiMalloc;
use rustix::thread::disable_transparent_huge_pages;

/// A request takes and gives back memory some hundred times.
#[global_allocator]
static ALLOCATOR: MiMalloc = MiMalloc;

fn main() -> ExitCode {
    // Where the system gives huge pages to everything, they would double what an idle service takes.
    let _ = disable_transparent_huge_pages(true);
    tradingagents::cli::main()
}
