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

. "$here/../tools.sh"
python_tools api "openapi-spec-validator and schemathesis" "${API_TOOLS:-}"

key=$(realpath "$key")
work=$(mktemp -d)
trap 'rm -rf "$work"' EXIT
cd "$work"
HUIHU_TOKEN=$(cat "$key")
export HUIHU_TOKEN
# The token stands in a file of ours alone and in no list of processes.
(umask 077 && printf 'Authorization: Bearer %s\n' "$HUIHU_TOKEN" >headers)
curl --silent --show-error --fail --header @headers "$url/api/v1/openapi.json" >openapi.json
"$tools/bin/openapi-spec-validator" openapi.json
# A WAV file is not made up from a schema; the stories of the API upload some. Chains of requests are stories too.
"$tools/bin/st" --config-file "$here/schemathesis.toml" run openapi.json --url "$url" \
    --phases examples,coverage,fuzzing --exclude-operation-id upload_clip --warnings off "$@"
