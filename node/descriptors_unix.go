//go:build unix

package node

import "syscall"

// descriptors is how many this process may have.
func descriptors() int {
	var l syscall.Rlimit
	if syscall.Getrlimit(syscall.RLIMIT_NOFILE, &l) != nil {
		return reserved + mostClients
	}
	return int(min(uint64(l.Cur), reserved+mostClients))
}
