//! What the service costs and how fast it answers, beside a peer and the physical limits: `cargo bench --bench
//! all`, or with `--profile dist` that of the images.
//!
//! Each part starts what it measures, a Redis of its own included, as processes on this machine, and gives a table:
//!
//! | part | what it measures |
//! | --- | --- |
//! | `http` | submitting and looking at jobs, by connections |
//! | `redis` | the same steps inside Redis alone |
//! | `running` | from a submission to the news that a worker runs it |
//! | `drain` | ten thousand jobs in which nothing is done |
//! | `scale` | what a long queue costs |
//! | `fanout` | ten thousand listeners |
//! | `pipeline` | what the firm adds to the time of its models |
//! | `start` | start to ready, idle memory, sizes |
//! | `build` | compilation; only if it is named, for it takes many minutes |
//!
//! `cargo bench --bench all -- http drain` runs those two. All tables together, with the machine and the command, are
//! then in `target/bench/table.md`; `docs/PERFORMANCE.md` says what to make of them. The peer in `../peer` needs Python
//! 3.11 and a package index once; `PEER=none` goes without it.

#![allow(clippy::unwrap_used, reason = "a bench that can't go on has failed")]
#![allow(clippy::cast_precision_loss, reason = "figures are for people")]
#![allow(clippy::needless_pass_by_value, dead_code, reason = "the stories' harness, of which this uses a part")]

mod bare;
mod build;
mod drain;
mod fanout;
mod http;
mod load;
mod machine;
mod ours;
mod peer;
mod pipeline;
mod process;
mod redis_alone;
mod running;
mod scale;
mod start;
#[path = "../../tests/stories/support/mod.rs"]
mod support;
mod table;

use std::env;

use table::Table;
use tokio::runtime::Builder;

/// The parts that run unless others are named, in the order of their tables.
const USUAL: [&str; 8] = ["http", "redis", "running", "drain", "scale", "fanout", "pipeline", "start"];

fn main() {
    // Cargo itself adds --bench.
    let words: Vec<_> = env::args().skip(1).filter(|word| word != "--bench").collect();
    if let [role, port, asks, redis] = &words[..]
        && role == bare::ROLE
    {
        return one_thread(bare::serve(port.parse().unwrap(), asks, redis));
    }
    let parts: Vec<&str> = if words.is_empty() { USUAL.into() } else { words.iter().map(String::as_str).collect() };
    let mut tables = Vec::new();
    for part in &parts {
        let table = run(part);
        println!("\n{}", table.text());
        tables.push(table);
    }
    println!("{}", machine::write(&parts, &tables));
}

fn run(part: &str) -> Table {
    match part {
        "http" => one_thread(http::measure()),
        "redis" => one_thread(redis_alone::measure()),
        "running" => threads(running::measure()),
        "drain" => one_thread(drain::measure()),
        "scale" => threads(scale::measure()),
        "fanout" => one_thread(fanout::measure()),
        "pipeline" => threads(pipeline::measure()),
        "start" => threads(start::measure()),
        "build" => build::measure(),
        _ => panic!("there is no part {part}; there are {} and build", USUAL.join(", ")),
    }
}

/// On the core to which the process is bound.
fn one_thread<T>(part: impl Future<Output = T>) -> T {
    Builder::new_current_thread().enable_all().build().unwrap().block_on(part)
}

fn threads<T>(part: impl Future<Output = T>) -> T {
    Builder::new_multi_thread().enable_all().build().unwrap().block_on(part)
}
