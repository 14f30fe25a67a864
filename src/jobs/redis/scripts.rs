//! The scripts, each with what all of them share before it. Their first lines say what they take and give.

use std::sync::LazyLock;

use fred::types::scripts::Script;

macro_rules! scripts {
    ($($name:ident = $file:literal;)*) => {
        $(pub static $name: LazyLock<Script> = LazyLock::new(|| {
            Script::from_lua(concat!(include_str!("lua/prelude.lua"), include_str!(concat!("lua/", $file))))
        });)*
    };
}

scripts! {
    APPLY = "apply.lua";
    BATCH = "batch.lua";
    CLAIM = "claim.lua";
    CLAIM_DELIVERY = "claim_delivery.lua";
    CONCLUDE_DELIVERY = "conclude_delivery.lua";
    EXPIRED = "expired.lua";
    FORGET_WORKER = "forget_worker.lua";
    HEARTBEAT = "heartbeat.lua";
    LAST_EVENT = "last_event.lua";
    LIST = "list.lua";
    OLDEST_READY = "oldest_ready.lua";
    OUTBOX = "outbox.lua";
    PUBLISH = "publish.lua";
    RECORD = "record.lua";
    REPLAY = "replay.lua";
    STATS = "stats.lua";
    SUBMIT = "submit.lua";
    TIDY = "tidy.lua";
    WORKERS = "workers.lua";
}
