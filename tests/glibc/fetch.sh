#!/usr/bin/env bash
# Fetches the source of the C library that this machine runs, as its distribution built it, and
# keeps the part that the malloc tests need.
#
# usage: fetch.sh DIRECTORY
#
# The archives are the ones apt is configured with. Most machines do not list source packages, so
# the configured entries are turned into source entries in a scratch configuration of apt: nothing
# under /etc/apt or /var/lib/apt changes, and it works without being root.
#
# Exit status: 0 fetched, 77 this machine has no apt or cannot get source packages, 1 otherwise.

set -euo pipefail

readonly WANTED=(malloc support include sysdeps/generic test-skeleton.c)

main() {
    local destination=$1
    need apt-get apt
    need dpkg-source dpkg-dev
    # Not local: the trap runs after this function has returned.
    scratch=$(mktemp -d)
    trap 'rm -rf -- "$scratch"' EXIT
    configure_apt
    echo "glibc: reading the lists of source packages" >&2
    run_apt update || give_up "the lists of source packages could not be read"
    download "$destination"
}

give_up() {
    echo "glibc: $1; without the source of glibc its malloc tests cannot be run here" >&2
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

# The version that is installed, or if the archive has moved on, the one it has now.
download() {
    local destination=$1 version tree
    version=$(dpkg-query -W -f '${source:Version}' libc6 2>/dev/null) || version=
    cd "$scratch/source"
    echo "glibc: fetching the source of glibc ${version:-(any version)}" >&2
    if ! run_apt source "glibc${version:+=$version}"; then
        echo "glibc: version $version is not to be had; taking the newest one" >&2
        run_apt source glibc || give_up "the source package glibc could not be fetched"
    fi
    tree=$(find "$scratch/source" -mindepth 1 -maxdepth 1 -type d -name 'glibc-*')
    mkdir -p "$destination"
    tar -C "$tree" -cf - "${WANTED[@]}" | tar -C "$destination" -xf -
}

main "$@"
