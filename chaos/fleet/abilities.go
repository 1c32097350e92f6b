package fleet

import (
	"os"
	"os/exec"
)

// Abilities says whether this process may use Options.Netns and Options.Disks:
// it is root, and the programs are there.
func Abilities() (netns, disks bool) {
	return able("ip", "iptables", "nsenter"), able("mkfs.ext4", "mount", "umount", "truncate")
}

func able(programs ...string) bool {
	for _, p := range programs {
		if _, err := exec.LookPath(p); err != nil {
			return false
		}
	}
	return os.Geteuid() == 0
}
