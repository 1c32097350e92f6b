//go:build !unix

package node

// descriptors is how many this process may have: the system sets no limit.
func descriptors() int { return reserved + mostClients }
