#!/usr/bin/env bash
# Scores what was heard against what was said by PESQ, a line for each pair of WAV files:
#
#   score.sh said.wav heard.wav [said.wav heard.wav ...]
#
# The tool lives in target/listening-tools, of the version in requirements.txt.
set -euo pipefail
here=$(cd "$(dirname "$0")" && pwd)

. "$here/../tools.sh"
python_tools listening "PESQ" "${LISTENING_TOOLS:-}"
exec "$tools/bin/python" "$here/score.py" "$@"
