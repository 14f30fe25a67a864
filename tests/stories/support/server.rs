//! A server on the loopback, for what plays a part outside the program.

use axum::Router;
use tokio::net::TcpListener;
use tokio_util::task::AbortOnDropHandle;

/// A running server. It ends when dropped.
pub struct Server {
    address: String,
    _task: AbortOnDropHandle<()>,
}

impl Server {
    pub async fn start(routes: Router) -> Self {
        Self::start_at(0, routes).await
    }

    /// Starts one on this port.
    pub async fn start_at(port: u16, routes: Router) -> Self {
        let listener = TcpListener::bind(("127.0.0.1", port)).await.unwrap();
        let address = listener.local_addr().unwrap().to_string();
        let task = tokio::spawn(async { axum::serve(listener, routes).await.unwrap() });
        Self { address, _task: AbortOnDropHandle::new(task) }
    }

    pub fn url(&self) -> String {
        format!("http://{}", self.address)
    }
}
