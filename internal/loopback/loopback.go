// Package loopback gives addresses for servers of this machine that are told
// where to listen before they start, and that keep their address while they are
// down: what runs whole clusters needs hundreds of them.
package loopback

import (
	"net"
	"os"
	"sync"
)

var (
	mu    sync.Mutex
	given = make(map[string]bool)
)

// Addr is an address, host:port, where nobody listens and that nobody else gets:
// where the system has all of 127.0.0.0/8, as Linux does, the host belongs to
// this process, and elsewhere it is 127.0.0.1, whose port another process may
// take meanwhile. The error is the system's that has no port left.
func Addr() (string, error) {
	mu.Lock()
	defer mu.Unlock()
	host := Host()
	for {
		l, err := net.Listen("tcp", net.JoinHostPort(host, "0"))
		if err != nil && host != shared {
			host = shared
			continue
		}
		if err != nil {
			return "", err
		}
		addr := l.Addr().String()
		if err := l.Close(); err != nil {
			return "", err
		}
		if !given[addr] {
			given[addr] = true
			return addr, nil
		}
	}
}

const shared = "127.0.0.1"

// Host is this process's own: 127.64.0.0/10 with the process's number, which has
// up to 22 bits.
func Host() string {
	pid := os.Getpid()
	return net.IPv4(127, 64|byte(pid>>16)&63, byte(pid>>8), byte(pid)).String()
}
