//! The option parser survives any text, and reads what it shows of a configuration as the same one.
#![no_main]

use heapsight::options::Config;
use libfuzzer_sys::fuzz_target;

fuzz_target!(|data: &[u8]| {
    let config = Config::parse(data, &mut |error| assert!(!error.to_string().is_empty()));
    // A path need not be UTF-8, but what is shown is.
    if core::str::from_utf8(data).is_err() {
        return;
    }
    let shown = config.to_string();
    let again = Config::parse(shown.as_bytes(), &mut |error| panic!("{shown:?}: {error}"));
    assert!(config == again, "{data:?} is {shown:?}");
});
