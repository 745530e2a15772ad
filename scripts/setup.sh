#!/usr/bin/env bash
# Installs what is missing for the given purpose and says what it does; prints nothing when all is there.
#
#   setup.sh run     a C compiler for the build, and the speech engine espeak-ng
#   setup.sh test    the same, the independent SIP phones and proxy that the tests call and are called through (sipp,
#                    baresip, kamailio), curl, and python3 with what builds its extensions
#   setup.sh check   rustfmt and clippy
set -euo pipefail
purpose=${1:-run}

say() { printf 'setup: %s\n' "$*" >&2; }

need_cargo() {
    command -v cargo >/dev/null && return
    say "cargo is missing. Install Rust first: https://www.rust-lang.org/tools/install"
    exit 1
}

# need_program PROGRAM PACKAGE REASON
missing=()
need_program() {
    command -v "$1" >/dev/null && return
    say "$1 is missing; installing the Debian package $2 ($3)"
    missing+=("$2")
}

install_missing() {
    [ ${#missing[@]} -eq 0 ] && return
    local sudo=
    [ "$(id -u)" -eq 0 ] || sudo=sudo
    if ! command -v apt-get >/dev/null; then
        say "this is not Debian or Ubuntu. Install by hand: ${missing[*]}"
        exit 1
    fi
    export DEBIAN_FRONTEND=noninteractive
    $sudo apt-get update -qq
    $sudo apt-get install -y -qq --no-install-recommends "${missing[@]}" >/dev/null
}

need_cargo
need_program cc build-essential "compiles the embedded database and links the binary"
[ "$purpose" = check ] || need_program espeak-ng espeak-ng "speaks the texts of voice notifications"
case "$purpose" in
run) ;;
test)
    need_program sipp sip-tester "plays scripted far ends in the tests"
    need_program baresip baresip-core "a real telephone in the tests"
    need_program kamailio kamailio "a proxy and registrar between us and telephones in the tests"
    need_program openssl openssl "makes certificates for the tests"
    need_program curl curl "sends the requests that huihu dev prints"
    if ! python3 -c 'import ensurepip' 2>/dev/null; then
        say "python3 with venv is missing; installing the Debian package python3-venv (runs the checks of the operator API and a vendor's own clients)"
        missing+=(python3-venv)
    fi
    if ! python3 -c 'import os, sys, sysconfig; sys.exit(not os.path.exists(sysconfig.get_path("include") + "/Python.h"))' 2>/dev/null; then
        say "Python's headers are missing; installing the Debian package python3-dev (builds PESQ, which scores how speech sounds)"
        missing+=(python3-dev)
    fi
    ;;
check)
    cargo fmt --version >/dev/null 2>&1 || rustup component add rustfmt
    cargo clippy --version >/dev/null 2>&1 || rustup component add clippy
    ;;
*)
    say "unknown purpose '$purpose': use run, test or check"
    exit 2
    ;;
esac
install_missing
