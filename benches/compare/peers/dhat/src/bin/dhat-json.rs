//! `workloads/json.rs` with dhat's allocator.

#[path = "../../../../workloads/json.rs"]
mod workload;

#[global_allocator]
static HEAP: peer_dhat::Alloc = peer_dhat::Alloc;

fn main() {
    peer_dhat::profile(workload::main);
}
