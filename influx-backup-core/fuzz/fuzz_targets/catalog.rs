#![no_main]

libfuzzer_sys::fuzz_target!(|bytes: &[u8]| influx_backup_core::testing::fuzz::run("catalog", bytes));
