#![no_main]
libfuzzer_sys::fuzz_target!(|bytes: &[u8]| hyperty_fuzz::package::read(bytes));
