#!/bin/sh
# Installs redis-server on Debian or Ubuntu, as root, without leaving a Redis running: Sluice starts its own,
# with its own settings, and a second one on port 6379 would only be taken for it.
set -eu

policy=/usr/sbin/policy-rc.d
policy_is_ours=
give_back() { [ -z "$policy_is_ours" ] || rm -f "$policy"; }
trap give_back EXIT
trap 'exit 130' INT
trap 'exit 143' TERM
trap 'exit 129' HUP

# Debian asks this script before it starts a package's service; 101 means no. One that exists is the
# machine's own.
if [ ! -e "$policy" ]; then
  policy_is_ours=yes
  printf '#!/bin/sh\nexit 101\n' >"$policy"
  chmod 755 "$policy"
fi

export DEBIAN_FRONTEND=noninteractive
# On a new machine the automatic updates often hold apt's lock in the first minutes.
wait_for_lock="-o DPkg::Lock::Timeout=300"

# A repository that has nothing to do with us may be out of order, so the install is tried all the same.
apt-get $wait_for_lock update || echo "apt-get update failed; trying with the package lists at hand."
apt-get $wait_for_lock install -y --no-install-recommends redis-server
