#!/usr/bin/env bash
# Cuts nodes of a cluster apart, each in a network namespace of its own. Needs
# root, ip and iptables; the test removes what it makes, and what a killed one
# has left.
set -euo pipefail
cd "$(dirname "$0")/.."
. scripts/steps.sh

[ "$(id -u)" -eq 0 ] || { echo "network namespaces need root" >&2; exit 1; }
has ip || { echo "missing: ip; apt-get install iproute2" >&2; exit 1; }
has iptables || { echo "missing: iptables; apt-get install iptables" >&2; exit 1; }
PARLEY_NETNS=1 exec go test -count=1 -timeout 5m -v -run PartitionsInNamespaces ./chaos/fleet
