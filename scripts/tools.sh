# Sourced by scripts whose tools are Python packages: gives each a folder of its own with the versions it names.
#
#   . tools.sh; python_tools AREA WHAT FOLDER     AREA is the folder beside this file with requirements.txt
#
# Sets $tools to the folder, target/AREA-tools unless FOLDER names another one, and installs what is not there yet.
python_tools() {
    local area=$1 what=$2 scripts
    scripts=$(cd "$(dirname "${BASH_SOURCE[0]}")" && pwd)
    tools=$(realpath -m "${3:-$scripts/../target/$area-tools}")
    if cmp -s "$scripts/$area/requirements.txt" "$tools/installed.txt"; then
        return
    fi
    echo "$area: installing $what into $tools" >&2
    python3 -m venv "$tools" || { echo "$area: python3 with venv is needed: apt-get install python3-venv" >&2; exit 1; }
    "$tools/bin/pip" install --quiet --disable-pip-version-check -r "$scripts/$area/requirements.txt" || {
        echo "$area: if a package had to be compiled: apt-get install build-essential python3-dev" >&2
        exit 1
    }
    cp "$scripts/$area/requirements.txt" "$tools/installed.txt"
}
