package fleet

import (
	"bufio"
	"encoding/binary"
	"fmt"
	"net"
	"os"
	"strings"
)

// ownerOf is the node whose process has the socket that is connected from one
// address to another, as Linux tells under /proc; nil if no node's has.
func ownerOf(from, to net.Addr, nodes []*Node) *Node {
	file, err := os.Open("/proc/net/tcp")
	if err != nil {
		return nil
	}
	defer file.Close()
	inode, ok := inodeOf(bufio.NewScanner(file), procAddr(from), procAddr(to))
	if !ok {
		return nil
	}
	socket := "socket:[" + inode + "]"
	for _, n := range nodes {
		dir := fmt.Sprintf("/proc/%d/fd/", n.PID())
		all, err := os.ReadDir(dir)
		if err != nil {
			continue // it does not run
		}
		for _, fd := range all {
			if name, err := os.Readlink(dir + fd.Name()); err == nil && name == socket {
				return n
			}
		}
	}
	return nil
}

// inodeOf finds a connection's in the lines of /proc/net/tcp.
func inodeOf(lines *bufio.Scanner, from, to string) (string, bool) {
	for lines.Scan() {
		// number, local address, remote address, state, queues, timer, retransmits, user, timeout, inode
		if fields := strings.Fields(lines.Text()); len(fields) > 9 && fields[1] == from && fields[2] == to {
			return fields[9], true
		}
	}
	return "", false
}

// procAddr writes an IPv4 address as /proc does: the four bytes as a number of
// this machine's, in hex.
func procAddr(a net.Addr) string {
	tcp, ok := a.(*net.TCPAddr)
	if !ok || tcp.IP.To4() == nil {
		return ""
	}
	return fmt.Sprintf("%08X:%04X", binary.NativeEndian.Uint32(tcp.IP.To4()), tcp.Port)
}
