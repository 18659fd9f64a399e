#!/usr/bin/env bash
# Runs the memory routines' own tests for a processor that is not this one, under qemu's user mode:
#
#   tests/mem/elsewhere.sh aarch64            NEON, for real
#   tests/mem/elsewhere.sh x86_64 MODEL       a model without AVX2, as qemu calls it: Nehalem
#
# It needs qemu-user, and for aarch64 `rustup target add aarch64-unknown-linux-musl`, which brings
# its own libc and is linked by the compiler's own linker. The folder of the routines names nothing
# outside of it, so that a package of a few lines holds it.

set -euo pipefail

here=$(cd "$(dirname "${BASH_SOURCE[0]}")/../.." && pwd)
readonly here
readonly package=$here/target/tmp/elsewhere

case ${1:-} in
aarch64)
    target=aarch64-unknown-linux-musl
    export CARGO_TARGET_AARCH64_UNKNOWN_LINUX_MUSL_LINKER=rust-lld
    export CARGO_TARGET_AARCH64_UNKNOWN_LINUX_MUSL_RUNNER=qemu-aarch64
    ;;
x86_64)
    target=x86_64-unknown-linux-gnu
    export CARGO_TARGET_X86_64_UNKNOWN_LINUX_GNU_RUNNER="qemu-x86_64 -cpu ${2:-Nehalem}"
    ;;
*)
    sed -n '2,9s/^# \{0,1\}//p' "${BASH_SOURCE[0]}" >&2
    exit 2
    ;;
esac

mkdir -p "$package/src"
cat > "$package/Cargo.toml" <<'TOML'
[package]
name = "elsewhere"
version = "0.0.0"
edition = "2024"

[dependencies]
libc = { version = "0.2", default-features = false }

[profile.dev]
opt-level = 1

[workspace]
TOML
cat > "$package/src/lib.rs" <<RUST
#![allow(dead_code, unexpected_cfgs)]
#[path = "$here/src/mem/routines/mod.rs"]
mod routines;
RUST
cp "$here/Cargo.lock" "$package/Cargo.lock"
cd "$package"
exec cargo test --quiet --target "$target" -- --test-threads=2
