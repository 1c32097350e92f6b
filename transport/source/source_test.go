package source_test

import (
	"crypto/tls"
	"net/http"
	"strings"
	"testing"

	"github.com/parley-im/parley/transport/source"
)

func proxies(t *testing.T, list ...string) source.Proxies {
	t.Helper()
	p, err := source.Parse(list)
	if err != nil {
		t.Fatal(err)
	}
	return p
}

// request comes from a peer, with lines of "Name: value".
func request(peer, host string, headers ...string) *http.Request {
	r := &http.Request{RemoteAddr: peer, Host: host, Header: http.Header{}}
	for _, h := range headers {
		name, value, _ := strings.Cut(h, ": ")
		r.Header.Add(name, value)
	}
	return r
}

func TestTheClientIsTheLastAddressThatIsNoTrustedProxy(t *testing.T) {
	p := proxies(t, "10.0.0.0/8", "fd00::/8", "192.0.2.7")
	for _, c := range []struct {
		name, peer string
		headers    []string
		want       string
	}{
		{"no proxy", "198.51.100.4:999", nil, "198.51.100.4"},
		{"a stranger's header", "198.51.100.4:999", []string{"X-Forwarded-For: 203.0.113.9"}, "198.51.100.4"},
		{"a proxy", "10.1.2.3:999", []string{"X-Forwarded-For: 203.0.113.9"}, "203.0.113.9"},
		{"a single address", "192.0.2.7:999", []string{"X-Forwarded-For: 203.0.113.9"}, "203.0.113.9"},
		{"several proxies", "10.1.2.3:999", []string{"X-Forwarded-For: 203.0.113.9, 10.9.9.9,192.0.2.7"}, "203.0.113.9"},
		{"several lines", "10.1.2.3:999", []string{"X-Forwarded-For: 203.0.113.9", "X-Forwarded-For: 10.9.9.9"}, "203.0.113.9"},
		{"what the client wrote before", "10.1.2.3:999", []string{"X-Forwarded-For: 127.0.0.1, 203.0.113.9"}, "203.0.113.9"},
		{"proxies only", "10.1.2.3:999", []string{"X-Forwarded-For: 10.0.0.9"}, "10.0.0.9"},
		{"no header", "10.1.2.3:999", nil, "10.1.2.3"},
		{"garbage", "10.1.2.3:999", []string{"X-Forwarded-For: 203.0.113.9, unknown"}, "10.1.2.3"},
		{"an empty header", "10.1.2.3:999", []string{"X-Forwarded-For: "}, "10.1.2.3"},
		{"IPv6", "[fd00::1]:999", []string{"X-Forwarded-For: 2001:db8::5"}, "2001:db8::5"},
		{"IPv6 with a port", "[fd00::1]:999", []string{"X-Forwarded-For: [2001:db8::5]:4711"}, "2001:db8::5"},
		{"IPv4 with a port", "10.1.2.3:999", []string{"X-Forwarded-For: 203.0.113.9:4711"}, "203.0.113.9"},
		{"IPv4 in IPv6", "[::ffff:10.1.2.3]:999", []string{"X-Forwarded-For: ::ffff:203.0.113.9"}, "203.0.113.9"},
		{"a zone", "[fd00::1%eth0]:999", []string{"X-Forwarded-For: 203.0.113.9"}, "203.0.113.9"},
		{"Forwarded is not read", "10.1.2.3:999", []string{"Forwarded: for=203.0.113.9"}, "10.1.2.3"},
		{"not an IP address", "@", nil, "invalid IP"},
	} {
		if got := p.Client(request(c.peer, "h", c.headers...)); got.String() != c.want {
			t.Errorf("%s: the client is %v, want %s", c.name, got, c.want)
		}
	}
	if got := (source.Proxies)(nil).Client(request("127.0.0.1:9", "h", "X-Forwarded-For: 203.0.113.9")); got.String() != "127.0.0.1" {
		t.Errorf("without proxies a header was believed: %v", got)
	}
}

func TestWhatWasAskedForComesFromATrustedProxyOnly(t *testing.T) {
	p := proxies(t, "10.0.0.0/8")
	for _, c := range []struct {
		name         string
		r            *http.Request
		scheme, host string
	}{
		{"direct", request("198.51.100.4:9", "chat.example"), "", "chat.example"},
		{"a stranger", request("198.51.100.4:9", "chat.example", "X-Forwarded-Host: bank.example", "X-Forwarded-Proto: https"), "", "chat.example"},
		{"a proxy", request("10.0.0.1:9", "inner:80", "X-Forwarded-Host: chat.example", "X-Forwarded-Proto: https"), "https", "chat.example"},
		{"the nearest proxy's word", request("10.0.0.1:9", "inner:80", "X-Forwarded-Host: bank.example, chat.example", "X-Forwarded-Proto: http, WSS"), "https", "chat.example"},
		{"no headers", request("10.0.0.1:9", "chat.example"), "", "chat.example"},
		{"an unknown scheme", request("10.0.0.1:9", "chat.example", "X-Forwarded-Proto: gopher", "X-Forwarded-Host: "), "", "chat.example"},
	} {
		if scheme, host := p.Asked(c.r); scheme != c.scheme || host != c.host {
			t.Errorf("%s: %q %q, want %q %q", c.name, scheme, host, c.scheme, c.host)
		}
	}
	r := request("198.51.100.4:9", "chat.example")
	r.TLS = &tls.ConnectionState{}
	if scheme, _ := p.Asked(r); scheme != "https" {
		t.Errorf("over TLS the scheme is %q", scheme)
	}
}

func TestNetworksThatAreNoneAreRefused(t *testing.T) {
	for _, bad := range []string{"", "10.0.0.0/33", "example.com", "10.0.0", "10.0.0.1:80", "fe80::1%eth0", "::ffff:10.0.0.0/104"} {
		if _, err := source.Parse([]string{bad}); err == nil || !strings.Contains(err.Error(), "CIDR") {
			t.Errorf("%q: %v", bad, err)
		}
	}
	if p := proxies(t, "10.1.2.3/8"); p[0].String() != "10.0.0.0/8" {
		t.Errorf("%v is not masked", p)
	}
}
