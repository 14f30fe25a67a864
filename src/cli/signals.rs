//! What SIGTERM and SIGINT do.

use std::process;

use tokio::signal::unix::{Signal, SignalKind, signal};
use tokio_util::sync::CancellationToken;
use tracing::{info, warn};

use super::exit::Exit;

/// A token that the first SIGTERM or SIGINT cancels. The second one ends the process at once, as an impatient operator
/// expects; what it leaves behind is what a crash would leave.
pub fn stop_on_signal() -> std::io::Result<CancellationToken> {
    let (mut terminate, mut interrupt) = (signal(SignalKind::terminate())?, signal(SignalKind::interrupt())?);
    let stop = CancellationToken::new();
    let token = stop.clone();
    tokio::spawn(async move {
        let name = either(&mut terminate, &mut interrupt).await;
        info!("{name}: stopping");
        token.cancel();
        let name = either(&mut terminate, &mut interrupt).await;
        warn!("{name} again: ending at once");
        process::exit(Exit::Interrupted.code().into());
    });
    Ok(stop)
}

async fn either(terminate: &mut Signal, interrupt: &mut Signal) -> &'static str {
    tokio::select! {
        _ = terminate.recv() => "SIGTERM",
        _ = interrupt.recv() => "SIGINT",
    }
}
