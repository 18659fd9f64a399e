#!/usr/bin/env bash
# Fetches the source of LLVM 19 as this machine's distribution has it, and keeps what the tests of
# its leak checker need: compiler-rt's test/lsan, and the headers that these include.
#
# usage: fetch.sh DIRECTORY
#
# The archives are the ones apt is configured with. Most machines do not list source packages, so
# the configured entries are turned into source entries in a scratch configuration of apt: nothing
# under /etc/apt or /var/lib/apt changes, and it works without being root.
#
# Exit status: 0 fetched, 77 this machine has no apt or cannot get source packages, 1 otherwise.

set -euo pipefail

readonly PACKAGE=llvm-toolchain-19
readonly WANTED=(test/lsan test/sanitizer_common include/sanitizer)

main() {
    local destination=$1
    need apt-get apt
    # Not local: the trap runs after this function has returned.
    scratch=$(mktemp -d)
    trap 'rm -rf -- "$scratch"' EXIT
    configure_apt
    echo "lsan: reading the lists of source packages" >&2
    run_apt update || give_up "the lists of source packages could not be read"
    download "$destination"
}

give_up() {
    echo "lsan: $1; without the source of LLVM its leak tests cannot be run here" >&2
    exit 77
}

need() {
    local command=$1 package=$2
    command -v "$command" >/dev/null && return
    give_up "$command is missing (package $package)"
}

# Source entries for every entry that is switched on, in either format that apt reads.
configure_apt() {
    local file
    mkdir -p "$scratch"/{parts,lists/partial,cache/archives/partial,source}
    for file in /etc/apt/sources.list /etc/apt/sources.list.d/*.list; do
        [[ -f $file ]] || continue
        sed -n 's/^[[:space:]]*deb[[:space:]]/deb-src /p' "$file" \
            > "$scratch/parts/$(basename "$file" .list).list"
    done
    for file in /etc/apt/sources.list.d/*.sources; do
        [[ -f $file ]] || continue
        sed 's/^[Tt]ypes:.*/Types: deb-src/' "$file" > "$scratch/parts/$(basename "$file")"
    done
}

run_apt() {
    apt-get -qq \
        -o Dir::Etc::SourceList=/dev/null \
        -o Dir::Etc::SourceParts="$scratch/parts" \
        -o Dir::State::Lists="$scratch/lists" \
        -o Dir::Cache="$scratch/cache" \
        -o APT::Sandbox::User="$(id -un)" \
        "$@" > "$scratch/apt.log" 2>&1 && return
    tail -n 5 "$scratch/apt.log" >&2
    return 1
}

# The archive is large, so only its compiler-rt is unpacked.
download() {
    local destination=$1 archive patterns=() part
    cd "$scratch/source"
    echo "lsan: fetching the source of $PACKAGE (160 MB)" >&2
    run_apt source --download-only "$PACKAGE" || give_up "the package could not be fetched"
    archive=$(find "$scratch/source" -name "$PACKAGE*.orig.tar.*" ! -name '*.asc')
    for part in "${WANTED[@]}"; do
        patterns+=("*/compiler-rt/$part/*")
    done
    mkdir -p "$destination"
    tar -C "$destination" --strip-components=2 --wildcards -xf "$archive" "${patterns[@]}"
}

main "$@"
