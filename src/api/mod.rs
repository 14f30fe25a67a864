//! stub
pub struct Api {
    pub queue: crate::jobs::Queue,
    pub results: crate::results::Results,
}
pub fn router(_: Api) -> axum::Router {
    axum::Router::new()
}
pub fn openapi() {}
pub async fn serve(
    _: tokio::net::TcpListener,
    _: axum::Router,
    _: tokio_util::sync::CancellationToken,
    _: std::time::Duration,
) -> std::io::Result<()> {
    Ok(())
}
