#!/usr/bin/env bash
# Lets the vendor's own Python packages place calls at a running platform, and prints what they make of the answers:
# a line of JSON for each call.
#
#   check.sh 127.0.0.1:7080 notice-template menu-template mobile
#
# The keys come from the environment: ACCESS_KEY and SECRET_KEY, and TEMPORARY_KEY, TEMPORARY_SECRET and
# TEMPORARY_TOKEN of a temporary one. The packages live in target/ksyun-tools, of the versions in requirements.txt.
set -euo pipefail
here=$(cd "$(dirname "$0")" && pwd)

. "$here/../tools.sh"
python_tools ksyun "the vendor's Python packages" "${KSYUN_TOOLS:-}"

# The packages would take the way through a proxy even to this machine.
unset HTTP_PROXY http_proxy ALL_PROXY all_proxy
export KS_DATA_PATH=$here/models
exec "$tools/bin/python" "$here/calls.py" "$@"
