//! What is fuzzed: each module has a function that gives bytes to some readers of what comes from outside. The program's
//! tests do the same, for a moment (`tests/stories/made_up.rs`).
//!
//! They share a runtime, and a server at the wire that answers whatever the fuzzer makes up.

pub mod api;
pub mod client;
pub mod models;
pub mod settings;
pub mod texts;
pub mod vendors;

use std::sync::{Arc, LazyLock, Mutex};

use tokio::{
    io::{AsyncBufReadExt, AsyncReadExt, AsyncWriteExt, BufReader},
    net::{TcpListener, TcpStream},
    runtime::{Builder, Runtime},
};
use url::Url;

/// The one runtime: all that a run starts goes on in the thread of the fuzzer, which sees what it covers.
pub static RUNTIME: LazyLock<Runtime> =
    LazyLock::new(|| Builder::new_current_thread().enable_all().build().expect("a runtime starts"));

/// A server on the loopback that gives every request the same answer.
pub struct Wire {
    pub url: Url,
    answer: Arc<Mutex<Answer>>,
}

/// What every request is answered with.
#[derive(Clone, Default)]
pub struct Answer {
    /// 200 if it is 0.
    pub status: u16,
    /// Lines of headers.
    pub headers: &'static str,
    pub body: Vec<u8>,
}

impl Wire {
    pub fn start() -> Self {
        let answer = Arc::<Mutex<Answer>>::default();
        let listener = RUNTIME.block_on(TcpListener::bind("127.0.0.1:0")).expect("a port is free");
        let address = listener.local_addr().expect("it has an address");
        let served = answer.clone();
        RUNTIME.spawn(async move {
            while let Ok((connection, _)) = listener.accept().await {
                tokio::spawn(serve(connection, served.clone()));
            }
        });
        Self { url: format!("http://{address}/").parse().expect("it is a URL"), answer }
    }

    pub fn answer(&self, answer: Answer) {
        *self.answer.lock().expect("no holder panics") = answer;
    }
}

async fn serve(connection: TcpStream, answer: Arc<Mutex<Answer>>) -> Option<()> {
    connection.set_nodelay(true).ok()?;
    let mut connection = BufReader::new(connection);
    loop {
        let mut length = 0;
        loop {
            let mut line = String::new();
            if connection.read_line(&mut line).await.ok()? == 0 {
                return None;
            }
            let line = line.trim_end().to_ascii_lowercase();
            if line.is_empty() {
                break;
            }
            length = line.strip_prefix("content-length: ").and_then(|n| n.parse().ok()).unwrap_or(length);
        }
        let mut body = vec![0; length];
        connection.read_exact(&mut body).await.ok()?;
        let Answer { status, headers, body } = answer.lock().expect("no holder panics").clone();
        let status = if status == 0 { 200 } else { status };
        let head = format!("HTTP/1.1 {status} Made up\r\ncontent-length: {}\r\n{headers}\r\n", body.len());
        connection.write_all(head.as_bytes()).await.ok()?;
        connection.write_all(&body).await.ok()?;
    }
}
