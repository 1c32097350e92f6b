package node

// Every connection takes a file descriptor, and a node without any can neither
// write its log nor reach other nodes. So clients' connections leave a reserve.
const (
	reserved    = 2_000  // for the store's files and the links to other nodes
	mostClients = 18_000 // connections, however many descriptors there are; 13 KB each
)

// maxAccepted is how many connections clients may have: a quarter of few
// descriptors stays in reserve.
func maxAccepted() int {
	all := descriptors()
	return min(all-min(reserved, all/4), mostClients)
}

// maxSockets leaves some of the connections to requests that are not for sockets,
// such as health checks.
func maxSockets() int { return maxAccepted() - maxAccepted()/20 }
