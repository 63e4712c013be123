# Shared by the scripts beside it.
set -euo pipefail
cd "$(dirname "${BASH_SOURCE[0]}")/.."
# One target directory for all checkouts: the driver's family takes minutes to compile.
export CARGO_TARGET_DIR="${CARGO_TARGET_DIR:-${XDG_CACHE_HOME:-$HOME/.cache}/wagate/target}"
# The dashboard has to be in what is tested: without npm, fail instead of embedding the plain page.
export WAGATE_UI="${WAGATE_UI:-require}"

say() { printf '\n== %s\n' "$*"; }

# need COMMAND PACKAGE: installs Debian's package when the command is missing and we may.
need() {
  command -v "$1" >/dev/null && return
  if command -v apt-get >/dev/null && [ "$(id -u)" = 0 ]; then
    say "installing $2"
    apt-get update -qq && DEBIAN_FRONTEND=noninteractive apt-get install -y -qq --no-install-recommends "$2" >/dev/null
  fi
  command -v "$1" >/dev/null || { echo "$1 is missing: install it (Debian: apt-get install $2)" >&2; exit 1; }
}

# PostgreSQL's server. Debian keeps its programs out of the path; the tests find them.
need_postgres() {
  command -v initdb >/dev/null || compgen -G '/usr/lib/postgresql/*/bin/initdb' >/dev/null || need pg_ctlcluster postgresql
}
