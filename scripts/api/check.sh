#!/usr/bin/env bash
# Validates the operator API's document and asks a running platform whatever the document allows, and what it does not:
# no answer may be a fault of ours, be of a status or a shape that the document does not promise, or let a stranger in.
#
#   check.sh http://127.0.0.1:7080 huihu-data/operator.key [more options of schemathesis]
#
# The tools live in target/api-tools, of the versions in requirements.txt.
set -euo pipefail
here=$(cd "$(dirname "$0")" && pwd)
url=${1:?where does Huihu listen?}
key=${2:?which file holds the token of the operator?}
shift 2

tools=${API_TOOLS:-$here/../../target/api-tools}
if ! cmp -s "$here/requirements.txt" "$tools/installed.txt"; then
    echo "api: installing openapi-spec-validator and schemathesis into $tools" >&2
    python3 -m venv "$tools" || { echo "api: python3 with venv is needed: apt-get install python3-venv" >&2; exit 1; }
    "$tools/bin/pip" install --quiet --disable-pip-version-check -r "$here/requirements.txt"
    cp "$here/requirements.txt" "$tools/installed.txt"
fi

document=$(mktemp --suffix .json)
headers=$(mktemp)
trap 'rm -f "$document" "$headers"' EXIT
# The token stands in a file of ours alone and in no list of processes.
printf 'Authorization: Bearer %s\n' "$(cat "$key")" >"$headers"
curl --silent --show-error --fail --header "@$headers" "$url/api/v1/openapi.json" >"$document"
"$tools/bin/openapi-spec-validator" "$document"
HUIHU_TOKEN=$(cat "$key")
export HUIHU_TOKEN
# A WAV file is not made up from a schema; the stories of the API upload some. Chains of requests are stories too.
exec "$tools/bin/st" --config-file "$here/schemathesis.toml" run "$document" --url "$url" \
    --phases examples,coverage,fuzzing --exclude-operation-id upload_clip --warnings off "$@"
