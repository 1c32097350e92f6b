package node

import (
	"context"
	"fmt"
	"net"
	"net/http"
	"net/http/pprof"
	"time"
)

// admin is the listener for whoever runs the node: profiles, and the metrics
// once more. It binds to a loopback address only, as profiles tell too much.
type admin struct {
	listener net.Listener
	server   *http.Server
	served   chan struct{}
}

func (n *Node) startAdmin() error {
	if n.o.Admin == "" {
		return nil
	}
	host, _, err := net.SplitHostPort(n.o.Admin)
	if ip := net.ParseIP(host); err != nil || host != "localhost" && (ip == nil || !ip.IsLoopback()) {
		return fmt.Errorf("the admin address %q is not a loopback HOST:PORT", n.o.Admin)
	}
	a := &admin{served: make(chan struct{})}
	if a.listener, err = net.Listen("tcp", n.o.Admin); err != nil {
		return fmt.Errorf("listen for the admin: %w", err)
	}
	mux := http.NewServeMux()
	mux.HandleFunc("GET /debug/pprof/", pprof.Index)
	mux.HandleFunc("GET /debug/pprof/profile", pprof.Profile)
	mux.HandleFunc("GET /debug/pprof/trace", pprof.Trace)
	mux.Handle("GET /metrics", n.metricsHandler())
	a.server = &http.Server{Handler: mux, ReadHeaderTimeout: 5 * time.Second}
	n.admin = a
	go func() {
		defer close(a.served)
		_ = a.server.Serve(a.listener)
	}()
	return nil
}

func (a *admin) close(ctx context.Context) error {
	if a == nil {
		return nil
	}
	err := a.server.Shutdown(ctx)
	<-a.served
	return err
}
