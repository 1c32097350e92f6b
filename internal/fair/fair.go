// Package fair shares what is scarce among the places that connections come
// from, so that one of them cannot have all of it: places in a Pool, turns in a
// Queue. It knows addresses only, neither protocols nor users. transport/ws and
// cluster/link call it; of what it has, only Queue.Take blocks.
package fair

import (
	"net"
	"net/netip"
)

// Source is whose connections count together: an IPv4 address, or the /64 of an
// IPv6 address, as one machine usually has all of that. The zero Source stands
// for all that have no address.
type Source struct{ addr netip.Addr }

// Of gives an address' source. An IPv4 address that is written as an IPv6 one is
// the same.
func Of(a netip.Addr) Source {
	a = a.Unmap().WithZone("")
	if !a.Is6() {
		return Source{a}
	}
	net64, _ := a.Prefix(64) // an IPv6 address has one
	return Source{net64.Addr()}
}

// OfConn gives the source of a connection's other end.
func OfConn(c net.Conn) Source {
	tcp, _ := c.RemoteAddr().(*net.TCPAddr)
	return Of(tcp.AddrPort().Addr())
}
