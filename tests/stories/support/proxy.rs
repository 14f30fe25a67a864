//! A TCP proxy on the loopback that plays a bad network.

use std::{
    sync::{Arc, Mutex},
    time::Duration,
};

use tokio::{
    io::{AsyncReadExt, AsyncWriteExt},
    net::{
        TcpListener, TcpStream,
        tcp::{OwnedReadHalf, OwnedWriteHalf},
    },
    sync::watch,
    time::{sleep, timeout},
};
use tokio_util::{sync::CancellationToken, task::AbortOnDropHandle};

use super::program::PATIENCE;

/// What a proxy does to what passes.
#[derive(Debug, Clone, PartialEq)]
#[allow(dead_code, reason = "the runs under faults use all of it, the stories a part")]
pub enum Weather {
    Fair,
    /// Everything arrives, so much later.
    Slow(Duration),
    /// Nothing arrives before the weather changes, though all connections stay open.
    Silent,
    /// The same, for requests with this text and what follows them.
    Holding(String),
    /// Requests arrive; after the next one with this text, the connection breaks before it is answered.
    Deaf(String),
}

/// A running proxy. It ends when dropped, with its connections.
pub struct Proxy {
    address: String,
    links: Arc<Links>,
    _task: AbortOnDropHandle<()>,
}

struct Links {
    server: String,
    weather: watch::Sender<Weather>,
    /// How often a text was met that the weather names.
    met: watch::Sender<u32>,
    now: Mutex<Epoch>,
}

/// What connections share that were made between two cuts.
#[derive(Clone, Default)]
struct Epoch {
    cut: CancellationToken,
    forgotten: CancellationToken,
}

impl Proxy {
    /// Starts one before a server at this host and port.
    pub async fn before(server: &str) -> Self {
        let listener = TcpListener::bind(("127.0.0.1", 0)).await.unwrap();
        let address = listener.local_addr().unwrap().to_string();
        let links = Arc::new(Links {
            server: server.into(),
            weather: watch::Sender::new(Weather::Fair),
            met: watch::Sender::new(0),
            now: Mutex::default(),
        });
        let task = tokio::spawn(accept(listener, links.clone()));
        Self { address, links, _task: AbortOnDropHandle::new(task) }
    }

    /// Host and port.
    pub fn address(&self) -> &str {
        &self.address
    }

    pub fn set(&self, weather: Weather) {
        self.links.weather.send_replace(weather);
    }

    /// Breaks all connections.
    pub fn cut(&self) {
        std::mem::take(&mut *self.links.now.lock().unwrap()).cut.cancel();
    }

    /// Lets all connections that are open be, but nothing passes on them any more: their other end is gone, and nobody says
    /// so. New ones are as good as ever.
    pub fn forget(&self) {
        std::mem::take(&mut *self.links.now.lock().unwrap()).forgotten.cancel();
    }

    /// Waits until a text that the weather names was met so often.
    pub async fn met(&self, times: u32) {
        let mut met = self.links.met.subscribe();
        timeout(PATIENCE, met.wait_for(|count| *count >= times)).await.expect("it is met in time").unwrap();
    }
}

async fn accept(listener: TcpListener, links: Arc<Links>) {
    let mut connections = tokio::task::JoinSet::new();
    loop {
        let (client, _) = listener.accept().await.unwrap();
        connections.spawn(carry_both(client, links.clone()));
        while connections.try_join_next().is_some() {}
    }
}

async fn carry_both(client: TcpStream, links: Arc<Links>) {
    let epoch = links.now.lock().unwrap().clone();
    // Nobody listens there: the client sees its connection closed.
    let Ok(server) = TcpStream::connect(&links.server).await else { return };
    for stream in [&client, &server] {
        stream.set_nodelay(true).unwrap();
    }
    let (from_client, to_client) = client.into_split();
    let (from_server, to_server) = server.into_split();
    let deaf = CancellationToken::new();
    let there = requests(from_client, to_server, &links, &epoch, &deaf);
    let back = answers(from_server, to_client, &links, &epoch, &deaf);
    tokio::select! {
        () = epoch.cut.cancelled() => {}
        () = there => {}
        () = back => {}
    }
}

async fn requests(
    mut from: OwnedReadHalf,
    mut to: OwnedWriteHalf,
    links: &Links,
    epoch: &Epoch,
    deaf: &CancellationToken,
) {
    let mut buffer = vec![0; 64 * 1024];
    while let Ok(read @ 1..) = from.read(&mut buffer).await {
        let data = &buffer[..read];
        let weather = links.weather.borrow().clone();
        match &weather {
            Weather::Holding(text) if has(data, text) => {
                links.met.send_modify(|count| *count += 1);
                links.changed_from(&weather).await;
            }
            Weather::Deaf(text) if has(data, text) => {
                // It is for this one alone.
                links.weather.send_if_modified(|now| std::mem::replace(now, Weather::Fair) == weather);
                links.met.send_modify(|count| *count += 1);
                deaf.cancel();
            }
            _ => {}
        }
        links.pass(epoch).await;
        if to.write_all(data).await.is_err() {
            return;
        }
    }
}

async fn answers(
    mut from: OwnedReadHalf,
    mut to: OwnedWriteHalf,
    links: &Links,
    epoch: &Epoch,
    deaf: &CancellationToken,
) {
    let mut buffer = vec![0; 64 * 1024];
    while let Ok(read @ 1..) = from.read(&mut buffer).await {
        links.pass(epoch).await;
        if deaf.is_cancelled() || to.write_all(&buffer[..read]).await.is_err() {
            return;
        }
    }
}

impl Links {
    /// Waits until the weather lets something through.
    async fn pass(&self, epoch: &Epoch) {
        let weather = self.weather.borrow().clone();
        match weather {
            Weather::Slow(delay) => sleep(delay).await,
            Weather::Silent => self.changed_from(&weather).await,
            _ => {}
        }
        if epoch.forgotten.is_cancelled() {
            std::future::pending::<()>().await;
        }
    }

    async fn changed_from(&self, weather: &Weather) {
        let mut now = self.weather.subscribe();
        now.wait_for(|now| now != weather).await.unwrap();
    }
}

fn has(data: &[u8], text: &str) -> bool {
    data.windows(text.len()).any(|part| part == text.as_bytes())
}
