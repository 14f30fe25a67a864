//! What the command line's client makes of what calls itself the API: event streams and all other answers. The first byte
//! picks the question.

use std::{sync::LazyLock, time::Duration};

use super::{Answer, RUNTIME, Wire};
use tokio::time::timeout;
use tradingagents::{
    cli::client::{Client, Update},
    jobs::{JobId, Listing},
};

static WIRE: LazyLock<Wire> = LazyLock::new(Wire::start);
static CLIENT: LazyLock<Client> = LazyLock::new(|| Client::new(WIRE.url.clone(), None).expect("it is a URL"));

pub fn run(data: &[u8]) {
    let Some((question, body)) = data.split_first() else { return };
    let status = if question & 0x80 == 0 { 200 } else { 404 };
    let headers =
        if question % 5 == 0 { "content-type: text/event-stream\r\n" } else { "content-type: application/json\r\n" };
    WIRE.answer(Answer { status, headers, body: body.into() });
    let job = "018f6478-2b20-7c53-9d2a-5f3e8a1b7c44".parse::<JobId>().expect("it is an id");
    RUNTIME.block_on(async {
        match question % 5 {
            0 => {
                let mut follow = CLIENT.follow(job);
                let read = async { while let Ok(Some(Update::Event(_))) = follow.next().await {} };
                timeout(Duration::from_secs(5), read).await.expect("a stream that ends is read to its end");
            }
            1 => drop(CLIENT.status(job).await),
            2 => drop(CLIENT.jobs(&Listing { limit: 5, ..Listing::default() }).await),
            3 => drop(CLIENT.result(job).await),
            _ => drop(CLIENT.health().await),
        }
    });
}
