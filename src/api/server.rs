//! The server: until it is told to stop, and a little longer for what is under way.

use std::{future::IntoFuture, io, time::Duration};

use axum::{Router, serve::ListenerExt};
use tokio::{net::TcpListener, time::sleep};
use tokio_util::sync::CancellationToken;
use tracing::warn;

/// Serves until `stop` is cancelled. Requests that are under way then may end within the grace time; no new one begins.
pub async fn serve(listener: TcpListener, router: Router, stop: CancellationToken, grace: Duration) -> io::Result<()> {
    // An event goes out at once, and does not wait for the client to confirm the one before (Nagle's algorithm).
    let listener = listener.tap_io(|connection| {
        // A connection that is gone already shows when it is read.
        let _ = connection.set_nodelay(true);
    });
    let server = axum::serve(listener, router).with_graceful_shutdown(stop.clone().cancelled_owned());
    tokio::select! {
        served = server.into_future() => served,
        () = async { stop.cancelled().await; sleep(grace).await } => {
            warn!("requests were still under way when the grace time ended; they are cut off");
            Ok(())
        }
    }
}
