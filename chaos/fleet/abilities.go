package fleet

import (
	"os"
	"os/exec"
	"runtime"
	"strings"
)

// Abilities says what can be done to nodes.
type Abilities struct {
	Netns   bool // Options.Netns, and what it is needed for; but for Delay
	Delay   bool
	Proxies bool // Options.Proxies
	Disks   bool // Options.Disks, and what it is needed for
	Strace  bool // Inject
	Clock   bool // SetClock
	Base    bool // an older program is there; Able does not know
}

// Able says what this process can do to nodes that run a binary: whether it is
// root, the programs and the kernel's parts are there, and the binary has what
// it takes.
func Able(binary string) Abilities {
	netns := able("ip", "iptables", "nsenter", "ss")
	return Abilities{
		Netns: netns, Delay: netns && canDelay(), Proxies: runtime.GOOS == "linux", Disks: able("mkfs.ext4", "mount", "umount", "truncate"), Strace: able("strace"), Clock: hasClock(binary),
	}
}

func able(programs ...string) bool {
	for _, p := range programs {
		if _, err := exec.LookPath(p); err != nil {
			return false
		}
	}
	return os.Geteuid() == 0
}

// hasClock asks a parley whether its clock can be set.
func hasClock(binary string) bool {
	out, err := exec.Command(binary, "version").Output()
	return err == nil && strings.Contains(string(out), "-tags failpoint")
}
