//! What the stories stand on.

pub mod books;
pub mod collector;
pub mod disk;
pub mod filings;
pub mod llm;
pub mod program;
pub mod proxy;
pub mod receiver;
pub mod recorded;
pub mod redis;
pub mod s3;
pub mod server;
pub mod service;
pub mod vendors;
