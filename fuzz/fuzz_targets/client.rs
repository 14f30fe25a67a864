#![no_main]

libfuzzer_sys::fuzz_target!(|data: &[u8]| tradingagents_fuzz::client::run(data));
