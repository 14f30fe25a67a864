//! Who asks: connections that stay open, each of which asks again as soon as it is answered.
//!
//! It speaks just the HTTP/1.1 that the measured servers answer with, so that it takes little of the core that it shares
//! with Redis. In such a closed loop a slow answer delays the next question, so times at many connections are those of a
//! server that is as busy as it can be.

use std::{
    net::SocketAddr,
    sync::{
        Arc,
        atomic::{AtomicUsize, Ordering},
    },
    time::{Duration, Instant},
};

use tokio::{
    io::{AsyncReadExt, AsyncWriteExt},
    net::TcpStream,
    task::JoinSet,
};

use crate::{process::Process, table::in_order};

/// How long a server is warmed up, and how long it is then asked before it is the next one's turn.
const TURN: Duration = Duration::from_secs(1);

/// How many turns each has. They take turns so that a machine which is slower for a while is so for all of them.
const TURNS: u32 = 5;

/// What a server did under load.
pub struct Load {
    pub per_second: f64,
    /// Answers for each second that it ran on a core; the rest of the time it waited.
    pub per_core: f64,
    /// In order of length.
    pub times: Vec<Duration>,
}

/// A server, and what it is asked.
pub struct Asked<'a> {
    pub server: &'a Process,
    pub address: SocketAddr,
    pub question: &'a Question,
}

/// A question as it goes over the wire.
pub type Question = Arc<[u8]>;

pub fn get(path: &str) -> Question {
    format!("GET {path} HTTP/1.1\r\nhost: localhost\r\n\r\n").into_bytes().into()
}

pub fn post(path: &str, body: &str) -> Question {
    let length = body.len();
    let head = format!(
        "POST {path} HTTP/1.1\r\nhost: localhost\r\ncontent-type: application/json\r\ncontent-length: {length}\r\n\r\n"
    );
    (head + body).into_bytes().into()
}

/// Asks servers in turns, each on so many connections.
pub async fn in_turns(asked: &[Asked<'_>], connections: usize) -> Vec<Load> {
    for asked in asked {
        asked.turn(connections).await;
    }
    let mut turns = vec![(Vec::new(), Duration::ZERO); asked.len()];
    for _ in 0..TURNS {
        for (asked, (times, on_core)) in asked.iter().zip(&mut turns) {
            let before = asked.server.on_core();
            times.extend(asked.turn(connections).await);
            *on_core += asked.server.on_core().saturating_sub(before);
        }
    }
    turns.into_iter().map(|(times, on_core)| of_turns(times, on_core)).collect()
}

impl Asked<'_> {
    async fn turn(&self, connections: usize) -> Vec<Duration> {
        run(self.address, connections, self.question, Until::Time(Instant::now() + TURN)).await
    }
}

fn of_turns(times: Vec<Duration>, on_core: Duration) -> Load {
    let answers = times.len() as f64;
    Load {
        per_second: answers / (TURN * TURNS).as_secs_f64(),
        per_core: answers / on_core.as_secs_f64(),
        times: in_order(times),
    }
}

/// Asks so many times.
pub async fn ask_often(server: SocketAddr, connections: usize, question: &Question, times: usize) {
    run(server, connections, question, Until::Asked(Arc::new(AtomicUsize::new(times)))).await;
}

#[derive(Clone)]
enum Until {
    Time(Instant),
    /// So many questions are left.
    Asked(Arc<AtomicUsize>),
}

impl Until {
    fn is_over(&self) -> bool {
        match self {
            Self::Time(end) => Instant::now() >= *end,
            Self::Asked(left) => {
                left.fetch_update(Ordering::Relaxed, Ordering::Relaxed, |left| left.checked_sub(1)).is_err()
            }
        }
    }
}

async fn run(server: SocketAddr, connections: usize, question: &Question, until: Until) -> Vec<Duration> {
    let mut tasks = JoinSet::new();
    for _ in 0..connections {
        let (question, until) = (question.clone(), until.clone());
        tasks.spawn(async move {
            let mut connection = Connection::open(server).await;
            let mut times = Vec::new();
            while !until.is_over() {
                let began = Instant::now();
                connection.ask(&question).await;
                times.push(began.elapsed());
            }
            times
        });
    }
    tasks.join_all().await.concat()
}

/// A connection to a server.
pub struct Connection {
    stream: TcpStream,
    buffer: Vec<u8>,
}

impl Connection {
    pub async fn open(server: SocketAddr) -> Self {
        let stream = TcpStream::connect(server).await.unwrap();
        stream.set_nodelay(true).unwrap();
        Self { stream, buffer: Vec::with_capacity(4096) }
    }

    /// Asks, and gives the answer's body; only success is an answer.
    pub async fn ask(&mut self, question: &[u8]) -> &[u8] {
        self.stream.write_all(question).await.unwrap();
        self.buffer.clear();
        loop {
            let read = self.stream.read_buf(&mut self.buffer).await.unwrap();
            assert!(read > 0, "the connection was closed after {:?}", String::from_utf8_lossy(&self.buffer));
            if let Some((head, length)) = head(&self.buffer)
                && self.buffer.len() >= head + length
            {
                assert!(self.buffer.starts_with(b"HTTP/1.1 20"), "{}", String::from_utf8_lossy(&self.buffer));
                return &self.buffer[head..];
            }
        }
    }

    /// The same as JSON.
    pub async fn ask_json(&mut self, question: &[u8]) -> serde_json::Value {
        serde_json::from_slice(self.ask(question).await).unwrap()
    }
}

/// The lengths of an answer's head and body, once the head is there.
fn head(answer: &[u8]) -> Option<(usize, usize)> {
    let end = answer.windows(4).position(|bytes| bytes == b"\r\n\r\n")?;
    let head = std::str::from_utf8(&answer[..end]).unwrap();
    let length = head.split("\r\n").find_map(|line| {
        let (name, value) = line.split_once(": ")?;
        name.eq_ignore_ascii_case("content-length").then(|| value.parse().unwrap())
    });
    Some((end + 4, length.unwrap_or_else(|| panic!("an answer has no length: {head}"))))
}
