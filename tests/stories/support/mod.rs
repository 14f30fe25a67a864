//! What the stories stand on.

pub mod llm;
pub mod program;
pub mod redis;
pub mod service;
