//! What every store of jobs does, told once and held against each of them; and what only one of them does.

/// Makes each story a test on Redis and one on the embedded store. A story that is not named here is unused code.
macro_rules! for_both {
    ($($story:ident),* $(,)?) => {
        mod on_redis {
            $(#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
            async fn $story() {
                super::$story($crate::store::stage::Stage::redis().await).await;
            })*
        }

        mod embedded {
            $(#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
            async fn $story() {
                super::$story($crate::store::stage::Stage::Embedded).await;
            })*
        }
    };
}

mod claims;
mod drafts;
mod embedded_alone;
mod endings;
mod events;
mod following;
mod leases;
mod listing;
mod other_versions;
mod random_walk;
mod redis_alone;
mod redis_outages;
pub mod stage;
mod submissions;
mod webhooks;
mod workers;
