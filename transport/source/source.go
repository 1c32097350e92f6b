// Package source tells from where an HTTP request comes when proxies stand
// between: the client's address, and the scheme and host that the client asked
// for. X-Forwarded-* headers count only when a trusted proxy sent them;
// everybody else could write into them what they like. The Forwarded header of
// RFC 7239 is not read: most proxies pass on what the client put there.
//
// Servers call it for each request. It is pure, and nothing here blocks.
package source

import (
	"fmt"
	"net"
	"net/http"
	"net/netip"
	"strings"
)

// Proxies are the networks whose X-Forwarded-* headers are believed. The zero
// value trusts nobody.
type Proxies []netip.Prefix

// Parse reads networks in CIDR form, 10.0.0.0/8, or single addresses.
func Parse(list []string) (p Proxies, err error) {
	for _, text := range list {
		network, err := netip.ParsePrefix(text)
		if addr, single := netip.ParseAddr(text); single == nil && addr.Zone() == "" {
			addr = addr.Unmap()
			network, err = addr.Prefix(addr.BitLen())
		}
		if err != nil || network.Addr().Is4In6() {
			return nil, fmt.Errorf("%q is no network; a CIDR such as 10.0.0.0/8, or an address, is wanted", text)
		}
		p = append(p, network.Masked())
	}
	return p, nil
}

// Trusts tells whether an address is one of the proxies.
func (p Proxies) Trusts(a netip.Addr) bool {
	a = plain(a)
	for _, network := range p {
		if network.Contains(a) {
			return true
		}
	}
	return false
}

// Client is the address of whoever made the request: the peer, or, when that is
// a trusted proxy, the last address of X-Forwarded-For that is not one as well.
// When the header ends in something that is no address, it is the proxy that
// wrote it. The zero Addr means that even the peer has no IP address.
func (p Proxies) Client(r *http.Request) netip.Addr {
	client := peer(r)
	hops := values(r, "X-Forwarded-For")
	for i := len(hops) - 1; i >= 0 && p.Trusts(client); i-- {
		hop, ok := address(hops[i])
		if !ok {
			break
		}
		client = hop
	}
	return client
}

// Asked is the scheme, http or https, and the host, perhaps with a port, that
// the client asked for. The scheme is "" when it is not known: a plain request
// may come from a proxy that ended TLS and is not trusted. Of several values the
// last counts, which the nearest proxy wrote.
func (p Proxies) Asked(r *http.Request) (scheme, host string) {
	host = r.Host
	if r.TLS != nil {
		scheme = "https"
	}
	if !p.Trusts(peer(r)) {
		return scheme, host
	}
	if h := values(r, "X-Forwarded-Host"); len(h) > 0 && h[len(h)-1] != "" {
		host = h[len(h)-1]
	}
	if s := values(r, "X-Forwarded-Proto"); len(s) > 0 {
		switch strings.ToLower(s[len(s)-1]) {
		case "https", "wss":
			scheme = "https"
		case "http", "ws":
			scheme = "http"
		}
	}
	return scheme, host
}

// Loopback tells whether HOST or HOST:PORT names this machine: localhost, what
// ends in .localhost, or a loopback address. No DNS is asked.
func Loopback(host string) bool {
	if a, ok := address(host); ok {
		return a.IsLoopback()
	}
	if name, _, err := net.SplitHostPort(host); err == nil {
		host = name
	}
	host = strings.ToLower(host)
	return host == "localhost" || strings.HasSuffix(host, ".localhost")
}

// peer is the other end of the connection.
func peer(r *http.Request) netip.Addr {
	a, _ := address(r.RemoteAddr)
	return a
}

// address reads IP, IP:PORT, [IP] or [IP]:PORT.
func address(text string) (netip.Addr, bool) {
	if host, _, err := net.SplitHostPort(text); err == nil {
		text = host
	}
	a, err := netip.ParseAddr(strings.TrimSuffix(strings.TrimPrefix(text, "["), "]"))
	return plain(a), err == nil
}

// plain is an address as networks are compared: without a zone, IPv4 as such.
func plain(a netip.Addr) netip.Addr { return a.Unmap().WithZone("") }

// values is a header's comma-separated list, over all its lines.
func values(r *http.Request, name string) []string {
	lines := r.Header.Values(name)
	if len(lines) == 0 {
		return nil
	}
	all := strings.Split(strings.Join(lines, ","), ",")
	for i := range all {
		all[i] = strings.TrimSpace(all[i])
	}
	return all
}
