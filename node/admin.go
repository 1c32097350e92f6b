package node

import (
	"crypto/tls"
	"net/http"
	"net/http/pprof"

	"github.com/parley-im/parley/transport/api"
	"github.com/parley-im/parley/transport/source"
	"github.com/parley-im/parley/transport/web"
)

// listenAdmin binds the port of whoever runs the node: the cluster and its page,
// metrics, profiles. On loopback it asks for this machine's names, and the token
// for what changes or shows the cluster. Elsewhere it speaks TLS when the node
// has a certificate, and wants the token for everything but health and the page.
func (n *Node) listenAdmin() error {
	if n.o.Admin == "" {
		return nil
	}
	l, err := listen("admin-addr", n.o.Admin)
	if err != nil {
		return err
	}
	guard := api.LoopbackOnly
	if !n.adminOnLoopback() {
		guard = func(h http.Handler) http.Handler { return h }
		if n.certificate != nil {
			l = tls.NewListener(l, n.certificate.config())
		}
	}
	n.admin = n.newFront(l, guard, nil)
	return nil
}

func (n *Node) adminOnLoopback() bool { return source.Loopback(n.o.Admin) }

// adminRoutes are what operators ask for.
func (n *Node) adminRoutes() http.Handler {
	open := func(h http.Handler) http.Handler {
		if n.adminOnLoopback() {
			return h
		}
		return api.Bearer(n.o.AdminToken, h)
	}
	mux := http.NewServeMux()
	n.operators().Register(mux)
	mux.Handle("GET /metrics", open(n.metricsHandler()))
	mux.Handle("GET /debug/pprof/", open(http.HandlerFunc(pprof.Index)))
	mux.Handle("GET /debug/pprof/profile", open(http.HandlerFunc(pprof.Profile)))
	mux.Handle("GET /debug/pprof/trace", open(http.HandlerFunc(pprof.Trace)))
	mux.Handle("GET /{$}", http.RedirectHandler("/cluster", http.StatusFound))
	mux.Handle("/", web.Handler())
	return mux
}

// AdminURL is where operators find the node; empty without an admin port.
func (n *Node) AdminURL() string {
	if n.admin == nil {
		return ""
	}
	scheme := "http"
	if n.certificate != nil && !n.adminOnLoopback() {
		scheme = "https"
	}
	return scheme + "://" + n.admin.listener.Addr().String()
}
