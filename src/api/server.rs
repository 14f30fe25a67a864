//! The server: connections within limits, until it is told to stop, and a little longer for what is under way.
//!
//! It is hyper's, for axum's own waits for a client as long as that likes, and takes any number. A client that is slow
//! with the head of a request, or leaves an answer unread, loses its connection; what is slow with a body is for
//! [`super::intake`]. An event stream may last: only silence on the client's side of a full connection ends it.

use std::{convert::Infallible, io, mem, net::SocketAddr, pin::pin, sync::Arc, time::Duration};

use axum::{
    Router,
    extract::{ConnectInfo, Request},
    response::IntoResponse,
};
use hyper::{
    body::Incoming,
    server::conn::http1,
    service::{Service, service_fn},
};
use hyper_util::{
    rt::{TokioIo, TokioTimer},
    service::TowerToHyperService,
};
use rustix::process::{Resource, Rlimit, getrlimit, setrlimit};
use tokio::{
    net::{TcpListener, TcpStream},
    time::{sleep, timeout},
};
use tokio_io_timeout::TimeoutWriter;
use tokio_util::{sync::CancellationToken, task::TaskTracker};
use tracing::{debug, warn};

use super::{
    Problem,
    seats::{Full, Seat, Seats},
};
use crate::{
    config::Config,
    metrics::{METRICS, OneMore},
};

/// The largest head of a request, bytes: its URI and all headers. hyper answers a larger one with 431, as one of more
/// than a hundred headers, and closes the connection.
const MAX_HEAD: usize = 32 << 10;

/// What hyper may keep of an answer that a client does not read yet, bytes; its own limit is 400 kB. An event stream whose
/// client stopped reading takes no more than this, however much is written in its job.
const MAX_UNREAD: usize = 64 << 10;

/// How long a client that is turned away may take to ask and to read why.
const FAREWELL: Duration = Duration::from_secs(1);

/// The wait before connections are accepted again after that failed.
const PAUSE: Duration = Duration::from_secs(1);

/// What clients may take of the server.
pub struct Limits {
    /// The places for connections.
    seats: Arc<Seats>,
    /// How long a client may keep it waiting.
    patience: Duration,
}

impl Limits {
    /// As the settings say.
    pub fn new(config: &Config) -> Self {
        let seats =
            Seats::new(config.max_connections, config.max_connections_per_address, config.trusted_proxies.clone());
        Self { seats: Arc::new(seats), patience: Duration::from_secs(config.client_timeout) }
    }
}

/// Serves until `stop` is cancelled. Requests that are under way then may end within the grace time; no new one begins.
pub async fn serve(listener: TcpListener, router: Router, limits: Limits, stop: CancellationToken, grace: Duration) {
    raise_open_files();
    let open = TaskTracker::new();
    let mut full = None;
    while let Some((connection, client)) = stop.run_until_cancelled(accept(&listener)).await {
        let seat = limits.seats.take(client.ip());
        let before = mem::replace(&mut full, seat.as_ref().err().copied());
        match seat {
            Ok(seat) => open.spawn(handle(connection, client, router.clone(), limits.patience, stop.clone(), seat)),
            Err(full) => {
                if before != Some(full) {
                    warn!(%client, "there is no room for more {}", full.of_what());
                }
                open.spawn(turn_away(connection, full))
            }
        };
    }
    // Whoever comes now is refused at once, and can go to another API.
    drop(listener);
    open.close();
    if timeout(grace, open.wait()).await.is_err() {
        warn!("requests were still under way when the grace time ended; they are cut off");
    }
}

/// The next connection.
async fn accept(listener: &TcpListener) -> (TcpStream, SocketAddr) {
    loop {
        let error = match listener.accept().await {
            Ok(accepted) => return accepted,
            Err(error) => error,
        };
        // A client that has gone again is its own affair; else it is mostly the limit of open files that is reached.
        if !matches!(error.kind(), io::ErrorKind::ConnectionAborted | io::ErrorKind::ConnectionReset) {
            warn!(%error, "can't accept connections; is the limit of open files (ulimit -n) too low?");
            sleep(PAUSE).await;
        }
    }
}

/// Answers the requests of one connection.
async fn handle(
    connection: TcpStream,
    client: SocketAddr,
    router: Router,
    patience: Duration,
    stop: CancellationToken,
    _seat: Seat,
) {
    let _open = OneMore::of(&METRICS.connections);
    // An event goes out at once, and does not wait for the client to confirm the one before (Nagle's algorithm).
    // A connection that is gone already shows when it is read.
    let _ = connection.set_nodelay(true);
    let mut connection = TimeoutWriter::new(connection);
    connection.set_timeout(Some(patience));
    let routes = TowerToHyperService::new(router);
    let service = service_fn(move |mut request: Request<Incoming>| {
        request.extensions_mut().insert(ConnectInfo(client));
        routes.call(request)
    });
    let mut http = http1::Builder::new();
    http.timer(TokioTimer::new()).header_read_timeout(patience).max_header_size(MAX_HEAD).max_buf_size(MAX_UNREAD);
    let mut served = pin!(http.serve_connection(TokioIo::new(Box::pin(connection)), service));
    let ended = tokio::select! {
        ended = served.as_mut() => ended,
        () = stop.cancelled() => {
            served.as_mut().graceful_shutdown();
            served.await
        }
    };
    if let Err(error) = ended {
        debug!(%error, %client, "a connection broke");
    }
}

/// Answers a client that there is no room for its connection.
async fn turn_away(connection: TcpStream, full: Full) {
    let answer =
        service_fn(async |_: Request<Incoming>| Ok::<_, Infallible>(Problem::full(full.of_what()).into_response()));
    let farewell = http1::Builder::new().keep_alive(false).serve_connection(TokioIo::new(connection), answer);
    // A client that does not ask within the time goes without.
    let _ = timeout(FAREWELL, farewell).await;
}

/// Lets the process have as many open files as it may: the usual limit of 1024 is for programs of another kind.
fn raise_open_files() {
    let limit = getrlimit(Resource::Nofile);
    if let Err(error) = setrlimit(Resource::Nofile, Rlimit { current: limit.maximum, ..limit }) {
        debug!(%error, "the limit of open files stays");
    }
}
