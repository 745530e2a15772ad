#!/usr/bin/env bash
# Scores what was heard against what was said by PESQ, a line for each pair of WAV files:
#
#   score.sh said.wav heard.wav [said.wav heard.wav ...]
#
# The tool lives in target/listening-tools, of the version in requirements.txt.
set -euo pipefail
here=$(cd "$(dirname "$0")" && pwd)

tools=$(realpath -m "${LISTENING_TOOLS:-$here/../../target/listening-tools}")
if ! cmp -s "$here/requirements.txt" "$tools/installed.txt"; then
    echo "listening: installing PESQ into $tools" >&2
    python3 -m venv "$tools" || { echo "listening: python3 with venv is needed: apt-get install python3-venv" >&2; exit 1; }
    "$tools/bin/pip" install --quiet --disable-pip-version-check -r "$here/requirements.txt" || {
        echo "listening: a C compiler and Python's headers are needed: apt-get install build-essential python3-dev" >&2
        exit 1
    }
    cp "$here/requirements.txt" "$tools/installed.txt"
fi
exec "$tools/bin/python" "$here/score.py" "$@"
