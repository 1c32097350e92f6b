// Package api is the HTTP side of a node beside the WebSocket: health,
// metrics, what operators see and do of the cluster, and, for `parley dev`,
// tokens for everybody on this machine. node
// gives it what it needs of the other parts. A handler may block for as long
// as the node takes to answer.
package api

import (
	"context"
	"encoding/json"
	"net/http"

	"github.com/parley-im/parley/chat"
)

// Options are a node's answers.
type Options struct {
	// Ready says whether clients can connect and shards are served.
	Ready   func() error
	Metrics http.Handler
	// Dev is nil outside `parley dev`.
	Dev *Dev
	// Cluster is for the cluster's operators.
	Cluster Cluster
}

// Dev hands out tokens.
type Dev struct {
	AppID chat.AppID
	Users []DevUser
	// Token registers the user and makes a token.
	Token func(ctx context.Context, user DevUser, ttlSeconds int64) (string, error)
}

// DevUser is a demo user.
type DevUser struct {
	UserID   string `json:"userID"`
	UserName string `json:"userName"`
}

// Register adds the routes to a mux.
func Register(mux *http.ServeMux, o Options) {
	mux.HandleFunc("GET /healthz", func(w http.ResponseWriter, _ *http.Request) { text(w, http.StatusOK, "ok\n") })
	mux.HandleFunc("GET /readyz", func(w http.ResponseWriter, _ *http.Request) {
		if err := o.Ready(); err != nil {
			text(w, http.StatusServiceUnavailable, err.Error()+"\n")
			return
		}
		text(w, http.StatusOK, "ready\n")
	})
	mux.Handle("GET /metrics", o.Metrics)
	o.Cluster.register(mux)
	if o.Dev == nil {
		mux.HandleFunc("/dev/", http.NotFound)
		return
	}
	mux.HandleFunc("GET /dev/users", o.Dev.users)
	mux.HandleFunc("POST /dev/token", o.Dev.token)
}

func text(w http.ResponseWriter, status int, body string) {
	w.Header().Set("Content-Type", "text/plain; charset=utf-8")
	w.WriteHeader(status)
	_, _ = w.Write([]byte(body))
}

func answer(w http.ResponseWriter, status int, body any) {
	w.Header().Set("Content-Type", "application/json; charset=utf-8")
	w.Header().Set("Cache-Control", "no-store")
	w.WriteHeader(status)
	_ = json.NewEncoder(w).Encode(body)
}
