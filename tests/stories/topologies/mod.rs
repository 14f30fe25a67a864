//! The queue on more than one Redis, with work going on while one of them dies or the queue moves: Sentinel and Cluster; and
//! on one that is asked over TLS.

mod cluster;
mod load;
mod sentinel;
mod tls;
