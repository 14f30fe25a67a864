//! What the stories stand on.

pub mod llm;
pub mod program;
pub mod recorded;
pub mod redis;
pub mod service;
pub mod vendors;
