#!/bin/sh
# Installs what `npm run test:compose` needs on Debian, as root: Docker's engine, docker-compose and debootstrap. No engine is
# left running: the test starts one of its own.
set -eu

missing=
for program in dockerd docker-compose debootstrap iptables redis-server; do
  command -v "$program" >/dev/null 2>&1 || missing="$missing $program"
done
[ -n "$missing" ] || exit 0
echo "Installing, for want of:$missing"

policy=/usr/sbin/policy-rc.d
policy_is_ours=
give_back() { [ -z "$policy_is_ours" ] || rm -f "$policy"; }
trap give_back EXIT
# Debian asks this script before it starts a package's service; 101 means no. One that exists is the machine's own.
if [ ! -e "$policy" ]; then
  policy_is_ours=yes
  printf '#!/bin/sh\nexit 101\n' >"$policy"
  chmod 755 "$policy"
fi

export DEBIAN_FRONTEND=noninteractive
apt-get -o DPkg::Lock::Timeout=300 update || echo "apt-get update failed; trying with the package lists at hand."
apt-get -o DPkg::Lock::Timeout=300 install -y --no-install-recommends \
  docker.io docker-compose debootstrap iptables redis-server
