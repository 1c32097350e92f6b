package node

import (
	"context"
	"crypto/tls"
	"errors"
	"fmt"
	"log/slog"
	"net"
	"net/http"
	"strings"
	"sync/atomic"
	"time"

	"github.com/parley-im/parley/cluster/ask"
	"github.com/parley-im/parley/internal/fair"
	"github.com/parley-im/parley/transport/api"
	"github.com/parley-im/parley/transport/web"
	"github.com/parley-im/parley/transport/ws"
)

// front is an HTTP port of the node. It answers about the node's health from the
// moment that it is bound; what else it serves is opened once there is something
// to serve.
type front struct {
	listener net.Listener
	server   *http.Server
	served   chan struct{}
	routes   atomic.Pointer[http.Handler]
}

// requestTime is how long a request may take to be read and to be answered; a
// profile takes half a minute. Sockets have deadlines of their own.
const requestTime = 2 * time.Minute

// answerTime is how long requests may take that are under way when the node ends.
const answerTime = 500 * time.Millisecond

// newFront begins to serve. The guard stands before every route.
func (n *Node) newFront(l net.Listener, guard func(http.Handler) http.Handler, state func(net.Conn, http.ConnState)) *front {
	f := &front{listener: l, served: make(chan struct{})}
	mux := http.NewServeMux()
	api.Health(mux, n.readiness)
	closed := api.NotReady(n.readiness)
	mux.HandleFunc("/", func(w http.ResponseWriter, r *http.Request) {
		if open := f.routes.Load(); open != nil {
			(*open).ServeHTTP(w, r)
			return
		}
		closed.ServeHTTP(w, r)
	})
	f.server = &http.Server{
		Handler: guard(mux), ConnState: state, MaxHeaderBytes: 16 << 10,
		ReadHeaderTimeout: 5 * time.Second, ReadTimeout: requestTime, WriteTimeout: requestTime, IdleTimeout: time.Minute,
		ErrorLog: slog.NewLogLogger(n.o.Log.Handler(), slog.LevelDebug),
	}
	go func() {
		defer close(f.served)
		if err := f.server.Serve(l); !errors.Is(err, http.ErrServerClosed) {
			n.o.Log.Error("the listener ended", "address", l.Addr(), "error", err)
		}
	}()
	return f
}

// open serves a handler from now on.
func (f *front) open(h http.Handler) { f.routes.Store(&h) }

// close ends the port. Requests get a moment to be answered, and no more: a
// client that does not read its answer, or has yet to ask, must not take the time
// that the rest of the node needs to end in order.
func (f *front) close(ctx context.Context) error {
	if f == nil {
		return nil
	}
	ctx, cancel := context.WithTimeout(ctx, answerTime)
	defer cancel()
	err := f.server.Shutdown(ctx)
	if ctx.Err() != nil {
		err = f.server.Close()
	}
	<-f.served
	return err
}

// listenClients binds the port of clients.
func (n *Node) listenClients() error {
	l, err := listen("addr", n.o.Addr)
	if err != nil {
		return err
	}
	bounded := ws.NewListener(l, maxAccepted(), n.o.Proxies.Trusts)
	if l = bounded; n.certificate != nil {
		l = tls.NewListener(l, n.certificate.config())
	}
	guard := mountedAt(n.o.PathPrefix)
	if n.o.Demo { // whoever asks gets a token
		guard = func(h http.Handler) http.Handler { return api.LoopbackOnly(mountedAt(n.o.PathPrefix)(h)) }
	}
	n.clients = n.newFront(l, guard, bounded.ConnState)
	return nil
}

// clientRoutes are what clients ask for.
func (n *Node) clientRoutes() http.Handler {
	mux := http.NewServeMux()
	if dev := n.dev(); dev != nil {
		dev.Register(mux)
	}
	mux.Handle("GET /ws", n.sockets)
	mux.Handle("GET /sdk/", web.SDK())
	mux.Handle(api.MethodsPath, n.methods())
	mux.HandleFunc("/cluster", api.ElsewhereForOperators)
	mux.Handle("/", web.Handler())
	return mux
}

// maxCalls is how many methods may be asked for over HTTP at a time.
const maxCalls = 1024

// methods serve the contract to clients without a socket.
func (n *Node) methods() http.Handler {
	door := ask.NewDoor(ask.DoorOptions{
		System: n.system, Directory: n.directory, Admission: n.admission, Meter: n.meter, Limits: n.limitsOf,
	})
	return &api.Methods{
		Authenticate: api.UserTokens{Verifier: n.verifier, Now: n.clock.Now}.Authenticate, Ask: door.Ask,
		MaxBytes: int64(n.tenants.Load().maxFrame()), Places: fair.NewPool(maxCalls), Source: n.sourceOf,
	}
}

// sourceOf is where a request counts as coming from.
func (n *Node) sourceOf(r *http.Request) fair.Source { return fair.Of(n.o.Proxies.Client(r)) }

// mountedAt serves what is asked for under a prefix, and as well without it:
// some proxies strip it.
func mountedAt(prefix string) func(http.Handler) http.Handler {
	return func(next http.Handler) http.Handler {
		if prefix == "" {
			return next
		}
		under := http.StripPrefix(prefix, next)
		return http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
			switch {
			case r.URL.Path == prefix: // relative addresses in the page need the slash
				http.Redirect(w, r, prefix+"/", http.StatusPermanentRedirect)
			case strings.HasPrefix(r.URL.Path, prefix+"/"):
				under.ServeHTTP(w, r)
			default:
				next.ServeHTTP(w, r)
			}
		})
	}
}

// listen binds a TCP port; the error names the setting.
func listen(setting, addr string) (net.Listener, error) {
	l, err := net.Listen("tcp", addr)
	if err != nil {
		return nil, fmt.Errorf("bind --%s: %w", setting, err)
	}
	return l, nil
}
