#!/usr/bin/env bash
# Runs the memory routines' own tests for a processor that is not this one, in an emulator:
#
#   tests/mem/elsewhere.sh aarch64            NEON, for real
#   tests/mem/elsewhere.sh x86_64 MODEL       a model without AVX2, as qemu calls it: Nehalem
#   tests/mem/elsewhere.sh avx512             in bochs, on no system at all: five minutes
#
# The last needs the packages bochs, bochs-term and binutils; the others qemu-user, and for aarch64 `rustup target add aarch64-unknown-linux-musl`, which brings
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
avx512)
    target=x86_64-unknown-linux-gnu
    ;;
*)
    sed -n '2,11s/^# \{0,1\}//p' "${BASH_SOURCE[0]}" >&2
    exit 2
    ;;
esac

# A machine of bochs that has AVX-512, and no system: the tests are its disk.
bare() {
    local bare=$here/tests/mem/bare disk=$here/target/tmp/bare
    mkdir -p "$disk/src" "$disk/libc/src"
    cd "$disk"
    rm -rf src/routines ./*.lock
    cp -r "$here/src/mem/routines" src/routines
    cp "$bare/main.rs" src/main.rs
    cp "$bare/libc.rs" libc/src/lib.rs
    sed -i 's/#\[cfg(test)\]//; s/#\[cfg(any(target_arch = "aarch64", test))\]//
        s/^mod tests;/pub(crate) mod tests;/' src/routines/*.rs
    cat >> src/routines/tests/mod.rs <<'RUST'
pub(crate) fn run() {
    assert!(Tier::Avx512.is_there(), "this machine has no AVX-512");
    let of = routines_of!(instance::avx512);
    let parts: [(&str, fn(&Routines)); 6] = [
        ("copies and fills", copying::small),
        ("overlap", copying::overlapping),
        ("large copies and fills", copying::large),
        ("differences", looking::compare),
        ("searches", looking::find),
        ("nothing beyond", looking::beyond),
    ];
    for (what, test) in parts {
        test(&of);
        crate::say(format_args!("ok: {what}"));
    }
    crate::say(format_args!("all agree: avx512"));
}
RUST
    cat > Cargo.toml <<'TOML'
[package]
name = "bare"
version = "0.0.0"
edition = "2024"

[dependencies]
libc = { path = "libc" }

[profile.release]
panic = "abort"
opt-level = 2
codegen-units = 1
# Or alloc would want the functions of unwinding.
lto = true

[workspace]
TOML
    printf '[package]\nname = "libc"\nversion = "0.0.0"\nedition = "2024"\n' > libc/Cargo.toml
    export CARGO_TARGET_X86_64_UNKNOWN_LINUX_GNU_RUSTFLAGS="-Awarnings \
        -Crelocation-model=static -Clink-arg=-nostartfiles -Clink-arg=-nostdlib \
        -Clink-arg=-static -Clink-arg=-no-pie -Clink-arg=-Wl,-T,$bare/link.ld"
    cargo build --quiet --release --target "$target"
    objcopy -O binary "target/$target/release/bare" tests.bin
    as --defsym CHUNKS=$((($(stat -c %s tests.bin) + 32767) / 32768)) -o boot.o "$bare/boot.s"
    ld -Ttext=0x7c00 --oformat=binary -m elf_x86_64 -o boot.bin boot.o
    dd if=/dev/zero of=disk.img bs=516096 count=4 status=none
    dd if=boot.bin of=disk.img conv=notrunc status=none
    dd if=tests.bin of=disk.img seek=1 conv=notrunc status=none
    cat > bochsrc <<BOCHS
megs: 64
cpu: model=corei7_skylake_x, count=1, ips=100000000, reset_on_triple_fault=0
romimage: file=/usr/share/bochs/BIOS-bochs-latest
vgaromimage: file=/usr/share/bochs/VGABIOS-lgpl-latest
ata0-master: type=disk, path=disk.img, mode=flat, cylinders=4, heads=16, spt=63
boot: disk
port_e9_hack: enabled=1
display_library: term
log: bochs.log
sound: waveoutdrv=dummy, waveindrv=dummy, midioutdrv=dummy
speaker: enabled=1, mode=system
plugin_ctrl: speaker=false, e1000=false, es1370=false, sb16=false, ne2k=false
BOCHS
    # It wants a terminal, and to be told to begin.
    echo c | TERM=xterm script -qec 'bochs -q -f bochsrc' /dev/null > said.txt 2>&1 || true
    grep -a -o -E 'ok: .*|FAILED: .*|all agree: .*' said.txt
    grep -q 'all agree: avx512' said.txt
}

if [[ $1 == avx512 ]]; then
    bare
    exit
fi

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
