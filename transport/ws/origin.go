package ws

import (
	"net/http"
	"net/url"
	"strings"

	"github.com/parley-im/parley/transport/source"
)

// OriginPolicy allows requests without an Origin (not a browser), of the same
// origin as what was asked for, directly or through a trusted proxy, of the
// listed origins ("https://app.example.com", or "*" for any), and, when loopback
// is set, of any origin on this machine.
func OriginPolicy(proxies source.Proxies, allowed []string, loopback bool) func(*http.Request) bool {
	list := make(map[string]bool, len(allowed))
	for _, o := range allowed {
		list[normalOrigin(o)] = true
	}
	return func(r *http.Request) bool {
		given := r.Header.Get("Origin")
		if given == "" || list["*"] || list[normalOrigin(given)] {
			return true
		}
		u, err := url.Parse(given)
		if err != nil || u.Host == "" { // "null" is one: a sandboxed or local page
			return false
		}
		scheme, host := proxies.Asked(r)
		if scheme == "" {
			scheme = u.Scheme // not known
		}
		return SameOrigin(scheme+"://"+host, given) || loopback && source.Loopback(u.Host)
	}
}

// SameOrigin tells whether two origins are one: case does not count, nor a port
// that is the scheme's default, nor a path.
func SameOrigin(a, b string) bool { return normalOrigin(a) == normalOrigin(b) }

var defaultPorts = map[string]string{"http": ":80", "https": ":443"}

// normalOrigin writes an origin as browsers do; what is none stays as it is.
func normalOrigin(o string) string {
	u, err := url.Parse(strings.ToLower(o))
	if err != nil || u.Host == "" {
		return o
	}
	return u.Scheme + "://" + strings.TrimSuffix(u.Host, defaultPorts[u.Scheme])
}
