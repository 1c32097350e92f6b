package ws

import (
	"crypto/tls"
	"net/http"
	"testing"

	"github.com/parley-im/parley/transport/source"
)

func TestOrigins(t *testing.T) {
	proxies, err := source.Parse([]string{"10.0.0.0/8"})
	if err != nil {
		t.Fatal(err)
	}
	for _, c := range []struct {
		name, host, origin string
		headers            map[string]string // from a trusted proxy, if there are any
		tls                bool
		want               bool
	}{
		{name: "no browser", host: "h", want: true},
		{name: "own", host: "h:8080", origin: "http://h:8080", want: true},
		{name: "own in capitals", host: "H", origin: "HTTPS://h", want: true},
		{name: "own, default port written in Host", host: "h:443", origin: "https://h", want: true},
		{name: "own, default port written in Origin", host: "h", origin: "https://h:443", want: true},
		{name: "own, default port of HTTP", host: "h:80", origin: "http://h", want: true},
		{name: "the default port of another scheme", host: "h", origin: "http://h:443"},
		{name: "another port", host: "h:8080", origin: "http://h:8081"},
		{name: "IPv6", host: "[2001:db8::1]:443", origin: "https://[2001:db8::1]", want: true},
		{name: "another IPv6", host: "[2001:db8::1]", origin: "https://[2001:db8::2]"},
		{name: "plain page, TLS socket", host: "h", origin: "http://h", tls: true},
		{name: "TLS page, TLS socket", host: "h:443", origin: "https://h", tls: true, want: true},
		{name: "listed", host: "h", origin: "https://app.example", want: true},
		{name: "listed with a port", host: "h", origin: "https://app.example:443", want: true},
		{name: "a listed name's other port", host: "h", origin: "https://app.example:444"},
		{name: "foreign", host: "h", origin: "https://evil.example"},
		{name: "a longer name", host: "h", origin: "https://h.evil.example"},
		{name: "null", host: "h", origin: "null"},
		{name: "garbage", host: "h", origin: "://"},
		{name: "a user in front", host: "h", origin: "http://h@evil.example"},
		{name: "behind a proxy", host: "inner:8080", origin: "https://chat.example", headers: map[string]string{"X-Forwarded-Host": "chat.example", "X-Forwarded-Proto": "https"}, want: true},
		{name: "behind a proxy, its port written", host: "inner:8080", origin: "https://chat.example", headers: map[string]string{"X-Forwarded-Host": "chat.example:443", "X-Forwarded-Proto": "wss"}, want: true},
		{name: "behind a proxy, another", host: "inner:8080", origin: "https://evil.example", headers: map[string]string{"X-Forwarded-Host": "chat.example"}},
		{name: "behind a proxy, another scheme", host: "inner", origin: "http://chat.example", headers: map[string]string{"X-Forwarded-Host": "chat.example", "X-Forwarded-Proto": "https"}},
		{name: "loopback", host: "h", origin: "http://localhost:3000"},
	} {
		r := &http.Request{Host: c.host, Header: http.Header{}, RemoteAddr: "198.51.100.1:9"}
		if c.origin != "" {
			r.Header.Set("Origin", c.origin)
		}
		if c.tls {
			r.TLS = &tls.ConnectionState{}
		}
		for name, value := range c.headers {
			r.Header.Set(name, value)
		}
		policy := OriginPolicy(proxies, []string{"https://app.example"}, false)
		if c.headers != nil {
			if c.want && policy(r) {
				t.Errorf("%s: a stranger's headers were believed", c.name)
			}
			r.RemoteAddr = "10.0.0.9:9"
		}
		if got := policy(r); got != c.want {
			t.Errorf("%s: %v, want %v", c.name, got, c.want)
		}
		if !OriginPolicy(nil, []string{"*"}, false)(r) {
			t.Errorf("%s: refused where any origin is allowed", c.name)
		}
	}
}

func TestOriginsOnLoopback(t *testing.T) {
	policy := OriginPolicy(nil, nil, true)
	for origin, want := range map[string]bool{
		"http://localhost:3000": true, "http://127.0.0.1": true, "http://[::1]:5173": true, "http://app.localhost": true, "http://localhost.evil.example": false, "null": false,
	} {
		r := &http.Request{Host: "localhost:8080", Header: http.Header{"Origin": {origin}}, RemoteAddr: "127.0.0.1:9"}
		if got := policy(r); got != want {
			t.Errorf("on loopback %s: %v, want %v", origin, got, want)
		}
	}
}
