//! The heapsight command.
fn main() {}
