//! What Redis alone does in a second, asked by redis-benchmark: the program's own scripts, and plain commands beside them.

use tokio::process::Command;

use crate::{
    process::{MEASURED, OTHERS, bind},
    support::redis::Redis,
    table::{Table, rate},
};

const PRELUDE: &str = include_str!("../../src/jobs/redis/lua/prelude.lua");
const SUBMIT: &str = include_str!("../../src/jobs/redis/lua/submit.lua");
const CLAIM: &str = include_str!("../../src/jobs/redis/lua/claim.lua");

/// Commands of each kind.
const COMMANDS: &str = "50000";

/// A job's id, with a number that redis-benchmark chooses.
const ID: &str = "018f6478-2b20-7c53-9d2a-__rand_int__";
const REQUEST: &str = r#"{"ticker":"AAPL","date":"2012-09-19","config":{},"priority":"normal"}"#;
const EVENT: &str = r#"{"type":"submitted","data":{"ticker":"AAPL","date":"2012-09-19"}}"#;

pub async fn measure() -> Table {
    bind(Some(OTHERS));
    let redis = Redis::start(&[]).await;
    bind(Some(MEASURED));
    let load =
        async |script: &str| redis.cli(&["SCRIPT", "LOAD", &format!("{PRELUDE}{script}")]).await.trim().to_owned();
    let (submit, claim) = (load(SUBMIT).await, load(CLAIM).await);
    let queue = "{ta:0}";
    let submit_one = [
        "EVALSHA",
        &submit,
        "1",
        queue,
        "100000000",
        "",
        "0123456789abcdef0123456789abcdef",
        "86400000",
        "",
        ID,
        "AAPL",
        "normal",
        "",
        "0",
        REQUEST,
        EVENT,
    ];
    let claim_one = ["EVALSHA", &claim, "1", queue, "bench-1", "normal", "high", "low"];
    let record = ["HSET", "record:__rand_int__", "id", ID, "request", REQUEST, "status", "pending"];
    let mut table = Table::new("Inside Redis alone, which has a core", ["", "1 connection", "16", "64"]);
    for (name, command) in [
        ("`PING`", &["PING"][..]),
        ("`HSET` of a record", &record),
        ("`HGETALL` of it, as a look at a job does", &["HGETALL", "record:000000000001"]),
        ("the script that submits a job", &submit_one),
        ("the script that claims one", &claim_one),
    ] {
        let mut cells = vec![name.to_owned()];
        for connections in ["1", "16", "64"] {
            cells.push(benchmark(&redis, connections, command).await);
        }
        table.row(cells);
    }
    table.note("Each: commands a second, and p50 / p99 of their times.");
    bind(None);
    table
}

async fn benchmark(redis: &Redis, connections: &str, command: &[&str]) -> String {
    let address = redis.address();
    let port = address.rsplit(':').next().unwrap();
    // Of so many ids, hardly any comes twice.
    let output = Command::new("redis-benchmark")
        .args(["-p", port, "-c", connections, "-n", COMMANDS, "-r", "2000000000", "--csv"])
        .args(command)
        .output()
        .await
        .unwrap();
    let text = String::from_utf8(output.stdout).unwrap();
    // "test","rps","avg_latency_ms","min_latency_ms","p50_latency_ms","p95_latency_ms","p99_latency_ms","max_latency_ms"
    let figures: Vec<f64> =
        text.lines().last().unwrap().rsplitn(8, ',').filter_map(|cell| cell.trim_matches('"').parse().ok()).collect();
    let [_, p99, _, p50, _, _, per_second] = figures[..] else { panic!("no figures in {text}") };
    format!("{}, {p50:.2}ms / {p99:.2}ms", rate(per_second))
}
