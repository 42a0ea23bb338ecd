#!/bin/sh
# Asks a running Worker what /openapi.json allows, and some that it does not, and holds the answers against it: no
# 5xx, no status, type or shape that is not published. More words are passed on (--max-examples 200, --seed 1).
#
#   EDGEMEM_URL=http://127.0.0.1:8787 EDGEMEM_API_KEY=... tests/clients/fuzz/run.sh
set -eu
folder=$(cd "$(dirname "$0")" && pwd)
tools=${EDGEMEM_TOOLS_DIR:-$(cd "$folder/../../.." && pwd)/.tools}/python-fuzz
if [ ! -x "$tools/bin/schemathesis" ]; then
  python3 -m venv "$tools"
  "$tools/bin/pip" install --quiet --disable-pip-version-check --requirement "$folder/requirements.txt"
fi
# It leaves its reports there.
cd "$tools"
exec "$tools/bin/schemathesis" run "$EDGEMEM_URL/openapi.json" \
  --header "Authorization: Bearer $EDGEMEM_API_KEY" \
  --checks not_a_server_error,status_code_conformance,content_type_conformance,response_schema_conformance \
  --phases examples,coverage,fuzzing,stateful --max-examples 25 --generation-database none "$@"
