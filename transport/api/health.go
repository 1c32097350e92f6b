package api

import "net/http"

// Readiness is what /readyz answers: 200 when Ready, else 503.
type Readiness struct {
	Ready bool `json:"ready"`
	// Reason says why not, or what is waited for.
	Reason string `json:"reason,omitempty"`
	Shards int    `json:"shards_total"`
	// WithoutLeader is how many shards have no leader that this node reaches.
	WithoutLeader int `json:"shards_without_leader"`
}

// Health adds /healthz, which says that the process lives, and /readyz, which
// says whether clients should be sent here.
func Health(mux *http.ServeMux, ready func() Readiness) {
	mux.HandleFunc("GET /healthz", func(w http.ResponseWriter, _ *http.Request) {
		w.Header().Set("Content-Type", "text/plain; charset=utf-8")
		_, _ = w.Write([]byte("ok\n"))
	})
	mux.HandleFunc("GET /readyz", func(w http.ResponseWriter, _ *http.Request) { answerReadiness(w, ready()) })
}

// NotReady answers everything with what the node waits for.
func NotReady(ready func() Readiness) http.Handler {
	return http.HandlerFunc(func(w http.ResponseWriter, _ *http.Request) {
		r := ready()
		r.Ready = false
		answerReadiness(w, r)
	})
}

func answerReadiness(w http.ResponseWriter, r Readiness) {
	status := http.StatusOK
	if !r.Ready {
		status = http.StatusServiceUnavailable
		w.Header().Set("Retry-After", "1")
	}
	answer(w, status, r)
}
